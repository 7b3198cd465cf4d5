"""Backs up the bot's SQLite databases while it runs and restores them while it is stopped; needs only Python.

``python deploy/backup.py save DATA_DIR BACKUP`` and ``… restore BACKUP DATA_DIR``. The key (``secret.key``) is left out
on purpose: with both the key and the database, people can be identified, so store the key elsewhere, once.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Final

DATABASES: Final = ("songs.db", "local-chat.db")
LOCK: Final = "lock"
BUSY_SECONDS: Final = 30


class CannotDo(Exception):
    """The backup or the restore failed; the message says why."""


def save(data: Path, backup: Path) -> list[Path]:
    """Write a consistent copy of every database into a folder, even while the bot writes to them.

    Raises
    ------
    CannotDo
        If there is no database, or the folder already holds a copy.
    """
    found = [data / name for name in DATABASES if (data / name).exists()]
    if not found:
        raise CannotDo(f"there is no database in {data}")
    backup.mkdir(mode=0o700, parents=True, exist_ok=True)
    saved = []
    for database in found:
        copy, whole = backup / f"{database.name}.part", backup / database.name
        if whole.exists():
            raise CannotDo(f"{whole} already exists: name a new folder")
        copy.unlink(missing_ok=True)
        with closing(sqlite3.connect(database, timeout=BUSY_SECONDS, isolation_level=None)) as connection:
            connection.execute("VACUUM INTO ?", (str(copy),))
        _check(copy)
        # Only complete copies get a name without .part.
        copy.rename(whole)
        saved.append(whole)
    return saved


def restore(backup: Path, data: Path) -> list[Path]:
    """Replace the bot's databases by those in a folder; the replaced ones are kept as ``….before``.

    Raises
    ------
    CannotDo
        If a copy is damaged or missing, or a bot is using the databases.
    """
    found = [backup / name for name in DATABASES if (backup / name).exists()]
    if not found:
        raise CannotDo(f"there is no database in {backup}")
    for copy in found:
        _check(copy)
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (data / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CannotDo(f"a bot is running on {data}: stop it first") from None
        return [_put_back(copy, data / copy.name) for copy in found]


def _put_back(copy: Path, place: Path) -> Path:
    # SQLite would apply the old write-ahead log to the new file, so the three files move together.
    for ending in ("", "-wal", "-shm"):
        old = place.with_name(place.name + ending)
        if old.exists():
            old.replace(place.with_name(f"{place.name}.before{ending}"))
    arriving = place.with_name(f"{place.name}.part")
    arriving.write_bytes(copy.read_bytes())
    with arriving.open("rb") as file:
        os.fsync(file.fileno())
    return arriving.replace(place)


def _check(path: Path) -> None:
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            said = connection.execute("PRAGMA integrity_check").fetchone()[0]
    except sqlite3.DatabaseError as error:
        said = str(error)
    if said != "ok":
        raise CannotDo(f"{path} is damaged: {said}")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(prog="backup.py", description=__doc__)
    parser.add_argument("what", choices=("save", "restore"))
    parser.add_argument("source", type=Path, metavar="FROM")
    parser.add_argument("target", type=Path, metavar="TO")
    asked = parser.parse_args(arguments)
    do = save if asked.what == "save" else restore
    try:
        done = do(asked.source, asked.target)
    except (CannotDo, OSError, sqlite3.Error) as reason:
        sys.stderr.write(f"{reason}\n")
        return 1
    sys.stdout.writelines(f"{path}\n" for path in done)
    return 0


if __name__ == "__main__":
    sys.exit(main())
