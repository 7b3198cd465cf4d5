"""Teaches V-pop to a bot of one's own, as a private user of ``make run`` does, and asks about other V-pop the next day.

``python benchmarks/own_bot.py`` makes the packaged release forget V-pop (see ``learning_curve.py``), opens the page,
sends songs over HTTP and corrects each answer, lets the clock show the next night, and waits for the bot to retrain by
itself. Then songs by other artists are sent to the same bot, which was never stopped.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

from benchmarks.learning_curve import clips_of_today, forgetting  # noqa: E402  found only now
from bot.core.identity import IdHasher  # noqa: E402
from bot.metrics import Metrics  # noqa: E402
from bot.release_watch import ReleaseWatch  # noqa: E402
from bot.retraining import Retraining  # noqa: E402
from bot.settings import Settings  # noqa: E402
from classifier.inference.executor_factory import open_executor  # noqa: E402
from classifier.inference.manifest import read_manifest  # noqa: E402
from classifier.training import base_dataset, release_writer  # noqa: E402
from classifier.training.candidate import Serving  # noqa: E402
from storage import Storage  # noqa: E402
from tests.bot.web.page import Page, history, opened_page, send  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Sequence

    import aiohttp

    from tests.bot.fake_classifier import EarAtHand

SECONDS_PER_SONG = 300.0


def put_down(serving: Serving, folder: Path) -> None:
    """Write a release with its base material."""
    packed = release_writer.content(serving.artifact)
    name = release_writer.name_of(serving.artifact, packed)
    content = base_dataset.pack(serving.base)
    files = {release_writer.file_of(name): packed, base_dataset.file_of(content): content}
    counts = {genre: int((serving.base.labels == genre).sum()) for genre in serving.artifact.genres}
    release_writer.write(folder, name, serving.artifact, files, {"trained_on": counts})


async def answer(browser: aiohttp.ClientSession, path: Path) -> dict[str, Any]:
    """Send a song and return its answered entry."""
    number = (await send(browser, path, path.name))["id"]
    async with asyncio.timeout(SECONDS_PER_SONG):
        while True:
            entries = [each for each in (await history(browser))["entries"] if each["id"] == number]
            if entries and entries[0]["state"] != "waiting":
                return dict(entries[0])
            await asyncio.sleep(0.2)


async def told(page: Page, browser: aiohttp.ClientSession, path: Path) -> str | None:
    """Send a song and return the genre that was answered."""
    entry = await answer(browser, path)
    stored = await page.chat.history.get(entry["id"])
    assert stored is not None  # noqa: S101 - it was answered just now
    assert stored.reply is not None  # noqa: S101
    reply = await page.bot.storage.replies.find(stored.reply)
    assert reply is not None  # noqa: S101
    found = await page.bot.storage.songs.answer(reply.answer_id)
    return None if found is None else found.genre


async def live(
    models: Path, folder: Path, label: str, taught: Sequence[Path], others: Sequence[tuple[str, Path]]
) -> None:
    """Teach, sleep, and ask."""
    settings = Settings(
        data_dir=folder / "data", model_dir=models, songs_per_person_queued=100, songs_per_person_daily=1000
    )
    executor = open_executor("", model_dir=models, workers=1, max_minutes=10)
    watch = ReleaseWatch(models, executor)
    await watch.start()
    time = datetime.now().astimezone().replace(hour=20)
    try:
        async with (
            await Storage.open(settings.database) as storage,
            opened_page(storage, IdHasher(b"known to this benchmark"), settings, cast("EarAtHand", executor)) as page,
            watch.followed(page.bot.core.names.load, page.bot.conversation.info.serves),
        ):
            retraining = Retraining(storage, settings, Metrics(), lambda: time)
            me = page.browser()
            await history(me)
            async with me.post("/consent", json={"allow": True}) as response:
                response.raise_for_status()
            for path in taught:
                entry = await answer(me, path)
                async with me.post(f"/songs/{entry['id']}/opinion", json={"genre": label}) as response:
                    response.raise_for_status()
            print(f"{len(taught)} songs corrected on the page; the bot looks: {await retraining.look()}", flush=True)
            before = executor.release
            time += timedelta(hours=10)
            print(f"the next morning: {await retraining.look()}", flush=True)
            if read_manifest(models)["name"] != before:
                async with asyncio.timeout(120):
                    while executor.release == before:  # noqa: ASYNC110 - it is noticed by looking
                        await asyncio.sleep(0.2)
            await report(page, me, models, label, others)
    finally:
        await executor.close()


async def report(
    page: Page, me: aiohttp.ClientSession, models: Path, label: str, others: Sequence[tuple[str, Path]]
) -> None:
    """Ask about songs of other artists and print what was answered."""
    answers = [(truth, await told(page, me, path)) for truth, path in others]
    mine = [found for truth, found in answers if truth == label]
    alarms = [(truth, found) for truth, found in answers if truth != label]
    print(f"{label} by other artists: {sum(found == label for found in mine)} of {len(mine)} recognised")
    print(f"other songs of today: {sum(found == label for _, found in alarms)} of {len(alarms)} called {label}")
    manifest = read_manifest(models)
    if evaluation := manifest.get("evaluation"):
        for each in json.loads((models / str(evaluation)).read_text("utf-8"))["differences"]:
            print(f"  {each['what']}: {each['before']} → {each['after']} over {each['songs']}")


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=REPOSITORY.parent / "shared" / "data", metavar="DIR")
    parser.add_argument("--label", default="vpop")
    parser.add_argument("--songs", type=int, default=20, help="how many are corrected")
    parser.add_argument("--asked", type=int, default=20, help="how many of the label, and of others, are asked about")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    first: dict[str, dict[str, str]] = {}
    for row in clips_of_today(arguments.data):
        first.setdefault(row["song"], dict(row))
    order = np.random.default_rng(arguments.seed)
    songs = [row for row in first.values() if row["label"] == arguments.label]
    artists = sorted({row["artist"] for row in songs})
    order.shuffle(artists)
    songs.sort(key=lambda row: artists.index(row["artist"]))
    taught, seen = songs[: arguments.songs], {row["artist"] for row in songs[: arguments.songs]}
    fresh = [row for row in songs if row["artist"] not in seen][: arguments.asked]
    strangers = [row for row in first.values() if row["label"] != arguments.label and row["artist"] not in seen]
    chosen = order.choice(len(strangers), min(len(strangers), arguments.asked), replace=False)

    def path(row: dict[str, str]) -> Path:
        found: Path = arguments.data / "modern" / row["label"] / f"{row['clip']}.opus"
        return found

    asked = [(row["label"], path(row)) for row in [*fresh, *(strangers[place] for place in chosen)]]
    with tempfile.TemporaryDirectory() as name:
        models = Path(name) / "models"
        put_down(forgetting(Serving.load(REPOSITORY / "models"), arguments.label, 2), models)
        print(f"{read_manifest(models)['name']} does not know {arguments.label}", flush=True)
        asyncio.run(live(models, Path(name), arguments.label, [path(row) for row in taught], asked))
    return 0


if __name__ == "__main__":
    sys.exit(main())
