"""Every command line that the documentation shows exists, with the options that are shown."""

from __future__ import annotations

import pytest

from tests.docs.commands import OTHERS, commands_of, problem_of
from tests.docs.pages import page_paths, read_page

COMMANDS = sorted({command for path in page_paths() for command in commands_of(read_page(path))})
LEAST_COMMANDS = 50


def worth_trying() -> list[str]:
    """Leave out programs of others, and what is the beginning of a longer command: that one tries it as well."""
    ours = [command for command in COMMANDS if command.split()[0] not in OTHERS]
    return [command for command in ours if not any(other.startswith(f"{command} ") for other in ours)]


@pytest.mark.parametrize("command", worth_trying())
def test_a_command_that_the_documentation_shows_exists(command: str) -> None:
    assert problem_of(command) is None


def test_commands_are_found_in_blocks_and_in_sentences() -> None:
    assert len(COMMANDS) >= LEAST_COMMANDS
    assert "make run" in COMMANDS
    assert "python -m classifier retrain --feedback - --if-enough" in COMMANDS  # the second half of a pipe
    assert "python benchmarks/screenshots.py" in COMMANDS


@pytest.mark.parametrize(
    "command",
    [
        "python -m classifier clasify song.mp3",
        "python -m classifier classify song.mp3 --yaml",
        "python -m classifier study --table my.csv --missing guess --out report",
        "python benchmarks/gone.py",
        "make nothing",
        "docker compose --profile gone up -d",
        "docker compose --profile bot run --rm gone",
        "surprise --yes",
    ],
)
def test_a_command_that_does_not_exist_is_noticed(command: str) -> None:
    assert problem_of(command) is not None
