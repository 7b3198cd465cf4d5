"""Finds the command lines that the documentation shows, and tries each in its dry form.

Programs of this project are asked for ``--help`` with everything else that the line says, so that an unknown command or
a wrong value fails; each option must then be one that the help explains. They run in processes forked from one that has
imported the large libraries, since importing these for each command takes most of a minute. Targets of make are run
with ``-n``; profiles and services of Docker Compose are looked up in ``compose.yaml``. Programs of others are named,
and not tried.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import runpy
import shlex
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import yaml  # type: ignore[import-untyped]

from tests.conftest import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.docs.pages import Page

SHELLS = frozenset({"sh", "bash", "shell", "console"})
PYTHONS = frozenset({"python", "python3", ".venv/bin/python", ".venv-serve/bin/python", "/opt/venv/bin/python"})
OURS = PYTHONS | {"make", "docker", "dask", ".ci/run"}
OTHERS = frozenset({"cp", "fly", "litestream", "openssl", "pg_dump", "pg_restore", "pip", "pre-commit"})
SECONDS = 100
LARGE_LIBRARIES = (
    "bot.app",
    "bot.discord.chat",
    "bot.telegram.chat",
    "distributed",
    "pandas",
    "playwright.async_api",
    "pytest",
    "rich.progress",
    "scipy.signal",
    "sklearn.pipeline",
    "storage",
)
"""What many commands import before they read their arguments."""
_ASSIGNMENT = re.compile(r"[A-Z][A-Z_]*=.*")
_OPTION = re.compile(r"--?[a-z][\w-]*")
_PLACEHOLDER = re.compile(r"[A-Z][A-Z0-9_]*…?")


def commands_of(page: Page) -> Iterator[str]:
    """Yield every command that a page shows, in code blocks of a shell and in code spans.

    Pipes are taken apart, settings in front of a command are left out, and every environment's Python is ``python``.
    """
    for language, text in page.blocks:
        if language in SHELLS:
            for line in text.replace("\\\n", " ").splitlines():
                yield from _split(line)
    for span in page.spans:
        words = span.split()
        while words and _ASSIGNMENT.fullmatch(words[0]):
            words = words[1:]
        # A program that is only named, such as `make`, is not a command; one that runs without arguments is.
        if words and words[0] in OURS | OTHERS and (len(words) > 1 or "/run" in words[0]):
            yield from _split(span)


def problem_of(command: str) -> str | None:
    """Return what is wrong with a command, or None."""
    program, *arguments = shlex.split(command)
    if program in PYTHONS:
        return _problem_of_python(arguments)
    if program == "make":
        return _problem_of_run(["make", "--dry-run", *arguments])
    if program == "docker":
        return _problem_of_compose(arguments)
    if program == "dask":
        return _problem_of_program([str(Path(sys.executable).with_name("dask"))], arguments)
    if program == ".ci/run":
        return _problem_of_run(["bash", "-n", program])
    return None if program in OTHERS else f"{program} is neither this project's nor known"


def _split(line: str) -> Iterator[str]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;")
    lexer.whitespace_split = True
    words: list[str] = []
    for word in [*lexer, ";"]:
        if word and set(word) <= set("|&;"):
            if words:
                yield shlex.join(["python" if words[0] in PYTHONS else words[0], *words[1:]])
            words = []
        elif words or not _ASSIGNMENT.fullmatch(word):
            words.append(word)


def _problem_of_python(arguments: Sequence[str]) -> str | None:
    number = 2 if arguments[0] == "-m" else 1
    return _problem_of_program([word.removeprefix("/app/") for word in arguments[:number]], arguments[number:])


def _problem_of_program(program: Sequence[str], arguments: Sequence[str]) -> str | None:
    done = _run_in_fork([*program, *_without_placeholders(arguments), "--help"])
    if done.returncode:
        return done.stderr[-500:] or f"exit status {done.returncode}"
    explained = set(_OPTION.findall(done.stdout))
    used = (argument.partition("=")[0] for argument in arguments)
    unknown = [option for option in used if _OPTION.fullmatch(option) and option not in explained]
    return f"the help does not explain {', '.join(unknown)}" if unknown else None


def _without_placeholders(arguments: Sequence[str]) -> list[str]:
    """Leave out options whose value stands for one, such as ``--split NAME``: it may be none of the choices."""
    stand_in = {
        number
        for number, (option, value) in enumerate(pairwise(arguments))
        if _OPTION.fullmatch(option) and _PLACEHOLDER.fullmatch(value)
    }
    return [word for number, word in enumerate(arguments) if number not in stand_in and number - 1 not in stand_in]


def _problem_of_compose(arguments: Sequence[str]) -> str | None:
    services = yaml.safe_load((REPOSITORY / "compose.yaml").read_text("utf-8"))["services"]
    profiles = {profile for service in services.values() for profile in service["profiles"]}
    asked = {name for option, name in pairwise(arguments) if option == "--profile"}
    if asked - profiles:
        return f"compose.yaml has no profile {', '.join(sorted(asked - profiles))}"
    if "run" not in arguments:
        return None
    service, *inner = [word for word in arguments[arguments.index("run") + 1 :] if word != "--rm"]
    if service not in services:
        return f"compose.yaml has no service {service}"
    return problem_of(shlex.join(inner)) if inner else None


def _problem_of_run(command: Sequence[str]) -> str | None:
    done = _run(command)
    return done.stderr[-500:] or f"exit status {done.returncode}" if done.returncode else None


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=REPOSITORY, check=False, capture_output=True, text=True, timeout=SECONDS)


def _run_in_fork(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run what the arguments of ``python`` say, a module or a script, in a fork that has the large libraries."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(LARGE_LIBRARIES))
    with tempfile.TemporaryDirectory() as folder:
        output, errors = Path(folder, "output"), Path(folder, "errors")
        process = context.Process(target=_run_here, args=(arguments, output, errors))
        process.start()
        process.join(SECONDS)
        if process.exitcode is None:
            process.kill()
            raise TimeoutError(shlex.join(arguments))
        texts = [path.read_text("utf-8") for path in (output, errors)]
        return subprocess.CompletedProcess(arguments, process.exitcode, *texts)


def _run_here(arguments: Sequence[str], output: Path, errors: Path) -> None:
    for descriptor, path in ((1, output), (2, errors)):
        os.dup2(os.open(path, os.O_CREAT | os.O_WRONLY), descriptor)
    os.chdir(REPOSITORY)
    if arguments[0] == "-m":
        sys.argv = list(arguments[1:])
        sys.path.insert(0, str(REPOSITORY))
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = list(arguments)
        sys.path.insert(0, str(Path(arguments[0]).resolve().parent))
        runpy.run_path(arguments[0], run_name="__main__")
