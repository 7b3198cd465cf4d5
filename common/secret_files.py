"""Reads secrets from files, as Docker and Kubernetes provide them: ``X_FILE`` names the file that holds ``X``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

SECRET_BYTES = 64 * 1024


def read_secret_files(given: Any, names: Iterable[str]) -> Any:
    """Return settings in which every secret that stands in a file is filled in.

    Parameters
    ----------
    given
        Settings by name in lower case, before they are validated; anything but a dictionary is returned as it is.
    names
        Settings that may stand in files.

    Raises
    ------
    ValueError
        If a file cannot be read or is empty, or if a secret is given both ways. The message names the setting first.
    """
    if not isinstance(given, dict):
        return given
    read = {name: _read(name, given[f"{name}_file"]) for name in names if given.get(f"{name}_file")}
    for name in read:
        if given.get(name):
            raise ValueError(f"{name.upper()}: set it or {name.upper()}_FILE, not both")
    return {**given, **read}


def _read(name: str, path: Any) -> str:
    setting = f"{name}_file".upper()
    try:
        with Path(path).open("rb") as file:
            text = file.read(SECRET_BYTES).decode().strip()
    except (OSError, ValueError, TypeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise ValueError(f"{setting}: the file cannot be read: {reason}") from None
    if not text:
        raise ValueError(f"{setting}: the file is empty")
    return text
