"""A cluster of real processes on this machine: a scheduler at a port of its own, and workers that come and go."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from tests.conftest import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

START_SECONDS = 60.0
REGISTERED = "listening for"


def free_port() -> int:
    """Return a port that nobody listens on just now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


class Cluster:
    """Processes of one cluster.

    Parameters
    ----------
    folder
        For logs, and what workers keep.
    work
        What workers do: a module that is started like ``python -m classifier``, with the same arguments.
    scheduler, worker
        More arguments for each.
    """

    def __init__(
        self,
        folder: Path,
        *,
        work: str = "tests.classifier.inference.cluster.worker",
        protocol: str = "tcp",
        scheduler: Sequence[str] = (),
        worker: Sequence[str] = (),
        allowed_failures: int = 3,
    ) -> None:
        self._folder = folder
        self._work = work
        self._port = free_port()
        self._more_for_scheduler, self._more_for_worker = scheduler, worker
        self._environment = {
            **os.environ,
            "PYTHONPATH": str(REPOSITORY),
            "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": str(allowed_failures),
        }
        self._scheduler: subprocess.Popen[bytes] | None = None
        self.workers: list[subprocess.Popen[bytes]] = []
        self.url = f"{protocol}://127.0.0.1:{self._port}"
        self._protocol = protocol

    def start_scheduler(self) -> None:
        """Start the scheduler, always at the same address."""
        arguments = ["--host", f"{self._protocol}://127.0.0.1", "--port", str(self._port), "--no-dashboard"]
        command = [sys.executable, "-m", "distributed.cli.dask_scheduler", *arguments, *self._more_for_scheduler]
        self._scheduler = self._start("scheduler", command)

    def start_worker(self, songs: int = 1) -> subprocess.Popen[bytes]:
        """Start a worker; it need not be connected yet when this returns."""
        name = f"worker{len(self.workers)}"
        arguments = [self.url, "--songs", str(songs), "--folder", str(self._folder / name), *self._more_for_worker]
        worker = self._start(name, [sys.executable, "-m", self._work, "worker", *arguments])
        self.workers.append(worker)
        return worker

    @property
    def scheduler_pid(self) -> int:
        """Number of the scheduler's process."""
        assert self._scheduler is not None
        return self._scheduler.pid

    def kill_scheduler(self) -> None:
        """End the scheduler without a word."""
        assert self._scheduler is not None
        self._scheduler.kill()
        self._scheduler.wait()

    def wait_for_workers(self) -> None:
        """Wait until all workers that were started have been taken in by the scheduler."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if all(REGISTERED in self.log(f"worker{number}") for number in range(len(self.workers))):
                return
            time.sleep(0.05)
        raise AssertionError("\n".join(self.log(f"worker{number}") for number in range(len(self.workers))))

    def log(self, name: str) -> str:
        """Return what a process has said."""
        return (self._folder / f"{name}.log").read_text(encoding="utf-8")

    def stop(self) -> None:
        """End everything: workers as their operator would, so that their children end with them."""
        for worker in self.workers:
            worker.send_signal(signal.SIGTERM)
        for worker in self.workers:
            worker.wait(30)
        if self._scheduler is not None:
            self.kill_scheduler()

    def _start(self, name: str, command: Sequence[str]) -> subprocess.Popen[bytes]:
        with (self._folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                command, cwd=REPOSITORY, env=self._environment, stdout=log, stderr=subprocess.STDOUT
            )
