"""Reads the values of single settings; ``settings`` has the settings themselves."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BeforeValidator, SecretStr

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Moderator:
    """A person who may moderate everywhere, by the platform's id."""

    chat: str
    id: str


def split_list(value: Any) -> Any:
    """Split what commas separate; leave a value alone that is no text."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def split_tokens(secret: SecretStr) -> list[str]:
    """Split tokens that commas or spaces separate."""
    return [token for token in re.split(r"[\s,]+", secret.get_secret_value()) if token]


def parse_moderators(value: Any) -> Any:
    """Read moderators such as ``discord:123456,telegram:654321``."""
    if not isinstance(value, str):
        return value
    found = []
    for part in split_list(value):
        match = re.fullmatch(r"(discord|telegram):(\d{1,20})", part)
        if match is None:
            raise ValueError(f"{part!r} is not like discord:123456 or telegram:123456")
        found.append(Moderator(match[1], match[2]))
    return tuple(found)


def parse_shards(value: Any) -> Any:
    """Read numbers and ranges of shards such as ``0,1,4-7``."""
    if not isinstance(value, str):
        return value
    found: list[int] = []
    for part in split_list(value):
        match = re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", part)
        if match is None:
            raise ValueError(f"{part!r} is not like 0,1,2 or 0-15")
        found.extend(range(int(match[1]), int(match[2] or match[1]) + 1))
    return tuple(found)


def parse_hosts(value: Any) -> Any:
    """Read host names, in lower case; ``*`` stands for all."""
    hosts = split_list(value)
    for host in hosts:
        if host != "*" and re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", host) is None:
            raise ValueError(f"{host!r} is not a host name such as example.org")
    return tuple(host.lower() for host in hosts)


def parse_database_url(value: Any) -> Any:
    """Read a database's URL, with the driver that the bot uses."""
    # Hosting services give postgres:// addresses, which name no driver.
    text = re.sub(r"^postgres(ql)?://", "postgresql+asyncpg://", str(value).strip())
    if text and not text.startswith(("sqlite+aiosqlite:///", "postgresql+asyncpg://")):
        raise ValueError("must start with sqlite+aiosqlite:/// or postgresql+asyncpg://")
    return text


def existing_file(path: Path | None) -> Path | None:
    """Return a path whose file exists, or None."""
    try:
        is_there = path is None or path.is_file()
    except OSError:  # for example a name that is too long
        is_there = False
    if not is_there:
        # The environment need not be valid Unicode.
        raise ValueError(f"{str(path).encode(errors='replace').decode()} is not a file")
    return path


def url_with(*schemes: str) -> BeforeValidator:
    """Return a validator of URLs that have one of some schemes."""

    def check(value: Any) -> Any:
        text = str(value).strip().rstrip("/")
        if text and re.fullmatch(rf"({'|'.join(schemes)})://[^\s/]+(/\S*)?", text) is None:
            raise ValueError(f"must start with {' or '.join(f'{scheme}://' for scheme in schemes)}")
        return text

    return BeforeValidator(check)
