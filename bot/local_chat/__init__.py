"""The local page: a chat in the browser. A web server around the conversation, and the page's own memory."""

from bot.local_chat.chat import LocalChat

__all__ = ["LocalChat"]
