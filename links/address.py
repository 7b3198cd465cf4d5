"""What somebody pasted → a link worth trying, and what a site calls a song → words fit to be shown.

That no inside address is contacted is not decided here but where a connection is made (``guard``): a link can lead on.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import unicodedata
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, urlsplit

from links.errors import HostNotAllowed, NotALink, PrivateAddress
from links.guard import is_public

if TYPE_CHECKING:
    from collections.abc import Collection

ANY_HOST: Final = "*"
LINK_CHARACTERS: Final = 2048
NAME_CHARACTERS: Final = 500
_SCHEMES: Final = frozenset({"http", "https"})


def parse_link(text: str, hosts: Collection[str] = (ANY_HOST,)) -> str:
    """Return a link as it may be fetched.

    Parameters
    ----------
    text
        What was pasted: the link alone, perhaps in the angle brackets that keep Discord from showing a preview.
    hosts
        Names of the sites that may be fetched from, those below each of them included; ``*`` for any.

    Raises
    ------
    NotALink
        If it is none, or one with a user name in it: the part before an ``@`` is there to mislead.
    HostNotAllowed
        If its site is not among ``hosts``.
    InsideAddress
        If it names an inside address outright; ones that lead there in other ways are stopped on the way.
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
    if len(link) > LINK_CHARACTERS or "\\" in link or any(_is_unprintable(character) for character in link):
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
    """Whether a host is one of these, or below one of them."""
    name = host.lower().rstrip(".")
    return any(allowed == ANY_HOST or name == allowed or name.endswith(f".{allowed}") for allowed in hosts)


def is_outside(host: str) -> bool:
    """Whether a host may be tried: a public address, in whatever notation, or a name that is not this machine's own."""
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
    """Return what a site calls something, fit to be shown in any chat; None if nothing is left of it.

    No markup, no mentions, no links, one line, no control or direction characters.
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
