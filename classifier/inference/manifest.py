"""The manifest of a release: what it lists, and whether the files beside it are the ones that it was written for.

Plain files and checksums, so that a process that never loads a model can tell whether it could be loaded.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MANIFEST: Final = "manifest.json"
KEPT: Final = "releases"
"""Folder of all releases beside the manifest of the one that serves, one folder for each, named after it."""
ARTIFACT_SUFFIX: Final = ".joblib"
"""The one file of a release that ends so is its artifact."""
FORMAT: Final = 1
"""Version of the artifact's structure; a release of another one is refused."""


class BadRelease(Exception):
    """A release is missing, incomplete, altered or of another version; the text says which and what to do."""


def read_manifest(directory: Path) -> Mapping[str, Any]:
    """Read the manifest of a release.

    Raises
    ------
    BadRelease
        If there is none, or none of this version.
    """
    try:
        manifest = json.loads((directory / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadRelease(
            f"There is no model in {directory}: train one with `python -m classifier train`, or set MODEL_DIR."
        ) from None
    except (OSError, ValueError) as error:
        raise BadRelease(f"The manifest in {directory} cannot be read. Put the release back as it was.") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise BadRelease(f"The model in {directory} is of another version. Train it again, or update this program.")
    files = manifest.get("files")
    listed = isinstance(files, dict) and all(isinstance(entry, dict) for entry in files.values())
    if not listed or not isinstance(manifest.get("name"), str):
        raise BadRelease(f"The manifest in {directory} cannot be read. Put the release back as it was.")
    return manifest


def artifact_of(directory: Path, manifest: Mapping[str, Any]) -> str:
    """Name the artifact among the files of a release.

    Raises
    ------
    BadRelease
        If the manifest lists none, or several.
    """
    names = [str(name) for name in manifest["files"] if str(name).endswith(ARTIFACT_SUFFIX)]
    if len(names) != 1 or PurePath(names[0]).name != names[0]:
        raise BadRelease(f"The manifest in {directory} lists no model. Put the release back as it was.")
    return names[0]


def verified(directory: Path, name: str, manifest: Mapping[str, Any]) -> bytes:
    """Read a file of a release and hold it against the manifest's checksum.

    Raises
    ------
    BadRelease
        If it is missing, unlisted or different.
    """
    try:
        content = (directory / name).read_bytes()
    except OSError as error:
        raise BadRelease(f"The model in {directory} lacks {name}. Put the release back as it was.") from error
    if hashlib.sha256(content).hexdigest() != manifest["files"].get(name, {}).get("sha256"):
        raise BadRelease(f"{name} in {directory} is not the file that was released. Put the release back as it was.")
    return content


def whole(directory: Path) -> tuple[Mapping[str, Any], bytes]:
    """Read the manifest of a release and its artifact, which is the one that the manifest was written for.

    Raises
    ------
    BadRelease
        If there is no such release.
    """
    manifest = read_manifest(directory)
    while True:
        try:
            return manifest, verified(directory, artifact_of(directory, manifest), manifest)
        except BadRelease:
            # Between the reading of the two, another release may have taken the place of this one.
            before, manifest = manifest, read_manifest(directory)
            if manifest == before:
                raise
