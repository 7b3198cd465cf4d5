"""Links without a network, for tests of what the bot makes of them: the test says what is at each."""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING

from links import FetchedSong, Fetcher, FetchLimits, Playlist, PlaylistFound, PlaylistItem
from links.errors import LinkNotFound

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LIST = "https://songs.example/list"


class LinksAtHand(Fetcher):
    """Fetches what it was given.

    Attributes
    ----------
    songs, lists
        Link → file, and link → what the list there holds.
    go_on
        Cleared by a test to hold every fetch.
    fetched
        Every link that was asked for, in order.
    """

    def __init__(self) -> None:
        super().__init__(FetchLimits(file_bytes=1_000_000, song_seconds=60))
        self.songs: dict[str, Path] = {}
        self.lists: dict[str, Playlist] = {}
        self.fetched: list[str] = []
        self.go_on = asyncio.Event()
        self.go_on.set()

    def has_list(self, *paths: Path | None, link: str = LIST, count: int = 0, newest_first: bool = False) -> str:
        """Put songs behind a link; None for one that is gone from its site. Return the link."""
        items = []
        for number, path in enumerate(paths, start=1):
            items.append(PlaylistItem(f"{link}/{number}", None, f"Song {number}"))
            if path is not None:
                self.songs[items[-1].link] = path
        self.lists[link] = Playlist("A list", tuple(items), max(count, len(items)), newest_first=newest_first)
        return link

    async def fetch(
        self, link: str, folder: Path, *, item: int | None = None, on_bytes: Callable[[int], None] | None = None
    ) -> FetchedSong:
        self.fetched.append(link)
        if link in self.lists:
            raise PlaylistFound(self.lists[link])
        await self.go_on.wait()
        if link not in self.songs:
            raise LinkNotFound
        return FetchedSong(await asyncio.to_thread(shutil.copyfile, self.songs[link], folder / "song"), None, None)
