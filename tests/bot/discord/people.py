"""Somebody who uses the Discord for tests as people do: sends files, types commands, presses what is there."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tests.bot.discord.world import (
    ADMINISTRATOR,
    BOT,
    DM,
    EPHEMERAL,
    LOADING,
    ORDINARY,
    Event,
    Spoken,
    custom_ids,
    hidden,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.bot.discord.server import FakeDiscord

COMMAND, COMPONENT, AUTOCOMPLETE, MODAL = 2, 3, 4, 5
STRING, SUB_COMMAND, CHANNEL, ATTACHMENT = 3, 1, 7, 11
GUILD_REACTIONS, DIRECT_REACTIONS = 1 << 10, 1 << 13
KINDS = {".wav": "audio/x-wav", ".png": "image/png", ".mp3": "audio/mpeg", ".txt": "text/plain"}


BOT_ROLE = "1001"
"""The role that Discord makes for the bot in a server."""


class Somebody:
    """A person.

    Parameters
    ----------
    discord
        Where.
    locale
        The language that their Discord speaks.
    """

    def __init__(
        self, discord: FakeDiscord, locale: str = "en-US", *, administrator: bool = False, number: str = ""
    ) -> None:
        self._discord = discord
        self.world = discord.world
        self.locale = locale
        self.id = number or self.world.snowflake()
        self.user: Event = {**BOT, "id": self.id, "bot": False, "username": f"user-{self.id}"}
        self.brought_along = False
        self.upload_bytes = 10 << 20
        self.permissions = str(ORDINARY | (ADMINISTRATOR if administrator else 0))
        self.direct = discord.direct_channel(self.id)

    def attach(self, *paths: Path, claims: int | None = None) -> list[Event]:
        """Upload files, as a message carries them; ``claims`` is what Discord says of their size."""
        attached = []
        for path in paths:
            number = self.world.snowflake()
            content = path.read_bytes()
            self.world.files[number] = content
            attached.append(
                {
                    "id": number,
                    "filename": path.name,
                    "size": len(content) if claims is None else claims,
                    "url": f"{self._discord.address}/files/{number}/{path.name}",
                    "proxy_url": "",
                    "content_type": KINDS.get(path.suffix, "application/octet-stream"),
                }
            )
        return attached

    async def says(self, channel: str, content: str = "", *files: Path, mention: bool = False, **more: Any) -> Event:
        """Write a message."""
        mentions = [BOT] if mention else []
        message = self.world.add_message(
            channel, self.user, **{"content": content, "mentions": mentions, "attachments": self.attach(*files), **more}
        )
        event = hidden(message, self.world.channels[channel])
        if self.world.channels[channel]["type"] != DM:
            event = {**event, "member": self._member()}
        await self._discord.gateway.dispatch("MESSAGE_CREATE", event)
        return message

    async def replies(
        self, to: Event, content: str = "", *files: Path, mention: bool = False, sent_along: bool = True, **more: Any
    ) -> Event:
        """Write a reply; ``sent_along`` says whether Discord sends the replied message with it."""
        channel = to["channel_id"]
        reference = {"type": 0, "message_id": to["id"], "channel_id": channel}
        along = {"referenced_message": to} if sent_along else {}
        more = {"type": 19, "message_reference": reference, **along, **more}
        return await self.says(channel, content, *files, mention=mention, **more)

    async def reacts(self, message: Event, emoji: str, *, withdrawn: bool = False) -> None:
        """Add a reaction to a message, or take it back; the bot hears of it if it asked for such events."""
        place = self.world.channels[message["channel_id"]]
        if not self._discord.gateway.intents & (DIRECT_REACTIONS if place["type"] == DM else GUILD_REACTIONS):
            return
        about: Event = {"user_id": self.id, "channel_id": place["id"], "message_id": message["id"], "type": 0}
        about |= {"emoji": {"id": None, "name": emoji}, "burst": False}
        if place["type"] != DM:
            about["guild_id"] = place["guild_id"]
        if not withdrawn:
            about["message_author_id"] = message["author"]["id"]
            about |= {} if place["type"] == DM else {"member": {**self._member(), "user": self.user}}
        kind = "MESSAGE_REACTION_REMOVE" if withdrawn else "MESSAGE_REACTION_ADD"
        await self._discord.gateway.dispatch(kind, about)

    async def command(self, channel: str, name: str, *path: str, files: tuple[Path, ...] = (), **options: Any) -> str:
        """Type a slash command; return the interaction's token."""
        attached = {each["id"]: each for each in self.attach(*files)}
        given = [{"name": "file", "type": ATTACHMENT, "value": number} for number in attached]
        resolved: Event = {"attachments": attached}
        for option, value in options.items():
            kind = CHANNEL if value in self.world.channels else STRING
            if kind == CHANNEL:
                resolved["channels"] = {value: {**self.world.channels[value], "permissions": "0"}}
            given.append({"name": option, "type": kind, "value": value})
        for part in reversed(path):
            given = [{"name": part, "type": SUB_COMMAND, "options": given}]
        data = {"id": "1", "name": name, "type": 1, "options": given, "resolved": resolved}
        return await self._interact(COMMAND, channel, data)

    async def points_at(self, message: Event, name: str = "What genre is this?") -> str:
        """Choose something from a message's menu."""
        resolved = {"messages": {message["id"]: message}}
        data = {"id": "2", "name": name, "type": 3, "target_id": message["id"], "resolved": resolved}
        return await self._interact(COMMAND, message["channel_id"], data)

    async def types(self, channel: str, text: str) -> list[Event]:
        """Type into ``/correct`` and return what is offered."""
        options = [{"name": "genre", "type": STRING, "value": text, "focused": True}]
        data = {"id": "1", "name": "correct", "type": 1, "options": options}
        number = await self._interact(AUTOCOMPLETE, channel, data, by_number=True)
        _, answer = await self.world.until(lambda: self.world.callbacks.get(number))
        return list(answer["data"]["choices"])

    async def presses(self, message: Event, kind: str, *values: str) -> str:
        """Press what begins so below a message, or pick values from it; return the interaction's token."""
        custom_id = next((each for each in custom_ids(message) if each.startswith(kind)), None)
        assert custom_id is not None, f"there is no {kind} in {custom_ids(message)}"
        data: Event = {"custom_id": custom_id, "component_type": 3 if values else 2}
        if values:
            data["values"] = list(values)
        return await self._interact(COMPONENT, message["channel_id"], data, message=message)

    async def fills(self, message: Event, custom_id: str, text: str) -> str:
        """Fill the text box that was opened below a message."""
        row = {"type": 1, "components": [{"type": 4, "custom_id": "name", "value": text}]}
        data = {"custom_id": custom_id, "components": [row]}
        return await self._interact(MODAL, message["channel_id"], data, message=message)

    async def told(self, token: str) -> Event:
        """Wait for what an interaction shows, to this person alone, and return the message."""
        spoken = self.world.interactions[token]

        def shown() -> Event | None:
            mine = [each for each in self.world.messages.values() if each["id"] in self._answers(spoken)]
            done = [each for each in mine if not each["flags"] & LOADING and each["content"]]
            return done[-1] if done else None

        found: Event = await self.world.until(shown)
        return found

    def _answers(self, spoken: Spoken) -> set[str]:
        ids = {spoken.original} if spoken.original != spoken.source or self._is_private(spoken.source) else set()
        later = {
            number
            for number, message in self.world.messages.items()
            if message.get("interaction_user") == spoken.user and int(number) > spoken.began
        }
        return {number for number in ids | later if number is not None and self._changed(number, spoken)}

    def _changed(self, number: str, spoken: Spoken) -> bool:
        return number != spoken.source or len(self.world.edits) > spoken.edits_before

    def _is_private(self, number: str | None) -> bool:
        message = self.world.messages.get(number or "")
        return message is not None and bool(message["flags"] & EPHEMERAL)

    def _member(self) -> Event:
        joined = "2026-01-01T00:00:00.000000+00:00"
        return {
            "roles": [],
            "joined_at": joined,
            "deaf": False,
            "mute": False,
            "flags": 0,
            "permissions": self.permissions,
        }

    async def _interact(
        self, kind: int, channel: str, data: Event, *, message: Event | None = None, by_number: bool = False
    ) -> str:
        number, token = self.world.snowflake(), f"token-{self.world.snowflake()}"
        place = self.world.channels[channel]
        self.world.interactions[token] = Spoken(
            channel=channel,
            user=self.id,
            source=None if message is None else message["id"],
            kind=kind,
            began=int(number),
            edits_before=len(self.world.edits),
            visiting=self.brought_along,
        )
        self.world.asked_at[number] = time.monotonic()
        event: Event = {
            "id": number,
            "application_id": self.world.application_id,
            "type": kind,
            "token": token,
            "version": 1,
            "data": data,
            "channel_id": channel,
            "channel": place,
            "locale": self.locale,
            "app_permissions": str(ORDINARY),
            "entitlements": [],
            "authorizing_integration_owners": {"1": self.id}
            if self.brought_along
            else {"0": place.get("guild_id", "0")},
            "context": 1 if place["type"] == DM else 0,
            "attachment_size_limit": self.upload_bytes,
        }
        if place["type"] == DM:
            event["user"] = self.user
        else:
            guild = place["guild_id"]
            event |= {"guild_id": guild, "member": {**self._member(), "user": self.user}, "guild_locale": "en-US"}
            event["guild"] = {"id": guild, "locale": "en-US", "features": []}
        if message is not None:
            event["message"] = message
        await self._discord.gateway.dispatch("INTERACTION_CREATE", event)
        return number if by_number else token


def add_guild(discord: FakeDiscord, locale: str = "en-US") -> str:
    """Found a server."""
    number = discord.world.snowflake()
    discord.world.guilds[number] = {
        "id": number,
        "name": "a server",
        "owner_id": "1",
        "preferred_locale": locale,
        "roles": [
            {"id": number, "name": "@everyone", "permissions": str(ORDINARY), "position": 0, "color": 0},
            {"id": BOT_ROLE, "name": "genre", "permissions": "0", "position": 1, "color": 0, "managed": True}
            | {"tags": {"bot_id": BOT["id"]}},
        ],
        "emojis": [],
        "features": [],
        "members": [],
        "member_count": 2,
        "threads": [],
        "stickers": [],
        "voice_states": [],
        "presences": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
        "afk_timeout": 300,
        "verification_level": 0,
        "default_message_notifications": 0,
        "explicit_content_filter": 0,
        "mfa_level": 0,
        "system_channel_flags": 0,
        "premium_tier": 0,
        "nsfw_level": 0,
        "large": False,
        "unavailable": False,
        "icon": None,
        "afk_channel_id": None,
    }
    return number
