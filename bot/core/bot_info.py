"""What any chat can be asked about itself: the release behind it, what it has heard here, and how it is set up.

Who may change a chat's settings is ``bot.core.moderation``'s to say.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from bot.core.localization import OWN_NAMES, clock, language_of, percent
from classifier.inference.manifest import BadRelease, read_manifest

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.core.identity import Keys
    from bot.core.localization import Language
    from bot.core.moderation import Asker
    from bot.core.vocabulary import Words
    from bot.settings import Settings
    from storage import ChatSettings, Storage

GENRES_TOLD = 10
CHANNELS_LISTENED = 50
# What the release was measured to do, if it brought that along; protocols that keep artists apart, harder one first.
EVALUATION = "evaluation.json"
HONEST_SPLITS = ("fault_filtered", "artist_fold", "folds")


@dataclass(frozen=True, slots=True)
class Measured:
    """What is known of a release.

    Attributes
    ----------
    taught
        Songs that people corrected and that it was trained on with.
    base
        Share of the songs of its first training that it was right about while they were held out; None if unknown, or
        if it never was trained on.
    strangers
        Share of songs by unknown artists that it was right about; None if unknown.
    """

    taught: int = 0
    base: float | None = None
    strangers: float | None = None


class Housekeeping:
    """The bot's answers about itself.

    Parameters
    ----------
    storage, keys, settings
        As the conversation's.
    words
        A language with the names of all genres.
    require
        Raises ``NotAModerator`` for whoever may not change a chat's settings.
    """

    def __init__(
        self,
        storage: Storage,
        keys: Keys,
        settings: Settings,
        words: Callable[[Language], Words],
        require: Callable[[Asker], None],
    ) -> None:
        self._storage = storage
        self._keys = keys
        self._settings = settings
        self._words = words
        self._require = require
        self._genres: tuple[str, ...] = ()
        self._release = ""

    def serves(self, release: str, genres: tuple[str, ...]) -> None:
        """Learn which release answers, and with which genres."""
        self._release, self._genres = release, genres

    async def about(self, language: Language) -> str:
        """Say what the bot is, how often its release was right when it was measured, and what it cannot do."""
        words = self._words(language)
        lines = [words.say("about")]
        if self._release:
            genres = ", ".join(words.genre(genre) for genre in self._genres)
            lines.append(words.say("about-release", release=self._release, count=len(self._genres), genres=genres))
        measured = await asyncio.to_thread(self._measured)
        if measured.taught:
            lines.append(words.say("about-taught", songs=measured.taught))
        if measured.strangers is not None:
            lines.append(words.say("about-accuracy", percent=percent(measured.strangers)))
        elif measured.base is not None:
            lines.append(words.say("about-base", percent=percent(measured.base)))
        lines.append(words.say("about-cannot"))
        return "\n\n".join(lines)

    async def stats(self, platform: str, chat_id: str, language: Language) -> str:
        """Say what a chat has heard."""
        words = self._words(language)
        heard = await self._storage.songs.chat_stats(platform, self._keys.chat(platform, chat_id))
        if not heard.songs:
            return words.say("stats-none")
        lines = [words.say("stats-heard", songs=heard.songs, answers=heard.answers, length=clock(heard.seconds))]
        listed = list(heard.genres.items())
        lines += [
            words.say("stats-genre", genre=words.genre_title(genre), songs=songs)
            for genre, songs in listed[:GENRES_TOLD]
        ]
        if len(listed) > GENRES_TOLD:
            lines.append(words.say("stats-more", count=len(listed) - GENRES_TOLD))
        if heard.corrections:
            share = round(100 * heard.agreeing / heard.corrections)
            lines.append(words.say("stats-opinions", corrections=heard.corrections, percent=share))
        return "\n".join(lines)

    async def chat(self, platform: str, chat_id: str) -> ChatSettings:
        """Return how a chat is set up."""
        return await self._storage.chat_settings.settings(platform, self._keys.chat(platform, chat_id))

    async def moved(self, platform: str, old_id: str, new_id: str) -> None:
        """Follow a chat to which its platform gave another id: its settings, songs and corrections go along."""
        kept = await self.chat(platform, old_id)
        old, new = self._keys.chat(platform, old_id), self._keys.chat(platform, new_id)
        await self._storage.chat_settings.move(platform, old, new)
        if old_id in kept.listening:
            there = await self.chat(platform, new_id)
            listening = there.listening - {old_id} | {new_id}
            await self._storage.chat_settings.save(platform, new, replace(there, listening=listening))

    async def settings(self, asker: Asker, *, channel_name: Callable[[str], str] = str) -> str:
        """Say how a chat is set up; raises ``NotAModerator``.

        Parameters
        ----------
        channel_name
            Turns a channel's id into what its platform shows as a name.
        """
        self._require(asker)
        kept = await self.chat(asker.person.platform, asker.chat_id)
        return self._told(kept, self._words(asker.language), channel_name)

    async def change(
        self,
        asker: Asker,
        *,
        language: Language | Literal["each"] | None = None,
        picture: bool | None = None,
        listen: str | None = None,
        ignore: str | None = None,
        channel_name: Callable[[str], str] = str,
    ) -> str:
        """Set a chat up and say how it now is; raises ``NotAModerator``.

        Parameters
        ----------
        language
            The chat's language, or ``each`` person's own.
        picture
            Whether answers come with the timeline.
        listen, ignore
            Id of a channel in which to answer every song unasked, or no longer.
        """
        self._require(asker)
        platform = asker.person.platform
        kept = await self.chat(platform, asker.chat_id)
        if language is not None:
            kept = replace(kept, language=None if language == "each" else language)
        if picture is not None:
            kept = replace(kept, picture=picture)
        listening = kept.listening - {ignore}
        if listen is not None and len(listening) < CHANNELS_LISTENED:
            listening |= {listen}
        kept = replace(kept, listening=frozenset(listening))
        await self._storage.chat_settings.save(platform, self._keys.chat(platform, asker.chat_id), kept)
        return self._told(kept, self._words(asker.language), channel_name)

    def _measured(self) -> Measured:
        """Return what the serving release brought along of what it was measured to do."""
        folder = self._settings.model_dir
        try:
            manifest = read_manifest(folder)
        except BadRelease:
            return Measured()
        if manifest["name"] != self._release:
            return Measured()
        taught, base, strangers = 0, None, None
        with suppress(KeyError, TypeError, ValueError, AttributeError):
            taught = sum(int(songs) for songs in manifest["feedback"].values())
            base = float(manifest["figures"]["base"])
        with suppress(OSError, KeyError, TypeError, ValueError):
            figures = json.loads((folder / EVALUATION).read_text(encoding="utf-8"))
            shares = {
                figure["split"]: figure["accuracy"]
                for figure in figures
                if (figure["system"], figure["condition"]) == ("ensemble", "clean")
            }
            strangers = next((shares[split] for split in HONEST_SPLITS if shares.get(split)), None)
        return Measured(taught, base, strangers)

    @staticmethod
    def _told(kept: ChatSettings, words: Words, channel_name: Callable[[str], str]) -> str:
        chosen = language_of(kept.language)
        lines = [
            words.say("settings-language-each")
            if chosen is None
            else words.say("settings-language", name=OWN_NAMES[chosen]),
            words.say("settings-picture-on" if kept.picture else "settings-picture-off"),
        ]
        if kept.listening:
            channels = ", ".join(sorted(channel_name(channel) for channel in kept.listening))
            lines.append(words.say("settings-listening", channels=channels))
        return "\n".join(lines)
