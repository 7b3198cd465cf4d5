"""Chords and tunes as numbers: which pitches sound when. Pitches are MIDI numbers, time is in beats."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

MAJOR = (0, 2, 4, 5, 7, 9, 11)
MINOR = (0, 2, 3, 5, 7, 8, 10)
BLUES = (0, 3, 5, 6, 7, 10)
MAJOR_PENTATONIC = (0, 2, 4, 7, 9)
MINOR_PENTATONIC = (0, 3, 5, 7, 10)
PHRYGIAN = (0, 1, 3, 5, 7, 8, 10)

_QUALITIES = {
    "": (0, 4, 7),
    "m": (0, 3, 7),
    "7": (0, 4, 7, 10),
    "m7": (0, 3, 7, 10),
    "maj7": (0, 4, 7, 11),
    "m9": (0, 3, 7, 10, 14),
    "5": (0, 7),
}
_DEGREES = {"I": 0, "bII": 1, "II": 2, "bIII": 3, "III": 4, "IV": 5, "V": 7, "bVI": 8, "VI": 9, "bVII": 10, "VII": 11}


@dataclass(frozen=True, slots=True)
class Chord:
    """A chord over a key: its root in semitones above the tonic, and its tones above that root."""

    root: int
    tones: tuple[int, ...]

    def near(self, middle: int, tonic: int) -> list[int]:
        """Return its pitches in the inversion that lies within six semitones of ``middle``."""
        return sorted(middle - 6 + (tonic + self.root + tone - middle + 6) % 12 for tone in self.tones)

    def bass(self, lowest: int, tonic: int) -> int:
        """Return its root at or just above a pitch."""
        return lowest + (tonic + self.root - lowest) % 12


def chords(names: str) -> list[Chord]:
    """Read a progression such as ``"I VI:m7 II:m7 V:7"``."""
    result = []
    for name in names.split():
        degree, _, quality = name.partition(":")
        result.append(Chord(_DEGREES[degree], _QUALITIES[quality]))
    return result


@dataclass(frozen=True, slots=True)
class Note:
    beat: float
    midi: int
    beats: float


FORM = "AABA"
PHRASE_BARS = 4


def tune(
    rng: np.random.Generator,
    scale: Sequence[int],
    tonic: int,
    progression: Sequence[Chord],
    rhythms: Sequence[Sequence[float]],
    *,
    beats_per_bar: int = 4,
) -> list[Note]:
    """Compose a tune, one bar per chord, that says a phrase, says it again, says another, and comes back.

    A negative length in a rhythm is a rest.
    """
    line = _Line(rng, scale, tonic, rhythms)
    phrases: dict[tuple[str, tuple[Chord, ...]], list[Note]] = {}
    notes: list[Note] = []
    for number, first in enumerate(range(0, len(progression), PHRASE_BARS)):
        key = (FORM[number % len(FORM)], tuple(progression[first : first + PHRASE_BARS]))
        if key not in phrases:
            phrases[key] = line.phrase(key[1], beats_per_bar)
        start = first * beats_per_bar
        notes += [Note(start + note.beat, note.midi, note.beats) for note in phrases[key]]
    if notes:
        notes[-1] = Note(notes[-1].beat, tonic, max(2.0, notes[-1].beats))
    return notes


class _Line:
    """A line that walks along a scale and starts each bar on a tone of its chord.

    Two rhythms alternate as question and answer, a third ends every phrase.
    """

    def __init__(
        self, rng: np.random.Generator, scale: Sequence[int], tonic: int, rhythms: Sequence[Sequence[float]]
    ) -> None:
        chosen = rng.choice(len(rhythms), size=3, replace=len(rhythms) < 3)
        self._question, self._answer, self._close = (rhythms[int(index)] for index in chosen)
        self._ladder = sorted(tonic + step + 12 * octave for octave in (-1, 0, 1) for step in scale)
        self._home = self._ladder.index(tonic)
        self._place = self._home + int(rng.integers(1, 4))
        self._rng, self._tonic = rng, tonic

    def phrase(self, progression: Sequence[Chord], beats_per_bar: int) -> list[Note]:
        notes: list[Note] = []
        for bar, chord in enumerate(progression):
            rhythm = self._close if bar == PHRASE_BARS - 1 else (self._question, self._answer)[bar % 2]
            beat = float(bar * beats_per_bar)
            for number, length in enumerate(rhythm):
                if length > 0:
                    self._step(chord if number == 0 else None)
                    notes.append(Note(beat, self._ladder[self._place], length))
                beat += abs(length)
        return notes

    def _step(self, chord: Chord | None) -> None:
        self._place += int(self._rng.choice((-2, -1, -1, 0, 1, 1, 2)))
        self._place = int(np.clip(self._place, self._home - 2, min(self._home + 7, len(self._ladder) - 1)))
        if chord is not None:
            self._place = _to_chord(self._ladder, self._place, chord, self._tonic)


def _to_chord(ladder: Sequence[int], place: int, chord: Chord, tonic: int) -> int:
    wanted = {(tonic + chord.root + tone) % 12 for tone in chord.tones}
    nearest = [index for index, pitch in enumerate(ladder) if pitch % 12 in wanted]
    return min(nearest, key=lambda index: abs(index - place)) if nearest else place


def walk(rng: np.random.Generator, progression: Sequence[Chord], tonic: int, *, lowest: int = 33) -> list[int]:
    """Return a walking bass: four pitches a bar, root first, a step from the next root last."""
    roots = [chord.bass(lowest, tonic) for chord in progression]
    line: list[int] = []
    for chord, (here, following) in zip(progression, pairwise([*roots, roots[0]]), strict=True):
        third, fifth = chord.tones[1], chord.tones[min(2, len(chord.tones) - 1)]
        middle = [(third, fifth), (fifth, third), (third, fifth - 12 if here - 12 + fifth >= 28 else fifth)]
        first, second = middle[int(rng.integers(len(middle)))]
        line += [here, here + first, here + second, following + int(rng.choice((-1, 1)))]
    return line
