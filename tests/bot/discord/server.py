"""The REST half of the Discord for tests; the other half is ``gateway``."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable
from typing import Any, Self

from aiohttp import web

from tests.bot.discord.gateway import Gateway
from tests.bot.discord.world import (
    BOT,
    DM,
    EPHEMERAL,
    LOADING,
    MESSAGE_CONTENT_LIMITED,
    OVER_ALL,
    TOKEN,
    Event,
    Spoken,
    World,
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
UNKNOWN_CHANNEL, UNKNOWN_MESSAGE, UNKNOWN_INTERACTION = 10003, 10008, 10062
VISITORS_FOLLOW_UPS = 5
MISSING_ACCESS, MISSING_PERMISSIONS, TOKEN_INVALID = 50001, 50013, 50027


class Refused(Exception):
    """A request that Discord turns down, with its code."""

    def __init__(self, status: int, code: int, text: str) -> None:
        super().__init__(text)
        self.status, self.code = status, code


class FakeDiscord:
    """A server on a free port of this machine; use it as ``async with FakeDiscord() as discord``."""

    def __init__(self) -> None:
        self.world = World()
        self.gateway = Gateway(self.world)
        self._runner: web.AppRunner | None = None
        self.address = ""

    @property
    def api(self) -> str:
        return f"{self.address}/api/v10"

    async def __aenter__(self) -> Self:
        application = web.Application(middlewares=[self._manners], client_max_size=1 << 26)
        add = application.router.add_route
        add("GET", "/api/v10/users/@me", self._me)
        add("GET", "/api/v10/oauth2/applications/@me", self._application)
        add("GET", "/api/v10/gateway/bot", self._where)
        add("PUT", "/api/v10/applications/{app}/commands", self._register)
        add("POST", "/api/v10/users/@me/channels", self._direct)
        add("GET", "/api/v10/channels/{channel}/messages", self._history)
        add("POST", "/api/v10/channels/{channel}/messages", self._post)
        add("GET", "/api/v10/channels/{channel}/messages/{message}", self._get)
        add("PATCH", "/api/v10/channels/{channel}/messages/{message}", self._edit)
        add("PUT", "/api/v10/channels/{channel}/messages/{message}/reactions/{emoji}/@me", self._react)
        add("DELETE", "/api/v10/channels/{channel}/messages/{message}/reactions/{emoji}/@me", self._remove_reaction)
        add("POST", "/api/v10/interactions/{id}/{token}/callback", self._callback)
        add("POST", "/api/v10/webhooks/{app}/{token}", self._follow)
        add("PATCH", "/api/v10/webhooks/{app}/{token}/messages/{message}", self._edit_spoken)
        add("DELETE", "/api/v10/webhooks/{app}/{token}/messages/{message}", self._delete_spoken)
        add("GET", "/files/{file}/{name}", self._file)
        add("GET", "/gateway", self.gateway.serve)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.address = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        self.gateway.address = f"{self.address.replace('http', 'ws')}/gateway"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.gateway.drop(1000)
        if self._runner is not None:
            await self._runner.cleanup()

    @web.middleware
    async def _manners(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        fault = next((each for each in self.world.faults if each.meets(request.method, request.path)), None)
        if fault is not None:
            fault.times -= 1
            if fault.after:
                await handler(request)
                await self.world.tell()
            if fault.status == 0:
                raise web.HTTPServiceUnavailable
            body = {"message": "as the test wants", "code": fault.code, "retry_after": fault.retry_after}
            via = {"Via": "1.1 fake"} if fault.status == 429 else {}
            return _json(body, fault.status, via)
        if (
            request.path.startswith("/api")
            and "/webhooks/" not in request.path
            and "/interactions/" not in request.path
        ) and request.headers.get("Authorization") != f"Bot {TOKEN}":
            return _json({"message": "401: Unauthorized", "code": 0}, 401)
        told = self._counted(request)
        if isinstance(told, web.Response):
            return told
        try:
            response = await handler(request)
        except Refused as refused:
            response = _json({"message": str(refused), "code": refused.code}, refused.status)
        response.headers.update(told)
        await self.world.tell()
        for what, event in list(self.world.held.items()):
            if f"{request.method} {request.path}".startswith(what):
                await event.wait()
        return response

    def _counted(self, request: web.Request) -> dict[str, str] | web.Response:
        """Count a request; return what its response tells of the limit, or the response if there is none left."""
        path, about = request.path, request.match_info
        if not path.startswith("/api") or "/interactions/" in path:
            return {}
        if "/webhooks/" not in path:
            self.world.rates.note(OVER_ALL)
        place = (
            about.get("token") or about.get("channel") if path.partition("/messages")[1] or "token" in about else None
        )
        bucket = None if place is None else self.world.bucket(request.method, place)
        if bucket is None:
            return {}
        name = f"{request.method}-{'webhook' if 'token' in about else 'channel'}"
        if bucket.use():
            return bucket.headers(name)
        self.world.rates.breaches.append(f"too many {bucket.limit.name}")
        headers = bucket.headers(name)
        body = {"message": "You are being rate limited.", "retry_after": float(headers["X-RateLimit-Reset-After"])}
        return _json(body, 429, {**headers, "Via": "1.1 fake"})

    async def _me(self, _: web.Request) -> web.Response:
        return _json(BOT)

    async def _application(self, _: web.Request) -> web.Response:
        flags = MESSAGE_CONTENT_LIMITED if self.world.reads_along else 0
        application = {
            "id": self.world.application_id,
            "name": "genre",
            "icon": None,
            "description": "",
            "bot_public": True,
            "bot_require_code_grant": False,
            "verify_key": "00",
            "flags": flags,
            "owner": {**BOT, "id": "1"},
            "team": None,
        }
        return _json(application)

    async def _where(self, _: web.Request) -> web.Response:
        limit = {"total": 1000, "remaining": 999, "reset_after": 1000, "max_concurrency": 1}
        return _json({"url": self.gateway.address, "shards": 1, "session_start_limit": limit})

    async def _register(self, request: web.Request) -> web.Response:
        self.world.commands = await request.json()
        made = [
            {
                "description": "",
                **command,
                "id": self.world.snowflake(),
                "application_id": self.world.application_id,
                "version": "1",
            }
            for command in self.world.commands
        ]
        return _json(made)

    async def _direct(self, request: web.Request) -> web.Response:
        person = (await request.json())["recipient_id"]
        return _json(self.world.channels[self.direct_channel(str(person))])

    def direct_channel(self, person: str) -> str:
        """Return the channel in which a person is alone with the bot."""
        for channel in self.world.channels.values():
            if channel["type"] == DM and channel["recipients"][0]["id"] == person:
                return str(channel["id"])
        return self.world.add_channel(
            DM, recipients=[{**BOT, "id": person, "bot": False, "username": f"user-{person}"}]
        )

    async def _history(self, request: web.Request) -> web.Response:
        channel = self._channel(request)
        found = [
            each for each in self.world.messages.values() if each["channel_id"] == channel and not _is_private(each)
        ]
        if "after" in request.query:
            found = [each for each in found if int(each["id"]) > int(request.query["after"])]
            found = found[: int(request.query["limit"])]
        else:
            found = found[-int(request.query["limit"]) :]
        return _json([self.world.visible(each) for each in found[::-1]])

    async def _get(self, request: web.Request) -> web.Response:
        return _json(self.world.visible(self._message(request)))

    async def _post(self, request: web.Request) -> web.Response:
        channel = self._channel(request)
        said, files = await _body(request)
        if channel in self.world.no_messages or (files and channel in self.world.no_files):
            raise Refused(403, MISSING_PERMISSIONS, "Missing Permissions")
        nonce = (channel, str(said.get("nonce")))
        if said.get("enforce_nonce") and nonce in self.world.nonces:
            return _json(self.world.messages[self.world.nonces[nonce]])
        message = self.world.add_message(channel, BOT)
        if "nonce" in said:
            self.world.nonces[nonce] = message["id"]
        if "message_reference" in said:
            message["message_reference"] = said["message_reference"]
        self._apply(message, said, files)
        self.world.posts.append(dict(message))
        return _json(message)

    async def _react(self, request: web.Request) -> web.Response:
        channel, message = self._channel(request), self._message(request)
        if channel in self.world.no_reactions:
            raise Refused(403, MISSING_PERMISSIONS, "Missing Permissions")
        self.world.reactions.append((message["id"], request.match_info["emoji"]))
        return web.Response(status=204)

    async def _remove_reaction(self, request: web.Request) -> web.Response:
        self._channel(request)
        reaction = (self._message(request)["id"], request.match_info["emoji"])
        if reaction in self.world.reactions:
            self.world.reactions.remove(reaction)
        return web.Response(status=204)

    async def _edit(self, request: web.Request) -> web.Response:
        self._channel(request)
        message = self._message(request)
        if message["author"]["id"] != BOT["id"] or _is_private(message):
            raise Refused(404, UNKNOWN_MESSAGE, "Unknown Message")
        said, files = await _body(request)
        if files and message["channel_id"] in self.world.no_files:
            raise Refused(403, MISSING_PERMISSIONS, "Missing Permissions")
        self._edited(message, said, files)
        return _json(message)

    async def _callback(self, request: web.Request) -> web.Response:
        spoken = self._spoken(request)
        number, answer = request.match_info["id"], await request.json()
        if number in self.world.callbacks:
            raise Refused(400, 40060, "Interaction has already been acknowledged.")
        self.world.callbacks[number] = (time.monotonic() - self.world.asked_at[number], answer)
        told: Event = {"interaction": {"id": number, "type": spoken.kind}}
        if answer["type"] == 5:
            flags = answer.get("data", {}).get("flags", 0) | LOADING
            message = self.world.add_message(spoken.channel, BOT, flags=flags, interaction_user=spoken.user)
            spoken.original = message["id"]
            told["interaction"] |= {"response_message_id": message["id"]}
            told["resource"] = {"type": 5, "message": message}
        elif answer["type"] == 6:
            spoken.original = spoken.source
        return _json(told)

    async def _follow(self, request: web.Request) -> web.Response:
        spoken = self._spoken(request)
        said, files = await _body(request)
        original = self.world.messages.get(spoken.original or "")
        if original is not None and original["flags"] & LOADING:
            self._edited(original, said, files)
            return _json(original)
        spoken.follow_ups += 1
        if spoken.visiting and spoken.follow_ups > VISITORS_FOLLOW_UPS:
            raise Refused(400, 40094, "This interaction has reached its maximum number of follow up messages.")
        message = self.world.add_message(spoken.channel, BOT, flags=said.get("flags", 0), interaction_user=spoken.user)
        self._apply(message, said, files)
        self.world.posts.append(dict(message))
        return _json(message)

    async def _edit_spoken(self, request: web.Request) -> web.Response:
        spoken = self._spoken(request)
        number = request.match_info["message"]
        message = self.world.messages.get(str(spoken.original) if number == "@original" else number)
        if message is None:
            raise Refused(404, UNKNOWN_MESSAGE, "Unknown Message")
        said, files = await _body(request)
        self._edited(message, said, files)
        return _json(message)

    async def _delete_spoken(self, request: web.Request) -> web.Response:
        self._spoken(request)
        if self.world.messages.pop(request.match_info["message"], None) is None:
            raise Refused(404, UNKNOWN_MESSAGE, "Unknown Message")
        return web.Response(status=204)

    async def _file(self, request: web.Request) -> web.Response:
        content = self.world.files.get(request.match_info["file"])
        if content is None:
            return web.Response(status=404, text="This content is no longer available.")
        return web.Response(body=content, content_type="application/octet-stream")

    def _channel(self, request: web.Request) -> str:
        channel = request.match_info["channel"]
        if channel not in self.world.channels:
            raise Refused(404, UNKNOWN_CHANNEL, "Unknown Channel")
        if channel in self.world.forbidden:
            raise Refused(403, MISSING_ACCESS, "Missing Access")
        return channel

    def _message(self, request: web.Request) -> Event:
        message = self.world.messages.get(request.match_info["message"])
        if message is None or message["channel_id"] != request.match_info["channel"]:
            raise Refused(404, UNKNOWN_MESSAGE, "Unknown Message")
        return message

    def _spoken(self, request: web.Request) -> Spoken:
        spoken = self.world.interactions.get(request.match_info["token"])
        if spoken is None or not spoken.alive:
            raise Refused(401, TOKEN_INVALID, "Invalid Webhook Token")
        return spoken

    def _edited(self, message: Event, said: Event, files: list[tuple[str, bytes]]) -> None:
        message["flags"] &= ~LOADING
        self._apply(message, said, files)
        self.world.edits.append(dict(message))

    def _apply(self, message: Event, said: Event, files: list[tuple[str, bytes]]) -> None:
        limit = 2000
        if len(said.get("content") or "") > limit:
            raise Refused(400, 50035, "Invalid Form Body")
        message["content"] = said.get("content", message["content"]) or ""
        message["components"] = said.get("components", message["components"]) or []
        message["allowed_mentions"] = said.get("allowed_mentions", message.get("allowed_mentions"))
        if "attachments" in said or files:
            message["attachments"] = []
            for about, (name, content) in zip(said.get("attachments", []), files, strict=False):
                number = self.world.snowflake()
                self.world.pictures[number] = content
                message["attachments"].append(
                    {
                        "id": number,
                        "filename": name,
                        "description": about.get("description"),
                        "size": len(content),
                        "url": f"{self.address}/files/{number}/{name}",
                        "proxy_url": "",
                    }
                )
        self.world.changes.append((time.monotonic(), dict(message)))


def _is_private(message: Event) -> bool:
    return bool(message["flags"] & EPHEMERAL)


async def _body(request: web.Request) -> tuple[Event, list[tuple[str, bytes]]]:
    if not request.content_type.startswith("multipart/"):
        return await request.json(), []
    said: Event = {}
    files: list[tuple[str, bytes]] = []
    async for part in await request.multipart():
        content = await part.read(decode=False)  # type: ignore[union-attr]
        if part.name == "payload_json":  # type: ignore[union-attr]
            said = json.loads(content)
        else:
            files.append((str(part.filename), bytes(content)))  # type: ignore[union-attr]
    return said, files


def _json(data: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    # Exactly this content type: the client reads anything else as text.
    body = json.dumps(data).encode()
    return web.Response(body=body, status=status, headers={"Content-Type": "application/json", **(headers or {})})
