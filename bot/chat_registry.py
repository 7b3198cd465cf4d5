"""Which chats there are, and which of them start.

A chat plugs in as a module ``bot.<platform>.chat`` with a function ``open_chat(settings, conversation) -> Chat``.
"""

from __future__ import annotations

import hashlib
import importlib
import re
from typing import TYPE_CHECKING, cast

from bot.api import open_api
from bot.core.playlist_question import PLAYLIST_SONGS
from bot.core.size_limits import max_bytes
from bot.settings import chat_module
from bot.web import open_page
from links import FetchLimits
from links.address import ANY_HOST

if TYPE_CHECKING:
    from bot.core.chat import Chat
    from bot.core.conversation import Conversation
    from bot.settings import Settings


def open_chats(settings: Settings, conversation: Conversation) -> list[Chat]:
    """Make every chat that the settings ask for; none has started yet."""
    chats = [
        cast("Chat", importlib.import_module(chat_module(platform)).open_chat(settings, conversation))
        for platform in settings.tokens
    ]
    if settings.local_address is not None:
        chats.append(open_page(settings, conversation, settings.local_address))
    if settings.api_tokens is not None:
        chats.append(open_api(settings, conversation))
    return chats


def homes(settings: Settings, owner: str) -> dict[str, str]:
    """Return for every platform the name of the account that this process uses there.

    Processes with the same token are the same bot and may finish each other's songs; the songs of a page and of
    the API are on the machine that serves them.

    Parameters
    ----------
    owner
        Name of this process.
    """
    # The first part of a token is the bot's id. It is hashed in case the token is malformed and this is all of it.
    bots = {chat: re.split("[:.]", token.get_secret_value())[0] for chat, token in settings.tokens.items()}
    hashed = {chat: hashlib.sha256(bot.encode()).hexdigest()[:16] for chat, bot in bots.items()}
    return {chat: f"{chat}:{name}" for chat, name in {**hashed, "local": owner, "api": owner}.items()}


def links_limits(settings: Settings) -> FetchLimits:
    """Return the limits for fetching one link."""
    return FetchLimits(file_bytes=max_bytes(settings), song_seconds=60 * settings.max_minutes)


def _links(settings: Settings) -> list[str]:
    limits = links_limits(settings)
    sites = "any site" if ANY_HOST in settings.link_hosts else ", ".join(settings.link_hosts) or "no site"
    way = "through LINK_PROXY" if settings.link_proxy else "straight"
    cookies = "with the cookies of LINK_COOKIES" if settings.link_cookies else "without cookies"
    return [
        f"links: to {sites}, {way}, {cookies}; {limits.seconds:g} seconds each, no address inside",
        f"links to many songs: the first {PLAYLIST_SONGS}, once asked",
    ]


def plan(settings: Settings) -> list[str]:
    """Return in a few lines which chats would start, with which limits."""
    lines = [f"{platform}: would start" for platform in settings.tokens]
    address = settings.local_address
    if address is None:
        lines.append("local page: off")
    else:
        guarded = "asks for a password" if settings.local_chat_password else "only from this machine"
        lines.append(f"local page: would start on {address}, {guarded}")
    tokens = len(settings.api_token_values)
    lines.append(f"API: would start on {settings.api_listen}, {tokens} tokens" if tokens else "API: off")
    operations = settings.operations_address
    lines.append(f"health and metrics: {'off' if operations is None else f'would be served on {operations}'}")
    kept = settings.songs_per_person_queued, settings.songs_per_person_daily
    lines += [
        f"a song: at most {settings.max_minutes:g} minutes and {settings.max_megabytes:g} MB",
        f"a person: at most {kept[0]} songs waiting and {kept[1]} in 24 hours",
        *_links(settings),
        f"songs are classified {settings.workers} at a time, {settings.executor_url or 'on this machine'}",
        f"corrections may train the next model if they come from: {', '.join(settings.training_sources) or 'nowhere'}",
        f"used by: {settings.used_by} (COMMUNITY)",
        f"a label counts when so many people agree, or a moderator says so: {settings.agreement}",
        f"moderators everywhere: {len(settings.moderators)}",
    ]
    return lines
