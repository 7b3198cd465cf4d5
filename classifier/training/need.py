"""Whether retraining is worth it: today's feedback against what earlier releases learnt.

These are the serving release, the last candidate, and those that were rolled back.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from classifier.inference.releases import ReleaseEvent, digest_of
from classifier.training.training_set import taught

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from classifier.inference.releases import ReleaseStore
    from classifier.training.candidate import Split
    from classifier.training.training_set import Criteria, Taught

AGAIN_AFTER: Final = 5
"""So many new songs of a label must have come before a genre that was refused is tried again."""


@dataclass(frozen=True)
class Need:
    """What has changed.

    Attributes
    ----------
    new
        Songs that none of these releases learnt from under their label of today.
    withdrawn
        Songs that the serving release learnt from and that are no longer there.
    complete
        Labels that have enough songs for a genre of their own, and were not refused with about the same ones.
    missing
        Labels that are no genre yet, with what is missing.
    rolled_back
        Whether a release that learnt from exactly these songs was rolled back.
    disputed
        Label and key of the songs that were learnt by releases that were rolled back, and not by the serving one.
    """

    new: int
    withdrawn: int
    complete: tuple[str, ...]
    missing: tuple[Taught, ...]
    rolled_back: bool
    disputed: frozenset[tuple[str, str]] = frozenset()

    def is_enough(self, new_songs: int) -> bool:
        """Tell whether to train, if so many new songs of known genres suffice."""
        return self.withdrawn > 0 or (not self.rolled_back and self.has_grown(new_songs))

    def has_grown(self, new_songs: int) -> bool:
        """Tell whether a label became complete, or so many new songs of known genres came."""
        return bool(self.complete) or self.new >= new_songs


def of(split: Split, releases: ReleaseStore, serving: Mapping[str, Any], settings: Criteria) -> Need:
    """Compare.

    Parameters
    ----------
    releases
        Where candidates are kept, with their journal.
    serving
        The manifest of the serving release.
    """
    kept = {release.name: release.manifest for release in releases.all()}
    rolled_back = releases.rolled_back()
    undone = [kept[name] for name in rolled_back if name in kept]
    tried = [*undone, *_last_candidate(releases, kept)]
    tried_pairs = _pairs_of(tried)
    tried_labels = {label for label, _ in tried_pairs}
    today = _pairs(split.keys)
    learnt = serving.get("songs")
    told = {*serving.get("genres", ()), *(style for group in serving.get("styles", {}).values() for style in group)}
    every = taught(split.train, told, settings)
    unseen = today - tried_pairs
    further = Counter(label for label, _ in unseen)
    complete = [
        one.label
        for one in every
        if one.complete and (one.label not in tried_labels or further[one.label] >= AGAIN_AFTER)
    ]
    keys = {key for _, key in today}
    return Need(
        new=_grown(split, [serving, *tried]) if learnt is None else len(unseen - _pairs(learnt)),
        withdrawn=sum(key not in keys for _, key in _pairs(learnt or {})),
        complete=tuple(complete),
        missing=tuple(one for one in every if not one.complete),
        rolled_back=bool(today) and digest_of(split.keys) in rolled_back.values(),
        disputed=frozenset(_pairs_of(undone) - _pairs(learnt or {})),
    )


def _pairs(songs: Mapping[str, Iterable[str]]) -> set[tuple[str, str]]:
    return {(label, key) for label, keys in songs.items() for key in keys}


def _pairs_of(manifests: Iterable[Mapping[str, Any]]) -> set[tuple[str, str]]:
    return {pair for manifest in manifests for pair in _pairs(manifest.get("songs") or {})}


def _last_candidate(releases: ReleaseStore, kept: Mapping[str, Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the manifest of the last candidate; nothing if there was none, or it is no longer kept."""
    made = [entry.name for entry in releases.journal() if entry.event is not ReleaseEvent.ROLLED_BACK]
    return [kept[name] for name in made[-1:] if name in kept]


def _grown(split: Split, earlier: Sequence[Mapping[str, Any]]) -> int:
    """Count songs by which labels grew: a release of before does not say which songs it learnt from."""
    seen = [manifest.get("feedback") or {} for manifest in earlier]
    return sum(max(0, count - max(one.get(label, 0) for one in seen)) for label, count in split.counts.items())
