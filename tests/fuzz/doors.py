"""Fuzzes the running chats and page with a real database: whatever comes in, it must be handled without a bug.

A door is an entry point that takes any text. Anything that the bot logs as an error counts as a crash.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import re
import tempfile
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import aiohttp
from pydantic import SecretStr
from telegram import Update

from bot.api import open_api
from bot.core.identity import IdHasher, Person
from bot.logging import is_ours
from bot.setting_values import Moderator
from bot.settings import Settings
from bot.telegram.chat import TelegramChat
from common.addresses import Address
from common.errors import UserError
from storage import Storage
from tests.bot.discord import FakeDiscord
from tests.bot.discord.running import close_scene, open_scene, prepare
from tests.bot.fake_classifier import EarAtHand
from tests.bot.running import Bot
from tests.bot.telegram.server import TOKEN, TelegramServer
from tests.bot.web.page import opened_page
from tests.fuzz.parsers import _json

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterator

    from tests.bot.discord.running import Scene

    Ask = Callable[[str], Awaitable[None]]

ANN = 11
API_TOKEN = "ann-" + "a" * 40
SEARCH_CHARACTERS = 100  # as the page and Discord's completion send them
DISCORDS_TASKS = ("discord", "CommandTree")


@dataclass(frozen=True)
class Door:
    """An entry point: how to open it, and seed texts that reach its special cases."""

    open: Callable[[AsyncExitStack, Path], Coroutine[Any, Any, Ask]]
    seeds: tuple[str, ...]


class Faults(logging.Handler):
    """Collects log records of errors, and of warnings with a traceback."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.found: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        if is_ours(record) and (record.levelno >= logging.ERROR or record.exc_info):
            self.found.append(record)

    def check(self) -> None:
        if self.found:
            first = self.found[0]
            self.found.clear()
            raise AssertionError(logging.Formatter().format(first))


@contextmanager
def opened(door: Door) -> Iterator[Callable[[str], None]]:
    """Open a door and yield a function that sends it a text."""
    faults = Faults()
    logging.getLogger().addHandler(faults)
    with asyncio.Runner() as runner, tempfile.TemporaryDirectory() as folder:
        stack = AsyncExitStack()
        ask = runner.run(door.open(stack, Path(folder)))

        async def one(text: str) -> None:
            async with asyncio.timeout(30):
                await ask(text)

        def try_one(text: str) -> None:
            runner.run(one(text))
            faults.check()

        try:
            yield try_one
        finally:
            runner.run(stack.aclose())
            logging.getLogger().removeHandler(faults)


async def _basics(stack: AsyncExitStack, folder: Path) -> tuple[Storage, IdHasher, Settings, EarAtHand]:
    storage = await stack.enter_async_context(await Storage.open(f"sqlite:///{folder / 'songs.db'}"))
    settings = Settings(data_dir=folder / "data", songs_per_person_queued=3, songs_per_person_daily=50)
    return storage, IdHasher(b"a key that only the tests know"), settings, EarAtHand()


async def open_page(stack: AsyncExitStack, folder: Path) -> Ask:
    """The page: any body to any address, and any text in cookies, headers and searches."""
    page = await stack.enter_async_context(opened_page(*await _basics(stack, folder)))
    browser = page.browser()
    await (await browser.post("/hello")).read()
    posts = ("/links", "/songs/1/opinion", "/songs/1/list", "/consent", "/language", "/songs")
    fields = ("link", "genre", "count", "allow", "language")

    async def ask(text: str) -> None:
        plain = text.encode("utf-8", "surrogatepass")
        bodies = [plain, *(json.dumps({field: value}).encode() for field in fields for value in (text, _json(text)))]
        path = posts[len(text) % len(posts)]
        header = "".join(character for character in text if 32 <= ord(character) < 127)
        headers = {"X-File-Name": header, "Accept-Language": header, "Cookie": f"language={header}"}
        for body in bodies[len(text) % 3 :: 3]:
            async with browser.post(path, data=body, headers=headers) as response:
                await response.read()
                assert response.status < 500, (response.status, path, body)
        query = {"q": text.encode("utf-8", "replace").decode()}
        async with browser.get("/genres", params=query, headers=headers) as response:
            assert response.status in {200, 400}, (response.status, query)

    return ask


async def open_http(stack: AsyncExitStack, folder: Path) -> Ask:
    """The page's socket: any bytes as a request, as a header, or as a body that claims to be something else."""
    page = await stack.enter_async_context(opened_page(*await _basics(stack, folder)))
    host, port = "127.0.0.1", page.chat.port
    lines = ("Content-Encoding: gzip", "Transfer-Encoding: chunked", "Expect: 100-continue", "Content-Type: text/html")

    async def ask(text: str) -> None:
        raw = text.encode("utf-8", "surrogatepass")
        target = f"http://{host}:{port}" if len(text) % 2 else ""
        claims = lines[len(text) % len(lines)]
        head = f"POST {target}/links HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n{claims}\r\n".encode()
        length = b"Content-Length: %d\r\n\r\n" % len(raw)
        for request in (raw, head + raw + b"\r\n\r\n", head + length + raw):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(request)
                writer.write_eof()
                answer = await reader.read()
            except ConnectionError:
                continue  # the server may hang up before it was sent everything
            finally:
                writer.close()
            assert not re.match(rb"HTTP/1\.\d 5", answer), (answer[:200], request[:200])

    return ask


async def open_api_door(stack: AsyncExitStack, folder: Path) -> Ask:
    """The API: any body, any value in it, any number of a song."""
    storage, keys, settings, ear = await _basics(stack, folder)
    given = {"api_tokens": SecretStr(API_TOKEN), "api_listen": Address("127.0.0.1", 0)}
    there = settings.model_copy(update=given)
    bot = Bot(storage, keys, there, ear, folder / "work")
    chat = open_api(there, bot.conversation)
    bot.with_chat(chat)
    await chat.start()
    stack.push_async_callback(chat.close)
    await bot.start()
    stack.push_async_callback(bot.queue.stop)
    token = {"Authorization": f"Bearer {API_TOKEN}"}
    program = await stack.enter_async_context(aiohttp.ClientSession(f"http://127.0.0.1:{chat.port}", headers=token))
    paths = ("/v1/songs", "/v1/songs/{}/corrections", "/v1/songs/{}/playlist")

    async def ask(text: str) -> None:
        number = quote(text[:50].encode("utf-8", "replace"), safe="") or "1"
        path = paths[len(text) % len(paths)].format(number)
        fields = ("link", "genre", "right", "count")
        bodies = [json.dumps({field: value}).encode() for field in fields for value in (text, _json(text))]
        for body in (text.encode("utf-8", "surrogatepass"), *bodies[len(text) % 2 :: 2]):
            kind = {"Content-Type": "application/json"}
            async with program.post(path, data=body, headers=kind) as response:
                assert response.status < 500, (response.status, path, body, await response.text())
        async with program.get(f"/v1/songs/{number}") as response:
            assert response.status < 500, (response.status, number)

    return ask


async def open_telegram(stack: AsyncExitStack, folder: Path) -> Ask:
    """Telegram: any text as a message, a command's words, a caption, a button's data, a file's name."""
    storage, keys, settings, ear = await _basics(stack, folder)
    telegram = TelegramServer()
    await telegram.start()
    stack.push_async_callback(telegram.stop)
    there = settings.model_copy(
        update={
            "telegram_token": SecretStr(TOKEN),
            "telegram_api_url": telegram.url,
            "moderators": (Moderator("telegram", str(ANN)),),
        }
    )
    bot = Bot(storage, keys, there, ear, folder / "work")
    chat = TelegramChat(there, bot.conversation)
    bot.with_chat(chat)
    # One message a second would be polite to Telegram; here nobody minds.
    chat._client.bot._rate_limiter = None
    await chat._client.open()
    stack.push_async_callback(chat.close)
    await bot.core.names.load(ear.genres)
    # Whoever deletes their data waits until it has started; the songs themselves stay in the queue.
    bot.queue._started.set()
    user = {"id": ANN, "is_bot": False, "first_name": "Ann", "language_code": "vi"}
    place = {"id": ANN, "type": "private"}
    numbers = itertools.count(1)
    commands = ("genre", "correct", "feedback", "language", "settings", "forgetme", "stats")

    async def ask(text: str) -> None:
        name = commands[len(text) % len(commands)]
        command = f"/{name} {text}"
        entity = {"type": "bot_command", "offset": 0, "length": len(name) + 1}
        media = {"file_id": "x", "file_unique_id": "x", "file_name": text, "mime_type": text, "duration": 1}
        message = {"message_id": next(numbers), "date": 1, "chat": place, "from": user}
        bot_itself = {**user, "id": 123456, "is_bot": True}
        pressed = {"message_id": next(numbers), "date": 1, "chat": place, "from": bot_itself, "text": "x"}
        updates: list[dict[str, Any]] = [
            {"message": {**message, "text": command, "entities": [entity]}},
            {"message": {**message, "text": text}},
            {"message": {**message, "caption": text, "document": media}},
            {"callback_query": {"id": "1", "from": user, "chat_instance": "1", "message": pressed, "data": text}},
        ]
        for number, update in enumerate(updates):
            await chat._router.receive([Update.de_json({"update_id": number, **update}, chat._client.bot)])
            await asyncio.gather(*chat._router._tasks)
        await storage.people.erase(keys.person(Person("telegram", str(ANN))), [])
        telegram.messages.clear()
        telegram.history.clear()

    return ask


async def open_discord(stack: AsyncExitStack, folder: Path) -> Ask:
    """Discord: any text as a button's id, a pick, a text box, a command's words, a message."""
    discord = await stack.enter_async_context(FakeDiscord())
    storage, keys, settings, ear = await _basics(stack, folder)
    scene = await open_scene(discord, storage, keys, settings, ear, prepare(discord))
    stack.push_async_callback(close_scene, scene)
    told = await _greeted(scene)
    parse = scene.chat.client._connection.parsers

    async def straight(kind: str, event: dict[str, Any]) -> None:
        """Dispatch an event without the socket, so that its handlers have started when this returns."""
        parse[kind](event)

    scene.discord.gateway.dispatch = straight  # type: ignore[method-assign, assignment]
    always = asyncio.all_tasks()

    async def interact(kind: int, data: dict[str, Any]) -> None:
        # The library passes on a button press only if the message with the button exists.
        shape = {"type": data.get("component_type", 2), "custom_id": data["custom_id"]}
        shape |= {"options": [{"label": "x", "value": "x"}]} if shape["type"] == 3 else {"style": 2, "label": "x"}
        below = {**told, "components": [{"type": 1, "components": [shape]}]}
        await scene.ann._interact(kind, scene.channel, data, message=below)

    async def ask(text: str) -> None:
        row = {"type": 1, "components": [{"type": 4, "custom_id": "name", "value": text}]}
        ways: tuple[Callable[[], Awaitable[Any]], ...] = (
            lambda: interact(5, {"custom_id": "name:song.x", "components": [row]}),
            lambda: interact(3, {"custom_id": "pick:song.x", "component_type": 3, "values": [text]}),
            lambda: scene.ann.command(scene.channel, "genre", link=text),
            lambda: scene.ann.command(scene.channel, "feedback", "export", since=text, genre=text),
            lambda: scene.ann.command(scene.channel, "correct", genre=text),
            lambda: scene.ann.says(scene.ann.direct, text),
        )
        await interact(3, {"custom_id": text, "component_type": 2})
        # Because of Discord's rate limits, each text is sent in only one way.
        await ways[len(text) % len(ways)]()
        while begun := [task for task in asyncio.all_tasks() - always if task.get_name().startswith(DISCORDS_TASKS)]:
            await asyncio.wait(begun)
        await storage.people.erase(keys.person(Person("discord", scene.ann.id)), [])

    return ask


async def _greeted(scene: Scene) -> dict[str, Any]:
    await scene.ann.says(scene.channel, "hello", mention=True)
    return await scene.says(scene.channel, "Send me a song")


async def open_labels(stack: AsyncExitStack, folder: Path) -> Ask:
    """The database: any text as a genre that is proposed or searched."""
    storage, keys, _, _ = await _basics(stack, folder)
    person = keys.person(Person("telegram", str(ANN)))

    async def ask(text: str) -> None:
        await storage.labels.search(text[:SEARCH_CHARACTERS])
        await storage.labels.find(text)
        await storage.labels.get(text)
        await storage.replies.find(text)
        try:
            label = await storage.labels.propose(text, person)
        except UserError:
            return
        found = await storage.labels.find(text)
        assert found is not None
        assert found.id == label.id

    return ask


_BODIES = ('{"link": "https://song.example/"}', '{"count": 3}', '{"allow": true}', '{"genre": "\\ud800"}', "[" * 2000)
_DATA = ("right:abcdefghijk", "wrong:abcdefghijk", "pick:abcdefghijk:3", "rule:1:2", "fuse:1:2", "cancel:1", "take:1-3")

DOORS: dict[str, Door] = {
    "the page": Door(open_page, (*_BODIES, "vi,en;q=0.5", "blues")),
    "HTTP": Door(open_http, (*_BODIES, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "Cookie: a=b", "ffff\r\n", "\x1f\x8b\x08")),
    "the API": Door(open_api_door, (*_BODIES, '{"right": true}', '{"link": 1}')),
    "Telegram": Door(
        open_telegram, (*_DATA, "\ud800 jazz", "set:language:vi", "forget:yes:11", "export jsonl ..9999-12-31", "jazz")
    ),
    "Discord": Door(open_discord, (*_DATA, "turn:song.abc:25", "sort:song.abc", "wipe:no", "https://song.example/")),
    "the database": Door(open_labels, ("jazz", "Hip-Hop", "%", "_", "' OR 1=1 --", "\ud800", "\0")),
}
