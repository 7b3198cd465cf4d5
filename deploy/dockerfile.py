"""Parses a Dockerfile into stages and instructions: the part of the language that ours uses; the rest is an error.

``follow_dockerfile`` and the tests use the result. The package dockerfile-parse would not help much: it knows neither
flags nor stages, and passes over instructions that it does not know.
"""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

KNOWN: Final = frozenset(
    {"FROM", "RUN", "COPY", "ENV", "WORKDIR", "USER", "CMD", "VOLUME", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK"}
)


class NotUnderstood(ValueError):
    """The Dockerfile uses something that this parser does not know."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction: its name, its flags (``--from=x``), and the rest of its line."""

    name: str
    flags: dict[str, str]
    rest: str

    @property
    def words(self) -> list[str]:
        """The arguments: parsed as a JSON array, or else split like a shell does."""
        if self.rest.startswith("["):
            return [str(word) for word in json.loads(self.rest)]
        return shlex.split(self.rest)


@dataclass(frozen=True, slots=True)
class BuildStage:
    """A build stage: its base (an image or an earlier stage), its name, its instructions."""

    base: str
    name: str
    instructions: list[Instruction] = field(default_factory=list)


def read_stages(text: str) -> dict[str, BuildStage]:
    """Parse a Dockerfile and return its stages by name, in order.

    Raises
    ------
    NotUnderstood
        For an unknown instruction, or one outside a stage.
    """
    stages: dict[str, BuildStage] = {}
    stage: BuildStage | None = None
    for instruction in _instructions(text):
        if instruction.name == "FROM":
            match = re.fullmatch(r"(\S+) AS (\S+)", instruction.rest)
            if match is None:
                raise NotUnderstood(f"a stage without a name: FROM {instruction.rest}")
            stage = stages[match[2]] = BuildStage(match[1], match[2])
        elif stage is None:
            raise NotUnderstood(f"{instruction.name} before the first FROM")
        else:
            stage.instructions.append(instruction)
    return stages


def lineage(stages: dict[str, BuildStage], name: str) -> tuple[str, list[Instruction]]:
    """Return the base image that a stage ultimately builds on, and all instructions from there to it."""
    chain: list[Instruction] = []
    while name in stages:
        chain = stages[name].instructions + chain
        name = stages[name].base
    return name, chain


def _instructions(text: str) -> Iterator[Instruction]:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        if not line.strip():
            continue
        name, _, rest = line.strip().partition(" ")
        if name not in KNOWN:
            raise NotUnderstood(f"unknown instruction: {line}")
        flags = {}
        while (match := re.match(r"--([a-z-]+)=(\S+)\s+", rest)) is not None and name != "RUN":
            flags[match[1]] = match[2]
            rest = rest[match.end() :]
        yield Instruction(name, flags, rest.strip())
