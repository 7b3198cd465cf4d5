"""``python -m classifier worker``: this machine listens to songs for a cluster."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from classifier.inference.executor import SongClassifier

DESCRIPTION = """\
Let this machine listen to songs for every bot whose EXECUTOR_URL is the same scheduler (`dask scheduler`). Releases are
fetched from the bots and kept in a folder; nothing else has to be set up here. It goes on until it is told to end, and
comes back by itself whenever the scheduler does.

Whoever can reach a scheduler or a worker can run code on all of them: use tls:// with certificates that you have
signed yourself, or a network of their own."""
NOT_INSTALLED = "A cluster needs the package `distributed`: install genre-bot with the extra `cluster`."
WRONG_USAGE = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what can be asked for."""
    parser.add_argument("scheduler", metavar="URL", help="tcp://host:port or tls://host:port")
    parser.add_argument("--songs", type=int, metavar="N", help="songs at a time (default: one for each core)")
    parser.add_argument(
        "--folder", type=Path, help="for releases and scratch files (default: genre-bot in the user's cache folder)"
    )
    parser.add_argument("--ca", type=Path, metavar="FILE", help="certificate of the authority that signed all others")
    parser.add_argument("--certificate", type=Path, metavar="FILE", help="this machine's certificate")
    parser.add_argument("--key", type=Path, metavar="FILE", help="its key")
    parser.add_argument("--listen", default="", metavar="HOST:PORT", help="where the scheduler reaches this machine")


def run(arguments: argparse.Namespace) -> int:
    """Work for the cluster; return the exit status."""
    return serve(arguments, make_work)


def make_work(folder: Path, max_minutes: float) -> Callable[[], SongClassifier]:
    """Return what every child process loads."""
    from classifier.inference.executor import load_classifier

    return partial(load_classifier, folder, max_minutes)


def serve(arguments: argparse.Namespace, work: Callable[[Path, float], Callable[[], SongClassifier]]) -> int:
    """Work for the cluster with any work in place of a release's."""
    from classifier.inference.executor import CLUSTER_PACKAGES

    try:
        from classifier.inference.cluster import worker_service
        from classifier.inference.cluster.credentials import BadCredentials, Credentials
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in CLUSTER_PACKAGES:
            raise
        print(NOT_INSTALLED, file=sys.stderr)
        return WRONG_USAGE
    files = (arguments.ca, arguments.certificate, arguments.key)
    host, _, port = arguments.listen.rpartition(":")
    wrong = (
        "--ca, --certificate and --key belong together" if any(files) and not all(files)
        else "--songs must be at least 1" if arguments.songs is not None and arguments.songs < 1
        else "--listen must be like 10.0.0.5:8790" if arguments.listen and not (host and port.isdecimal())
        else "the scheduler's address must be like tcp://host:8786 or tls://host:8786"
        if not arguments.scheduler.startswith(("tcp://", "tls://"))
        else ""
    )  # fmt: skip
    if wrong:
        print(wrong, file=sys.stderr)
        return WRONG_USAGE
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    post = worker_service.Post(
        arguments.scheduler,
        Credentials(*files) if all(files) else None,
        songs=arguments.songs or len(os.sched_getaffinity(0)),
        folder=arguments.folder or _cache_folder(),
        listen=(host.strip("[]"), int(port or 0)),
    )
    try:
        asyncio.run(worker_service.serve(post, work))
    except BadCredentials as wrong_files:
        print(wrong_files, file=sys.stderr)
        return WRONG_USAGE
    return 0


def _cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "genre-bot"
