"""Stores releases in a folder and switches the one that serves.

``MODEL_DIR/manifest.json`` and the files it lists are the serving release; a running bot reads nothing else. Complete
copies of all releases are in ``MODEL_DIR/releases/NAME``. A release is promoted by renaming its manifest to
``manifest.json``, after all other files have been copied, verified and synced. Therefore the folder has a valid serving
release at any time, even after a crash. ``classifier.inference.manifest`` reads releases, and
``classifier.training.gate`` decides whether one may serve.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Final

from classifier.inference.manifest import (
    MANIFEST,
    STORED_RELEASES,
    BadRelease,
    artifact_name,
    read_manifest,
    read_verified_file,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

JOURNAL: Final = "journal.jsonl"
"""File in ``STORED_RELEASES`` that records promotions and refusals; one JSON object per line, oldest first."""
_LOCK: Final = ".lock"


class ReleaseEvent(StrEnum):
    """A kind of event in the life of a release."""

    PROMOTED = "promoted"
    OVERRULED = "overruled"
    ROLLED_BACK = "rolled back"
    REFUSED = "refused"

    @property
    def serves(self) -> bool:
        """Whether the release serves after this event."""
        return self is not ReleaseEvent.REFUSED


class CannotPromote(Exception):
    """A release cannot be promoted; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """A line of the journal.

    Attributes
    ----------
    time
        UTC, as ISO 8601.
    event
        What happened.
    name
        Name of the release.
    instead_of
        Name of the release that served before; empty if there was none.
    reason
        The gate's reasons, or the operator's.
    feedback
        Label → number of corrected songs that the release was trained on.
    songs
        Digest of these songs and their labels; empty if unknown.
    """

    time: str
    event: ReleaseEvent
    name: str
    instead_of: str
    reason: str
    feedback: Mapping[str, int]
    songs: str = ""


@dataclass(frozen=True, slots=True)
class StoredRelease:
    """A stored or serving release."""

    name: str
    manifest: Mapping[str, Any]
    serving: bool
    directory: Path

    @property
    def made(self) -> str:
        """Creation time (UTC, ISO 8601) from the manifest; if it has none, the time when the manifest was written."""
        written = datetime.fromtimestamp((self.directory / MANIFEST).stat().st_mtime, UTC)
        return str(self.manifest.get("made") or written.isoformat(timespec="seconds"))


class ReleaseStore:
    """The releases in a ``MODEL_DIR``.

    Parameters
    ----------
    directory
        Need not exist; nothing is written until a release is stored.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._folder = directory / STORED_RELEASES

    def serving(self) -> Mapping[str, Any] | None:
        """Return the manifest of the serving release; None if there is no valid one."""
        with suppress(BadRelease):
            return read_manifest(self.directory)
        return None

    def all(self) -> list[StoredRelease]:
        """Return all releases, including the serving one, in the order of their creation."""
        serving = self.serving()
        found = {}
        if serving is not None:
            found[str(serving["name"])] = StoredRelease(str(serving["name"]), serving, True, self.directory)
        for folder in sorted(self._folder.iterdir()) if self._folder.is_dir() else ():
            with suppress(BadRelease):
                if not folder.name.startswith(".") and folder.name not in found and folder.is_dir():
                    found[folder.name] = StoredRelease(folder.name, read_manifest(folder), False, folder)
        return sorted(found.values(), key=lambda kept: (kept.made, kept.name))

    def journal(self) -> list[JournalEntry]:
        """Read the journal; a line that a crash cut short is skipped."""
        try:
            lines = (self._folder / JOURNAL).read_bytes().splitlines()
        except FileNotFoundError:
            return []
        entries = []
        for line in lines:
            with suppress(ValueError, TypeError):
                values = json.loads(line)
                entries.append(JournalEntry(**{**values, "event": ReleaseEvent(values["event"])}))
        return entries

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Lock the releases for changes, and remove what an interrupted change left behind.

        Raises
        ------
        CannotPromote
            If another program holds the lock, or the folder cannot be written.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            lock = os.open(self._folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise CannotPromote(f"Nothing can be written to {self._folder}: {error.strerror}.") from error
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise CannotPromote(f"Another program is changing the releases in {self.directory}.") from None
            for leftover in self._folder.glob(".*.part"):
                shutil.rmtree(leftover, ignore_errors=True)
            yield
        finally:
            os.close(lock)

    @contextmanager
    def staging(self, name: str) -> Iterator[Path]:
        """Provide a temporary folder for a new release, and store it if it is complete. Needs the ``exclusive`` lock.

        Raises
        ------
        BadRelease
            If the folder does not contain a complete release of that name.
        """
        part = self._folder / f".{_check_name(name)}.part"
        part.mkdir()
        try:
            yield part
            if str(_verify(part)["name"]) != name:
                raise BadRelease(f"{part} contains a release other than {name}.")
            for path in part.iterdir():
                _sync(path)
            _sync(part)
            target = self._folder / name
            if target.exists():  # damaged or identical; the new copy is valid in any case
                target.rename(self._folder / f".{name}.old.part")
            part.rename(target)
            _sync(self._folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)
            shutil.rmtree(self._folder / f".{name}.old.part", ignore_errors=True)

    def store(self, directory: Path) -> str:
        """Store a copy of the release in a folder; return its name. Needs the ``exclusive`` lock.

        Raises
        ------
        BadRelease
            If the release is not valid.
        """
        manifest = _verify(directory)
        name = str(manifest["name"])
        with suppress(BadRelease):
            if _verify(self._folder / _check_name(name))["files"] == manifest["files"]:
                return name
        with self.staging(name) as part:
            for file in manifest["files"]:
                shutil.copyfile(directory / file, part / file)
            shutil.copy2(directory / MANIFEST, part / MANIFEST)
        return name

    def promote(self, name: str, event: ReleaseEvent, reason: str) -> None:
        """Make a stored release the serving one. Needs the ``exclusive`` lock.

        The serving release is stored first. Then the files of the new release are copied beside the old ones and the
        manifest is replaced. Files that both releases have under the same name, such as the model card, are replaced
        after that, and files that only the old release needs are removed.

        Raises
        ------
        BadRelease
            If the release does not exist or is not valid; the serving release stays.
        """
        folder = self._folder / _check_name(name)
        if not folder.is_dir():
            raise BadRelease(
                f"There is no release {name} in {self._folder}. `python -m classifier releases` lists them."
            )
        manifest = _verify(folder)
        before = self.serving()
        with suppress(BadRelease):  # an invalid release could not serve again
            self.store(self.directory)
        now = {} if before is None else before["files"]
        later = [file for file, entry in manifest["files"].items() if now.get(file, entry) != entry]
        part = self._folder / f".{name}.files.part"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        for file in manifest["files"].keys() - set(later):
            self._install(folder / file, part)
        _sync(self.directory)
        self.log_event(event, name, reason, instead_of="" if before is None else str(before["name"]))
        self._install(folder / MANIFEST, part)
        _sync(self.directory)
        for file in later:
            self._install(folder / file, part)
        self._remove_unused(manifest["files"])
        shutil.rmtree(part, ignore_errors=True)

    def amend(self, name: str, **about: Any) -> None:
        """Change what the manifest of a release says about its making. Needs the ``exclusive`` lock."""
        part = self._folder / f".{_check_name(name)}.files.part"
        for folder in (self._folder / name, self.directory):
            with suppress(BadRelease):
                manifest = read_manifest(folder)
                if manifest["name"] == name:
                    part.mkdir(exist_ok=True)
                    draft = part / MANIFEST
                    draft.write_text(json.dumps({**manifest, **about}, indent=2, ensure_ascii=False) + "\n", "utf-8")
                    _sync(draft)
                    draft.replace(folder / MANIFEST)
                    _sync(folder)
        shutil.rmtree(part, ignore_errors=True)

    def previous_name(self) -> str:
        """Return the name of the release that served before the serving one.

        Raises
        ------
        CannotPromote
            If it is not known.
        """
        serving = self.serving()
        for entry in reversed(self.journal()):
            promoted = entry.event in {ReleaseEvent.PROMOTED, ReleaseEvent.OVERRULED}
            if serving is not None and promoted and entry.name == serving["name"] and entry.instead_of:
                return entry.instead_of
        raise CannotPromote("There is no release to go back to: no other release served before this one.")

    def names_served(self) -> list[str]:
        """Return the names of the releases that ever served, the earliest first, as far as the journal tells."""
        names = (one for entry in self.journal() if entry.event.serves for one in (entry.instead_of, entry.name))
        return list(dict.fromkeys(filter(None, names)))

    def choice(self, name: str) -> ReleaseEvent:
        """Return what a person does who lets this release serve: roll back to an earlier one, or overrule the gate."""
        serving, served = self.serving(), self.names_served()
        if serving is None or not {name, str(serving["name"])} <= set(served):
            return ReleaseEvent.OVERRULED
        is_earlier = served.index(name) < served.index(str(serving["name"]))
        return ReleaseEvent.ROLLED_BACK if is_earlier else ReleaseEvent.OVERRULED

    def rolled_back(self) -> dict[str, str]:
        """Return the releases that were rolled back and have not served again since: name → digest of their songs."""
        digests: dict[str, str] = {}
        found: dict[str, str] = {}
        for entry in self.journal():
            digests.setdefault(entry.name, entry.songs)
            if entry.event.serves:
                found = {name: songs for name, songs in found.items() if entry.name != name and entry.songs != songs}
            if entry.event is ReleaseEvent.ROLLED_BACK and entry.instead_of:
                found[entry.instead_of] = digests.get(entry.instead_of, "")
        return found

    def prune(self, most: int) -> list[str]:
        """Remove the oldest releases, keeping ``most``; return their names. Needs the ``exclusive`` lock.

        The serving release, the one before it, the newest one and those that were rolled back always stay.
        """
        names = [kept.name for kept in self.all()]
        needed = {kept.name for kept in self.all() if kept.serving} | set(names[-1:]) | self.rolled_back().keys()
        with suppress(CannotPromote):
            needed.add(self.previous_name())
        removable = [name for name in names if name not in needed]
        removed = removable[: max(0, len(names) - most)]
        for name in removed:
            # Renamed first, so that a partly removed folder is not listed as a release.
            hidden = self._folder / f".{name}.old.part"
            (self._folder / name).rename(hidden)
            shutil.rmtree(hidden, ignore_errors=True)
        return removed

    def log_event(self, event: ReleaseEvent, name: str, reason: str, *, instead_of: str = "") -> None:
        """Append an event to the journal."""
        with suppress(BadRelease):
            manifest = read_manifest(self._folder / _check_name(name))
            now = datetime.now(UTC).isoformat(timespec="seconds")
            feedback, songs = manifest.get("feedback") or {}, digest_of(manifest.get("songs") or {})
            entry = JournalEntry(now, event, name, instead_of, reason, feedback, songs)
            line = json.dumps(asdict(entry), ensure_ascii=False).encode() + b"\n"
            with (self._folder / JOURNAL).open("a+b") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - 1))
                cut_short = file.read(1) not in {b"", b"\n"}
                file.write(b"\n" + line if cut_short else line)
                file.flush()
                os.fsync(file.fileno())

    def _install(self, source: Path, part: Path) -> None:
        """Copy a file beside the serving manifest, synced to the disk and in one step."""
        copy = part / source.name
        shutil.copy2(source, copy)
        _sync(copy)
        copy.replace(self.directory / source.name)

    def _remove_unused(self, needed: Mapping[str, Any]) -> None:
        """Remove files of other releases from beside the serving manifest."""
        known = {file for kept in self.all() if not kept.serving for file in _files(kept.manifest)}
        for file in known - needed.keys() - {MANIFEST}:
            (self.directory / file).unlink(missing_ok=True)


def digest_of(songs: Mapping[str, Sequence[str]]) -> str:
    """Return a digest of corrected songs: label → keys; empty for none."""
    lines = sorted(f"{label} {key}" for label, keys in songs.items() for key in keys)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:32] if lines else ""


def _verify(directory: Path) -> Mapping[str, Any]:
    """Verify every file of a release and return its manifest."""
    manifest = read_manifest(directory)
    artifact_name(directory, manifest)
    for file in _files(manifest):
        read_verified_file(directory, file, manifest)
    return manifest


def _files(manifest: Mapping[str, Any]) -> Sequence[str]:
    names = [str(name) for name in manifest["files"]]
    if any(PurePath(name).name != name for name in names):
        raise BadRelease(f"The manifest of {manifest['name']} names files outside its folder.")
    return names


def _check_name(name: str) -> str:
    """Return the name, refusing names that are paths to other folders."""
    if PurePath(name).name != name or name.startswith("."):
        raise BadRelease(f"{name!r} is not the name of a release.")
    return name


def _sync(path: Path) -> None:
    """Sync a file or a folder to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
