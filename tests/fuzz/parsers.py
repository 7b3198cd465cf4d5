"""The functions that parse people's text: each is called with arbitrary text and must not fail.

Promises about their results are asserted, so that a wrong result counts as a crash.
"""

from __future__ import annotations

import json
import tempfile
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import telegram
from pydantic import ValidationError
from yt_dlp.utils import DownloadError, ExtractorError

from bot.core import messages
from bot.core.callbacks import CALLBACK_BYTES, decode
from bot.core.chat import OutgoingMessage
from bot.core.errors import ButtonExpired, DateUnclear
from bot.core.export_request import ExportRequest, export_filter, read_export_filter
from bot.core.localization import LANGUAGES, Localizer, language_of, preferred_language
from bot.core.messages import CorrectionView
from bot.core.song_selection import links_in
from bot.discord import discord
from bot.discord.components import text_of, typed_name
from bot.settings import Settings
from bot.telegram.api_client import shortened
from bot.telegram.message_parsing import command_of, content_of, is_addressed
from classifier.song_report import SegmentReport, SongReport
from common.errors import UserError
from links import FetchLimits, LinkError, parse_link
from links import address as links_address
from links.error_mapping import code_of
from links.errors import error_from_code
from links.guard import is_public
from links.playlist_parsing import parse_playlist
from storage import label_text as genre_names
from storage.errors import BadImportFile
from storage.feedback_import import read_songs
from storage.feedback_rows import TABLE_COLUMNS
from storage.feedback_writers import formula, harmless

if TYPE_CHECKING:
    from collections.abc import Callable

UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
LIMITS = FetchLimits(file_bytes=1_000_000, song_seconds=60)
SECRETS = {name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)}
SECRET_CHARACTERS = 24


@dataclass(frozen=True)
class Parser:
    """A function to call, and seed texts that reach its special cases."""

    read: Callable[[str], None]
    seeds: tuple[str, ...] = ()


def link(text: str) -> None:
    for hosts in (("*",), ("song.example",)):
        with suppress(LinkError):
            found = parse_link(text, hosts)
            assert found.lower().startswith(("http://", "https://"))
            assert not any(character.isspace() or unicodedata.category(character)[0] == "C" for character in found)


def host(text: str) -> None:
    links_address.allows(("song.example",), text)
    links_address.is_outside(text)
    is_public(text)


def site_name(text: str) -> None:
    name = links_address.clean_name(text)
    if name is not None:
        assert not set(name) & set("@<>*_`~|\\\n\r\0")
        assert "://" not in name
        assert not {unicodedata.category(character) for character in name} & UNSEEN
        assert links_address.clean_name(name) is not None


def title(text: str) -> None:
    for kept in (messages.clean_title(text), genre_names.clean_title(text, 100)):
        if kept is not None:
            assert 0 < len(kept) <= messages.TITLE_CHARACTERS
            assert kept == kept.strip()
            assert not {unicodedata.category(character) for character in kept} & UNSEEN


def genre_name(text: str) -> None:
    key = genre_names.name_key(text)
    assert genre_names.name_key(key) == key
    genre_names.bare_key(text)
    genre_names.bare_words(text)
    with suppress(UserError):
        name = genre_names.clean_name(text)
        assert 0 < len(name) <= genre_names.LABEL_CHARACTERS
        assert not {unicodedata.category(character) for character in name} & UNSEEN
        assert genre_names.clean_name(name) == name


def button(text: str) -> None:
    with suppress(ButtonExpired):
        read = decode(text)
        assert decode(str(read)) == read
        assert len(str(read).encode()) <= CALLBACK_BYTES


def telegram_message(text: str) -> None:
    """Build a message whose text places its entities and files; a text that is JSON is used as the message itself."""
    given = _json(text)
    entities = [
        {"type": kind, "offset": (len(text) * number) % 17 - 1, "length": len(text) - number}
        for number, kind in enumerate(("bot_command", "url", "mention", "text_link"))
    ]
    names = {"file_id": "1", "file_unique_id": "1", "file_name": text, "mime_type": text, "title": text}
    whole: dict[str, Any] = {
        "message_id": 1,
        "date": 1,
        "chat": {"id": 1, "type": "private"},
        "from": {"id": 2, "is_bot": False, "first_name": text},
        "text": text,
        "caption": text,
        "entities": entities,
        "caption_entities": entities,
        "document": names,
        "audio": {**names, "duration": 1, "performer": text},
        **(given if isinstance(given, dict) else {}),
    }
    try:
        message = telegram.Message.de_json(whole, None)
        message.parse_entities()
    except (ValueError, TypeError, AttributeError, KeyError, OverflowError, OSError, UnicodeError):
        return  # what the library cannot parse never gets here
    command_of(message, "genre_bot")
    content_of(message)
    is_addressed(message, 1, "genre_bot")


def export_wish(text: str) -> None:
    with suppress(DateUnclear):
        assert isinstance(read_export_filter(text), ExportRequest)


def discord_text(text: str) -> None:
    found = links_in(text)
    assert all(one.lower().startswith(("http:", "https:")) for one in found)
    with suppress(DateUnclear):
        export_filter(since=text, until=text)
    assert isinstance(typed_name(_json(text)), str)
    assert "\n" in text_of(OutgoingMessage("said", title=text)) or not text or len(text) > 900
    assert len(discord.utils.escape_markdown(text)) >= len(text)


def export_cell(text: str) -> None:
    cell = harmless(text)
    assert not cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r"))
    assert formula(cell) == text or text.startswith("'")


def cut_to_length(text: str) -> None:
    for limit in (1, 20, 200):
        short = shortened(text.encode("utf-16-le", "ignore").decode("utf-16-le", "ignore"), limit)
        assert len(short.encode("utf-16-le")) <= 2 * limit


def setting(text: str) -> None:
    for name in list(Settings.model_fields)[len(text) % 4 :: 4]:
        try:
            Settings(**{name: text})  # type: ignore[arg-type]
        except ValidationError as wrong:
            told = str(wrong)
            assert len(text) < SECRET_CHARACTERS or name not in SECRETS | {"database_url"} or text not in told


def language(text: str) -> None:
    assert language_of(text) in {None, *LANGUAGES}
    assert preferred_language(text) in LANGUAGES


def fluent(text: str) -> None:
    """A genre's name appears unchanged in every message, whatever markup it seems to contain."""
    for spoken in LANGUAGES:
        words = Localizer(spoken, {text: text})
        thanks = messages.thanks(CorrectionView(text, text, agrees=False, proposed=True), words, "r")
        assert text in thanks.text
        assert text in words.translate("page-genre-new", label=text)
        chances = {"blues": 0.1, text or "x": 0.9}
        part = SegmentReport(0.0, 30.0, text or "x", 0.9, chances, {"knn": text})
        report = SongReport(text or "x", 0.9, True, text, 30.0, chances, (part,))
        assert (text or "x") in messages.answer(report, words, "r", characters=10**6).text
        messages.votes(report, words)


def list_told(text: str) -> None:
    with suppress(LinkError):
        listing = parse_playlist(_json(text), "https://song.example/list", ("*",))
        assert listing.count >= len(listing.items) > 0


def site_said(text: str) -> None:
    for error in (ExtractorError(text, expected=True), DownloadError(text), ValueError(text)):
        assert str(error_from_code(code_of(error), LIMITS)).endswith(".")
    assert str(error_from_code(text, LIMITS)).endswith(".")


def feedback_file(text: str) -> None:
    """Read a text as a training file."""
    with tempfile.NamedTemporaryFile(suffix=".jsonl") as file:
        file.write(text.encode("utf-8", "surrogatepass"))
        file.flush()
        with suppress(BadImportFile):
            assert all(0 <= song.weight <= 1 and song.segments for song in read_songs(Path(file.name)))


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


_LISTING = '{"songs": [{"number": 1, "link": "https://song.example/1", "title": "a", "uploader": "b"}], "count": 2}'
_MODAL = '{"custom_id": "name:song.x", "components": [{"components": [{"custom_id": "name", "value": "x"}]}]}'

_ROW = dict.fromkeys(TABLE_COLUMNS, 0.5) | {
    "song": "0" * 64,
    "segment": 0,
    "weight": 1.0,
    "use": "train",
    "source": "telegram",
    "people": 1,
    "reviewed": False,
    "model": "first",
    "heard_as": "jazz",
    "label_people": 1,
    "start": 0.0,
    "end": 30.0,
    "updated": "2026-11-01T12:00:00+00:00",
    "giver": 1,
    "label": "jazz",
    "texture_0": 0.5,
    "texture_1": 0.5,
}
_CSV = "\n".join((",".join(_ROW), ",".join(map(str, _ROW.values()))))

PARSERS: dict[str, Parser] = {
    "links pasted": Parser(link, ("https://song.example/a?b#c", "<http://1.2.3.4:80/>", "http://[::ffff:10.1.2.3]/")),
    "hosts": Parser(host, ("0x7f.1", "①⓪.1.2.3", "fe80::1%eth0", "localhost.", "song.example")),
    "names by sites": Parser(site_name, ("@everyone **x** <b> \u202e [a](https://b)", "# x")),
    "titles": Parser(title, ("../../etc/passwd\0", "\u202egnp.mp3", "a" * 200)),
    "genre names": Parser(genre_name, ("Hip-Hop", "cải lương", "'; DROP TABLE labels --", "@everyone", "\u0345\u03b9")),
    "buttons": Parser(button, ("right:abcdefghijk", "take:12-5", "pick:abc:12", "turn:song.x:25", "set:picture:on")),
    "Telegram's messages": Parser(
        telegram_message, ("/genre@genre_bot x", '{"voice": {"file_id": "1"}}', "@genre_bot")
    ),
    "Telegram's export": Parser(
        export_wish, ("csv 2026-01-01..2026-02-03 accepted jazz", "..9999-12-31", "0001-01-01..")
    ),
    "Discord's texts": Parser(discord_text, ("see https://a.example/b).", "2026-11-01", "9999-12-31", _MODAL)),
    "export cells": Parser(export_cell, ("=1+1", "'=1", "  @x", "'", "-")),
    "texts cut": Parser(cut_to_length, ("\U0001f3b5" * 30, "a\u0301" * 30)),
    "settings": Parser(setting, ("127.0.0.1:8080", "discord:1,telegram:2", "socks5h://a:b@c:1", "3", "[::]:80", "off")),
    "languages": Parser(language, ("vi-VN,vi;q=0.9,en;q=0.8", "en_US", "*;q=nan")),
    "Fluent": Parser(fluent, ("{ $x }", "{-term}", "-term", '{"{"}', ".attr = x", "<script>")),
    "lists told": Parser(list_told, (_LISTING,)),
    "feedback files": Parser(feedback_file, (json.dumps(_ROW), f"{json.dumps(_ROW)}\n" * 2, _CSV, f"PAR1{_CSV}")),
    "sites' words": Parser(site_said, ("Private video. Sign in", "HTTP Error 403: Forbidden", "x" * 500)),
}
