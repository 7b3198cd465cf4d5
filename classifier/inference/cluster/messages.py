"""What travels between a bot and the machines that listen: songs, releases, and what became of a song.

The scheduler in between unpickles what it passes on, so nothing here needs more than the standard library at import.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from classifier.inference.manifest import artifact_of, whole

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from classifier.inference.worker_process import WorkFailed
    from classifier.song_report import Classification
    from common.errors import SongError

PLUGIN: Final = "genre-bot"
"""Name under which a worker of the cluster holds what listens to songs."""


@dataclass(frozen=True, slots=True)
class ReleaseName:
    """Which release is to listen.

    Attributes
    ----------
    name
        As its manifest says.
    digest
        SHA-256 of its manifest, which in turn vouches for the artifact; hexadecimal.
    """

    name: str
    digest: str


@dataclass(frozen=True, slots=True)
class ReleaseParcel:
    """A whole release on its way to a machine that has not got it.

    Attributes
    ----------
    name
        Which one.
    manifest
        The bytes that ``name.digest`` is the checksum of.
    artifact
        Name of the artifact's file, and its bytes.
    """

    name: ReleaseName
    manifest: bytes
    artifact: tuple[str, bytes] = field(repr=False)
    genres: tuple[str, ...]

    @classmethod
    def read(cls, directory: Path) -> ReleaseParcel:
        """Read the release that lies in a folder.

        Raises
        ------
        BadRelease
            If it is missing, incomplete or altered.
        """
        manifest, content = whole(directory)
        written = written_manifest(manifest)
        name = ReleaseName(manifest["name"], hashlib.sha256(written).hexdigest())
        genres = tuple(str(genre) for genre in manifest.get("genres", ()))
        return cls(name, written, (artifact_of(directory, manifest), content), genres)


def written_manifest(manifest: Mapping[str, Any]) -> bytes:
    """Write a manifest down, always the same way, so that it has one checksum wherever it is."""
    return json.dumps(manifest, sort_keys=True, ensure_ascii=True).encode()


@dataclass(frozen=True, slots=True)
class SongParcel:
    """A song on its way to a machine that listens.

    Attributes
    ----------
    ticket
        The cluster's name for this song and this attempt.
    content
        The file's bytes.
    suffix
        Of the file's name, with its dot.
    release
        Which release is to listen.
    max_minutes
        Longer songs are refused.
    topic
        Under which the machine tells how far it is, and asks for the release if it has not got it.
    """

    ticket: str
    content: bytes = field(repr=False)
    suffix: str
    release: ReleaseName
    max_minutes: float
    topic: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a song over there; exactly one of the three, or none where it was stopped and is to be sent again.

    Failures come back as values: what is raised in a task of the cluster is logged there with the task's arguments.
    """

    answer: Classification | None = None
    refusal: SongError | None = None
    fault: WorkFailed | None = None


async def hear(song: SongParcel) -> Delivery:
    """Listen to a song; runs in a worker of the cluster, which holds what does the work."""
    from distributed import get_worker

    machine: Any = get_worker().plugins[PLUGIN]
    delivery: Delivery = await machine.hear(song)
    return delivery


async def prepare(release: ReleaseName, max_minutes: float, topic: str) -> str:
    """Make a release ready without a song; runs in a worker. Returns why it cannot be loaded, or nothing."""
    from distributed import get_worker

    machine: Any = get_worker().plugins[PLUGIN]
    reason: str = await machine.prepare(release, max_minutes, topic)
    return reason


async def take_release(parcel: ReleaseParcel, dask_worker: Any) -> None:
    """Put a release on the worker's shelf; the cluster fills in the worker by the argument's name."""
    await dask_worker.plugins[PLUGIN].take(parcel)
