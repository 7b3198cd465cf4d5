"""The releases that a worker of the cluster keeps on disk, found and verified by their checksums."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from classifier.inference.manifest import MANIFEST, BadRelease, artifact_name, read_manifest, read_verified_file

if TYPE_CHECKING:
    from classifier.inference.cluster.messages import ReleaseId, ReleaseMessage

RELEASES_KEPT: Final = 4
_INCOMPLETE_PREFIX: Final = ".incomplete-"


class ReleaseCache:
    """A folder of releases, each in a subfolder named by the checksum of its manifest.

    Parameters
    ----------
    folder
        Several workers of one machine may share it; created if necessary.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, name: ReleaseId) -> Path | None:
        """Return the folder of a release, verified in full; None if it is missing or damaged."""
        folder = self._folder_of(name)
        try:
            content = (folder / MANIFEST).read_bytes()
            if hashlib.sha256(content).hexdigest() != name.digest:
                return None
            manifest = read_manifest(folder)
            read_verified_file(folder, artifact_name(folder, manifest), manifest)
        except (BadRelease, OSError):
            return None
        with suppress(OSError):  # the folder may be read-only for this worker
            os.utime(folder)
        return folder

    def put(self, release: ReleaseMessage) -> Path:
        """Save a release atomically, and remove the least recently used ones.

        Raises
        ------
        BadRelease
            If the release does not match its checksums.
        OSError
            If it cannot be written.
        """
        file, content = release.artifact
        if hashlib.sha256(release.manifest).hexdigest() != release.name.digest:
            raise BadRelease(f"The manifest of {release.name.name} was altered in transit.")
        listed = json.loads(release.manifest).get("files", {}).get(file, {})
        if Path(file).name != file or hashlib.sha256(content).hexdigest() != listed.get("sha256"):
            raise BadRelease(f"{file} is not the one that the manifest of {release.name.name} was written for.")
        self._folder.mkdir(parents=True, exist_ok=True)
        incomplete = Path(tempfile.mkdtemp(prefix=_INCOMPLETE_PREFIX, dir=self._folder))
        folder = self._folder_of(release.name)
        try:
            (incomplete / MANIFEST).write_bytes(release.manifest)
            (incomplete / file).write_bytes(content)
            # An existing folder of this name is damaged, or another worker has just saved the same release.
            shutil.rmtree(folder, ignore_errors=True)
            with suppress(OSError):
                incomplete.rename(folder)
        finally:
            shutil.rmtree(incomplete, ignore_errors=True)
        if self.find(release.name) is None:
            raise BadRelease(f"{release.name.name} could not be saved in {self._folder}.")
        self._remove_oldest()
        return folder

    def _folder_of(self, name: ReleaseId) -> Path:
        if re.fullmatch(r"[0-9a-f]{64}", name.digest) is None:
            raise BadRelease(f"{name.digest[:80]!r} is not the checksum of a release.")
        return self._folder / name.digest

    def _remove_oldest(self) -> None:
        kept = [folder for folder in self._folder.iterdir() if re.fullmatch(r"[0-9a-f]{64}", folder.name)]
        for folder in sorted(kept, key=lambda each: each.stat().st_mtime)[:-RELEASES_KEPT]:
            shutil.rmtree(folder, ignore_errors=True)
