"""Vietnamese songs for a band of recorded instruments: a sung or blown tune, a fiddle or lute with it, and clappers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from classifier.training.synthesis import instruments as i
from tests.synthesis.harmony import Chord, Note, tune
from tests.synthesis.soundfont import RecordedBand

if TYPE_CHECKING:
    from classifier.training.synthesis.instruments import Sound
    from tests.synthesis.band import Voice

# General MIDI has no Vietnamese instruments; these come near.
VOICE, SHAWM, FIDDLE, LUTE = 53, 68, 110, 106
CLAPPERS, HAND_DRUM, LOW_DRUM, STICKS = 75, 45, 41, 76
_LEAD, _FIDDLE, _LUTE, _LOW = i.bamboo_flute, i.strings, i.zither, i.open_zither
SCALES = ((0, 2, 5, 7, 9), (0, 3, 5, 7, 10), (0, 2, 5, 7, 10))
RHYTHMS = ((1.5, 0.5, 2), (0.5, 0.5, 1, 2), (3, 0.5, 0.5), (2, 1, 1), (1, 0.5, 0.5, 1, 1))


@dataclass(frozen=True, slots=True)
class Ensemble:
    """Who plays together, and how.

    Attributes
    ----------
    lead
        General MIDI program of what has the tune.
    tempo
        Bounds in beats per minute.
    sticks, drum
        General MIDI percussion.
    stick_beats, drum_beats
        When they are struck in a bar.
    bass
        Semitones of the low string below the tonic.
    with_fiddle
        Whether a fiddle follows the tune and takes it over now and then; otherwise a lute plays along.
    """

    lead: int
    tempo: tuple[float, float]
    sticks: int
    drum: int
    stick_beats: tuple[float, ...]
    drum_beats: tuple[float, ...]
    bass: int
    with_fiddle: bool


SUNG = Ensemble(VOICE, (72, 86), CLAPPERS, HAND_DRUM, (0, 1, 1.5, 2, 3, 3.5), (0, 2), 12, with_fiddle=True)
BLOWN = Ensemble(
    SHAWM, (50, 58), STICKS, LOW_DRUM, (0, 1, 1.5, 2, 2.5, 2.75, 3, 3.25, 3.5, 3.75), (3.5,), 24, with_fiddle=False
)


def vietnamese_song(ensemble: Ensemble, seconds: float, seed: int) -> Sound:
    """Play a song in stereo, the same for the same seed."""
    rng = np.random.default_rng([seed, 7])
    programs: dict[Voice, int] = {_LEAD: ensemble.lead, _FIDDLE: FIDDLE, _LUTE: LUTE, _LOW: LUTE}
    drums = {i.wood_block: ensemble.sticks, i.tom: ensemble.drum}
    band = RecordedBand(seconds, float(rng.uniform(*ensemble.tempo)), rng, room=0.35, programs=programs, drums=drums)
    bars = band.bars(4, ending_seconds=4)
    tonic = int(rng.integers(60, 65))
    scale = SCALES[int(rng.integers(len(SCALES)))]
    plan = [Chord(0, (0, 7)) if bar % 2 == 0 else Chord(7, (0, 5)) for bar in range(bars)]
    for note in tune(rng, scale, tonic, plan, RHYTHMS):
        rests = ensemble.with_fiddle and note.beat % 16 >= 12
        if not rests:
            _sing(band, note)
        if ensemble.with_fiddle:
            octave = 0 if rng.random() < 0.8 else 12
            band.note(_FIDDLE, note.midi + octave, note.beat + 0.05, note.beats * 0.95, 0.5 if rests else 0.33)
        else:
            for offset in np.arange(0, note.beats, 0.5):
                step = 0 if offset == 0 else int(rng.choice([0, scale[1], scale[3]]))
                band.note(_LUTE, note.midi - 12 + step, note.beat + float(offset), 0.6, 0.42)
    for bar in range(bars):
        band.note(_LOW, tonic - ensemble.bass - (0 if bar % 2 == 0 else 5), bar * 4, 2, 0.45)
        for beat in ensemble.stick_beats:
            band.drum(i.wood_block, bar * 4 + beat, 0.37)
        for beat in ensemble.drum_beats:
            band.drum(i.tom, bar * 4 + beat, 0.4)
    band.note(_LOW, tonic - ensemble.bass, bars * 4, 6, 0.5)
    band.note(_LUTE, tonic, bars * 4, 6, 0.4)
    return band.mixed()


def _sing(band: RecordedBand, note: Note) -> None:
    """Play a note of the tune: approached from above now and then, shaken at its end if it is long."""
    if band.rng.random() < 0.5:
        band.note(_LEAD, note.midi + 2, max(0.0, note.beat - 0.12), 0.12, 0.35)
    band.note(_LEAD, note.midi, note.beat, note.beats * 1.02, 0.55)
    if note.beats >= 2:
        for shake in range(3):
            band.note(_LEAD, note.midi - 2 * (shake % 2), note.beat + note.beats - 1 + 0.25 * shake, 0.24, 0.4)
