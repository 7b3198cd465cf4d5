"""Measures how many songs a minute ``organize`` classifies, and that its memory does not grow with the collection.

``python benchmarks/organize.py [--songs 1000] [--jobs N]`` synthesises a few songs, makes the requested number of
different files of them, and tracks the memory of the program and all its workers while they are organised.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

from common.units import KIBIBYTE  # noqa: E402  found only now
from tests.synthesis import song, write  # noqa: E402

STYLES = ("blues", "disco", "metal", "vietnamese")
SECONDS_BETWEEN_LOOKS = 0.5


@dataclass
class Memory:
    """Proportional resident memory of a process and its descendants over time, MiB."""

    main: list[float] = field(default_factory=list)
    together: list[float] = field(default_factory=list)

    def look(self, pid: int) -> None:
        own = _mebibytes(pid)
        if own:
            self.main.append(own)
            self.together.append(own + sum(map(_mebibytes, _descendants(pid))))


def _mebibytes(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # the process has just ended
        return 0
    return next((int(line.split()[1]) / KIBIBYTE for line in lines if line.startswith("Pss:")), 0)


def _descendants(pid: int) -> list[int]:
    try:
        tasks = [Path(task, "children").read_text().split() for task in Path(f"/proc/{pid}/task").iterdir()]
    except OSError:
        return []
    children = [int(child) for found in tasks for child in found]
    return children + [further for child in children for further in _descendants(child)]


def make_collection(folder: Path, count: int, seconds: float) -> None:
    """Write a number of different files: a few songs with different bytes at the end."""
    sources = [write(song(style, seconds), folder / f"{style}.mp3") for style in STYLES]
    contents = [source.read_bytes() for source in sources]
    for source in sources:
        source.unlink()
    for number in range(count):
        # Bytes after the last frame of an mp3 file are inaudible and make it a different file.
        ending = f"number {number:06}".encode()
        (folder / f"{number:06}.mp3").write_bytes(contents[number % len(contents)] + ending)


def main() -> int:
    """Print the figures; return the program's own exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--songs", type=int, default=1000, help="how many (default: %(default)d)")
    parser.add_argument("--seconds", type=float, default=30, help="how long each is (default: %(default)g)")
    parser.add_argument("--jobs", type=int, default=2, help="songs at a time (default: %(default)d)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        music = Path(name, "music")
        music.mkdir()
        make_collection(music, arguments.songs, arguments.seconds)
        command = [sys.executable, "-m", "classifier", "organize", str(music), "--jobs", str(arguments.jobs)]
        command += ["--state", str(Path(name, "state")), "--playlists", str(Path(name, "lists"))]
        running = subprocess.Popen(
            command, cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        memory = Memory()
        done = threading.Event()

        def watch() -> None:
            while not done.wait(SECONDS_BETWEEN_LOOKS):
                memory.look(running.pid)

        watching = threading.Thread(target=watch)
        watching.start()
        _, said = running.communicate()
        done.set()
        watching.join()
    print(f"organize, {arguments.songs} songs of {arguments.seconds:g} s, {arguments.jobs} at a time")
    print(f"  {said.strip()}")
    for what, figures in (("program", memory.main), ("with its workers", memory.together)):
        quarter = max(1, len(figures) // 4)
        early, late = max(figures[quarter : 2 * quarter] or figures), max(figures[-quarter:])
        print(f"  memory, {what}: at most {early:.0f} MiB in the second quarter, {late:.0f} MiB in the last")
    return running.returncode


if __name__ == "__main__":
    sys.exit(main())
