"""``python -m tests.classifier.inference.cluster.worker worker URL …``: a cluster worker that does what files say.

Its release is read, but listens to nothing: an answer names it, so that tests can tell releases apart.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from classifier.commands import worker
from classifier.inference.executor import Release
from classifier.inference.manifest import BadRelease, read_manifest
from classifier.song_report import Progress
from tests.bot.fake_classifier import Ear
from tests.classifier.troublemaker import GENRES, TroubleMaker, answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from classifier.song_report import Classification

UNLOADABLE = "unloadable"
MUSIC_SUFFIXES = {".ogg", ".mp3"}


class Obedient:
    """Does what a file says; what is music is listened to, with a rule of thumb for a model."""

    def __init__(self, folder: Path, max_minutes: float) -> None:
        self._name = str(read_manifest(folder)["name"])
        if self._name == UNLOADABLE:
            raise BadRelease("This release is of another time.")
        self._ear = Ear(max_minutes, float(os.environ.get("LINGER", "0")))
        self._trouble = TroubleMaker()
        self.info = Release(self._name, GENRES)

    def __call__(self, path: Path, report: Callable[[Progress], None]) -> Classification:
        return self._named(self._do(path, report))

    def _do(self, path: Path, report: Callable[[Progress], None]) -> Classification:
        if path.suffix in MUSIC_SUFFIXES:
            return self._ear(path, report)
        order, *values = path.read_text().split()
        match order:
            case "kill-the-worker":
                os.kill(os.getppid(), signal.SIGKILL)
                signal.pause()  # until the kernel ends it with its parent
            case "hold":
                report(Progress("decoding"))
                Path(values[0]).write_bytes(b"begun")
                Path(values[1]).read_bytes()
                return answer(os.getpid())
        return self._trouble(path, report)

    def _named(self, heard: Classification) -> Classification:
        return replace(heard, report=replace(heard.report, model=self._name))


def make_processor(folder: Path, max_minutes: float) -> Callable[[], Any]:
    """Return what every child process loads."""
    return partial(Obedient, folder, max_minutes)


if __name__ == "__main__":
    # Under its own name, so that child processes can find what they are to load.
    from tests.classifier.inference.cluster import worker as itself

    parser = argparse.ArgumentParser()
    worker.add_arguments(parser)
    sys.exit(worker.serve(parser.parse_args(sys.argv[2:]), itself.make_processor))
