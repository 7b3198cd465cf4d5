from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from classifier.__main__ import main
from classifier.inference import releases as releases_module
from classifier.inference.manifest import BadRelease, read_manifest, whole
from classifier.inference.releases import CannotPromote, Event, Releases
from tests.conftest import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CARD = "MODEL_CARD.md"
KILLS = 12


def put(directory: Path, name: str, *, size: int = 100, **more: object) -> Path:
    """Write a release of made-up bytes, of which nothing is ever unpickled."""
    directory.mkdir(parents=True, exist_ok=True)
    files = {f"{name}.joblib": name.encode() * size, CARD: f"# {name}".encode()}
    for file, content in files.items():
        (directory / file).write_bytes(content)
    listed = {file: {"sha256": hashlib.sha256(content).hexdigest()} for file, content in files.items()}
    manifest = {"format": 1, "name": name, "genres": ["blues", "jazz"], "files": listed, **more}
    (directory / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    return directory


@pytest.fixture
def shelf(tmp_path: Path) -> Releases:
    """A folder where `first` serves and `second` is kept."""
    releases = Releases(put(tmp_path / "models", "first"))
    with releases.alone():
        releases.keep(put(tmp_path / "made", "second"))
    return releases


def serving(releases: Releases) -> str:
    manifest, _ = whole(releases.directory)
    return str(manifest["name"])


def everything_is_whole(releases: Releases) -> bool:
    kept = releases.directory / "releases"
    return all(whole(path) for path in kept.iterdir() if path.is_dir() and not path.name.startswith("."))


class TestPromotion:
    def test_a_promoted_release_serves_and_the_one_before_is_kept_whole(self, shelf: Releases) -> None:
        with shelf.alone():
            shelf.promote("second", Event.PROMOTED, "better")
        assert serving(shelf) == "second"
        assert {kept.name: kept.serving for kept in shelf.all()} == {"first": False, "second": True}
        assert whole(shelf.directory / "releases" / "first")
        assert (shelf.directory / CARD).read_text() == "# second"

    def test_only_what_serves_lies_beside_the_manifest(self, shelf: Releases) -> None:
        (shelf.directory / "notes.txt").write_text("mine")
        with shelf.alone():
            shelf.promote("second", Event.PROMOTED, "better")
        names = {path.name for path in shelf.directory.iterdir()}
        assert names == {"manifest.json", "second.joblib", CARD, "releases", "notes.txt"}

    def test_going_back_is_one_step_and_is_written_down(self, shelf: Releases) -> None:
        with shelf.alone():
            shelf.promote("second", Event.PROMOTED, "better")
            shelf.promote(shelf.before_serving(), Event.ROLLED_BACK, "people complained")
        assert serving(shelf) == "first"
        entries = [(entry.event, entry.name, entry.instead_of, entry.reason) for entry in shelf.journal()]
        assert entries == [
            (Event.PROMOTED, "second", "first", "better"),
            (Event.ROLLED_BACK, "first", "second", "people complained"),
        ]

    def test_there_is_nothing_to_go_back_to_at_first(self, shelf: Releases) -> None:
        with pytest.raises(CannotPromote, match="no release to go back to"):
            shelf.before_serving()

    def test_a_damaged_release_is_refused_and_the_old_one_serves_on(self, shelf: Releases) -> None:
        (shelf.directory / "releases" / "second" / "second.joblib").write_bytes(b"half")
        with shelf.alone(), pytest.raises(BadRelease, match="not the file that was released"):
            shelf.promote("second", Event.PROMOTED, "better")
        assert serving(shelf) == "first"
        assert shelf.journal() == []

    def test_a_damaged_serving_release_does_not_take_its_copy_with_it(self, shelf: Releases) -> None:
        with shelf.alone():
            shelf.promote("second", Event.PROMOTED, "better")
            (shelf.directory / "second.joblib").write_bytes(b"half")
            shelf.promote("first", Event.OVERRULED, "second is broken")
            assert serving(shelf) == "first"
            shelf.promote("second", Event.OVERRULED, "whole again")
        assert serving(shelf) == "second"

    @pytest.mark.parametrize("name", ["../made", "", "..", ".lock", "releases/second", "/etc"])
    def test_a_name_cannot_lead_elsewhere(self, shelf: Releases, name: str) -> None:
        with shelf.alone(), pytest.raises(BadRelease):
            shelf.promote(name, Event.PROMOTED, "")
        assert serving(shelf) == "first"

    def test_two_programs_do_not_change_releases_at_once(self, shelf: Releases) -> None:
        with (
            shelf.alone(),
            pytest.raises(CannotPromote, match="Another program"),
            Releases(shelf.directory).alone(),
        ):
            pytest.fail("both are at it")

    def test_a_line_of_the_journal_that_was_cut_short_costs_only_itself(self, shelf: Releases) -> None:
        with shelf.alone():
            shelf.promote("second", Event.PROMOTED, "better")
            with (shelf.directory / "releases" / "journal.jsonl").open("a") as journal:
                journal.write('{"time": "2026-01')
            shelf.promote("first", Event.ROLLED_BACK, "worse")
        assert [entry.name for entry in shelf.journal()] == ["second", "first"]


def test_old_releases_go_but_never_those_that_are_needed(tmp_path: Path) -> None:
    releases = Releases(put(tmp_path / "models", "0", made="2026-01-01"))
    with releases.alone():
        for number in range(1, 8):
            releases.keep(put(tmp_path / f"made {number}", f"{number}", made=f"2026-01-0{number + 1}"))
            if number in {1, 2}:
                releases.promote(f"{number}", Event.PROMOTED, "better")
        assert releases.forget(20) == []
        assert releases.forget(4) == ["0", "3", "4", "5"]
    assert serving(releases) == "2"
    assert [kept.name for kept in releases.all()] == ["1", "2", "6", "7"]
    with releases.alone():
        assert releases.forget(1) == ["6"]
        releases.promote(releases.before_serving(), Event.ROLLED_BACK, "it is still there")
    assert serving(releases) == "1"


class LightsOut(BaseException):
    """Ends a program in the middle of its work."""


class TestInterruption:
    def test_whatever_step_is_the_last_one_a_whole_release_serves(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        synced = releases_module._sync
        for last in range(100):
            releases = Releases(put(tmp_path / str(last) / "models", "first"))
            steps = 0

            def until_the_lights_go_out(path: Path, last: int = last) -> None:
                nonlocal steps
                if steps == last:
                    raise LightsOut
                steps += 1
                synced(path)

            monkeypatch.setattr(releases_module, "_sync", until_the_lights_go_out)
            try:
                with releases.alone():
                    releases.keep(put(tmp_path / str(last) / "made", "second"))
                    releases.promote("second", Event.PROMOTED, "better")
            except LightsOut:
                finished = False
            else:
                finished = True
            monkeypatch.setattr(releases_module, "_sync", synced)
            assert serving(releases) in {"first", "second"}
            assert everything_is_whole(releases)
            with releases.alone():
                releases.keep(put(tmp_path / str(last) / "made", "second"))
                releases.promote("second", Event.PROMOTED, "again")
            assert serving(releases) == "second"
            if finished:
                break
        assert finished
        assert last > 5

    def test_kill_9_at_any_moment_leaves_a_whole_release(self, tmp_path: Path) -> None:
        releases = Releases(put(tmp_path / "models", "first", size=400_000))
        with releases.alone():
            releases.keep(put(tmp_path / "made", "second", size=300_000))
        code = (
            "import sys; from pathlib import Path; from classifier.inference.releases import Event, Releases\n"
            "releases = Releases(Path(sys.argv[1])); print(flush=True)\n"
            "while True:\n"
            "  with releases.alone():\n"
            "    for name in ('second', 'first'): releases.promote(name, Event.PROMOTED, 'in turn')\n"
        )
        draw = random.Random(5)
        found = set()
        for _ in range(KILLS):
            child = subprocess.Popen(
                [sys.executable, "-c", code, str(releases.directory)], cwd=REPOSITORY, stdout=subprocess.PIPE
            )
            assert child.stdout is not None
            child.stdout.readline()
            time.sleep(draw.uniform(0, 0.15))
            os.kill(child.pid, signal.SIGKILL)
            child.wait()
            child.stdout.close()
            found.add(serving(releases))
            assert everything_is_whole(releases)
        assert found <= {"first", "second"}
        with releases.alone():
            releases.promote("second", Event.PROMOTED, "after all that")
        assert serving(releases) == "second"
        assert not [path.name for path in (releases.directory / "releases").glob(".*.part")]


class TestCommands:
    def test_what_the_gate_let_pass_needs_no_further_word(
        self, shelf: Releases, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        gate = {"passed": True, "against": "first", "reasons": ["Newly able."]}
        with shelf.alone():
            shelf.keep(put(tmp_path / "more", "third", gate=gate))
        models = ["--models", str(shelf.directory)]
        assert main(["promote", "third", *models]) == 0
        assert capsys.readouterr().out == "third serves now.\n"
        assert shelf.journal()[-1].reason == "Newly able."
        assert main(["rollback", *models]) == 0
        assert capsys.readouterr().out == "first serves again.\n"

    def test_what_the_gate_refused_needs_a_reason(
        self, shelf: Releases, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        gate = {"passed": False, "against": "first", "reasons": ["Worse on the base."]}
        with shelf.alone():
            shelf.keep(put(tmp_path / "more", "third", gate=gate))
        models = ["--models", str(shelf.directory)]
        assert main(["promote", "third", *models]) == 2
        assert "The gate refused third. Worse on the base." in capsys.readouterr().err
        assert serving(shelf) == "first"
        assert main(["promote", "third", "--overrule", "I heard it", *models]) == 0
        assert serving(shelf) == "third"
        assert (shelf.journal()[-1].event, shelf.journal()[-1].reason) == (Event.OVERRULED, "I heard it")

    @pytest.mark.parametrize("words", [["promote", "second"], ["promote", "nothing"], ["rollback"]])
    def test_without_grounds_nothing_is_exchanged(
        self, shelf: Releases, words: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main([*words, "--models", str(shelf.directory)]) == 2
        assert capsys.readouterr().err
        assert serving(shelf) == "first"

    def test_an_empty_reason_is_none(self, shelf: Releases, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit):
            main(["promote", "second", "--overrule", "  ", "--models", str(shelf.directory)])
        assert "--overrule" in capsys.readouterr().err

    @pytest.mark.parametrize("change", [lambda _: None, lambda folder: (folder / "releases" / "x").mkdir()])
    def test_the_list_marks_what_serves_and_tells_what_happened(
        self, shelf: Releases, change: Callable[[Path], None], capsys: pytest.CaptureFixture[str]
    ) -> None:
        with shelf.alone():
            shelf.promote("second", Event.OVERRULED, "[it] swings")
        change(shelf.directory)
        assert main(["releases", "--models", str(shelf.directory)]) == 0
        lines = capsys.readouterr().out.splitlines()
        [second] = [line for line in lines if "second" in line]
        assert second.startswith("serves")
        assert "overruled" in second
        assert "[it] swings" in second
        assert main(["releases", "--json", "--models", str(shelf.directory)]) == 0
        rows = [json.loads(row) for row in capsys.readouterr().out.splitlines()]
        assert {row["name"]: row["serving"] for row in rows} == {"first": False, "second": True}


def test_a_shipped_release_can_be_kept_as_it_is(tmp_path: Path) -> None:
    releases = Releases(tmp_path / "models")
    with releases.alone():
        name = releases.keep(REPOSITORY / "models")
        releases.promote(name, Event.PROMOTED, "Nothing served.")
    assert read_manifest(tmp_path / "models") == read_manifest(REPOSITORY / "models")
