"""The local page: a chat in the browser. A web server around the conversation, and the page's own memory."""

from bot.web.chat import LocalChat

__all__ = ["LocalChat"]
