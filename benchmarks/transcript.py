"""Writes example conversations in each chat and language to ``docs``: ``python benchmarks/transcript.py``.

The bot runs as its own process with the released model; Discord and Telegram are the tests' fake servers, over real
sockets; the songs are synthetic. The first answer's picture is saved, too.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import re
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import numpy as np

from bot.core.localization import Localizer
from tests.bot.discord import TOKEN as DISCORD_TOKEN
from tests.bot.discord import FakeDiscord
from tests.bot.discord import Somebody as Discordian
from tests.bot.discord.running import prepare
from tests.bot.discord.world import EPHEMERAL, LOADING, custom_ids
from tests.bot.process import BotProcess
from tests.bot.telegram.people import Somebody as Telegrammer
from tests.bot.telegram.people import buttons
from tests.bot.telegram.server import TOKEN as TELEGRAM_TOKEN
from tests.bot.telegram.server import TelegramServer
from tests.synthesis import song, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.core.localization import Language

# The bot is done if nothing new arrives for this long.
QUIET_SECONDS = 2.0
PATIENCE_SECONDS = 180.0
NUMBERS = {"en": (501, 7101), "vi": (502, 7102)}
HEADINGS = {"en": "In English", "vi": "In Vietnamese"}


@dataclass
class Page:
    """A growing transcript: Markdown lines and their pictures."""

    lines: list[str] = field(default_factory=list)
    pictures: list[bytes] = field(default_factory=list)

    def person(self, does: str) -> None:
        """Add what the person does."""
        self.lines += [f"**Person:** {does}", ""]

    def bot(self, text: str, below: list[str], *, about: str = "", picture: bytes | None = None) -> None:
        """Add what the bot says."""
        self.lines += [f"> *Bot{about}*", ">"]
        self.lines += [f"> {_plain(line)}  " if line else ">" for line in text.splitlines()]
        if picture is not None:
            self.lines += [">", f"> *(picture {len(self.pictures) + 1})*"]
            self.pictures.append(picture)
        if below:
            self.lines += [">", "> " + " ".join(f"`[{each}]`" for each in below)]
        self.lines.append("")


class OverTelegram:
    """A person in a private chat with the bot on Telegram."""

    def __init__(self, server: TelegramServer, number: int, language: Language, page: Page) -> None:
        self.server, self.page, self.language = server, page, language
        self.person = Telegrammer(server, number, language)
        self._seen = len(server.changes)
        self._toasts = len(server.toasts)
        self._files = len(server.calls("sendDocument"))

    async def sends(self, path: Path) -> None:
        """Send a file."""
        self.page.person(f"sends {path.name}")
        kind = "audio" if path.suffix in {".opus", ".wav"} else "document"
        await self.person.sends(path, kind, mime_type="audio/ogg" if kind == "audio" else "application/pdf")
        await self.hear()

    async def command(self, english: str, vietnamese: str, **options: str) -> None:
        """Send a command or any other text."""
        text = " ".join([english if self.language == "en" else vietnamese, *options.values()])
        self.page.person(text)
        answered = self._last("votes:") if english == "/correct" else None
        await self.person.writes(text, to=answered)
        await self.hear()

    async def presses(self, kind: str, *_values: str) -> None:
        """Press the latest button of a kind."""
        message = self._last(kind)
        button = next(each for each in buttons(message) if each["callback_data"].startswith(kind))
        self.page.person(f"presses `[{button['text']}]`")
        await self.person.presses_data(message, button["callback_data"])
        await self.hear()

    async def picks(self, label: str) -> None:
        """Choose a genre from the list."""
        name = Localizer(self.language).genre_title(label)
        message = self._last("pick:")
        button = next(each for each in buttons(message) if each["text"].lower() == name.lower())
        self.page.person(f"presses `[{button['text']}]`")
        await self.person.presses_data(message, button["callback_data"])
        await self.hear()

    async def hear(self) -> None:
        """Add the bot's messages until it is done."""
        await _quiet(lambda: len(self.server.changes) + len(self.server.toasts), self._is_busy)
        known = {m["message_id"] for _, m in self.server.changes[: self._seen]}
        new = [m for _, m in self.server.changes[self._seen :] if m["chat"]["id"] == self.person.number]
        for toast in filter(None, self.server.toasts[self._toasts :]):
            self.page.bot(toast, [], about=", in a window over the chat")
        for message in _distinct(new, "message_id"):
            about = ", the same message changed" if message["message_id"] in known else ""
            known.add(message["message_id"])
            text = message.get("text") or message.get("caption") or ""
            if "document" in message:
                text += f"\n(file: {message['document']['file_name']})"
            below = [button["text"] for button in buttons(message)]
            self.page.bot(text, below, about=about, picture=message.get("picture"))
        self._seen, self._toasts = len(self.server.changes), len(self.server.toasts)

    def _is_busy(self) -> bool:
        said = self.server.said(self.person.number)
        return not said or any(b["callback_data"].startswith("cancel:") for m in said for b in buttons(m))

    def _last(self, kind: str) -> dict[str, Any]:
        said = self.server.said(self.person.number)
        return next(m for m in said[::-1] if any(b["callback_data"].startswith(kind) for b in buttons(m)))


class OverDiscord:
    """A person in a private chat with the bot on Discord."""

    def __init__(self, discord: FakeDiscord, number: int, language: Language, page: Page) -> None:
        self.discord, self.page, self.language = discord, page, language
        self.world = discord.world
        self.person = Discordian(discord, "vi" if language == "vi" else "en-US", number=str(number))
        self._seen = len(self.world.changes)

    async def sends(self, path: Path) -> None:
        """Send a file."""
        self.page.person(f"sends {path.name}")
        await self.person.says(self.person.direct, "", path)
        await self.hear()

    async def command(self, english: str, vietnamese: str, **options: str) -> None:
        """Send a command or any other text."""
        shown = english if self.language == "en" else vietnamese
        self.page.person(" ".join([shown, *options.values()]))
        if english.startswith("/"):
            name, *path = english[1:].split()
            given: dict[str, Any] = dict(options)
            await self.person.command(self.person.direct, name, *path, **given)
        else:
            await self.person.says(self.person.direct, shown)
        await self.hear()

    async def presses(self, kind: str, *values: str) -> None:
        """Press the latest button of a kind."""
        message = next(m for m in self._mine()[::-1] if any(c.startswith(kind) for c in custom_ids(m)))
        label = next(p.get("label") for p in _parts(message) if p.get("custom_id", "").startswith(kind))
        self.page.person(f"chooses `[{values[0]}]`" if values else f"presses `[{label}]`")
        await self.person.presses(message, kind, *values)
        await self.hear()

    async def picks(self, label: str) -> None:
        """Choose a genre from the list."""
        await self.presses("pick:", label)

    async def hear(self) -> None:
        """Add the bot's messages until it is done."""
        await _quiet(lambda: len(self.world.changes), self._is_busy)
        known = {m["id"] for _, m in self.world.changes[: self._seen]}
        mine = {m["id"] for m in self._mine()}
        new = [m for _, m in self.world.changes[self._seen :] if m["id"] in mine and not m["flags"] & LOADING]
        for message in _distinct(new, "id"):
            about = ", the same message changed" if message["id"] in known else ""
            known.add(message["id"])
            if message["flags"] & EPHEMERAL:
                about += " (only this person sees it)"
            text, picture = message["content"], None
            for file in message["attachments"]:
                if file["filename"].endswith(".png"):
                    picture = self.world.pictures[file["id"]]
                    text += f"\n(alternative text: {file['description']})"
                else:
                    text += f"\n(file: {file['filename']})"
            below = [str(p.get("label") or p.get("placeholder")) for p in _parts(message)]
            self.page.bot(text, below, about=about, picture=picture)
        self._seen = len(self.world.changes)

    def _mine(self) -> list[dict[str, Any]]:
        return self.world.of_bot(self.person.direct)

    def _is_busy(self) -> bool:
        mine = self._mine()
        waits = any(m["flags"] & LOADING for m in mine)
        return not mine or waits or any(c.startswith("cancel:") for m in mine for c in custom_ids(m))


Talk = OverTelegram | OverDiscord
NOTES = {
    "discord": " The bot here may learn from Discord\n(`TRAINING_SOURCES`), which is not so by default.",
    "telegram": " The Telegram here is a stand-in without\n"
    "Telegram's limit for bots: on Telegram itself the bot says 20 MB instead of 100 MB.",
}


async def converse(talk: Talk, songs: Path) -> None:
    """Run a conversation from start to end."""
    is_telegram = isinstance(talk, OverTelegram)
    slash = {
        "about": "/gioithieu" if is_telegram else "/giới-thiệu",
        "correct": "/sualai" if is_telegram else "/sửa-lại",
        "privacy": "/riengtu" if is_telegram else "/riêng-tư",
        "stats": "/thongke" if is_telegram else "/thống-kê",
        "mydata": "/dulieu" if is_telegram else "/dữ-liệu",
        "forgetme": "/quentoi" if is_telegram else "/quên-tôi",
        "feedback": "/ykien" if is_telegram else "/ý-kiến",
    }
    await talk.command("/start" if is_telegram else "/help", "/start" if is_telegram else "/trợ-giúp")
    await talk.sends(songs / "Late Train.opus")
    await talk.presses("votes:")
    await talk.presses("wrong:")
    await talk.picks("blues")
    await talk.presses("allow:")
    await talk.command("/correct", slash["correct"], genre="Boogie-woogie")
    await talk.presses("undo:")
    await talk.presses("is:")
    await talk.sends(songs / "Late Train.opus")
    await talk.sends(songs / "Click.wav")
    await talk.sends(songs / "letter.pdf")
    await talk.command("http://192.168.0.1/song.mp3", "http://192.168.0.1/song.mp3")
    for name in ("about", "stats", "privacy", "mydata"):
        await talk.command(f"/{name}", slash[name])
    feedback = slash["feedback"]
    await talk.command("/feedback review", f"{feedback} duyet" if is_telegram else f"{feedback} duyệt")
    await talk.presses("accept:")
    await talk.command("/feedback stats", f"{feedback} thongke" if is_telegram else f"{feedback} thống-kê")
    await talk.command("/feedback export", f"{feedback} xuat" if is_telegram else f"{feedback} xuất")
    await talk.command("/forgetme", slash["forgetme"])
    await talk.presses("forget:yes")


def make_songs(folder: Path, seed: int) -> None:
    """Synthesise the songs to send, and a file that is not a song; another seed gives other songs."""
    folder.mkdir()
    halves = [song(style, 90, seed=seed, stereo=True) for style in ("jazz", "metal")]
    write(np.concatenate(halves), folder / "Late Train.opus", title="Late Train")
    write(song("jazz", 0.4), folder / "Click.wav")
    (folder / "letter.pdf").write_bytes(b"%PDF-1.4 no music")


async def transcribe(folder: Path) -> dict[str, Page]:
    """Run every conversation; return a page for each chat."""
    server, pages = TelegramServer(), {"discord": Page(), "telegram": Page()}
    await server.start()
    moderators = [f"telegram:{telegram},discord:{discord}" for telegram, discord in NUMBERS.values()]
    async with FakeDiscord() as discord:
        prepare(discord)
        process = BotProcess(
            folder,
            "bot",
            DISCORD_TOKEN=DISCORD_TOKEN,
            DISCORD_API_URL=discord.api,
            DISCORD_GATEWAY_URL=discord.gateway.address,
            TELEGRAM_TOKEN=TELEGRAM_TOKEN,
            TELEGRAM_API_URL=server.url,
            MODERATORS=",".join(moderators),
            TRAINING_SOURCES="discord,telegram,local,api",
        )
        try:
            await asyncio.to_thread(process.start)
            languages: tuple[Language, ...] = ("en", "vi")
            for language in languages:
                for page in pages.values():
                    page.lines += [f"## {HEADINGS[language]}", ""]
                telegram, own = NUMBERS[language]
                over_discord = OverDiscord(discord, own, language, pages["discord"])
                over_telegram = OverTelegram(server, telegram, language, pages["telegram"])
                # One after the other with different songs, since known songs are answered differently.
                for talk in (over_discord, over_telegram):
                    songs = folder / f"{type(talk).__name__}-{language}"
                    await asyncio.to_thread(make_songs, songs, telegram + isinstance(talk, OverDiscord) * 100)
                    await converse(talk, songs)
        finally:
            await asyncio.to_thread(process.kill)
            await server.stop()
    return pages


def _distinct(messages: list[dict[str, Any]], key: str) -> Iterator[dict[str, Any]]:
    """Yield messages, without edits that repeat the same text."""
    last: dict[Any, Any] = {}
    for message in messages:
        says = {name: value for name, value in message.items() if name != "attachments" or value}
        if says != last.get(message[key]):
            yield message
        last[message[key]] = says


def _parts(message: dict[str, Any]) -> list[dict[str, Any]]:
    return [part for row in message["components"] for part in row["components"]]


def _plain(text: str) -> str:
    """Escape a line for Markdown."""
    return re.sub(r"^([#>*-])", r"\\\1", text)


async def _quiet(count: Any, is_busy: Any) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    counted, since = count(), time.monotonic()
    while time.monotonic() < deadline:
        await asyncio.sleep(0.1)
        if count() != counted or is_busy():
            counted, since = count(), time.monotonic()
        elif time.monotonic() - since > QUIET_SECONDS:
            return


def main() -> None:
    """Write the transcripts."""
    parser = argparse.ArgumentParser(description=__doc__)
    docs = Path(__file__).resolve().parents[1] / "docs"
    parser.add_argument("--out", type=Path, default=docs, help="folder to write to")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        pages = asyncio.run(transcribe(Path(folder)))
    for chat, page in pages.items():
        heading = [
            f"# A conversation on {chat.capitalize()}",
            "",
            f"Written by `python benchmarks/transcript.py`.{NOTES[chat]}",
            "",
        ]
        text = "\n".join([*heading, *page.lines])
        for number, picture in enumerate(page.pictures, start=1):
            name = f"transcript-{chat}-{number}.png"
            if number == 1:
                (out / name).write_bytes(picture)
            shown = f"> ![The answer's picture]({name})" if number == 1 else "> *(its picture)*"
            text = text.replace(f"> *(picture {number})*", shown)
        with contextlib.suppress(FileNotFoundError):
            (out / f"transcript-{chat}.md").unlink()
        (out / f"transcript-{chat}.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
