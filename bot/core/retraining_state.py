"""What is known of the retraining inside the bot: what could be learnt next, and how the last run went.

``bot.retraining`` runs it; the state is stored, so that every process of the bot tells the same.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from classifier.features import recording_identity
from classifier.features.texture_columns import FAMILY, WIDTH
from storage import AggregationRules

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from bot.core.localization import Localizer
    from bot.settings import Settings
    from storage import GenreReadiness, SegmentVectors, Storage

Outcome = Literal["never", "running", "promoted", "refused", "not-enough", "failed"]
NOTE: Final = "retraining"
GENRES_SHOWN: Final = 12


@dataclass(frozen=True, slots=True)
class RetrainingState:
    """How the last run went, or how far the present one has come.

    Attributes
    ----------
    outcome
        What came of it.
    at
        When it ended, or began if it is running (UTC, ISO 8601); empty if there was none.
    text
        What it said: the stage, the gate's reasons, or the error.
    """

    outcome: Outcome = "never"
    at: str = ""
    text: str = ""

    @property
    def time(self) -> datetime | None:
        """When it ended or began."""
        return datetime.fromisoformat(self.at) if self.at else None


async def load_state(storage: Storage) -> RetrainingState:
    """Return the stored state."""
    stored = await storage.value(NOTE)
    return RetrainingState() if stored is None else RetrainingState(**json.loads(stored))


async def save_state(storage: Storage, state: RetrainingState) -> None:
    """Store a state."""
    await storage.put(NOTE, json.dumps(asdict(state)))


def rules_of(settings: Settings) -> AggregationRules:
    """Return which labels count, as the settings say."""
    return AggregationRules.of(settings.used_by, settings.agreement, settings.training_sources)


async def readiness(storage: Storage, settings: Settings) -> list[GenreReadiness]:
    """Return how much feedback there is on each genre, recordings told apart by their sound."""
    return await storage.readiness.table(rules_of(settings), same_recordings=same_recordings)


def same_recordings(songs: Sequence[tuple[SegmentVectors, ...]]) -> list[int]:
    """Number songs by their recordings; see ``storage.readiness``."""
    numbers = list(range(len(songs)))
    able = [
        place
        for place, song in enumerate(songs)
        if song and all(FAMILY in part.families and len(part.families[FAMILY]) == WIDTH for part in song)
    ]
    if able:
        means = np.stack([np.mean([part.families[FAMILY] for part in songs[place]], axis=0) for place in able])
        lengths = [songs[place][-1].end for place in able]
        marks = recording_identity.marks(means.astype(np.float32))
        for group in recording_identity.groups(recording_identity.pairs(marks, lengths)):
            for place in group:
                numbers[able[place]] = able[group[0]]
    return numbers


async def report(storage: Storage, settings: Settings, genres: Collection[str], words: Localizer) -> list[str]:
    """Return lines on what could be learnt next, and on the last run.

    Parameters
    ----------
    genres
        Those that the serving release tells.
    """
    table = await readiness(storage, settings)
    lines = [genre_line(each, words, known=each.label in genres) for each in table[:GENRES_SHOWN]]
    told = [words.translate("readiness-heading"), *lines, ""] if lines else []
    return [*told, run_line(await load_state(storage), settings, words)]


def genre_line(genre: GenreReadiness, words: Localizer, *, known: bool) -> str:
    """Return what there is of a genre, and what is missing."""
    name = words.genre_title(genre.label)
    kind = "known" if known else "complete" if genre.complete else "missing"
    parts = [
        words.translate(
            f"readiness-{kind}",
            genre=name,
            recordings=genre.recordings,
            needed=genre.needed_recordings,
            people=genre.people,
        )
    ]
    if not known and genre.missing_people:
        parts.append(words.translate("readiness-people", people=genre.missing_people))
    counts = {"copies": genre.copies, "unconfirmed": genre.unconfirmed}
    counts |= {"waiting": genre.waiting, "disputed": genre.disputed}
    parts += [words.translate(f"readiness-{kind}", songs=songs) for kind, songs in counts.items() if songs]
    if genre.counts_from is not None:
        parts.append(words.translate("readiness-later", songs=genre.later, time=_shown(genre.counts_from)))
    return "; ".join(parts)


def run_line(state: RetrainingState, settings: Settings, words: Localizer) -> str:
    """Return how the last run went; before the first one, when it will be."""
    if state.time is None:
        return words.translate(f"retraining-{settings.retrains}")
    return words.translate(f"retraining-{state.outcome}", time=_shown(state.time), text=state.text)


def _shown(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
