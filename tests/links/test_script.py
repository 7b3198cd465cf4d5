"""Sites that need JavaScript: Deno runs their scripts confined; without Deno the error says so."""

from __future__ import annotations

import inspect
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from yt_dlp.extractor.youtube import _video
from yt_dlp.extractor.youtube.jsc._builtin.deno import DenoJCP
from yt_dlp.utils import ExtractorError

from links import FetchLimits
from links.error_mapping import CodedFailure
from links.errors import error_from_code
from links.subprocess_main import runs_tamely
from links.ytdlp_runner import NO_RUNTIME, YtDlpClient
from tests.conftest import REPOSITORY
from tests.needs import lacking

LIMITS = FetchLimits(file_bytes=1_000_000, song_seconds=60)
YT_DLPS = ["run", *DenoJCP._DENO_BASE_OPTIONS, "--no-npm", "--cached-only", "-"]

# What the child does before it opens a link.
CONFINED = """
import os, sys
from pathlib import Path
from links import FetchLimits, ytdlp_runner
from links.subprocess_main import PROGRAMS, raise_script_limits
from links.guard import SandboxGuard
from links.limits import apply_limits
sys.modules["curl_cffi"] = None
limits = FetchLimits(file_bytes=1_000_000, song_seconds=60)
raise_script_limits(limits)
apply_limits(limits)
SandboxGuard(Path.cwd(), PROGRAMS, lambda: print("inside")).arm()
with ytdlp_runner.YtDlpClient(Path.cwd(), limits, ("*",)) as downloader:
    found = downloader._js_runtimes["deno"].info
    print(found and found.version)
    if len(sys.argv) > 1:
        from yt_dlp.extractor.youtube.jsc._builtin.deno import DenoJCP
        from yt_dlp.utils import Popen
        options = [*DenoJCP._DENO_BASE_OPTIONS, "--no-npm", "--cached-only"]
        process = Popen([found.path, "run", *options, "-"], text=True, stdin=-1, stdout=-1, stderr=-1)
        print(*process.communicate_or_kill(sys.argv[1]))
"""


def run_confined(folder: Path, path: str, *script: str, python: str = sys.executable) -> str:
    rooms = os.pathsep.join([str(REPOSITORY), sysconfig.get_path("purelib")])
    told = subprocess.run(
        [python, "-sPB", "-c", CONFINED, *script],
        cwd=folder,
        env={"PYTHONPATH": rooms, "PATH": path, "HOME": str(folder), "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    return told.stdout + told.stderr


def test_yt_dlp_starts_deno_in_a_way_that_the_guard_lets_pass() -> None:
    assert runs_tamely(YT_DLPS)
    assert runs_tamely(["--version"])


@pytest.mark.parametrize(
    "more",
    [
        "--allow-net",
        "--allow-read=/etc",
        "-A",
        "-R",
        "-Nexample.org",
        "--permission-set",
        "--unsafely-x",
        "--preload=a",
    ],
)
def test_deno_gets_no_permission_whoever_asks(more: str) -> None:
    assert not runs_tamely([*YT_DLPS[:-1], more, "-"])


@pytest.mark.parametrize(
    "arguments", [[], ["eval", "1"], ["install"], ["run", "-"], ["--version", "run"][1:], ["repl"]]
)
def test_deno_does_nothing_else(arguments: list[str]) -> None:
    assert not runs_tamely(arguments)


def test_a_program_on_the_path_is_found_and_held_to_its_limits(tmp_path: Path) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    deno = programs / "deno"
    deno.write_text('#!/bin/sh\nif [ "$1" = --version ]; then echo deno 2.9.1; else ulimit -d; ulimit -v; fi\n')
    deno.chmod(0o755)
    # The environment's base interpreter has no Deno beside it, which would be preferred.
    python = str(Path(sys.executable).resolve())
    told = run_confined(tmp_path, f"{programs}{os.pathsep}/usr/bin:/bin", "", python=python)
    version, data, addresses = told.split()
    assert version == "2.9.1"
    assert data == str(LIMITS.script_bytes // 1024)
    assert addresses == "unlimited"


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("console.log(1 + 1)", "2"),
        ("try { Deno.readTextFileSync('/etc/passwd') } catch (e) { console.log(String(e)) }", "read access"),
        ("try { Deno.writeTextFileSync('x', '') } catch (e) { console.log(String(e)) }", "write access"),
        ("try { await fetch('http://127.0.0.1/') } catch (e) { console.log(String(e)) }", "net access"),
        ("try { console.log(Deno.env.toObject()) } catch (e) { console.log(String(e)) }", "env access"),
        ("import x from 'https://song.example/x.js'; console.log(x)", "--no-remote"),
    ],
)
def test_a_sites_script_can_compute_and_nothing_else(tmp_path: Path, script: str, said: str) -> None:
    way = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    if shutil.which("deno", path=way) is None:
        lacking("Deno, on the path or beside the interpreter (PyPI package deno)")
    told = run_confined(tmp_path, way, script)
    assert said in told
    assert "root:" not in told


def test_without_deno_a_site_that_needs_it_is_told_of_as_such(tmp_path: Path) -> None:
    assert NO_RUNTIME in inspect.getsource(_video)
    with YtDlpClient(tmp_path, LIMITS, ("*",)) as site:
        with pytest.raises(ExtractorError), site.missing_script_told():
            raise ExtractorError("Requested format is not available", expected=True)
        site.report_warning(f"[youtube] {NO_RUNTIME} could be found. Only deno is enabled by default;")
        with pytest.raises(CodedFailure, match="link-script"), site.missing_script_told():
            raise ExtractorError("Requested format is not available", expected=True)
        with pytest.raises(ExtractorError), site.missing_script_told():
            raise ExtractorError("This video is private", expected=True)
    assert "script that I cannot run here" in str(error_from_code("link-script", LIMITS))
