"""Logging as text or as JSON, with all secrets masked."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aiohttp import ClientConnectionResetError
from aiohttp.http_exceptions import HttpProcessingError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.settings import Settings

MASK = "•••"
# Fields about a finished song, passed as ``extra``; they contain nothing to mask.
FIELDS = ("job", "chat", "outcome", "seconds")
# Says where the page is: all that somebody sees who starts the bot for themselves in a terminal.
ADDRESS_LOGGER = "bot.address"
# Libraries whose messages below warnings name every request, some with a token in its address.
QUIET = (
    "aiosqlite",
    "alembic.runtime.plugins",
    "asyncio",
    "discord",
    "httpcore",
    "httpx",
    "telegram",
    "PIL",
    "sqlalchemy.engine",
)


class TextFormatter(logging.Formatter):
    """One line per record, with secrets masked, tracebacks included."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%H:%M:%S")
        self._secrets = tuple(secrets)

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as text."""
        return masked(super().format(record), self._secrets)


class TerminalFormatter(TextFormatter):
    """The message alone, with secrets masked, tracebacks included."""

    def __init__(self, secrets: Iterable[str]) -> None:
        logging.Formatter.__init__(self, "%(message)s")
        self._secrets = tuple(secrets)


class JsonFormatter(logging.Formatter):
    """One JSON object per record, with secrets masked, tracebacks included."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__()
        self._secrets = tuple(secrets)

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as JSON."""
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        about = {name: vars(record)[name] for name in FIELDS if name in vars(record)}
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        hidden = {key: masked(value, self._secrets) for key, value in entry.items()}
        return json.dumps(hidden | about, ensure_ascii=False)


def masked(text: str, secrets: Iterable[str]) -> str:
    """Return a text without any of the secrets."""
    for secret in secrets:
        text = text.replace(secret, MASK)
    return text


def is_ours(record: logging.LogRecord) -> bool:
    """Return whether a record of the web server is about the bot, and not about a client's bad HTTP or hanging up."""
    return record.exc_info is None or not isinstance(
        record.exc_info[1], HttpProcessingError | ClientConnectionResetError
    )


def set_up_logging(settings: Settings) -> None:
    """Log to standard error in the format of LOG_FORMAT.

    Whoever starts the bot in a terminal for their own page sees its address, and warnings, unless they set LOG_FORMAT.
    """
    hidden = (
        *(*settings.tokens.values(), settings.secret_key, settings.link_proxy),
        *(settings.local_chat_password, settings.moderation_password),
    )
    secrets = [secret.get_secret_value() for secret in hidden if secret is not None]
    secrets += settings.api_token_values
    # Libraries log addresses in their own words; a password in one must be masked, too.
    addresses = [settings.database, *([settings.link_proxy.get_secret_value()] if settings.link_proxy else [])]
    secrets += [password for password in (urlsplit(address).password for address in addresses) if password]
    handler = logging.StreamHandler(sys.stderr)
    alone = settings.log_format is None and settings.is_own_page and sys.stderr.isatty()
    kind = JsonFormatter if settings.log_format == "json" else TerminalFormatter if alone else TextFormatter
    handler.setFormatter(kind(secrets))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING if alone else logging.INFO)
    logging.getLogger(ADDRESS_LOGGER).setLevel(logging.INFO)
    logging.getLogger("aiohttp.server").addFilter(is_ours)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
