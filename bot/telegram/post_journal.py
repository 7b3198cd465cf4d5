"""Remembers which message was posted for which song, also when the bot is killed before the database knows of it.

A line is appended before a song's message is sent and another when Telegram has said its number. Appending without
``fsync`` takes microseconds and outlives the process, which is what this is for; a power cut may cost a stray message.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

ENDED_LINES = 500
"""The file is written anew after so many songs have ended."""


@dataclass(frozen=True, slots=True)
class PostedMessage:
    """A message that was sent, or was about to be.

    Attributes
    ----------
    chat
        Where.
    after
        The newest message known before it was sent.
    button
        Text of its Cancel button.
    message
        Its number; None if Telegram had not said it yet.
    """

    chat: int
    after: int
    button: str
    message: int | None = None


class PostJournal:
    """The messages of songs that have not ended.

    Parameters
    ----------
    path
        The file; made if there is none.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._entries = _read(path)
        self._ended = 0
        self._rewrite()

    def get(self, job_id: int) -> PostedMessage | None:
        """Return what was last noted for a song."""
        return self._entries.get(job_id)

    def note(self, job_id: int, entry: PostedMessage) -> None:
        """Note what is about to be sent for a song, or was."""
        self._entries[job_id] = entry
        self._append(job_id, entry)

    def forget(self, job_id: int) -> None:
        """Forget a song that has ended."""
        if self._entries.pop(job_id, None) is None:
            return
        self._ended += 1
        if self._ended >= ENDED_LINES:
            self._rewrite()
        else:
            self._append(job_id, None)

    def _append(self, job_id: int, entry: PostedMessage | None) -> None:
        line = json.dumps([job_id, None if entry is None else asdict(entry)])
        # Where nothing can be written, a crash may leave a stray message; songs go on.
        with suppress(OSError), self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def _rewrite(self) -> None:
        self._ended = 0
        lines = [json.dumps([job_id, asdict(entry)]) + "\n" for job_id, entry in self._entries.items()]
        fresh = self._path.with_suffix(".new")
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            fresh.write_text("".join(lines), encoding="utf-8")
            fresh.replace(self._path)


def _read(path: Path) -> dict[int, PostedMessage]:
    entries: dict[int, PostedMessage] = {}
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return entries
    for line in lines:
        try:
            job_id, fields = json.loads(line)
            if fields is None:
                entries.pop(job_id, None)
            else:
                entries[job_id] = PostedMessage(**fields)
        except (ValueError, TypeError):  # cut off by a crash
            continue
    return entries
