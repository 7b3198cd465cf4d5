"""Three hundred files of every kind are organized, across a killed run, without damaging one."""

from __future__ import annotations

import hashlib
import json
import os
import pty
import select
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path

import pytest

from classifier.__main__ import main
from classifier.library.collection import TEMPORARY_PREFIX
from classifier.library.playlists import PLAYLIST_MARKER
from classifier.library.state_db import FILE_NAME
from tests.classifier.library.making import TAGGABLE, Collection, make_collection, sound_of
from tests.conftest import REPOSITORY
from tests.needs import lacking

FILES = 300
SURE_ENOUGH = "0.15"
"""A minimum confidence that every song reaches, because the genre does not matter here."""


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory, songs: list[Path]) -> Collection:
    return make_collection(tmp_path_factory.mktemp("collection"), songs, FILES)


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


def arguments(folder: Path, state: Path, *more: str | Path) -> list[str]:
    return [sys.executable, "-m", "classifier", "organize", str(folder), "--state", str(state), *map(str, more)]


def organize(folder: Path, state: Path, *more: str | Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8:surrogateescape"}
    return subprocess.run(
        arguments(folder, state, *more),
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        check=False,
    )


def answers(state: Path) -> int:
    """Return the number of saved answers."""
    with suppress(sqlite3.OperationalError), closing(sqlite3.connect(state / FILE_NAME)) as state_db:
        count: int = state_db.execute("SELECT count(*) FROM answer").fetchone()[0]
        return count
    return 0


def listed(playlists: Path) -> Counter[Path]:
    """Count how often each file is in a playlist."""
    found: Counter[Path] = Counter()
    for playlist in playlists.glob("*.m3u8"):
        for line in playlist.read_bytes().split(b"\n"):
            if line and not line.startswith(b"#"):
                found[Path(os.path.normpath(playlists / os.fsdecode(line)))] += 1
    return found


def genres_by_mediainfo(files: list[Path]) -> dict[Path, str]:
    """Read genres with another program. It gets files, because it would follow circular links in a folder."""
    if shutil.which("mediainfo") is None:
        lacking("mediainfo (Debian: mediainfo)")
    told = json.loads(subprocess.run(["mediainfo", "--Output=JSON", *files], capture_output=True, check=True).stdout)
    return {Path(file["media"]["@ref"]): file["media"]["track"][0].get("Genre", "") for file in told}


class TestThreeHundredFiles:
    """One scenario; the tests run in this order."""

    def test_a_killed_run_is_continued(self, collection: Collection, state: Path, tmp_path: Path) -> None:
        before = collection.bytes_of_all()
        running = subprocess.Popen(
            arguments(collection.folder, state), cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while answers(state) < 5 and running.poll() is None:
            time.sleep(0.05)
        running.send_signal(signal.SIGKILL)
        assert running.wait() == -signal.SIGKILL
        known = answers(state)

        result = organize(collection.folder, state, "--playlists", tmp_path, "--report", tmp_path / "report.html")
        distinct = len({hashlib.sha256(path.read_bytes()).digest() for path in collection.playable})
        assert result.returncode == 1, result.stderr
        assert f"\n{distinct - known + len(collection.broken)} songs classified, " in result.stderr
        assert answers(state) == distinct

        assert listed(tmp_path) == Counter(collection.playable)
        for path in collection.broken:
            assert f"{path}: " in result.stderr
        assert "3 links were not followed." in result.stderr
        assert (tmp_path / "report.html").stat().st_size > FILES * 100
        assert collection.bytes_of_all() == before

    def test_moved_and_copied_songs_are_not_classified_again(self, collection: Collection, state: Path) -> None:
        moved, copied = collection.playable[7], collection.playable[8]
        collection.playable[7] = moved.rename(moved.with_name("moved" + moved.suffix))
        collection.playable.append(shutil.copyfile(copied, copied.with_name("copied" + copied.suffix)))
        result = organize(collection.folder, state)
        assert "songs classified" not in result.stderr
        counted = sum(int(line.split()[-1]) for line in result.stdout.splitlines())
        assert counted == len(collection.playable)

    def test_tags_are_written_and_undone(self, collection: Collection, state: Path) -> None:
        before = collection.bytes_of_all()
        sounds = {path: sound_of(path) for path in collection.playable}
        tagging = ("--write-tags", "--minimum-confidence", SURE_ENOUGH)
        planned = organize(collection.folder, state, *tagging, "--dry-run")
        assert collection.bytes_of_all() == before

        (collection.folder / f"{TEMPORARY_PREFIX}killed.mp3").write_bytes(b"half a copy")
        result = organize(collection.folder, state, *tagging)
        assert not [path for path in collection.folder.rglob("*") if path.name.startswith(TEMPORARY_PREFIX)]
        tagged = {path for path, checksum in collection.bytes_of_all().items() if checksum != before[path]}
        writable = set(collection.playable) - set(collection.read_only)
        assert tagged == {path for path in writable if path.suffix.lower() in TAGGABLE}
        assert f"\n{len(tagged)} files tagged.\n" in result.stderr
        assert {path: sound_of(path) for path in collection.playable} == sounds

        readable = [path for path in sorted(tagged) if str(path).isprintable()]
        assert {path.suffix.lower() for path in readable} == TAGGABLE
        for path, genre in genres_by_mediainfo(readable).items():
            assert f"{path}: no genre → {genre}\n" in planned.stdout

        again = organize(collection.folder, state, *tagging)
        assert "songs classified" not in again.stderr
        assert "\n0 files tagged.\n" in again.stderr

        undone = organize(collection.folder, state, "--undo")
        assert (undone.returncode, undone.stderr) == (0, f"{len(tagged)} changes undone.\n")
        assert collection.bytes_of_all() == before


def test_a_progress_bar_is_shown_and_ctrl_c_stops_the_run(tmp_path: Path, songs: list[Path]) -> None:
    folder, state = tmp_path / "music", tmp_path / "state"
    shutil.copytree(songs[0].parent, folder)
    ours, theirs = pty.openpty()
    running = subprocess.Popen(
        arguments(folder, state, "--jobs", "1"),
        cwd=REPOSITORY,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "120"},
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    shown = b""
    while b"songs/min" not in shown:
        shown += os.read(ours, 65536)
    children = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
    handles = [os.pidfd_open(int(child)) for child in children]
    os.killpg(running.pid, signal.SIGINT)
    with suppress(OSError):  # raised by Linux when the other end of the terminal is closed
        while part := os.read(ours, 65536):
            shown += part
    os.close(ours)
    assert running.wait() == 130
    assert shown.endswith(b"Stopped.\r\n")
    for handle in handles:
        select.select([handle], [], [])
        os.close(handle)
    assert answers(state) >= 1


def test_a_folder_that_was_renamed_can_still_be_undone(tmp_path: Path, songs: list[Path]) -> None:
    folder, state = tmp_path / "music", tmp_path / "state"
    folder.mkdir()
    original = shutil.copyfile(songs[0], folder / songs[0].name).read_bytes()
    organize(folder, state, "--write-tags", "--minimum-confidence", "0")
    folder = folder.rename(tmp_path / "elsewhere")
    assert (folder / songs[0].name).read_bytes() != original
    assert main(["organize", str(folder), "--state", str(state), "--undo"]) == 0
    assert (folder / songs[0].name).read_bytes() == original


def test_only_selected_genres_get_playlists(tmp_path: Path, songs: list[Path]) -> None:
    folder, state, out = tmp_path / "music", tmp_path / "state", tmp_path / "lists"
    folder.mkdir()
    shutil.copyfile(songs[0], folder / songs[0].name)
    organize(folder, state, "--playlists", out, "--minimum-confidence", "1", "--genres", "Rock,not-sure")
    assert [path.name for path in out.iterdir()] == ["Not sure.m3u8"]
    assert PLAYLIST_MARKER in (out / "Not sure.m3u8").read_text("utf-8")
    organize(folder, state, "--playlists", out, "--minimum-confidence", "1", "--genres", "rock")
    assert list(out.iterdir()) == []


@pytest.mark.parametrize(
    "wrong",
    [
        ("--genres", "polka"),
        ("--report", "no/such/folder/report.html"),
        ("--overwrite",),
        ("--model-dir", "nowhere"),
        ("--playlists", "taken"),
    ],
)
def test_usage_errors_are_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], wrong: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "Rock.m3u8").write_text("mine")
    command = ["organize", str(tmp_path), "--state", str(tmp_path / "state"), "--jobs", "1"]
    assert main([*command, *wrong]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize("option", [("--minimum-confidence", "1.5"), ("--jobs", "0"), ("--jobs", "²")])
def test_numbers_out_of_range_are_refused(tmp_path: Path, option: tuple[str, str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["organize", str(tmp_path), *option])
    assert end.value.code == 2


def test_a_damaged_state_database_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / FILE_NAME).write_text("This is no database, however long one reads on in it. " * 20)
    assert main(["organize", str(tmp_path), "--state", str(tmp_path), "--undo"]) == 2
    assert "--state" in capsys.readouterr().err
