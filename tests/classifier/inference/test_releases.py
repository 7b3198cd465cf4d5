from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from classifier.__main__ import main
from classifier.commands.releases import folder_of
from classifier.inference import releases as releases_module
from classifier.inference.manifest import PACKAGED_MODELS, BadRelease, read_manifest, read_release
from classifier.inference.releases import CannotPromote, ReleaseEvent, ReleaseStore
from tests.conftest import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Callable

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
def store(tmp_path: Path) -> ReleaseStore:
    """A folder where `first` serves and `second` is kept."""
    releases = ReleaseStore(put(tmp_path / "models", "first"))
    with releases.exclusive():
        releases.store(put(tmp_path / "made", "second"))
    return releases


def serving(releases: ReleaseStore) -> str:
    manifest, _ = read_release(releases.directory)
    return str(manifest["name"])


def everything_is_whole(releases: ReleaseStore) -> bool:
    kept = releases.directory / "releases"
    return all(read_release(path) for path in kept.iterdir() if path.is_dir() and not path.name.startswith("."))


class TestPromotion:
    def test_a_promoted_release_serves_and_the_previous_one_is_stored(self, store: ReleaseStore) -> None:
        with store.exclusive():
            store.promote("second", ReleaseEvent.PROMOTED, "better")
        assert serving(store) == "second"
        assert {kept.name: kept.serving for kept in store.all()} == {"first": False, "second": True}
        assert read_release(store.directory / "releases" / "first")
        assert (store.directory / CARD).read_text() == "# second"

    def test_only_the_serving_release_has_files_beside_the_manifest(self, store: ReleaseStore) -> None:
        (store.directory / "notes.txt").write_text("mine")
        with store.exclusive():
            store.promote("second", ReleaseEvent.PROMOTED, "better")
        names = {path.name for path in store.directory.iterdir()}
        assert names == {"manifest.json", "second.joblib", CARD, "releases", "notes.txt"}

    def test_a_rollback_is_recorded_in_the_journal(self, store: ReleaseStore) -> None:
        with store.exclusive():
            store.promote("second", ReleaseEvent.PROMOTED, "better")
            store.promote(store.previous_name(), ReleaseEvent.ROLLED_BACK, "people complained")
        assert serving(store) == "first"
        entries = [(entry.event, entry.name, entry.instead_of, entry.reason) for entry in store.journal()]
        assert entries == [
            (ReleaseEvent.PROMOTED, "second", "first", "better"),
            (ReleaseEvent.ROLLED_BACK, "first", "second", "people complained"),
        ]

    def test_to_choose_an_earlier_release_is_a_rollback_until_the_later_one_serves_again(
        self, store: ReleaseStore, tmp_path: Path
    ) -> None:
        with store.exclusive():
            store.store(put(tmp_path / "more", "third"))
            assert store.choice("second") is ReleaseEvent.OVERRULED
            for name in ("second", "third"):
                store.promote(name, ReleaseEvent.PROMOTED, "better")
            assert store.choice("first") is store.choice("second") is ReleaseEvent.ROLLED_BACK
            store.promote("first", ReleaseEvent.ROLLED_BACK, "people complained")
            assert store.rolled_back().keys() == {"third"}
            store.promote("third", store.choice("third"), "they were wrong")
        assert store.journal()[-1].event is ReleaseEvent.OVERRULED
        assert not store.rolled_back()

    def test_the_first_release_cannot_be_rolled_back(self, store: ReleaseStore) -> None:
        with pytest.raises(CannotPromote, match="no release to go back to"):
            store.previous_name()

    def test_a_damaged_release_is_refused_and_the_old_one_keeps_serving(self, store: ReleaseStore) -> None:
        (store.directory / "releases" / "second" / "second.joblib").write_bytes(b"half")
        with store.exclusive(), pytest.raises(BadRelease, match="not the file that was released"):
            store.promote("second", ReleaseEvent.PROMOTED, "better")
        assert serving(store) == "first"
        assert store.journal() == []

    def test_a_damaged_serving_release_does_not_damage_its_stored_copy(self, store: ReleaseStore) -> None:
        with store.exclusive():
            store.promote("second", ReleaseEvent.PROMOTED, "better")
            (store.directory / "second.joblib").write_bytes(b"half")
            store.promote("first", ReleaseEvent.OVERRULED, "second is broken")
            assert serving(store) == "first"
            store.promote("second", ReleaseEvent.OVERRULED, "whole again")
        assert serving(store) == "second"

    @pytest.mark.parametrize("name", ["../made", "", "..", ".lock", "releases/second", "/etc"])
    def test_a_release_name_cannot_be_a_path(self, store: ReleaseStore, name: str) -> None:
        with store.exclusive(), pytest.raises(BadRelease):
            store.promote(name, ReleaseEvent.PROMOTED, "")
        assert serving(store) == "first"

    def test_two_programs_do_not_change_releases_at_once(self, store: ReleaseStore) -> None:
        with (
            store.exclusive(),
            pytest.raises(CannotPromote, match="Another program"),
            ReleaseStore(store.directory).exclusive(),
        ):
            pytest.fail("both are at it")

    def test_a_truncated_journal_line_is_skipped(self, store: ReleaseStore) -> None:
        with store.exclusive():
            store.promote("second", ReleaseEvent.PROMOTED, "better")
            with (store.directory / "releases" / "journal.jsonl").open("a") as journal:
                journal.write('{"time": "2026-01')
            store.promote("first", ReleaseEvent.ROLLED_BACK, "worse")
        assert [entry.name for entry in store.journal()] == ["second", "first"]


def test_old_releases_are_removed_except_the_needed_ones(tmp_path: Path) -> None:
    releases = ReleaseStore(put(tmp_path / "models", "0", made="2026-01-01"))
    with releases.exclusive():
        for number in range(1, 8):
            releases.store(put(tmp_path / f"made {number}", f"{number}", made=f"2026-01-0{number + 1}"))
            if number in {1, 2}:
                releases.promote(f"{number}", ReleaseEvent.PROMOTED, "better")
        assert releases.prune(20) == []
        assert releases.prune(4) == ["0", "3", "4", "5"]
    assert serving(releases) == "2"
    assert [kept.name for kept in releases.all()] == ["1", "2", "6", "7"]
    with releases.exclusive():
        assert releases.prune(1) == ["6"]
        releases.promote(releases.previous_name(), ReleaseEvent.ROLLED_BACK, "it is still there")
    assert serving(releases) == "1"


class LightsOut(BaseException):
    """Ends a program in the middle of its work."""


class TestInterruption:
    def test_an_interruption_at_any_step_leaves_a_valid_release(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        synced = releases_module._sync
        for last in range(100):
            releases = ReleaseStore(put(tmp_path / str(last) / "models", "first"))
            steps = 0

            def until_the_lights_go_out(path: Path, last: int = last) -> None:
                nonlocal steps
                if steps == last:
                    raise LightsOut
                steps += 1
                synced(path)

            monkeypatch.setattr(releases_module, "_sync", until_the_lights_go_out)
            try:
                with releases.exclusive():
                    releases.store(put(tmp_path / str(last) / "made", "second"))
                    releases.promote("second", ReleaseEvent.PROMOTED, "better")
            except LightsOut:
                finished = False
            else:
                finished = True
            monkeypatch.setattr(releases_module, "_sync", synced)
            assert serving(releases) in {"first", "second"}
            assert everything_is_whole(releases)
            with releases.exclusive():
                releases.store(put(tmp_path / str(last) / "made", "second"))
                releases.promote("second", ReleaseEvent.PROMOTED, "again")
            assert serving(releases) == "second"
            if finished:
                break
        assert finished
        assert last > 5

    def test_kill_9_at_any_moment_leaves_a_valid_release(self, tmp_path: Path) -> None:
        releases = ReleaseStore(put(tmp_path / "models", "first", size=400_000))
        with releases.exclusive():
            releases.store(put(tmp_path / "made", "second", size=300_000))
        code = (
            "import sys; from pathlib import Path\n"
            "from classifier.inference.releases import ReleaseEvent, ReleaseStore\n"
            "releases = ReleaseStore(Path(sys.argv[1])); print(flush=True)\n"
            "while True:\n"
            "  with releases.exclusive():\n"
            "    for name in ('second', 'first'): releases.promote(name, ReleaseEvent.PROMOTED, 'in turn')\n"
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
        with releases.exclusive():
            releases.promote("second", ReleaseEvent.PROMOTED, "after all that")
        assert serving(releases) == "second"
        assert not [path.name for path in (releases.directory / "releases").glob(".*.part")]


class TestCommands:
    def test_a_release_accepted_by_the_gate_needs_no_reason(
        self, store: ReleaseStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        gate = {"passed": True, "against": "first", "reasons": ["Newly able."]}
        with store.exclusive():
            store.store(put(tmp_path / "more", "third", gate=gate))
        models = ["--models", str(store.directory)]
        assert main(["promote", "third", *models]) == 0
        assert capsys.readouterr().out == "third is now serving.\n"
        assert store.journal()[-1].reason == "Newly able."
        assert main(["rollback", *models]) == 0
        assert capsys.readouterr().out == "first is serving again.\n"

    def test_a_release_refused_by_the_gate_needs_a_reason(
        self, store: ReleaseStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        gate = {"passed": False, "against": "first", "reasons": ["Worse on the base."]}
        with store.exclusive():
            store.store(put(tmp_path / "more", "third", gate=gate))
        models = ["--models", str(store.directory)]
        assert main(["promote", "third", *models]) == 2
        assert "The gate refused third. Worse on the base." in capsys.readouterr().err
        assert serving(store) == "first"
        assert main(["promote", "third", "--overrule", "I heard it", *models]) == 0
        assert serving(store) == "third"
        assert (store.journal()[-1].event, store.journal()[-1].reason) == (ReleaseEvent.OVERRULED, "I heard it")

    @pytest.mark.parametrize("words", [["promote", "second"], ["promote", "nothing"], ["rollback"]])
    def test_a_release_without_comparison_is_not_promoted(
        self, store: ReleaseStore, words: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main([*words, "--models", str(store.directory)]) == 2
        assert capsys.readouterr().err
        assert serving(store) == "first"

    def test_an_empty_reason_is_refused(self, store: ReleaseStore, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit):
            main(["promote", "second", "--overrule", "  ", "--models", str(store.directory)])
        assert "--overrule" in capsys.readouterr().err

    @pytest.mark.parametrize("change", [lambda _: None, lambda folder: (folder / "releases" / "x").mkdir()])
    def test_the_list_shows_the_serving_release_and_events(
        self, store: ReleaseStore, change: Callable[[Path], None], capsys: pytest.CaptureFixture[str]
    ) -> None:
        with store.exclusive():
            store.promote("second", ReleaseEvent.OVERRULED, "[it] swings")
        change(store.directory)
        assert main(["releases", "--models", str(store.directory)]) == 0
        lines = capsys.readouterr().out.splitlines()
        [second] = [line for line in lines if "second" in line]
        assert second.split("\t")[:2] == ["second", "serves"]
        assert "overruled" in second
        assert "[it] swings" in second
        assert main(["releases", "--json", "--models", str(store.directory)]) == 0
        rows = [json.loads(row) for row in capsys.readouterr().out.splitlines()]
        assert {row["name"]: row["serving"] for row in rows} == {"first": False, "second": True}

    @pytest.mark.parametrize(
        ("settings", "known"),
        [
            ("", "first"),
            ("RETRAIN=off", "packaged"),
            ("TELEGRAM_TOKEN=1:2", "packaged"),
            ("MODEL_DIR=elsewhere", "elsewhere"),
        ],
    )
    def test_they_are_looked_for_where_the_bot_serves_from(
        self, store: ReleaseStore, settings: str, known: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        for name in ("MODEL_DIR", "RETRAIN", "TELEGRAM_TOKEN", "DATA_DIR", "COMMUNITY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.chdir(tmp_path)
        Path(".env").write_text(f"DATA_DIR=own\n{settings}\n")
        Path("own").mkdir()
        store.directory.rename("own/models")
        found = {"first": Path("own/models"), "packaged": PACKAGED_MODELS, "elsewhere": Path("elsewhere")}
        assert folder_of(argparse.Namespace(models=None)) == found[known]

    def test_a_wrong_setting_is_named(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.chdir(tmp_path)
        Path(".env").write_text("RETRAIN=sometimes\n")
        with pytest.raises(SystemExit, match="RETRAIN is set wrongly"):
            main(["releases"])


def test_a_packaged_release_can_be_stored(tmp_path: Path) -> None:
    releases = ReleaseStore(tmp_path / "models")
    with releases.exclusive():
        name = releases.store(REPOSITORY / "models")
        releases.promote(name, ReleaseEvent.PROMOTED, "Nothing served.")
    assert read_manifest(tmp_path / "models") == read_manifest(REPOSITORY / "models")
