"""The door for programs: an HTTP API that takes songs and corrections, a chat among the chats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.api.chat import ApiChat
from bot.api.server import make_application

if TYPE_CHECKING:
    from bot.core.conversation import Conversation
    from bot.settings import Settings

__all__ = ["ApiChat", "open_api"]


def open_api(settings: Settings, conversation: Conversation) -> ApiChat:
    """Make the API; it has not started yet."""
    return ApiChat(conversation, settings, make_application)
