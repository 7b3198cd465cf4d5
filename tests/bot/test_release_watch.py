"""A promoted release is noticed and taken over by the running bot; what is not whole is refused; nothing is lost."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import random
import signal
import time
from typing import TYPE_CHECKING, Any, cast

import pytest

from bot import release_watch
from bot.core.identity import Person
from bot.release_watch import CAME_WITH_THE_BOT, ReleaseWatch, seed
from classifier.inference.executor import CannotStart
from classifier.inference.manifest import FORMAT, MANIFEST, BadRelease, read_manifest, read_release
from classifier.inference.releases import ReleaseStore
from tests.bot.fake_classifier import GENRES
from tests.bot.fake_releases import following_executor, lay, promote
from tests.bot.running import Bot

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from bot.core.chat import PendingSong
    from bot.core.identity import IdHasher
    from bot.settings import Settings
    from storage import Storage
    from tests.bot.fake_classifier import EarAtHand
    from tests.bot.recording_chat import Notebook

    Tone = Callable[..., Path]

SONGS = 50
ANSWERED_BEFORE = 5
ROUNDS = 25
ANN = Person("telegram", "ann")


@pytest.fixture
def model_dir(tmp_path: Path) -> Path:
    """The first release serves, the second one waits."""
    folder = lay(tmp_path / "models", "first")
    kept = ReleaseStore(folder)
    with kept.exclusive():
        kept.store(lay(tmp_path / "second", "second", (*GENRES, "zouk")))
    return folder


@pytest.fixture
def workers() -> int:
    return 1


@pytest.fixture
def settings(settings: Settings, model_dir: Path, workers: int) -> Settings:
    return settings.model_copy(
        update={"model_dir": model_dir, "workers": workers, "songs_per_person_queued": 2 * SONGS}
    )


class Following(Bot):
    """A bot with real workers that follows what is promoted in a folder."""

    def __init__(self, storage: Storage, keys: IdHasher, settings: Settings, folder: Path) -> None:
        self.executor = following_executor(settings.model_dir, workers=settings.workers)
        super().__init__(storage, keys, settings, cast("EarAtHand", self.executor), folder)
        self.watch = ReleaseWatch(settings.model_dir, self.executor)

    async def look(self) -> str:
        """Look once, and return which release then serves."""
        await self.watch.look(self.core.names.load, self.conversation.info.serves)
        return self.executor.release


@pytest.fixture
async def bot(
    storage: Storage,
    keys: IdHasher,
    settings: Settings,
    notebook: Notebook,
    tmp_path: Path,
) -> AsyncIterator[Following]:
    # Nothing follows by itself: tests look, so that they know when.
    following = Following(storage, keys, settings, tmp_path / "work")
    following.with_chat(notebook)
    await following.watch.start()
    await following.core.names.load(following.executor.genres)
    following.conversation.info.serves(following.executor.release, following.executor.genres)
    await following.queue.start()
    yield following
    await following.queue.stop()
    await following.executor.close()


@pytest.mark.parametrize("workers", [2])
async def test_a_promotion_during_a_queue_of_fifty_songs(
    workers: int,
    bot: Following,
    notebook: Notebook,
    model_dir: Path,
    tone: Tone,
    storage: Storage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    go_on, fetch, fetched = asyncio.Event(), notebook.fetch, []

    async def patient(song: PendingSong, folder: Path) -> Path:
        """Hold the queue in the middle of its songs until the promotion is under way."""
        fetched.append(song.job_id)
        if len(fetched) > ANSWERED_BEFORE:
            await go_on.wait()
        return await fetch(song, folder)

    monkeypatch.setattr(notebook, "fetch", patient)
    for number in range(SONGS):
        path = tone(200 + 10 * number, name=f"{number}.wav")
        await bot.conversation.submit(notebook.sends(path, person=ANN))
    await notebook.until(lambda: len(notebook.answers) >= ANSWERED_BEFORE)
    promote(model_dir, "second")
    assert await bot.look() == "second"
    go_on.set()
    await notebook.until(lambda: len(notebook.discarded) == SONGS)
    assert not notebook.refusals
    assert {len(said) for said in notebook.answers.values()} == {1}
    models = [notebook.answers[f"{number}.wav"][0].report.model for number in range(SONGS)]
    assert set(models) == {"first", "second"}
    assert models[-1] == "second"
    for said in notebook.answers.values():
        kept = await storage.songs.answer(said[0].reply.answer_id)
        assert kept is not None
        assert kept.model == said[0].report.model == kept.report["model"]


async def test_words_choices_and_about_follow_the_switch(bot: Following, model_dir: Path) -> None:
    assert "zouk" not in (await bot.conversation.info.about("en")).lower()
    promote(model_dir, "second")
    await bot.look()
    assert "zouk" in (await bot.conversation.info.about("en")).lower()
    [choice, *_], _ = await bot.conversation.genres.choices("zouk", "en")
    assert (choice.label, choice.proposed) == ("zouk", False)


async def test_each_release_answers_a_song_once_and_remembers_it(
    bot: Following, model_dir: Path, notebook: Notebook, tone: Tone
) -> None:
    path = tone(300, name="song.wav")

    async def ask() -> tuple[str, bool]:
        before = len(notebook.answers[path.name])
        await bot.conversation.submit(notebook.sends(path, person=ANN))
        await notebook.until(lambda: notebook.discarded.count(path.name) > before)
        assert not notebook.refusals, notebook.refusals
        said = notebook.answers[path.name][-1]
        return said.report.model, said.known

    assert [await ask(), await ask()] == [("first", False), ("first", True)]
    promote(model_dir, "second")
    await bot.look()
    assert [await ask(), await ask()] == [("second", False), ("second", True)]
    promote(model_dir, "first")
    await bot.look()
    assert await ask() == ("first", True)


def _cut(model_dir: Path) -> None:
    manifest = model_dir / MANIFEST
    manifest.write_bytes(manifest.read_bytes()[:-20])


def _lose(model_dir: Path) -> None:
    (model_dir / "second.joblib").unlink()


def _alter(model_dir: Path) -> None:
    (model_dir / "second.joblib").write_bytes(b"not what was released")


def _rename(model_dir: Path) -> None:
    manifest = dict(read_manifest(model_dir)) | {"format": FORMAT + 1}
    (model_dir / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")


def _escape(model_dir: Path) -> None:
    manifest = dict(read_manifest(model_dir)) | {"files": {"../second.joblib": {"sha256": "0" * 64}}}
    (model_dir / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")


@pytest.mark.parametrize("spoil", [_cut, _lose, _alter, _rename, _escape])
async def test_a_release_that_is_not_whole_is_refused_with_one_line(
    bot: Following,
    model_dir: Path,
    notebook: Notebook,
    tone: Tone,
    spoil: Callable[[Path], None],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(release_watch, "REFUSED_SECONDS", 0.0)
    workers = bot.executor.pids
    promote(model_dir, "second")
    spoil(model_dir)
    with caplog.at_level(logging.INFO):
        assert [await bot.look() for _ in range(4)] == ["first"] * 4
    [line] = [record.getMessage() for record in caplog.records if record.name == "bot.release_watch"]
    assert line.startswith("a release was refused, first goes on answering: ")
    assert bot.executor.pids == workers
    await bot.conversation.submit(notebook.sends(tone(300, name="song.wav"), person=ANN))
    await notebook.until(lambda: notebook.discarded)
    assert notebook.answers["song.wav"][0].report.model == "first"
    lay(model_dir, "second")
    assert await bot.look() == "second"


async def test_a_refused_release_is_left_alone_for_a_while(
    bot: Following, model_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    promote(model_dir, "second")
    _lose(model_dir)
    reads = []

    def counted(directory: Path) -> Any:
        reads.append(directory)
        return read_release(directory)

    monkeypatch.setattr(release_watch, "read_release", counted)
    for _ in range(5):
        await bot.look()
    assert len(reads) == 1
    (model_dir / MANIFEST).touch()
    await bot.look()
    assert len(reads) == 2


async def test_a_folder_without_a_manifest_changes_nothing(bot: Following, model_dir: Path) -> None:
    (model_dir / MANIFEST).unlink()
    assert await bot.look() == "first"


async def test_the_bot_does_not_start_without_a_whole_release(
    storage: Storage, keys: IdHasher, settings: Settings, tmp_path: Path
) -> None:
    (settings.model_dir / "first.joblib").write_bytes(b"")
    following = Following(storage, keys, settings, tmp_path / "work")
    with pytest.raises(CannotStart, match="is not the file that was released"):
        await following.watch.start()
    await following.executor.close()


def test_killed_while_promoting_a_whole_release_lies_there(model_dir: Path) -> None:
    chance, found = random.Random(5), set()
    for _ in range(ROUNDS):
        child = os.fork()
        if child == 0:
            try:
                while True:
                    promote(model_dir, "second", "first")
            finally:
                os._exit(1)
        time.sleep(chance.uniform(0.0, 0.04))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        manifest, artifact = read_release(model_dir)
        assert artifact == manifest["name"].encode() * 1000
        found.add(manifest["name"])
    promote(model_dir, "first", "second")
    assert read_release(model_dir)[0]["name"] == "second"
    assert found <= {"first", "second"}


class TestSeeding:
    @pytest.fixture
    def packaged(self, tmp_path: Path) -> Path:
        return lay(tmp_path / "packaged", "packaged")

    @pytest.fixture
    def data_dir(self, tmp_path: Path) -> Path:
        return tmp_path / "data"

    def test_an_empty_folder_starts_with_the_packaged_release(self, packaged: Path, data_dir: Path) -> None:
        volume = data_dir.parent / "volume"
        (volume / "lost+found").mkdir(parents=True)
        assert seed(volume, packaged, data_dir)
        assert read_release(volume)[0]["name"] == "packaged"
        served = {MANIFEST, "packaged.joblib", "MODEL_CARD.md", CAME_WITH_THE_BOT}
        assert {path.name for path in volume.iterdir()} == {"lost+found", *served}
        assert not seed(volume, packaged, data_dir)

    def test_what_was_cut_off_is_finished(self, packaged: Path, data_dir: Path) -> None:
        volume = data_dir.parent / "volume"
        volume.mkdir()
        (volume / "packaged.joblib").write_bytes(b"half")
        (volume / ".MODEL_CARD.md.77").write_bytes(b"half")
        assert seed(volume, packaged, data_dir)
        assert read_release(volume)[0]["name"] == "packaged"

    def test_the_bots_own_folder_is_made_and_no_other(self, packaged: Path, data_dir: Path) -> None:
        assert seed(data_dir / "models", packaged, data_dir)
        assert not seed(data_dir.parent / "misspelt", packaged, data_dir)
        assert not (data_dir.parent / "misspelt").exists()

    def test_whatever_else_lies_there_is_left_alone(self, packaged: Path, data_dir: Path, model_dir: Path) -> None:
        assert not seed(model_dir, packaged, data_dir)
        assert not seed(packaged, packaged, data_dir)
        photos = data_dir.parent / "photos"
        photos.mkdir()
        (photos / "holiday.jpg").write_bytes(b"")
        assert not seed(photos, packaged, data_dir)
        assert [path.name for path in photos.iterdir()] == ["holiday.jpg"]

    def test_a_folder_that_cannot_be_written_is_told(self, packaged: Path, data_dir: Path) -> None:
        data_dir.write_text("a file where a folder should be")
        with pytest.raises(BadRelease, match="cannot be copied"):
            seed(data_dir / "models", packaged, data_dir)
