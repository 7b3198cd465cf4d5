"""The bot retrains by itself: at night, in a child process, and moderators read how it went."""

from __future__ import annotations

import shutil
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from prometheus_client import generate_latest

from bot.core.genre_names import GenreNames
from bot.core.identity import Person
from bot.core.localization import Localizer
from bot.core.moderation import Moderation
from bot.core.request import Requester
from bot.core.retraining_state import RetrainingState, load_state, save_state
from bot.metrics import Metrics
from bot.release_watch import seed
from bot.retraining import KILLED, STOPPED, Retraining
from bot.settings import Settings
from classifier.features.families import TEXTURE, TEXTURE40
from classifier.inference.manifest import PACKAGED_MODELS, read_manifest
from classifier.inference.releases import ReleaseStore
from common.community import Community
from storage import TABLE_COLUMNS, TABLE_FAMILY, SegmentVectors, Storage
from tests.classifier.training.small import features, put_release
from tests.small_disk import small_disk
from tests.storage.factories import report, song

if TYPE_CHECKING:
    from pathlib import Path

    from bot.core.identity import IdHasher
    from tests.small_disk import SmallDisk

NEW = "cheo"
EVENING = datetime(2026, 11, 28, 21, tzinfo=UTC)
OWNER = Requester(Person("local", "a cookie"), Localizer("en"), "private")


class LocalClock:
    def __init__(self) -> None:
        self.time = EVENING

    def __call__(self) -> datetime:
        return self.time


class FillingClock(LocalClock):
    """Fills the disk when it is asked a third time: the first run is noted as begun by then."""

    def __init__(self, disk: SmallDisk) -> None:
        super().__init__()
        self.asked, self.disk = 0, disk

    def __call__(self) -> datetime:
        self.asked += 1
        if self.asked == 3:
            self.disk.fill()
        return super().__call__()


def block_the_work(settings: Settings) -> None:
    """Let every run fail at once: there is a file where its folder should be."""
    settings.data_dir.mkdir()
    (settings.data_dir / "work").write_text("")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    put_release(tmp_path / "models")
    return Settings(data_dir=tmp_path / "data", model_dir=tmp_path / "models")


async def teach(storage: Storage, count: int) -> None:
    """Let one person correct songs of a genre that the release does not know."""
    await storage.people.set_consent("ann", True)
    for number in range(count):
        vector = features(NEW, number)[0]
        table = np.zeros(len(TABLE_COLUMNS), dtype=np.float32)
        segment = SegmentVectors(0, 30, {TABLE_FAMILY: table, TEXTURE: vector, TEXTURE40: vector})
        name = f"{NEW} {number}"
        answer = await storage.songs.save_answer(song(name), report("rock"), (segment,), platform="local", title=name)
        await storage.feedback.correct(
            person="ann", answer_id=answer.id, label=NEW, platform="local", chat="chat", may_train=True
        )


async def test_what_one_person_taught_their_own_bot_serves_after_the_night(
    storage: Storage, keys: IdHasher, settings: Settings
) -> None:
    clock, metrics = LocalClock(), Metrics()
    retraining = Retraining(storage, settings, metrics, clock)
    moderation = Moderation(storage, keys, settings, GenreNames(storage))
    await teach(storage, 24)
    assert await retraining.look() is None
    assert "24 recordings, enough to learn it" in await moderation.stats(OWNER)
    assert "I retrain at night" in await moderation.stats(OWNER)
    clock.time += timedelta(hours=7)
    state = await retraining.look()
    assert state is not None
    assert state.outcome == "promoted", state.text
    assert NEW in read_manifest(settings.model_dir)["genres"]
    assert f"Newly able: {NEW}" in await moderation.stats(OWNER)
    assert await retraining.look() is None
    shown = generate_latest(metrics.registry).decode()
    assert 'genre_bot_retrainings_total{outcome="promoted"} 1.0' in shown
    assert 'genre_bot_feedback_recordings{genre="cheo"} 24.0' in shown


async def test_a_failure_is_logged_and_told_to_a_moderator_once(
    storage: Storage, keys: IdHasher, settings: Settings
) -> None:
    await teach(storage, 1)
    (settings.model_dir / "manifest.json").unlink()
    state = await Retraining(storage, settings, Metrics(), LocalClock()).run()
    assert state.outcome == "failed"
    assert "There is no model" in state.text
    moderation = Moderation(storage, keys, settings, GenreNames(storage))
    first, second = await moderation.review(OWNER), await moderation.review(OWNER)
    assert first is not None
    assert second is not None
    assert first.message.text.startswith("Retraining failed")
    assert "Retraining failed" not in second.message.text
    assert await load_state(storage) == state


@pytest.mark.parametrize(("mode", "hours", "due"), [("nightly", 5, False), ("nightly", 7, True), ("off", 7, False)])
async def test_it_runs_once_a_night_and_never_where_it_is_off(
    mode: str, hours: int, due: bool, storage: Storage, settings: Settings
) -> None:
    clock = LocalClock()
    mine = settings.model_copy(update={"retrain": mode})
    retraining = Retraining(storage, mine, Metrics(), clock)
    clock.time += timedelta(hours=hours)
    if mode == "off":
        async with retraining.going_on():
            assert await load_state(storage) == RetrainingState()
        return
    assert await retraining._is_time() is due
    await save_state(storage, RetrainingState("not-enough", clock.time.isoformat()))
    assert not await retraining._is_time()


async def test_a_bot_that_is_on_only_in_the_evening_retrains_on_the_second_one(
    storage: Storage, settings: Settings
) -> None:
    clock = LocalClock()
    assert not await Retraining(storage, settings, Metrics(), clock)._is_time()
    clock.time += timedelta(days=1)
    assert await Retraining(storage, settings, Metrics(), clock)._is_time()
    for reason, again in ((STOPPED, True), (KILLED, False)):
        await save_state(storage, RetrainingState("failed", clock.time.isoformat(), reason))
        assert await Retraining(storage, settings, Metrics(), clock)._is_time() is again


@pytest.mark.parametrize("somebody_trains", [False, True])
async def test_a_run_that_ended_with_a_killed_bot_is_told_as_failed(
    somebody_trains: bool, storage: Storage, settings: Settings
) -> None:
    await save_state(storage, RetrainingState("running", EVENING.isoformat(), "learning"))
    with ReleaseStore(settings.model_dir).exclusive() if somebody_trains else nullcontext():
        await Retraining(storage, settings, Metrics(), LocalClock()).end_leftover()
    state = await load_state(storage)
    expected = ("running", "learning") if somebody_trains else ("failed", KILLED)
    assert (state.outcome, state.text) == expected


async def test_a_failure_on_a_full_disk_is_noted_once_there_is_space(
    settings: Settings, seeded_file: Path, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "disk") as disk:
        shutil.copy(seeded_file, disk.folder / "songs.db")
        async with await Storage.open(f"sqlite:///{disk.folder / 'songs.db'}") as storage:
            retraining = Retraining(storage, settings, Metrics(), FillingClock(disk))
            block_the_work(settings)
            assert (await retraining.run()).outcome == "failed"
            assert (await load_state(storage)).outcome == "running"
            disk.empty()
            await retraining.end_leftover()
            state = await load_state(storage)
            assert (state.outcome, state.text) == ("failed", "File exists")


async def test_when_ready_tries_the_same_songs_again_after_a_failure(storage: Storage, settings: Settings) -> None:
    clock = LocalClock()
    retraining = Retraining(storage, settings.model_copy(update={"retrain": "when-ready"}), Metrics(), clock)
    await teach(storage, 1)
    block_the_work(settings)
    assert (await retraining.run()).outcome == "failed"
    assert not await retraining._is_time()
    clock.time += timedelta(hours=2)
    assert await retraining._is_time()


async def test_when_ready_means_at_most_once_an_hour_and_only_for_something_new(
    storage: Storage, settings: Settings
) -> None:
    clock = LocalClock()
    retraining = Retraining(storage, settings.model_copy(update={"retrain": "when-ready"}), Metrics(), clock)
    assert not await retraining._is_time()
    await teach(storage, 1)
    assert await retraining._is_time()
    await save_state(storage, RetrainingState("not-enough", clock.time.isoformat()))
    assert not await retraining._is_time()
    clock.time += timedelta(hours=2)
    assert await retraining._is_time()


def test_only_a_public_bot_leaves_it_to_others_and_the_projects_own_release_is_never_changed(tmp_path: Path) -> None:
    modes = {each: Settings(community=each, data_dir=tmp_path) for each in Community}
    assert {str(each): settings.retrains for each, settings in modes.items()} == {
        "private": "nightly",
        "group": "nightly",
        "public": "off",
    }
    assert modes[Community.PRIVATE].release_dir == tmp_path / "models"
    assert modes[Community.PUBLIC].release_dir == PACKAGED_MODELS


def test_a_newer_release_of_the_project_replaces_an_older_one_but_none_of_the_operators(tmp_path: Path) -> None:
    older, newer, data = tmp_path / "older", tmp_path / "newer", tmp_path / "data"
    put_release(older)
    name = put_release(newer, ("blues", "rock"))
    data.mkdir()
    assert seed(data / "models", older, data)
    assert seed(data / "models", newer, data)
    assert read_manifest(data / "models")["name"] == name
    assert not seed(data / "models", newer, data)
    own = put_release(data / "models", ("jazz", "rock"))
    assert not seed(data / "models", older, data)
    assert read_manifest(data / "models")["name"] == own
