"""Reads the manifest of a release and verifies the checksums of its files.

It needs no machine learning package, so a process that never loads a model can check whether a release is valid.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

PACKAGED_MODELS: Final = Path(__file__).resolve().parents[2] / "models"
"""The release that comes with the project."""
MANIFEST: Final = "manifest.json"
STORED_RELEASES: Final = "releases"
"""Folder of the stored releases, beside the manifest of the serving one; each has a subfolder of its name."""
ARTIFACT_SUFFIX: Final = ".joblib"
"""Suffix of a release's artifact; no other file of the release has it."""
FORMAT: Final = 1
"""Version of the artifact's structure; releases of other versions are refused."""


class BadRelease(Exception):
    """A release is missing, incomplete, altered or of another version; the message says which and what to do."""


def read_manifest(directory: Path) -> Mapping[str, Any]:
    """Read the manifest of a release.

    Raises
    ------
    BadRelease
        If there is no manifest, or it is of another version.
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


def artifact_name(directory: Path, manifest: Mapping[str, Any]) -> str:
    """Return the file name of a release's artifact.

    Raises
    ------
    BadRelease
        If the manifest lists no artifact, or several.
    """
    names = [str(name) for name in manifest["files"] if str(name).endswith(ARTIFACT_SUFFIX)]
    if len(names) != 1 or PurePath(names[0]).name != names[0]:
        raise BadRelease(f"The manifest in {directory} lists no model. Put the release back as it was.")
    return names[0]


def read_verified_file(directory: Path, name: str, manifest: Mapping[str, Any]) -> bytes:
    """Read a file of a release and verify its checksum.

    Raises
    ------
    BadRelease
        If the file is missing, not in the manifest, or altered.
    """
    try:
        content = (directory / name).read_bytes()
    except OSError as error:
        raise BadRelease(f"The model in {directory} lacks {name}. Put the release back as it was.") from error
    if hashlib.sha256(content).hexdigest() != manifest["files"].get(name, {}).get("sha256"):
        raise BadRelease(f"{name} in {directory} is not the file that was released. Put the release back as it was.")
    return content


def read_release(directory: Path) -> tuple[Mapping[str, Any], bytes]:
    """Read the manifest and the artifact of a release, and verify that they belong together.

    Raises
    ------
    BadRelease
        If there is no valid release.
    """
    manifest = read_manifest(directory)
    while True:
        try:
            return manifest, read_verified_file(directory, artifact_name(directory, manifest), manifest)
        except BadRelease:
            # Another release may have been promoted between reading the manifest and the artifact.
            before, manifest = manifest, read_manifest(directory)
            if manifest == before:
                raise
