"""The releases that a folder keeps, which of them serves, and how one takes another's place.

``MODEL_DIR/manifest.json`` and the files that it lists are the release that serves; a running bot looks at nothing
else. Every release that served or might lies whole in ``MODEL_DIR/releases/NAME``. Only the exchange of
``manifest.json``, one rename, decides which serves: whatever it names lies beside it, checked and on the disk, before.
So whoever starts after a crash at any moment finds a whole release. What a release is made of is told by
``classifier.inference.manifest``, what earns it the place by ``classifier.training.gate``.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Final

from classifier.inference.manifest import KEPT, MANIFEST, BadRelease, artifact_of, read_manifest, verified

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

JOURNAL: Final = "journal.jsonl"
"""In ``KEPT``: what took whose place, when and why; one JSON object a line, the oldest first."""
_LOCK: Final = ".lock"


class Event(StrEnum):
    """What can happen to a release."""

    PROMOTED = "promoted"
    OVERRULED = "overruled"
    ROLLED_BACK = "rolled back"
    REFUSED = "refused"

    @property
    def serves(self) -> bool:
        """Whether the release took the place of another."""
        return self is not Event.REFUSED


class CannotPromote(Exception):
    """A release cannot take the place of another; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the journal.

    Attributes
    ----------
    time
        UTC, as ISO 8601.
    event
        What happened.
    name
        Of the release that it happened to.
    instead_of
        Name of the release that served until then; empty where none did.
    reason
        Why: the gate's findings, or what an operator wrote.
    feedback
        Label → songs that the release was made of.
    """

    time: str
    event: Event
    name: str
    instead_of: str
    reason: str
    feedback: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Kept:
    """A release that lies in a folder."""

    name: str
    manifest: Mapping[str, Any]
    serving: bool
    directory: Path

    @property
    def made(self) -> str:
        """UTC, as ISO 8601; where the manifest does not tell, when it was written here."""
        written = datetime.fromtimestamp((self.directory / MANIFEST).stat().st_mtime, UTC)
        return str(self.manifest.get("made") or written.isoformat(timespec="seconds"))


class Releases:
    """The releases of one ``MODEL_DIR``.

    Parameters
    ----------
    directory
        May be new; nothing is written before something is kept.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._kept = directory / KEPT

    def serving(self) -> Mapping[str, Any] | None:
        """Return the manifest of the release that serves; None where there is none that can be read."""
        with suppress(BadRelease):
            return read_manifest(self.directory)
        return None

    def all(self) -> list[Kept]:
        """List the releases, the one that serves among them, in the order in which they were made."""
        serving = self.serving()
        found = {}
        if serving is not None:
            found[str(serving["name"])] = Kept(str(serving["name"]), serving, True, self.directory)
        for folder in sorted(self._kept.iterdir()) if self._kept.is_dir() else ():
            with suppress(BadRelease):
                if not folder.name.startswith(".") and folder.name not in found and folder.is_dir():
                    found[folder.name] = Kept(folder.name, read_manifest(folder), False, folder)
        return sorted(found.values(), key=lambda kept: (kept.made, kept.name))

    def journal(self) -> list[Entry]:
        """Read the journal; a line that a crash cut short is left out."""
        try:
            lines = (self._kept / JOURNAL).read_bytes().splitlines()
        except FileNotFoundError:
            return []
        entries = []
        for line in lines:
            with suppress(ValueError, TypeError):
                values = json.loads(line)
                entries.append(Entry(**{**values, "event": Event(values["event"])}))
        return entries

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Let nobody else change releases meanwhile, and clear away what an interrupted change left.

        Raises
        ------
        CannotPromote
            If somebody else is at it, or the folder cannot be written.
        """
        try:
            self._kept.mkdir(parents=True, exist_ok=True)
            lock = os.open(self._kept / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise CannotPromote(f"Nothing can be written to {self._kept}: {error.strerror}.") from error
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise CannotPromote(f"Another program is changing the releases in {self.directory}.") from None
            for leftover in self._kept.glob(".*.part"):
                shutil.rmtree(leftover, ignore_errors=True)
            yield
        finally:
            os.close(lock)

    @contextmanager
    def adding(self, name: str) -> Iterator[Path]:
        """Give a folder to write a release into; it is kept once it is whole. Call it ``alone``.

        Raises
        ------
        BadRelease
            If what was written is not a whole release of that name.
        """
        part = self._kept / f".{_plain(name)}.part"
        part.mkdir()
        try:
            yield part
            if str(_whole(part)["name"]) != name:
                raise BadRelease(f"{part} holds another release than {name}.")
            for path in part.iterdir():
                _sync(path)
            _sync(part)
            place = self._kept / name
            if place.exists():  # damaged, or the same: either way this one is whole
                place.rename(self._kept / f".{name}.old.part")
            part.rename(place)
            _sync(self._kept)
        finally:
            shutil.rmtree(part, ignore_errors=True)
            shutil.rmtree(self._kept / f".{name}.old.part", ignore_errors=True)

    def keep(self, directory: Path) -> str:
        """Keep a copy of the release that lies in a folder; return its name. Call it ``alone``.

        Raises
        ------
        BadRelease
            If it is not whole.
        """
        manifest = _whole(directory)
        name = str(manifest["name"])
        with suppress(BadRelease):
            if _whole(self._kept / _plain(name))["files"] == manifest["files"]:
                return name
        with self.adding(name) as part:
            for file in manifest["files"]:
                shutil.copyfile(directory / file, part / file)
            shutil.copy2(directory / MANIFEST, part / MANIFEST)
        return name

    def promote(self, name: str, event: Event, reason: str) -> None:
        """Let a kept release serve. Call it ``alone``.

        The release that served is kept first. The new one's files are laid beside the old one's, then the manifest is
        exchanged; files of the same name in both, such as a card, follow. Last goes what only the old one needed.

        Raises
        ------
        BadRelease
            If it is not there or not whole; what served serves on.
        """
        folder = self._kept / _plain(name)
        if not folder.is_dir():
            raise BadRelease(f"There is no release {name} in {self._kept}. `python -m classifier releases` lists them.")
        manifest = _whole(folder)
        before = self.serving()
        with suppress(BadRelease):  # what is not whole cannot serve again
            self.keep(self.directory)
        now = {} if before is None else before["files"]
        later = [file for file, entry in manifest["files"].items() if now.get(file, entry) != entry]
        part = self._kept / f".{name}.files.part"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        for file in manifest["files"].keys() - set(later):
            self._lay(folder / file, part)
        _sync(self.directory)
        self.note(event, name, reason, instead_of="" if before is None else str(before["name"]))
        self._lay(folder / MANIFEST, part)
        _sync(self.directory)
        for file in later:
            self._lay(folder / file, part)
        self._clear(manifest["files"])
        shutil.rmtree(part, ignore_errors=True)

    def before_serving(self) -> str:
        """Name the release whose place the serving one took.

        Raises
        ------
        CannotPromote
            If none is known.
        """
        serving = self.serving()
        for entry in reversed(self.journal()):
            promoted = entry.event in {Event.PROMOTED, Event.OVERRULED}
            if serving is not None and promoted and entry.name == serving["name"] and entry.instead_of:
                return entry.instead_of
        raise CannotPromote("There is no release to go back to: the one that serves took nobody's place.")

    def forget(self, most: int) -> list[str]:
        """Remove the oldest releases beyond so many; return their names. Call it ``alone``.

        The one that serves, the one before it and the one that was made last always stay.
        """
        every = [kept.name for kept in self.all()]
        needed = {kept.name for kept in self.all() if kept.serving} | set(every[-1:])
        with suppress(CannotPromote):
            needed.add(self.before_serving())
        spare = [name for name in every if name not in needed]
        gone = spare[: max(0, len(every) - most)]
        for name in gone:
            hidden = self._kept / f".{name}.old.part"
            (self._kept / name).rename(hidden)  # a folder that is half removed is no release any more
            shutil.rmtree(hidden, ignore_errors=True)
        return gone

    def note(self, event: Event, name: str, reason: str, *, instead_of: str = "") -> None:
        """Write a line into the journal."""
        with suppress(BadRelease):
            feedback = read_manifest(self._kept / _plain(name)).get("feedback") or {}
            entry = Entry(datetime.now(UTC).isoformat(timespec="seconds"), event, name, instead_of, reason, feedback)
            line = json.dumps(asdict(entry), ensure_ascii=False).encode() + b"\n"
            with (self._kept / JOURNAL).open("a+b") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - 1))
                cut_short = file.read(1) not in {b"", b"\n"}
                file.write(b"\n" + line if cut_short else line)
                file.flush()
                os.fsync(file.fileno())

    def _lay(self, source: Path, part: Path) -> None:
        """Put a copy of a file beside the serving manifest, in one step and on the disk."""
        copy = part / source.name
        shutil.copy2(source, copy)
        _sync(copy)
        copy.replace(self.directory / source.name)

    def _clear(self, needed: Mapping[str, Any]) -> None:
        """Remove files of kept releases that lie beside the serving manifest for nothing."""
        known = {file for kept in self.all() if not kept.serving for file in _files(kept.manifest)}
        for file in known - needed.keys() - {MANIFEST}:
            (self.directory / file).unlink(missing_ok=True)


def _whole(directory: Path) -> Mapping[str, Any]:
    """Check every file of a release and return its manifest."""
    manifest = read_manifest(directory)
    artifact_of(directory, manifest)
    for file in _files(manifest):
        verified(directory, file, manifest)
    return manifest


def _files(manifest: Mapping[str, Any]) -> Sequence[str]:
    names = [str(name) for name in manifest["files"]]
    if any(PurePath(name).name != name for name in names):
        raise BadRelease(f"The manifest of {manifest['name']} names files outside its folder.")
    return names


def _plain(name: str) -> str:
    """Refuse names that lead elsewhere."""
    if PurePath(name).name != name or name.startswith("."):
        raise BadRelease(f"{name!r} is not the name of a release.")
    return name


def _sync(path: Path) -> None:
    """Have a file, or the names in a folder, on the disk before anything relies on it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
