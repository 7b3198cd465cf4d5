"""People and chats as storage knows them: keyed hashes, and the key that they are made with.

The key is in SECRET_KEY or in a file beside the database, never in it: without the key, rows of the database cannot be
traced back to people.
"""

from __future__ import annotations

import hmac
import logging
import os
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from bot.settings import Settings

KEY_FILE = "secret.key"
KEY_BYTES = 32

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody on a chat platform, by the platform's own id, which is never stored."""

    platform: str
    id: str


class IdHasher:
    """Hashes the ids of platforms: HMAC-SHA256, 64 hexadecimal digits.

    Parameters
    ----------
    secret
        The key. With another key, nobody is recognised any more.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def person(self, person: Person) -> str:
        """Return the hash under which storage knows a person."""
        return self._hash("person", person.platform, person.id)

    def chat(self, platform: str, chat_id: str) -> str:
        """Return the hash under which storage knows a server, a group or a private chat."""
        return self._hash("chat", platform, chat_id)

    def message(self, platform: str, *parts: str) -> str:
        """Return the hash of one thing that was sent, by which a second delivery of it is recognised."""
        return self._hash("message", platform, *parts)

    @property
    def mark(self) -> str:
        """A hash that identifies this key without revealing it."""
        return self._hash("key")

    def _hash(self, *parts: str) -> str:
        # Lengths keep ("ab", "c") and ("a", "bc") apart.
        text = "".join(f"{len(part)}:{part}" for part in parts)
        return hmac.digest(self._secret, text.encode(), "sha256").hex()


class BadKey(Exception):
    """There is no key to use; the message says why, and the way back."""


def open_keys(settings: Settings, *, may_create: bool = True) -> IdHasher:
    """Return the keys of SECRET_KEY, or of the key file.

    Parameters
    ----------
    may_create
        Whether to make a key file where there is none.

    Raises
    ------
    BadKey
        If the key file is missing and must not be made, cannot be read, or is damaged.
    """
    if settings.secret_key is not None:
        return IdHasher(settings.secret_key.get_secret_value().encode())
    return IdHasher(_key_from_file(settings.data_dir / KEY_FILE, may_create=may_create))


def _key_from_file(path: Path, *, may_create: bool) -> bytes:
    try:
        if not path.exists():
            if not may_create:
                raise BadKey(
                    f"{path} is missing, and people in the database were written down with it: restore it from a "
                    "backup (or set SECRET_KEY), or run `python -m storage new-key`, after which nobody in it is "
                    "recognised any more"
                )
            _create_key(path)
        if path.stat().st_mode & 0o077:
            log.warning("%s was readable by others; its permissions have been corrected", path)
            path.chmod(0o600)
        key = path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise BadKey(f"the key {path} cannot be used: {error.strerror or error}") from error
    except UnicodeError:
        key = ""
    if len(key) < KEY_BYTES:
        # With an empty key anybody could trace people; a key that was cut off would change when it is restored.
        raise BadKey(f"{path} holds no complete key: restore it from a backup, or delete it to start with a new one")
    return key.encode()


def _create_key(path: Path) -> None:
    """Write a new key; a process that is killed meanwhile leaves none, rather than a part of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(secrets.token_hex(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
