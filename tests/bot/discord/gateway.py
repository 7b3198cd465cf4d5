"""The gateway of the Discord for tests: HELLO, IDENTIFY, READY, heartbeats, RESUME, INVALID_SESSION, RECONNECT."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from aiohttp import WSMsgType, web

from tests.bot.discord.world import BOT, MESSAGE_CONTENT_LIMITED, TOKEN, World

DISPATCH, HEARTBEAT, IDENTIFY, RESUME, RECONNECT, INVALID, HELLO, ACK = 0, 1, 2, 6, 7, 9, 10, 11
HEARTBEAT_MILLISECONDS = 500


class Gateway:
    """Sessions and the events that each may still ask for again.

    Attributes
    ----------
    identified, resumed, heartbeats
        How often the bot did so.
    intents
        What it asked for.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._events: list[dict[str, Any]] = []
        self._sockets: set[web.WebSocketResponse] = set()
        self._session = 0
        self.identified = self.resumed = self.heartbeats = 0
        self.intents = 0
        self.address = ""
        self.forget_sessions = False

    @property
    def is_connected(self) -> bool:
        """Whether a bot hears what happens now."""
        return bool(self._sockets)

    async def dispatch(self, kind: str, data: dict[str, Any]) -> None:
        """Tell the bot of something, now or when it comes back."""
        event = {"op": DISPATCH, "t": kind, "s": len(self._events) + 1, "d": data}
        self._events.append(event)
        for socket in list(self._sockets):
            with suppress(ConnectionError):  # a bot that was just killed hears of it if it resumes
                await socket.send_str(json.dumps(event))

    async def say_again(self) -> None:
        """Deliver the last event a second time."""
        last = self._events[-1]
        await self.dispatch(last["t"], last["d"])

    async def drop(self, code: int = 4000) -> None:
        """Cut every connection."""
        sockets, self._sockets = self._sockets, set()
        for socket in sockets:
            await socket.close(code=code)

    async def ask_to_reconnect(self) -> None:
        """Say, as Discord does before it restarts a server, that the bot should connect anew."""
        for socket in list(self._sockets):
            await socket.send_str(json.dumps({"op": RECONNECT, "d": None}))

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str(json.dumps({"op": HELLO, "d": {"heartbeat_interval": HEARTBEAT_MILLISECONDS}}))
        async for raw in socket:
            if raw.type is WSMsgType.TEXT:
                await self._take(socket, json.loads(raw.data))
        self._sockets.discard(socket)
        return socket

    async def _take(self, socket: web.WebSocketResponse, sent: dict[str, Any]) -> None:
        if sent["op"] == HEARTBEAT:
            self.heartbeats += 1
            await socket.send_str(json.dumps({"op": ACK}))
        elif sent["op"] == IDENTIFY:
            if sent["d"]["token"] != TOKEN:
                await socket.close(code=4004)
                return
            await self._ready(socket, sent["d"])
        elif sent["op"] == RESUME:
            await self._resume(socket, sent["d"])
        await self._world.tell()

    async def _ready(self, socket: web.WebSocketResponse, asked: dict[str, Any]) -> None:
        self.identified += 1
        self.forget_sessions = False
        self._session += 1
        self._events.clear()
        self._sockets.add(socket)
        self.intents = asked["intents"]
        ready = {
            "v": 10,
            "user": BOT,
            "guilds": [{"id": number, "unavailable": True} for number in self._world.guilds],
            "session_id": str(self._session),
            "resume_gateway_url": self.address,
            "shard": asked.get("shard", [0, 1]),
            "application": {
                "id": self._world.application_id,
                "flags": MESSAGE_CONTENT_LIMITED if self._world.reads_along else 0,
            },
        }
        await self.dispatch("READY", ready)
        for guild in self._world.guilds.values():
            channels = [each for each in self._world.channels.values() if each.get("guild_id") == guild["id"]]
            await self.dispatch("GUILD_CREATE", {**guild, "channels": channels})

    async def _resume(self, socket: web.WebSocketResponse, asked: dict[str, Any]) -> None:
        if self.forget_sessions or asked["session_id"] != str(self._session):
            await socket.send_str(json.dumps({"op": INVALID, "d": False}))
            return
        self.resumed += 1
        self._sockets.add(socket)
        for event in self._events[asked["seq"] :]:
            await socket.send_str(json.dumps(event))
        await self.dispatch("RESUMED", {})
