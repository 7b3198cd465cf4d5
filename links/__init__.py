"""Links: what somebody pasted → a file on this machine, fetched in a guarded child process that can be killed.

``address`` reads what was pasted, ``fetcher`` runs the child, ``child``, ``site`` and ``guard`` are what runs in it.

>>> fetcher = Fetcher(FetchLimits(file_bytes=100 * MEGABYTE, song_seconds=3600))
>>> fetched = await fetcher.fetch(link, folder)  # a song: its file in ``folder``, its title
>>> listing = await fetcher.list_songs(link, folder, most=50)  # a playlist, album or feed: what there is to fetch
>>> for item in listing.items:
...     fetched = await fetcher.fetch(item.link, folder / str(number), item=item.item)

Whoever calls ``fetch`` for a list without naming an item gets ``PlaylistFound``, with the same ``listing``.
"""

from links.address import parse_link
from links.errors import LinkError, PlaylistFound
from links.fetcher import FetchedSong, Fetcher
from links.limits import FetchLimits
from links.playlist import DEFAULT_PLAYLIST_SONGS, MAX_PLAYLIST_SONGS, Playlist, PlaylistItem

__all__ = [
    "DEFAULT_PLAYLIST_SONGS",
    "MAX_PLAYLIST_SONGS",
    "FetchLimits",
    "FetchedSong",
    "Fetcher",
    "LinkError",
    "Playlist",
    "PlaylistFound",
    "PlaylistItem",
    "parse_link",
]
