"""The releases that a machine of the cluster keeps: fetched once, held against their checksums, found by them again."""

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

from classifier.inference.manifest import MANIFEST, BadRelease, artifact_of, read_manifest, verified

if TYPE_CHECKING:
    from classifier.inference.cluster.messages import ReleaseName, ReleaseParcel

RELEASES_KEPT: Final = 4
_HALF_DONE: Final = ".arriving-"


class Shelf:
    """A folder of releases, each in a folder named by the checksum of its manifest.

    Parameters
    ----------
    folder
        May be shared by several workers of one machine; made if need be.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, name: ReleaseName) -> Path | None:
        """Return where a release lies, whole and unaltered; None if it does not. Reads all of it."""
        place = self._place(name)
        try:
            content = (place / MANIFEST).read_bytes()
            if hashlib.sha256(content).hexdigest() != name.digest:
                return None
            manifest = read_manifest(place)
            verified(place, artifact_of(place, manifest), manifest)
        except (BadRelease, OSError):
            return None
        with suppress(OSError):  # the folder may be read-only to this one
            os.utime(place)
        return place

    def put(self, parcel: ReleaseParcel) -> Path:
        """Keep a release, in one step, and let go of those that were longest not asked for.

        Raises
        ------
        BadRelease
            If what came is not what its name promises.
        OSError
            If it cannot be written.
        """
        file, content = parcel.artifact
        if hashlib.sha256(parcel.manifest).hexdigest() != parcel.name.digest:
            raise BadRelease(f"The manifest of {parcel.name.name} was altered on its way.")
        listed = json.loads(parcel.manifest).get("files", {}).get(file, {})
        if Path(file).name != file or hashlib.sha256(content).hexdigest() != listed.get("sha256"):
            raise BadRelease(f"{file} is not the one that the manifest of {parcel.name.name} was written for.")
        self._folder.mkdir(parents=True, exist_ok=True)
        arriving = Path(tempfile.mkdtemp(prefix=_HALF_DONE, dir=self._folder))
        place = self._place(parcel.name)
        try:
            (arriving / MANIFEST).write_bytes(parcel.manifest)
            (arriving / file).write_bytes(content)
            # What lies there under this name is damaged, or another worker has just put the same.
            shutil.rmtree(place, ignore_errors=True)
            with suppress(OSError):
                arriving.rename(place)
        finally:
            shutil.rmtree(arriving, ignore_errors=True)
        if self.find(parcel.name) is None:
            raise BadRelease(f"{parcel.name.name} could not be kept in {self._folder}.")
        self._clear()
        return place

    def _place(self, name: ReleaseName) -> Path:
        if re.fullmatch(r"[0-9a-f]{64}", name.digest) is None:
            raise BadRelease(f"{name.digest[:80]!r} is no checksum of a release.")
        return self._folder / name.digest

    def _clear(self) -> None:
        kept = [place for place in self._folder.iterdir() if re.fullmatch(r"[0-9a-f]{64}", place.name)]
        for place in sorted(kept, key=lambda each: each.stat().st_mtime)[:-RELEASES_KEPT]:
            shutil.rmtree(place, ignore_errors=True)
