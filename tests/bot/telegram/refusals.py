"""What Telegram's server says no with."""

from __future__ import annotations

from typing import Any

Fault = tuple[int, dict[str, Any]]


def flood(seconds: int) -> Fault:
    """429, as Telegram says it."""
    return 429, {"description": f"Too Many Requests: retry after {seconds}", "parameters": {"retry_after": seconds}}


BROKEN_SERVER: Fault = (502, {"description": "Bad Gateway"})
BLOCKED: Fault = (403, {"description": "Forbidden: bot was blocked by the user"})
KICKED: Fault = (403, {"description": "Forbidden: bot was kicked from the supergroup chat"})
NO_PICTURES: Fault = (400, {"description": "Bad Request: not enough rights to send photos to the chat"})


class Refused(Exception):
    """What the server says no to."""

    def __init__(self, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.status = status
