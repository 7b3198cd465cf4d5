"""Links: what somebody pasted → a file on this machine, fetched in a guarded child process that can be killed.

``address`` reads what was pasted, ``fetcher`` runs the child, ``child``, ``site`` and ``guard`` are what runs in it.

>>> fetcher = Fetcher(Limits(file_bytes=100 * MEGABYTE, song_seconds=3600))
>>> fetched = await fetcher.fetch(link, folder)  # a song: its file in ``folder``, its title
>>> listing = await fetcher.list_songs(link, folder, most=50)  # a playlist, album or feed: what there is to fetch
>>> for item in listing.items:
...     fetched = await fetcher.fetch(item.link, folder / str(number), item=item.item)

Whoever calls ``fetch`` for a list without naming an item gets ``ManySongs``, with the same ``listing``.
"""

from links.address import read_link
from links.errors import LinkError, ManySongs
from links.fetcher import Fetched, Fetcher
from links.limits import Limits
from links.playlist import LIST_SONGS, MOST_LIST_SONGS, Item, Listing

__all__ = [
    "LIST_SONGS",
    "MOST_LIST_SONGS",
    "Fetched",
    "Fetcher",
    "Item",
    "Limits",
    "LinkError",
    "Listing",
    "ManySongs",
    "read_link",
]
