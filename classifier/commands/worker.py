"""``worker``: classifies songs on this machine for a cluster."""

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
Classify songs on this machine for every bot whose EXECUTOR_URL is the same scheduler (`dask scheduler`). Releases are
received from the bots and cached in a folder; no other set-up is needed. The worker runs until it is stopped, and
reconnects by itself when the scheduler was away.

Anybody who can reach a scheduler or a worker can run code on all of them: use tls:// with your own certificates, or a
private network."""
NOT_INSTALLED = "A cluster needs the package `distributed`: install genre-bot with the extra `cluster`."
EXIT_USAGE = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    parser.add_argument("scheduler", metavar="URL", help="tcp://host:port or tls://host:port")
    parser.add_argument("--songs", type=int, metavar="N", help="songs at a time (default: one per core)")
    parser.add_argument(
        "--folder", type=Path, help="for releases and scratch files (default: genre-bot in the user's cache folder)"
    )
    parser.add_argument(
        "--ca", type=Path, metavar="FILE", help="certificate of the authority that signed all certificates"
    )
    parser.add_argument("--certificate", type=Path, metavar="FILE", help="this machine's certificate")
    parser.add_argument("--key", type=Path, metavar="FILE", help="its key")
    parser.add_argument(
        "--listen", default="", metavar="HOST:PORT", help="address at which the scheduler reaches this machine"
    )


def run(arguments: argparse.Namespace) -> int:
    """Work for the cluster; return the exit status."""
    return serve(arguments, make_processor)


def make_processor(folder: Path, max_minutes: float) -> Callable[[], SongClassifier]:
    """Return the processor factory for a release in a folder."""
    from classifier.inference.executor import load_classifier

    return partial(load_classifier, folder, max_minutes)


def serve(arguments: argparse.Namespace, make_processor: Callable[[Path, float], Callable[[], SongClassifier]]) -> int:
    """Work for the cluster, with any file processor instead of a release's."""
    from classifier.inference.executor_factory import CLUSTER_PACKAGES

    try:
        from classifier.inference.cluster import worker_service
        from classifier.inference.cluster.credentials import BadCredentials, Credentials
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in CLUSTER_PACKAGES:
            raise
        print(NOT_INSTALLED, file=sys.stderr)
        return EXIT_USAGE
    files = (arguments.ca, arguments.certificate, arguments.key)
    host, _, port = arguments.listen.rpartition(":")
    wrong = (
        "--ca, --certificate and --key must be used together" if any(files) and not all(files)
        else "--songs must be at least 1" if arguments.songs is not None and arguments.songs < 1
        else "--listen must be like 10.0.0.5:8790" if arguments.listen and not (host and port.isdecimal())
        else "the scheduler's address must be like tcp://host:8786 or tls://host:8786"
        if not arguments.scheduler.startswith(("tcp://", "tls://"))
        else ""
    )  # fmt: skip
    if wrong:
        print(wrong, file=sys.stderr)
        return EXIT_USAGE
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    settings = worker_service.WorkerSettings(
        arguments.scheduler,
        Credentials(*files) if all(files) else None,
        songs=arguments.songs or len(os.sched_getaffinity(0)),
        folder=arguments.folder or _cache_folder(),
        listen=(host.strip("[]"), int(port or 0)),
    )
    try:
        asyncio.run(worker_service.serve(settings, make_processor))
    except BadCredentials as wrong_files:
        print(wrong_files, file=sys.stderr)
        return EXIT_USAGE
    return 0


def _cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "genre-bot"
