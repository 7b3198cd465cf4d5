"""A client of the local page in plain Python: asks for a status, or sends a song and waits for the answer.

``python -m deploy.visitor status URL``, ``… song PAGE FILE``, ``… send PAGE FILE``; prints JSON.
"""

# ruff: noqa: T201, S310 - prints for a script, which chooses the addresses

from __future__ import annotations

import json
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import quote

ANSWER_SECONDS = 120.0


def status(url: str) -> int:
    """Return the HTTP status of a page, or 0 if there is no answer."""
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


class Visitor:
    """One browser session.

    Parameters
    ----------
    page
        The page's address, without a slash at the end.
    """

    def __init__(self, page: str) -> None:
        self._page = page
        self._headers = {"Origin": page}
        with self._post("/hello") as response:
            self._headers["Cookie"] = response.headers["Set-Cookie"].partition(";")[0]

    def send(self, path: Path, more: bytes = b"") -> dict[str, Any]:
        """Send a song and return its entry; extra bytes at its end make it a different file to the bot."""
        with self._post("/songs", path.read_bytes() + more, {"X-File-Name": quote(path.name)}) as response:
            return dict(json.load(response))

    def answer(self, number: int, seconds: float = ANSWER_SECONDS) -> dict[str, Any]:
        """Wait until a song is answered or has failed; return its entry."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with self._post("/hello") as response:
                entries = json.load(response)["entries"]
            entry = next(entry for entry in entries if entry["id"] == number)
            if entry["state"] != "waiting":
                return dict(entry)
            time.sleep(0.1)
        raise TimeoutError("no answer")

    def _post(self, path: str, data: bytes = b"", headers: dict[str, str] | None = None) -> Any:
        request = urllib.request.Request(
            self._page + path, data=data, method="POST", headers=self._headers | (headers or {})
        )
        return urllib.request.urlopen(request, timeout=30)


def main(what: str, url: str, *files: str) -> object:
    """Run one command and return its result."""
    if what == "status":
        return status(url)
    visitor = Visitor(url)
    entry = visitor.send(Path(files[0]), b"" if what == "song" else b"once more")
    return entry if what == "send" else visitor.answer(entry["id"])


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
