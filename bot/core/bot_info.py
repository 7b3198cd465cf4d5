"""What people can ask the bot about itself: help, the serving release, a chat's statistics and settings."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from bot.core.localization import OWN_NAMES, clock, language_of, percent
from classifier.inference.manifest import BadRelease, read_manifest
from common.units import MEGABYTE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from bot.core.genre_names import GenreNames
    from bot.core.identity import IdHasher
    from bot.core.localization import Language, Localizer
    from bot.core.moderation import Moderation
    from bot.core.request import Requester
    from bot.settings import Settings
    from storage import ChatSettings, Storage

GENRES_TOLD = 10
CHANNELS_LISTENED = 50
# What the release was measured to do, if it brought that along; protocols that keep artists apart, harder one first.
EVALUATION = "evaluation.json"
HONEST_SPLITS = ("fault_filtered", "artist_fold", "folds")


@dataclass(frozen=True, slots=True)
class TaughtGenre:
    """A genre that people taught: with how many songs, and the share of them that was recognised when held out."""

    label: str
    songs: int
    recognised: float


@dataclass(frozen=True, slots=True)
class ReleaseAccuracy:
    """What is known about the accuracy of a release.

    Attributes
    ----------
    corrected_songs
        Number of corrected songs that it was trained on.
    base
        Cross-validated accuracy on the songs of its first training; None if unknown, or if it was never retrained.
    unseen_artists
        Accuracy on songs by artists that it was not trained on; None if unknown.
    taught
        What it knows from corrections alone.
    """

    corrected_songs: int = 0
    base: float | None = None
    unseen_artists: float | None = None
    taught: tuple[TaughtGenre, ...] = ()


class BotInfo:
    """Answers about the bot itself.

    Parameters
    ----------
    storage, keys, settings
        As the conversation's.
    names
        Names of genres.
    moderation
        Says who may change a chat's settings.

    Attributes
    ----------
    release
        Name of the serving release; empty before it is known.
    """

    def __init__(
        self, storage: Storage, keys: IdHasher, settings: Settings, names: GenreNames, moderation: Moderation
    ) -> None:
        self._storage = storage
        self._keys = keys
        self._settings = settings
        self._names = names
        self._moderation = moderation
        self._genres: tuple[str, ...] = ()
        self.release = ""
        self._changing = asyncio.Lock()

    def serves(self, release: str, genres: tuple[str, ...]) -> None:
        """Note the serving release and its genres."""
        self.release, self._genres = release, genres
        self._moderation.serves(genres)

    def help(self, names: Sequence[str], words: Localizer, largest_file: int, addressed_as: str | None = None) -> str:
        """Return the messages of these names.

        Parameters
        ----------
        largest_file
            How many bytes a song may have; the messages may state it, and the other limits.
        addressed_as
            As ``Requester.addressed_as``.
        """
        limits: dict[str, str | float] = {
            "bot": addressed_as or "",
            "minutes": round(self._settings.max_minutes),
            "megabytes": largest_file // MEGABYTE,
            "queued": self._settings.songs_per_person_queued,
            "daily": self._settings.songs_per_person_daily,
        }
        return "\n\n".join(words.translate(name, **limits) for name in names)

    async def about(self, language: Language) -> str:
        """Return what the bot is, how accurate its release is, and what it cannot do."""
        words = self._names.localizer(language)
        lines = [words.translate("about")]
        if self.release:
            genres = ", ".join(words.genre(genre) for genre in self._genres)
            lines.append(words.translate("about-release", release=self.release, count=len(self._genres), genres=genres))
        measured = await asyncio.to_thread(self._measured)
        if measured.corrected_songs:
            lines.append(words.translate("about-taught", songs=measured.corrected_songs))
        lines += [
            words.translate(
                "about-taught-genre",
                genre=words.genre_title(genre.label),
                songs=genre.songs,
                percent=percent(genre.recognised),
            )
            for genre in measured.taught
        ]
        if measured.unseen_artists is not None:
            lines.append(words.translate("about-accuracy", percent=percent(measured.unseen_artists)))
        elif measured.base is not None:
            lines.append(words.translate("about-base", percent=percent(measured.base)))
        lines.append(words.translate("about-cannot"))
        return "\n\n".join(lines)

    async def stats(self, platform: str, chat_id: str, language: Language) -> str:
        """Return a chat's statistics."""
        words = self._names.localizer(language)
        stats = await self._storage.songs.chat_stats(platform, self._keys.chat(platform, chat_id))
        if not stats.songs:
            return words.translate("stats-none")
        lines = [words.translate("stats-heard", songs=stats.songs, answers=stats.answers, length=clock(stats.seconds))]
        listed = list(stats.genres.items())
        lines += [
            words.translate("stats-genre", genre=words.genre_title(genre), songs=songs)
            for genre, songs in listed[:GENRES_TOLD]
        ]
        if len(listed) > GENRES_TOLD:
            lines.append(words.translate("stats-more", count=len(listed) - GENRES_TOLD))
        if stats.corrections:
            share = round(100 * stats.agreeing / stats.corrections)
            lines.append(words.translate("stats-opinions", corrections=stats.corrections, percent=share))
        return "\n".join(lines)

    async def chat(self, platform: str, chat_id: str) -> ChatSettings:
        """Return a chat's settings."""
        return await self._storage.chat_settings.settings(platform, self._keys.chat(platform, chat_id))

    async def moved(self, platform: str, old_id: str, new_id: str) -> None:
        """Move a chat's settings, songs and corrections to the new id that its platform gave it."""
        kept = await self.chat(platform, old_id)
        old, new = self._keys.chat(platform, old_id), self._keys.chat(platform, new_id)
        await self._storage.chat_settings.move(platform, old, new)
        if old_id in kept.listening:
            there = await self.chat(platform, new_id)
            listening = there.listening - {old_id} | {new_id}
            await self._storage.chat_settings.save(platform, new, replace(there, listening=listening))

    async def settings(self, requester: Requester, channel_format: str | None = None) -> str:
        """Return a text with a chat's settings; raises ``NotAModerator``.

        Parameters
        ----------
        channel_format
            See ``bot.core.chat.ChatLimits``.
        """
        self._require(requester)
        kept = await self.chat(requester.person.platform, requester.chat_id)
        return _shown(kept, requester.words, channel_format, private=requester.private)

    async def change(
        self,
        requester: Requester,
        *,
        language: Language | Literal["each"] | None = None,
        picture: bool | None = None,
        listen: str | None = None,
        ignore: str | None = None,
        channel_format: str | None = None,
    ) -> str:
        """Change a chat's settings and return a text with them; raises ``NotAModerator``.

        Parameters
        ----------
        language
            The chat's language, or ``each`` person's own; alone with the bot, that person's own in every chat.
        picture
            Whether answers come with the timeline.
        listen, ignore
            Id of a channel in which every song is answered from now on, or no longer.
        channel_format
            See ``bot.core.chat.ChatLimits``.
        """
        self._require(requester)
        platform, words = requester.person.platform, requester.words
        if requester.private and language is not None and language != "each":
            await self._storage.people.set_language(self._keys.person(requester.person), language)
            words = self._names.localizer(language)
            language = None
        # Two administrators at once must not undo each other's changes.
        async with self._changing:
            kept = await self.chat(platform, requester.chat_id)
            if language is not None:
                kept = replace(kept, language=None if language == "each" else language)
            if picture is not None:
                kept = replace(kept, picture=picture)
            listening = kept.listening - {ignore}
            if listen is not None and len(listening) < CHANNELS_LISTENED:
                listening |= {listen}
            kept = replace(kept, listening=frozenset(listening))
            await self._storage.chat_settings.save(platform, self._keys.chat(platform, requester.chat_id), kept)
        return _shown(kept, words, channel_format, private=requester.private)

    def _require(self, requester: Requester) -> None:
        """Raise ``NotAModerator`` unless somebody moderates the chat, or is alone with the bot in it."""
        if not requester.private:
            self._moderation.require(requester)

    def _measured(self) -> ReleaseAccuracy:
        """Return the accuracy that is stored beside the serving release."""
        folder = self._settings.release_dir
        try:
            manifest = read_manifest(folder)
        except BadRelease:
            return ReleaseAccuracy()
        if manifest["name"] != self.release:
            return ReleaseAccuracy()
        corrected, base, unseen = 0, None, None
        with suppress(KeyError, TypeError, ValueError, AttributeError):
            corrected = sum(int(songs) for songs in manifest["feedback"].values())
            base = float(manifest["figures"]["base"])
        with suppress(OSError, KeyError, TypeError, ValueError):
            figures = json.loads((folder / EVALUATION).read_text(encoding="utf-8"))
            shares = {
                figure["split"]: figure["accuracy"]
                for figure in figures
                if (figure["system"], figure["condition"]) == ("ensemble", "clean")
            }
            unseen = next((shares[split] for split in HONEST_SPLITS if shares.get(split)), None)
        return ReleaseAccuracy(corrected, base, unseen, _taught(folder, manifest))


def _taught(folder: Path, manifest: Mapping[str, Any]) -> tuple[TaughtGenre, ...]:
    """Return the genres that people taught, as the release's own evaluation measured them over all their songs."""
    found = []
    with suppress(OSError, KeyError, TypeError, ValueError):
        taught = manifest.get("taught") or []
        text = (folder / str(manifest["evaluation"])).read_text(encoding="utf-8") if taught else "{}"
        differences = {each["what"]: each for each in json.loads(text).get("differences", ())}
        for label in taught:
            measured = differences.get(f"{label}, feedback")
            if measured and measured["songs"]:
                found.append(TaughtGenre(str(label), int(measured["songs"]), float(measured["after"])))
    return tuple(found)


def _shown(kept: ChatSettings, words: Localizer, channel_format: str | None, *, private: bool) -> str:
    chosen = language_of(kept.language)
    if private:
        language = words.translate("settings-language-own", name=OWN_NAMES[words.language])
    elif chosen is None:
        language = words.translate("settings-language-each")
    else:
        language = words.translate("settings-language", name=OWN_NAMES[chosen])
    lines = [
        language,
        words.translate("settings-picture-on" if kept.picture else "settings-picture-off"),
    ]
    if kept.listening:
        shown = words.translate("chat-here") if channel_format is None else channel_format
        channels = ", ".join(sorted({shown.format(channel) for channel in kept.listening}))
        lines.append(words.translate("settings-listening", channels=channels))
    return "\n".join(lines)
