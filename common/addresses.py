"""Addresses to listen on, as settings name them."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Any

DEFAULT_LOCAL_PORT = 8080
OFF = "off"


@dataclass(frozen=True, slots=True)
class Address:
    """A host and port to listen on."""

    host: str
    port: int

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(value: Any) -> Any:
    """Return the address that a text names, or ``off``; anything but a text is returned as it is.

    Raises
    ------
    ValueError
        If the text names neither.
    """
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text.lower() == OFF:
        return OFF
    match = re.fullmatch(r"(?:(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):)?(\d{1,5})", text)
    if match is None or not 0 <= int(match[2]) < 65536:
        raise ValueError(f"{text!r} is not like 127.0.0.1:{DEFAULT_LOCAL_PORT}, and not off")
    return Address((match[1] or "127.0.0.1").strip("[]"), int(match[2]))
