"""Bearer tokens: whoever knows one is a person, in the same queue and with the same limits as people in a chat."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Final

from bot.core.identity import Person

if TYPE_CHECKING:
    from collections.abc import Iterable

PLATFORM: Final = "api"
ID_CHARACTERS: Final = 32


class Tokens:
    """The tokens that are valid.

    Parameters
    ----------
    tokens
        As API_TOKENS lists them.
    """

    def __init__(self, tokens: Iterable[str]) -> None:
        digests = [hashlib.sha256(token.encode()) for token in tokens]
        self._people = [(each.digest(), Person(PLATFORM, each.hexdigest()[:ID_CHARACTERS])) for each in digests]

    def person(self, authorization: str) -> Person | None:
        """Return the person that an ``Authorization`` header stands for; None if its token is not valid.

        The time that this takes tells nothing about the valid tokens: hashes of equal length are compared in constant
        time, and always with all of them.
        """
        scheme, _, token = authorization.partition(" ")
        given = hashlib.sha256(token.strip().encode("utf-8", "surrogateescape")).digest()
        found = None
        for digest, person in self._people:
            if hmac.compare_digest(digest, given):
                found = person
        return found if scheme.lower() == "bearer" else None
