"""Chooses the executor: processes on this machine, or the cluster that ``EXECUTOR_URL`` names."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from classifier.inference.executor import LocalExecutor, find_classifier, load_classifier, song_limits

if TYPE_CHECKING:
    from pathlib import Path

    from classifier.inference.cluster.credentials import Credentials
    from classifier.inference.executor import SongExecutor

CLUSTER_PACKAGES: Final = {"dask", "distributed"}  # of the extra ``cluster``


class UnknownExecutor(ValueError):
    """``EXECUTOR_URL`` has a value that no executor supports."""


def open_executor(
    url: str, *, model_dir: Path, workers: int, max_minutes: float, credentials: Credentials | None = None
) -> SongExecutor:
    """Return the executor for ``EXECUTOR_URL``, not started yet.

    Parameters
    ----------
    url
        Empty for processes on this machine; ``tcp://host:port`` or ``tls://host:port`` for a Dask scheduler.
    model_dir
        Folder of the serving release.
    workers
        Number of songs that are classified at a time on this machine; ignored for a cluster.
    max_minutes
        Longer songs are refused.
    credentials
        The certificates for ``tls://``.

    Raises
    ------
    UnknownExecutor
        If the URL is not supported; the message says what to set instead.
    """
    if url:
        return _open_cluster(url, model_dir, max_minutes, credentials)
    return LocalExecutor(
        partial(load_classifier, model_dir, max_minutes),
        workers=workers,
        limits=song_limits(max_minutes),
        find_processor=partial(find_classifier, model_dir, max_minutes),
    )


def _open_cluster(url: str, model_dir: Path, max_minutes: float, credentials: Credentials | None) -> SongExecutor:
    if not url.startswith(("tcp://", "tls://")):
        raise UnknownExecutor(f"EXECUTOR_URL is {url!r}: write tcp://host:8786 or tls://host:8786, or leave it empty.")
    try:
        from classifier.inference.cluster.credentials import BadCredentials
        from classifier.inference.cluster.executor import ClusterExecutor
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in CLUSTER_PACKAGES:
            raise
        raise UnknownExecutor(
            f"EXECUTOR_URL is {url!r}, but the package `distributed` is not installed: "
            "install genre-bot with the extra `cluster`, or leave EXECUTOR_URL empty."
        ) from error
    try:
        return ClusterExecutor(url, model_dir=model_dir, max_minutes=max_minutes, credentials=credentials)
    except BadCredentials as error:
        raise UnknownExecutor(f"EXECUTOR_URL: {error}") from error
