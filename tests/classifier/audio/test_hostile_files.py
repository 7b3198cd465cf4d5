"""Files that mean harm, or are merely broken, end with their sentence, and the next song is fine."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import struct
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from classifier.errors import Damaged, NoSound, NotAudio, Silent, TookTooLong, TooShort, WorkerLost
from classifier.inference.executor import LocalExecutor, load_classifier
from classifier.inference.executor_factory import open_executor
from classifier.inference.worker_process import WorkerLimits
from common.errors import EmptyFile, SongError, TooLong
from common.units import MEBIBYTE
from tests.conftest import REPOSITORY
from tests.synthesis import KINDS, song, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from classifier.inference.executor import SongExecutor
    from classifier.song_report import Classification, Progress

MODELS: Final = REPOSITORY / "models"
MAX_MINUTES: Final = 10
HOUR_SECONDS: Final = 3_600
FLAC_DESCRIPTION_AT: Final = 18
BYTES_PER_SECOND: Final = 22_050 * 4
WORKER_BYTES: Final = 256 * MEBIBYTE


class Ears:
    """The real executor, with the released model, for tests that have no event loop of their own."""

    def __init__(self, runner: asyncio.Runner, executor: LocalExecutor) -> None:
        self._runner, self._executor = runner, executor

    def hear(self, path: Path, on_progress: Callable[[Progress], None] | None = None) -> Classification:
        return self._runner.run(self._executor.classify(path, on_progress=on_progress))

    @property
    def pid(self) -> int:
        [pid] = self._executor.pids
        return pid


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def ears(runner: asyncio.Runner) -> Iterator[Ears]:
    executor: SongExecutor = open_executor("", model_dir=MODELS, workers=1, max_minutes=MAX_MINUTES)
    assert isinstance(executor, LocalExecutor)
    runner.run(executor.start())
    yield Ears(runner, executor)
    runner.run(executor.close())


@pytest.fixture(scope="module")
def good_song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(song("disco", 6), tmp_path_factory.mktemp("good") / "song.mp3")


@pytest.fixture
def next_song_is_fine(ears: Ears, good_song: Path) -> Iterator[None]:
    yield
    assert ears.hear(good_song).report.duration == pytest.approx(6, abs=0.1)


def empty(folder: Path) -> Path:
    path = folder / "empty.mp3"
    path.touch()
    return path


def text(folder: Path) -> Path:
    path = folder / "text.mp3"
    path.write_text("This is not music.\n" * 1000)
    return path


def noise(folder: Path) -> Path:
    path = folder / "noise.mp3"
    path.write_bytes(np.random.default_rng(1).bytes(200_000))
    return path


def video_without_sound(folder: Path) -> Path:
    return write(None, folder / "film.mp4")


def silence(folder: Path) -> Path:
    return write(np.zeros(44_100 * 10, np.float32), folder / "silence.flac")


def blink(folder: Path) -> Path:
    return write(song("pop", 2), folder / "blink.wav")


def header_alone(folder: Path) -> Path:
    path = write(song("pop", 6), folder / "whole.m4a")
    path.write_bytes(path.read_bytes()[:2000])
    return path


def hour_of_flac(folder: Path) -> Path:
    """Write an hour of next to nothing in well under a megabyte."""
    path = folder / "hour.flac"
    nothing = np.zeros((1, 4096), np.int16)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("flac", rate=44_100, layout="mono")
        for _ in range(HOUR_SECONDS * 44_100 // nothing.size):
            frame = av.AudioFrame.from_ndarray(nothing, format="s16", layout="mono")
            frame.sample_rate = 44_100
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


HOSTILE: Final = {
    empty: EmptyFile,
    text: NotAudio,
    noise: NotAudio,
    video_without_sound: NoSound,
    silence: Silent,
    blink: TooShort,
    header_alone: Damaged,
}


@pytest.mark.usefixtures("next_song_is_fine")
@pytest.mark.parametrize(("make", "error"), HOSTILE.items(), ids=[make.__name__ for make in HOSTILE])
def test_a_bad_file_gets_its_sentence(
    make: Callable[[Path], Path], error: type[SongError], ears: Ears, tmp_path: Path
) -> None:
    worker = ears.pid
    with pytest.raises(SongError) as caught:
        ears.hear(make(tmp_path))
    assert type(caught.value) is error
    assert str(caught.value).endswith((".", "!"))
    assert ears.pid == worker


@pytest.mark.usefixtures("next_song_is_fine")
def test_an_hour_in_a_small_file_is_not_decoded_to_its_end(ears: Ears, tmp_path: Path) -> None:
    path = hour_of_flac(tmp_path)
    assert path.stat().st_size < 700_000
    before = peak_bytes(ears.pid)
    with pytest.raises(TooLong, match=f"longer than {MAX_MINUTES} minutes"):
        ears.hear(path)
    assert peak_bytes(ears.pid) - before < HOUR_SECONDS * BYTES_PER_SECOND / 2


def peak_bytes(pid: int) -> int:
    """Return the most memory that a process has held."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


@pytest.mark.usefixtures("next_song_is_fine")
def test_a_file_that_claims_hundred_hours_is_heard_for_what_it_holds(ears: Ears, tmp_path: Path) -> None:
    path = write(song("pop", 6), tmp_path / "claims.flac")
    content = bytearray(path.read_bytes())
    # The last 36 bits of these eight bytes are the number of samples; what is before them stays.
    [description] = struct.unpack_from(">Q", content, FLAC_DESCRIPTION_AT)
    claimed = (description >> 36 << 36) | 100 * HOUR_SECONDS * 44_100
    struct.pack_into(">Q", content, FLAC_DESCRIPTION_AT, claimed)
    path.write_bytes(content)
    with av.open(str(path)) as container:
        assert container.duration == 100 * HOUR_SECONDS * av.time_base
    assert ears.hear(path).report.duration == pytest.approx(6, abs=0.1)


class Watch:
    """Counts how often a file is opened, by anybody."""

    IN_OPEN: Final = 0x20
    IN_NONBLOCK: Final = 0x800

    def __init__(self, path: Path) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = libc.inotify_init1(self.IN_NONBLOCK)
        assert libc.inotify_add_watch(self._descriptor, os.fsencode(path), self.IN_OPEN) > 0

    def opened(self) -> bool:
        try:
            return bool(os.read(self._descriptor, 4096))
        except BlockingIOError:
            return False

    def close(self) -> None:
        os.close(self._descriptor)


SCRIPTS: Final = {
    "ffconcat": "ffconcat version 1.0\nfile {canary}\n",
    "m3u": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{canary}\n#EXT-X-ENDLIST\n",
    "id3 and ffconcat": "ID3\x04\x00\x00\x00\x00\x00\x00ffconcat version 1.0\nfile {canary}\n",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=audio 9 RTP/AVP 0\n",
    "dash": "<MPD><Period><AdaptationSet><Representation><BaseURL>{canary}</BaseURL></Representation></AdaptationSet>"
    "</Period></MPD>",
}


@pytest.mark.usefixtures("next_song_is_fine")
@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_a_script_named_mp3_opens_no_other_file(script: str, ears: Ears, tmp_path: Path) -> None:
    canary = write(song("pop", 6), tmp_path / "canary.mp3")
    path = tmp_path / "song.mp3"
    path.write_text(script.format(canary=canary.name))
    watch = Watch(canary)
    with pytest.raises((NotAudio, Damaged)):
        ears.hear(path)
    assert not watch.opened()
    watch.close()


def test_the_watch_would_notice(tmp_path: Path) -> None:
    canary = write(song("pop", 6), tmp_path / "canary.mp3")
    path = tmp_path / "song.mp3"
    path.write_text(SCRIPTS["ffconcat"].format(canary=canary.name))
    watch = Watch(canary)
    with av.open(str(path)) as container:
        assert container.format.name == "concat"
    assert watch.opened()
    watch.close()


@pytest.mark.usefixtures("next_song_is_fine")
def test_a_worker_killed_amid_a_song_costs_that_song(ears: Ears, tmp_path: Path) -> None:
    def kill(progress: Progress) -> None:
        if progress.segments:
            os.kill(ears.pid, signal.SIGKILL)

    with pytest.raises(WorkerLost):
        ears.hear(long_song(tmp_path), on_progress=kill)


@pytest.fixture(scope="module")
def whole_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Return a short song as a file of every kind."""
    folder = tmp_path_factory.mktemp("whole")
    played = song("hiphop", 4)
    return {suffix: write(played, folder / f"song{suffix}").read_bytes() for suffix in KINDS}


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    suffix=st.sampled_from(sorted(KINDS)),
    length=st.floats(0, 1),
    wounds=st.lists(st.tuples(st.floats(0, 0.999), st.binary(min_size=1, max_size=16)), max_size=8),
)
def test_wounded_files_of_every_kind_leave_the_worker_unharmed(
    suffix: str,
    length: float,
    wounds: list[tuple[float, bytes]],
    ears: Ears,
    whole_files: dict[str, bytes],
    tmp_path: Path,
) -> None:
    content = bytearray(whole_files[suffix])
    for place, bytes_there in wounds:
        # Headers are short and matter most: most wounds fall near the start.
        at = int(place**3 * len(content))
        content[at : at + len(bytes_there)] = bytes_there
    path = tmp_path / f"wounded{suffix}"
    path.write_bytes(content[: round(length * len(content))])
    worker = ears.pid
    with suppress(SongError):
        assert ears.hear(path).report.duration > 0
    assert ears.pid == worker


def long_song(folder: Path) -> Path:
    """Write nine minutes of music."""
    return write(np.tile(song("rock", 30)[::4], 18), folder / "long.wav", sample_rate=11_025)


@pytest.fixture(
    params=[
        (WorkerLimits(seconds=60, memory_bytes=MAX_MINUTES * 60 * BYTES_PER_SECOND + 8 * MEBIBYTE), WorkerLost),
        (WorkerLimits(seconds=0.3, memory_bytes=WORKER_BYTES), TookTooLong),
    ],
    ids=["memory", "time"],
)
def strict(request: pytest.FixtureRequest, runner: asyncio.Runner) -> Iterator[tuple[Ears, type[SongError]]]:
    """Run the classifier under a limit that a long song must break, and say how."""
    limits, error = request.param
    executor = LocalExecutor(partial(load_classifier, MODELS, MAX_MINUTES), workers=1, limits=limits)
    runner.run(executor.start())
    yield Ears(runner, executor), error
    runner.run(executor.close())


def test_a_song_that_uses_too_much_is_stopped(strict: tuple[Ears, type[SongError]], tmp_path: Path) -> None:
    ears, error = strict
    with pytest.raises(error):
        ears.hear(long_song(tmp_path))
    with pytest.raises(EmptyFile):
        ears.hear(empty(tmp_path))
