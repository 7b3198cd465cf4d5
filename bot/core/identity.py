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


def open_keys(settings: Settings) -> IdHasher:
    """Return the keys of SECRET_KEY, or of the key file, which is created if there is none."""
    if settings.secret_key is not None:
        return IdHasher(settings.secret_key.get_secret_value().encode())
    return IdHasher(_key_from_file(settings.data_dir / KEY_FILE))


def _key_from_file(path: Path) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        if path.stat().st_mode & 0o077:
            log.warning("%s was readable by others; its permissions have been corrected", path)
            path.chmod(0o600)
    else:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(KEY_BYTES))
    key = path.read_text(encoding="ascii").strip()
    if len(key) < KEY_BYTES:
        # With an empty key anybody could trace people; a key that was cut off would change when it is restored.
        raise ValueError(f"{path} holds no complete key: restore it, or delete it to start with a new one")
    return key.encode()
