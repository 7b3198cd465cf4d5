"""Links: what somebody pasted → a file on this machine, fetched in a guarded child process that can be killed.

``address`` reads what was pasted, ``fetcher`` runs the child, ``child``, ``site`` and ``guard`` are what runs in it.
"""

from links.address import read_link
from links.errors import LinkError, ManySongs
from links.fetcher import Fetched, Fetcher
from links.limits import MEGABYTE, Limits

__all__ = ["MEGABYTE", "Fetched", "Fetcher", "Limits", "LinkError", "ManySongs", "read_link"]
