"""Downloads the song behind a link, in a confined child process that can be killed at any time.

``address`` parses links; ``fetcher`` starts the child process (``subprocess_main``), in which ``ytdlp_runner``
downloads under the rules of ``guard`` and ``limits``. Errors that the person can act on are in ``errors``.

>>> fetcher = Fetcher(FetchLimits(file_bytes=100 * MEGABYTE, song_seconds=3600))
>>> fetched = await fetcher.fetch(link, folder)  # one song: a file in ``folder``, and its title
>>> playlist = await fetcher.list_songs(link, folder, most=50)  # the songs of a playlist, album or feed
>>> for item in playlist.items:
...     fetched = await fetcher.fetch(item.link, folder / str(number), item=item.item)

``fetch`` raises ``PlaylistFound``, which carries the playlist, if a link leads to several songs and no item was named.
"""

from links.address import parse_link
from links.errors import LinkError, LinkTooLong, PlaylistFound
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
    "LinkTooLong",
    "Playlist",
    "PlaylistFound",
    "PlaylistItem",
    "parse_link",
]
