"""The loop in small: corrections given in a chat become a release that the running bot goes over to.

A tiny release knows three styles. Songs of two more are sent and corrected by people who consent, reviewed, exported,
trained from, judged, promoted: then the same bot, never stopped, knows new songs of those styles, and the old ones too.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from bot.app import compose
from bot.core.identity import Person
from bot.core.localization import Localizer
from bot.core.request import Requester
from bot.metrics import Metrics
from bot.release_watch import ReleaseWatch
from bot.setting_values import Moderator
from bot.settings import Settings
from classifier.__main__ import main as classifier
from classifier.inference.executor_factory import open_executor
from classifier.training import feedback_reader
from storage import AggregationRules, ExportFormat, ReviewStatus, export_for_training
from tests.classifier import conftest as training
from tests.storage.factories import corrected
from tests.storage.factories import song as content_hash
from tests.synthesis import song, write

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.core.chat import Answered
    from bot.core.identity import IdHasher
    from storage import Storage
    from tests.bot.recording_chat import Notebook

quick_training = training.quick_training

KNOWN = ("blues", "disco", "metal")
NEW = ("vietnamese", "reggae")
LABELS = {"vietnamese": "catru", "reggae": "reggae"}
SONGS_TRAINED = 4
SONGS_CORRECTED = 12
SECONDS = 4.0
PEOPLE = tuple(Person("telegram", name) for name in ("11", "12", "13", "14"))
SOMEBODY = Person("telegram", "15")
BOSS = Requester(Person("telegram", "99"), Localizer("en"), "private")


def play(folder: Path, style: str, seed: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{style}-{seed}.wav"
    write(song(style, SECONDS, seed), path)
    return path


@pytest.fixture(scope="module")
def models(quick_training: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train a release that knows three styles."""
    music = tmp_path_factory.mktemp("music")
    for style in KNOWN:
        for seed in range(SONGS_TRAINED):
            play(music / style, style, seed)
    out = tmp_path_factory.mktemp("models") / "models"
    assert classifier(["train", "--data", str(music), "--out", str(out), "--jobs", "1", "--no-evaluate"]) == 0
    return out


@pytest.fixture
def settings(tmp_path: Path, models: Path) -> Settings:
    return Settings(
        data_dir=tmp_path / "data",
        model_dir=models,
        moderators=(Moderator("telegram", "99"),),
        songs_per_person_queued=100,
    )


class Listening:
    """A bot with a real release behind it, and the watch that follows what is promoted."""

    def __init__(self, storage: Storage, keys: IdHasher, settings: Settings, notebook: Notebook) -> None:
        self.executor = open_executor("", model_dir=settings.model_dir, workers=1, max_minutes=5)
        self.watch = ReleaseWatch(settings.model_dir, self.executor)
        self.notebook = notebook
        self.core = compose(
            storage,
            keys,
            settings,
            self.executor,
            {notebook.platform: notebook},
            owner="this bot",
            folder=settings.data_dir / "work",
            metrics=Metrics(),
        )
        self.conversation, self.queue = self.core.conversation, self.core.queue

    async def hear(self, path: Path, person: Person) -> Answered:
        """Send a song and return the answer."""
        await self.conversation.submit(self.notebook.sends(path, person=person, chat_id="group"))
        await self.notebook.until(lambda: path.name in self.notebook.discarded)
        return self.notebook.answers[path.name][-1]

    async def leaves(self, release: str) -> None:
        """Wait until another release answers."""
        while self.executor.release == release:  # noqa: ASYNC110 - it is noticed by looking
            await asyncio.sleep(0.05)


@pytest.fixture
async def bot(storage: Storage, keys: IdHasher, settings: Settings, notebook: Notebook) -> AsyncIterator[Listening]:
    listening = Listening(storage, keys, settings, notebook)
    await listening.watch.start()
    async with listening.watch.followed(listening.core.names.load, listening.conversation.info.serves):
        await listening.queue.start()
        yield listening
        await listening.queue.stop()
    await listening.executor.close()


async def teach(bot: Listening, folder: Path) -> None:
    """Let people send songs of the new styles, and correct what they hear; two of four people each."""
    for person in PEOPLE:
        await bot.conversation.privacy.set_consent(person, "en", allow=True)
    for style in NEW:
        for seed in range(SONGS_CORRECTED):
            path = play(folder, style, 100 + seed)
            heard = await bot.hear(path, PEOPLE[seed % 4])
            assert heard.report.genre in KNOWN
            for person in (PEOPLE[seed % 4], PEOPLE[(seed + 1) % 4]):
                await bot.conversation.correct(heard.reply.id, person, "en", LABELS[style])


async def genres_of(
    bot: Listening, folder: Path, styles: tuple[str, ...], first_seed: int
) -> dict[str, list[str | None]]:
    """Let somebody send new songs of some styles and tell what they were called."""
    return {
        style: [
            (await bot.hear(play(folder, style, first_seed + number), SOMEBODY)).report.genre for number in range(3)
        ]
        for style in styles
    }


@pytest.mark.timeout(400)
@pytest.mark.usefixtures("quick_training")
async def test_corrections_become_a_release_that_the_running_bot_goes_over_to(
    bot: Listening, storage: Storage, settings: Settings, tmp_path: Path
) -> None:
    music, first = tmp_path / "music", bot.executor.release
    before = await genres_of(bot, music, KNOWN, 200)
    await teach(bot, music)
    # One of them is disputed, and a moderator settles it.
    disputed = bot.notebook.answers["reggae-100.wav"][-1].reply.id
    await bot.conversation.privacy.set_consent(SOMEBODY, "en", allow=True)
    await bot.conversation.correct(disputed, SOMEBODY, "en", "metal")
    review = await bot.conversation.moderation.review(BOSS)
    assert review is not None
    assert "People disagree about this song" in review.message.text
    await bot.conversation.moderation.rule(BOSS, review.correction_id, ReviewStatus.ACCEPTED)
    lessons = tmp_path / "lessons.csv"
    taught = await export_for_training(
        storage, lessons, ExportFormat.CSV, AggregationRules(sources=settings.training_sources)
    )
    assert (taught.songs, taught.evaluate, taught.waiting) == (2 * SONGS_CORRECTED, 0, 0)
    retrain = ["retrain", "--feedback", str(lessons), "--models", str(settings.model_dir), "--jobs", "1"]
    assert await asyncio.to_thread(classifier, [*retrain, "--songs", "8"]) == 0
    await bot.leaves(first)
    assert set(bot.executor.genres) == {*KNOWN, *LABELS.values()}
    after = await genres_of(bot, music, (*NEW, *KNOWN), 300)
    for style, label in LABELS.items():
        assert after[style].count(label) >= 2
    old = [sum(genre == style for style in KNOWN for genre in answers[style]) for answers in (before, after)]
    assert old[1] >= old[0] - 1
    models = {bot.notebook.answers[name][-1].report.model for name in ("blues-200.wav", "blues-300.wav")}
    assert models == {first, bot.executor.release}
    manifest = json.loads((settings.model_dir / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["name"] == bot.executor.release


async def test_a_revoked_consent_is_gone_from_what_the_next_model_learns_from(storage: Storage, tmp_path: Path) -> None:
    for person in ("ann", "bob", "cid"):
        await storage.people.set_consent(person, True)
        await corrected(storage, person, "blues", "shared")
    for person in ("ann", "bob"):
        await corrected(storage, person, "rock", "theirs")

    async def learnt_from() -> set[str]:
        path = tmp_path / "lessons.csv"
        await export_for_training(storage, path, ExportFormat.CSV)
        return {learnt.id for learnt in feedback_reader.read(path) if learnt.may_train}

    assert await learnt_from() == {content_hash("shared"), content_hash("theirs")}
    await storage.people.set_consent("ann", False)
    assert await learnt_from() == {content_hash("shared")}
    await storage.people.erase("bob")
    assert await learnt_from() == set()
