"""A site on this machine with songs to link to, and the real fetcher, let loose on it for once."""

from __future__ import annotations

import functools
import threading
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from links import Fetcher, FetchLimits, fetcher

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest

LIMITS = FetchLimits(file_bytes=1_000_000, song_seconds=60, seconds=60)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - as the library calls it
        pass


@contextmanager
def site_of(folder: Path) -> Iterator[str]:
    """Serve a folder; give its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def fetcher_within_reach(monkeypatch: pytest.MonkeyPatch) -> Fetcher:
    """Return the real fetcher, whose child may reach this machine."""
    monkeypatch.setattr(fetcher, "CHILD", ("-sPB", "-m", "tests.links.unguarded_child"))
    monkeypatch.setattr("links.address.is_outside", lambda _: True)
    return Fetcher(LIMITS)
