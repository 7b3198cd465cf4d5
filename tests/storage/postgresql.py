"""Runs a temporary PostgreSQL server from the installed binaries, for one test run."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import socket
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg

if TYPE_CHECKING:
    from collections.abc import Sequence

USER = "postgres"
# The data need not survive a power cut, and two dozen connections are plenty.
SMALL = ("max_connections=60", "shared_buffers=16MB")
FORGETFUL = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")
MEMORY_FOLDER = Path("/dev/shm")
MEMORY_BYTES = 2**30
"""Free space needed in memory to use it; copying databases is some twenty times faster there than on disk."""


def find_binaries() -> Path | None:
    """Return the folder with ``initdb`` and ``pg_ctl``, of the newest version installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


def _fast_folder() -> Path | None:
    roomy = MEMORY_FOLDER.is_dir() and shutil.disk_usage(MEMORY_FOLDER).free > MEMORY_BYTES
    return MEMORY_FOLDER if roomy else None


class PostgreSQL:
    """A server on a unix socket and a free port of 127.0.0.1.

    Parameters
    ----------
    binaries
        From ``find_binaries``.
    durable
        Whether commits are flushed to disk, which benchmarks need.
    """

    def __init__(self, binaries: Path, *, durable: bool = False) -> None:
        self._binaries = binaries
        self._settings = SMALL if durable else SMALL + FORGETFUL
        self._names = itertools.count(1)
        self._folder = Path(tempfile.mkdtemp(prefix="genre-postgresql-", dir=None if durable else _fast_folder()))
        if os.geteuid() == 0:
            shutil.chown(self._folder, USER)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]

    def start(self) -> None:
        data = str(self._folder / "data")
        self._run("initdb", "-D", data, "-U", USER, "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
        options = " ".join(f"-c {setting}" for setting in (*self._settings, "listen_addresses=127.0.0.1"))
        options += f" -p {self._port} -k {self._folder}"
        self._run("pg_ctl", "-D", data, "-l", str(self._folder / "log"), "-w", "-o", options, "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-m", "immediate", "stop")
        shutil.rmtree(self._folder, ignore_errors=True)

    def restart(self) -> None:
        """Restart the server as an operator would; every connection ends."""
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-m", "fast", "-w", "restart")

    def pids(self) -> list[int]:
        """Return the ids of the server's processes."""
        first = (self._folder / "data" / "postmaster.pid").read_text().split()[0]
        return [int(first), *map(int, Path(f"/proc/{first}/task/{first}/children").read_text().split())]

    def create(self, template: str = "template1") -> str:
        """Create a database as a copy of another and return its name."""
        name = f"test{next(self._names)}"
        self.say(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop(self, name: str) -> None:
        self.say(f"DROP DATABASE {name} WITH (FORCE)")

    def url(self, name: str) -> str:
        return f"postgresql://{USER}@127.0.0.1:{self._port}/{name}"

    def cut(self, name: str) -> None:
        """End every connection to a database."""
        self.say(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")

    def say(self, statement: str) -> None:
        """Run a statement as the server's administrator."""

        async def say() -> None:
            connection = await asyncpg.connect(self.url("postgres"))
            await connection.execute(statement)
            await connection.close()

        # In a thread, since the caller may have a running event loop.
        with ThreadPoolExecutor(max_workers=1) as thread:
            thread.submit(asyncio.run, say()).result()

    def _run(self, program: str, *arguments: str) -> None:
        command: Sequence[str] = [str(self._binaries / program), *arguments]
        if os.geteuid() == 0:
            # The server refuses to run as root.
            command = ["runuser", "-u", USER, "--", *command]
        done = subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=self._folder)
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr.decode(errors='replace')}")
