"""The command line does what house rules promise to other people's programs."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.__main__ import main
from classifier.commands.classify import json_line
from classifier.console import printable
from classifier.errors import NotAudio, TooShort
from classifier.file_arguments import CannotRead, FileArgument, NoMusic, NoSuchFile, expand_files
from tests.conftest import REPOSITORY
from tests.synthesis import song, write

EXAMPLES = REPOSITORY / "bot" / "web" / "examples"
PUBLIC_SAMPLES = 661_794
SAMPLE_RATE = 22_050


def command(*arguments: str | Path, cwd: Path = REPOSITORY) -> subprocess.CompletedProcess[str]:
    """Run ``python -m classifier`` as a person or a program would."""
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    return subprocess.run(
        [sys.executable, "-m", "classifier", *map(str, arguments)],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        errors="surrogateescape",
        check=False,
    )


def lines(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder with a song, a longer one below, and what is no music."""
    folder = tmp_path_factory.mktemp("music")
    write(song("disco", 12), folder / "disco.mp3")
    (folder / "below").mkdir()
    write(song("blues", 42), folder / "below" / "blues.ogg")
    (folder / "cover.jpg").write_bytes(b"\xff\xd8\xff")
    (folder / "text.mp3").write_text("Never mind.")
    return folder


class TestWhichFilesAreMeant:
    def test_a_folder_stands_for_the_music_in_it_and_below(self, music: Path) -> None:
        names = [str(music / "disco.mp3"), str(music / "text.mp3"), str(music / "below" / "blues.ogg")]
        assert expand_files([str(music)]) == [FileArgument(name) for name in names]

    def test_a_file_is_accepted_with_any_suffix(self, music: Path) -> None:
        assert expand_files([str(music / "cover.jpg")]) == [FileArgument(str(music / "cover.jpg"))]

    def test_a_file_named_twice_is_listed_once(self, music: Path) -> None:
        name = str(music / "disco.mp3")
        assert expand_files([name, str(music), name])[0] == FileArgument(name)
        assert len(expand_files([name, str(music), name])) == 3

    def test_patterns_match_at_their_depth(self, music: Path) -> None:
        assert [Path(listed.name).name for listed in expand_files([f"{music}/*.mp3"])] == ["disco.mp3", "text.mp3"]
        assert [Path(listed.name).name for listed in expand_files([f"{music}/**/*.ogg"])] == ["blues.ogg"]

    def test_relative_patterns_start_in_the_current_folder(self, music: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(music)
        assert expand_files(["b*/*.ogg"]) == [FileArgument("below/blues.ogg")]

    def test_a_name_that_looks_like_a_pattern_is_a_name_first(self, tmp_path: Path) -> None:
        name = tmp_path / "song [live].mp3"
        name.touch()
        assert expand_files([str(name)]) == [FileArgument(str(name))]

    def test_links_to_folders_are_not_followed(self, music: Path, tmp_path: Path) -> None:
        shutil.copy(music / "disco.mp3", tmp_path)
        (tmp_path / "again").symlink_to(tmp_path)
        (tmp_path / "linked.mp3").symlink_to(tmp_path / "disco.mp3")
        names = {Path(listed.name).name for listed in expand_files([str(tmp_path), f"{tmp_path}/**/*.mp3"])}
        assert names == {"disco.mp3", "linked.mp3"}

    def test_hidden_files_are_left_out_of_folders(self, tmp_path: Path) -> None:
        (tmp_path / "._song.mp3").touch()
        [listed] = expand_files([str(tmp_path)])
        assert isinstance(listed.problem, NoMusic)

    @pytest.mark.parametrize("name", ["missing.mp3", "missing/*.mp3", ""])
    def test_missing_files_are_reported(self, name: str) -> None:
        [listed] = expand_files([name])
        assert listed.name == name
        assert isinstance(listed.problem, NoSuchFile)

    def test_special_files_are_not_opened(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe.mp3")
        [listed] = expand_files([str(tmp_path / "pipe.mp3")])
        assert isinstance(listed.problem, CannotRead)


class TestClassify:
    def test_json_has_a_line_per_file_and_failures_set_the_exit_status(self, music: Path, tmp_path: Path) -> None:
        strange = tmp_path / os.fsdecode(b"caf\xe9 \xe2\x80\xae.mp3")
        shutil.copy(music / "disco.mp3", strange)
        named = [music / "disco.mp3", music / "text.mp3", tmp_path / "none.mp3", music / "below", strange]
        result = command("classify", "--json", *named)
        disco, text, missing, blues, odd = lines(result.stdout)
        assert result.returncode == 1
        assert list(disco)[:6] == ["file", "genre", "confidence", "sure", "model", "duration"]
        assert {"family", "music", "kind", "tags"} < set(disco)
        assert disco["file"] == str(music / "disco.mp3")
        assert (text["file"], text["error"]) == (str(music / "text.mp3"), "not-audio")
        assert missing == {
            "file": str(tmp_path / "none.mp3"),
            "error": "no-such-file",
            "message": "There is no such file.",
        }
        assert odd == {**disco, "file": str(strange)}
        assert [(segment["start"], round(segment["end"])) for segment in blues["segments"]] == [(0, 30), (30, 42)]
        for segment in [*disco["segments"], *blues["segments"]]:
            assert set(segment) == {
                "start",
                "end",
                "genre",
                "confidence",
                "probabilities",
                "votes",
                "family",
                "music",
                "kind",
            }
            assert segment["confidence"] == segment["probabilities"][segment["genre"]]
            assert sum(segment["probabilities"].values()) == pytest.approx(1, abs=0.001)  # they are rounded
            assert set(segment["votes"].values()) <= set(segment["probabilities"])

    def test_lines_with_tabs_and_error_messages_are_printed_to_a_pipe(self, music: Path) -> None:
        result = command("classify", music)
        rows = [line.split("\t") for line in result.stdout.splitlines()]
        assert [row[0] for row in rows] == [str(music / "disco.mp3"), str(music / "below" / "blues.ogg")]
        assert [float(row[-1]) for row in rows] == pytest.approx([12, 42], abs=1)
        for _, genre, confidence, sure, other, share, _ in rows:
            assert genre != other
            assert 0 < float(share) <= float(confidence) <= 1
            assert sure in {"sure", "unsure"}
        assert result.stderr == f"{music / 'text.mp3'}: {NotAudio()}\n"
        assert "send" not in result.stderr
        assert result.returncode == 1

    def test_segments_are_printed_on_request(self, music: Path) -> None:
        result = command("classify", "--segments", music / "below" / "blues.ogg")
        times = [line.split("\t")[3:] for line in result.stdout.splitlines()]
        assert times[0] == ["0", "30"]
        assert len(times) == 2
        assert (result.returncode, result.stderr) == (0, "")

    @pytest.mark.parametrize("options", [{}, {"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=str)
    def test_a_terminal_of_80_columns_shows_a_line_per_song(
        self, music: Path, tmp_path: Path, options: dict[str, str]
    ) -> None:
        long_name = tmp_path / f"{'a very long name ' * 8}.mp3"
        shutil.copy(music / "disco.mp3", long_name)
        shown = on_a_terminal("classify", long_name, music / "below" / "blues.ogg", **options)
        plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown).replace("\r", "")
        header, *rows = [line for line in plain.splitlines() if line.strip()]
        assert header.split() == ["File", "Length", "Genre", "Confidence", "Runner-up"]
        assert [row.split()[0] for row in rows] == ["a", "blues.ogg"]
        assert all(len(line) <= 80 for line in (header, *rows))
        assert "…" in rows[0]
        assert str(tmp_path) not in plain
        assert re.search(r"0:42 +\w.* +\d+% +\w.* \d+%", rows[1])
        if "NO_COLOR" in options:
            assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", shown)

    def test_a_progress_bar_is_shown_on_a_terminal(self, music: Path) -> None:
        arguments = [sys.executable, "-m", "classifier", "classify", "--json", str(music / "disco.mp3")]
        result, shown = _watched(arguments)
        assert b"1/1" in shown
        assert len(lines(result)) == 1

    def test_a_missing_model_is_a_usage_error(self, music: Path, tmp_path: Path) -> None:
        result = command("classify", "--model-dir", tmp_path, music / "disco.mp3")
        assert result.returncode == 2
        assert result.stderr.startswith(f"There is no model in {tmp_path}: ")
        assert len(result.stderr.splitlines()) == 1

    def test_an_interrupted_run_leaves_no_processes(self, tmp_path: Path) -> None:
        for number in range(40):
            shutil.copy(EXAMPLES / "late-train.opus", tmp_path / f"{number}.opus")
        arguments = [sys.executable, "-m", "classifier", "classify", "--json", "--workers", "1", str(tmp_path)]
        running = subprocess.Popen(
            arguments, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        )
        assert running.stdout is not None
        running.stdout.readline()
        children = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
        handles = [os.pidfd_open(int(child)) for child in children]
        os.killpg(running.pid, signal.SIGINT)
        _, said = running.communicate()
        assert said == b"Stopped.\n"
        assert running.returncode == 130
        for handle in handles:
            select.select([handle], [], [])
            os.close(handle)


def on_a_terminal(*arguments: str | Path, **options: str) -> str:
    """Return what a program prints to a terminal of 80 columns; its stderr is discarded."""
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24", **options}
    ours, theirs = pty.openpty()
    running = subprocess.Popen(
        [sys.executable, "-m", "classifier", *map(str, arguments)],
        cwd=REPOSITORY,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
        env=environment,
    )
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # raised by Linux when the other end of the terminal is closed
        while part := os.read(ours, 65536):
            shown += part
    os.close(ours)
    assert running.wait() == 0
    return shown.decode()


def _watched(arguments: list[str]) -> tuple[str, bytes]:
    """Run a program whose stderr is a terminal; return what it wrote to stdout and what the terminal got."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm"}
    running = subprocess.Popen(
        arguments, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=theirs, text=True, env=environment
    )
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 65536):
            shown += part
    except OSError:  # how Linux says that nobody holds a terminal's other end any more
        pass
    os.close(ours)
    return running.communicate()[0], shown


class TestFeatures:
    def test_the_table_has_a_row_per_song_or_segment(self, music: Path, tmp_path: Path) -> None:
        out = tmp_path / "features.csv"
        short = write(song("jazz", PUBLIC_SAMPLES / SAMPLE_RATE), tmp_path / "jazz.00000.wav")
        result = command("features", short, music, "--csv", out, "--label-from-folder")
        rows = list(csv.DictReader(out.read_text("utf-8").splitlines()))
        assert [(row["filename"], row["length"], row["label"]) for row in rows] == [
            ("jazz.00000.wav", str(PUBLIC_SAMPLES), tmp_path.name),
            ("disco.mp3", str(12 * SAMPLE_RATE), music.name),
            ("blues.0.ogg", str(30 * SAMPLE_RATE), "below"),
            ("blues.1.ogg", rows[3]["length"], "below"),
        ]
        # The last note dies away: silence at the end does not count.
        assert 10 * SAMPLE_RATE < int(rows[3]["length"]) < 12 * SAMPLE_RATE
        assert all(float(value) == float(value) for row in rows for value in list(row.values())[1:-1])
        assert "text.mp3" in result.stderr
        assert result.returncode == 1

    def test_the_columns_are_those_of_the_public_table(self, music: Path, shared_data: Path) -> None:
        result = command("features", music / "disco.mp3", "--label", "disco, sort of")
        header, row = csv.reader(result.stdout.splitlines())
        with (shared_data / "gtzan" / "features_30_sec.csv").open() as table:
            assert header == next(csv.reader(table))
        assert row[-1] == "disco, sort of"
        assert result.returncode == 0

    def test_an_unwritable_file_is_a_usage_error(self, music: Path, tmp_path: Path) -> None:
        result = command("features", music / "disco.mp3", "--csv", tmp_path)
        assert (result.returncode, result.stderr) == (2, f"{tmp_path} cannot be written: Is a directory\n")


@pytest.mark.parametrize(
    "arguments",
    [[], ["sing"], ["classify"], ["classify", "--workers", "0", "x"], ["classify", "--max-minutes", "nan", "x"]],
)
def test_usage_errors_have_status_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert "usage: python -m classifier" in capsys.readouterr().err


def test_without_readable_files_no_model_is_loaded(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["classify", "--json", "--model-dir", str(tmp_path), str(tmp_path)]) == 1
    assert json.loads(capfdbinary.readouterr().out)["error"] == "no-music"


@given(st.binary(min_size=1).filter(lambda name: b"\0" not in name))
def test_any_file_name_survives_the_json_line(name: bytes) -> None:
    line = json_line(os.fsdecode(name), TooShort(minimum=3))
    assert line.isascii() or line.decode("utf-8")
    assert len(line.splitlines()) == 1
    assert os.fsencode(json.loads(line)["file"]) == name


@given(st.text())
def test_any_name_is_printable_after_conversion(name: str) -> None:
    shown = printable(name)
    assert shown.isprintable()
    assert len(shown) == len(name)


def test_names_cannot_contain_terminal_escapes() -> None:
    assert printable("\x1b[2Jsong\u202e3pm.exe\n") == "�[2Jsong�3pm.exe�"
