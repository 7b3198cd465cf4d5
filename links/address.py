"""Parses links that people paste, and cleans the titles that sites report for display.

Private addresses are rejected here only if the link names one. Since a link can redirect, ``guard`` checks every
connection that is really made.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import unicodedata
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, urlsplit

from links.errors import HostNotAllowed, LinkTooLong, NotALink, PrivateAddress
from links.guard import is_public

if TYPE_CHECKING:
    from collections.abc import Collection

ANY_HOST: Final = "*"
LINK_CHARACTERS: Final = 2048
NAME_CHARACTERS: Final = 500
_SCHEMES: Final = frozenset({"http", "https"})


def parse_link(text: str, hosts: Collection[str] = (ANY_HOST,)) -> str:
    """Parse and normalise a link.

    Parameters
    ----------
    text
        The link alone; it may be in the angle brackets that suppress previews in Discord.
    hosts
        Host names that are allowed, with their subdomains; ``*`` allows any.

    Raises
    ------
    NotALink
        If it is no http(s) link, or has a user name in it: text before an ``@`` can disguise the real host.
    HostNotAllowed
        If its host is not in ``hosts``.
    PrivateAddress
        If the host is a private address or this machine's own name.
    """
    link = text.strip().removeprefix("<").removesuffix(">")
    parts = _split(link)
    if parts is None or not parts.hostname:
        raise NotALink
    if not allows(hosts, parts.hostname):
        raise HostNotAllowed
    if not is_outside(parts.hostname):
        raise PrivateAddress
    return link


def _split(link: str) -> SplitResult | None:
    if len(link) > LINK_CHARACTERS:
        raise LinkTooLong
    if "\\" in link or any(_is_unprintable(character) for character in link):
        return None
    try:
        parts = urlsplit(link)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme.lower() not in _SCHEMES or "@" in parts.netloc or port == 0:
        return None
    return parts


def _is_unprintable(character: str) -> bool:
    return character.isspace() or unicodedata.category(character).startswith("C")


def allows(hosts: Collection[str], host: str) -> bool:
    """Tell whether a host is one of these or a subdomain of one."""
    name = host.lower().rstrip(".")
    return any(allowed == ANY_HOST or name == allowed or name.endswith(f".{allowed}") for allowed in hosts)


def is_outside(host: str) -> bool:
    """Tell whether a host is a public IP address, in any notation, or a name other than this machine's own."""
    name = unicodedata.normalize("NFKC", host).lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return False
    try:
        return is_public(str(ipaddress.ip_address(name.partition("%")[0])))
    except ValueError:
        pass
    try:
        # Decimal, octal, hexadecimal and short forms, as the system's resolver reads them.
        return is_public(socket.inet_ntoa(socket.inet_aton(name)))
    except (OSError, UnicodeError, ValueError):
        return True


def clean_name(text: object) -> str | None:
    """Clean a title or name that a site reports, for display in any chat; None if nothing is left.

    Removes markup, mentions, links, line breaks, control and direction characters.
    """
    if not isinstance(text, str):
        return None
    plain = unicodedata.normalize("NFC", text[:NAME_CHARACTERS])
    plain = "".join(
        " " if unicodedata.category(character) in {"Cc", "Zl", "Zp", "Zs"} else character
        for character in plain
        if unicodedata.category(character) not in {"Cf", "Cs", "Co", "Cn"}
    )
    plain = re.sub(r"<[^<>]*>", " ", plain)
    plain = re.sub(r"[*_~`|\\<>]", " ", plain)
    plain = plain.replace("@", "\N{FULLWIDTH COMMERCIAL AT}").replace("://", ": ").replace("](", "] (")
    return " ".join(plain.split()).lstrip("#- ") or None
