"""The local page: a chat in the browser. A web server around the conversation, and the page's own memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.web.chat import LocalChat
from bot.web.server import make_application

if TYPE_CHECKING:
    from bot.core.conversation import Conversation
    from bot.settings import Settings
    from common.addresses import Address

__all__ = ["LocalChat", "open_page"]


def open_page(settings: Settings, conversation: Conversation, address: Address) -> LocalChat:
    """Make the page; it has not started yet."""
    return LocalChat(conversation, settings, address, make_application)
