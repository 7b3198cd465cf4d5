"""The messages between a bot and the workers of a cluster: songs, results and releases.

The scheduler unpickles the messages that it passes on, so this module imports only the standard library and light
modules of this package.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from classifier.inference.manifest import artifact_name, read_release

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from classifier.inference.worker_process import WorkerError
    from classifier.song_report import Classification
    from common.errors import SongError

PLUGIN: Final = "genre-bot"
"""Name under which a worker registers its ``ClassifierPlugin``."""


@dataclass(frozen=True, slots=True)
class ReleaseId:
    """Identifies a release.

    Attributes
    ----------
    name
        Its name in the manifest.
    digest
        SHA-256 of its manifest in hexadecimal; the manifest in turn has the checksum of the artifact.
    """

    name: str
    digest: str


@dataclass(frozen=True, slots=True)
class ReleaseMessage:
    """A release for a worker that does not have it.

    Attributes
    ----------
    name
        Its identity.
    manifest
        The manifest's bytes, whose SHA-256 is ``name.digest``.
    artifact
        Name of the artifact's file, and its bytes.
    genres
        The genres that the release knows.
    """

    name: ReleaseId
    manifest: bytes
    artifact: tuple[str, bytes] = field(repr=False)
    genres: tuple[str, ...]

    @classmethod
    def read(cls, directory: Path) -> ReleaseMessage:
        """Read the release in a folder.

        Raises
        ------
        BadRelease
            If it is missing, incomplete or altered.
        """
        manifest, content = read_release(directory)
        canonical = canonical_manifest(manifest)
        name = ReleaseId(manifest["name"], hashlib.sha256(canonical).hexdigest())
        genres = tuple(str(genre) for genre in manifest.get("genres", ()))
        return cls(name, canonical, (artifact_name(directory, manifest), content), genres)


def canonical_manifest(manifest: Mapping[str, Any]) -> bytes:
    """Return a manifest in canonical form, so that it has the same checksum everywhere."""
    return json.dumps(manifest, sort_keys=True, ensure_ascii=True).encode()


@dataclass(frozen=True, slots=True)
class SongMessage:
    """A song to classify.

    Attributes
    ----------
    ticket
        Key of the cluster's task, unique for this song and attempt.
    content
        The file's bytes.
    suffix
        Suffix of the file name, with its dot.
    release
        The release to classify it with.
    max_minutes
        Longer songs are refused.
    topic
        Topic to which the worker publishes progress, and its request for the release if it does not have it.
    """

    ticket: str
    content: bytes = field(repr=False)
    suffix: str
    release: ReleaseId
    max_minutes: float
    topic: str


@dataclass(frozen=True, slots=True)
class SongResult:
    """The result of a song: an answer, an error of the song, or a bug; empty if it was stopped and must be sent again.

    Errors are returned as values because the cluster logs an exception together with the task's arguments, the song.
    """

    answer: Classification | None = None
    song_error: SongError | None = None
    bug: WorkerError | None = None


async def classify_song(song: SongMessage) -> SongResult:
    """Classify a song; runs as a task in a worker of the cluster."""
    from distributed import get_worker

    plugin: Any = get_worker().plugins[PLUGIN]
    result: SongResult = await plugin.classify_song(song)
    return result


async def load_release(release: ReleaseId, max_minutes: float, topic: str) -> str:
    """Load a release in a worker of the cluster; return why that failed, or an empty string."""
    from distributed import get_worker

    plugin: Any = get_worker().plugins[PLUGIN]
    reason: str = await plugin.load_release(release, max_minutes, topic)
    return reason


async def receive_release(release: ReleaseMessage, dask_worker: Any) -> None:
    """Save a release in the worker's cache; the cluster passes the worker as ``dask_worker``."""
    await dask_worker.plugins[PLUGIN].receive(release)
