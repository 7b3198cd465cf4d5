"""What the band plays in each style: chords, bass, drums, a tune, an ending."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from classifier.training.synthesis import instruments as i
from tests.synthesis.harmony import (
    BLUES,
    MAJOR,
    MAJOR_PENTATONIC,
    MINOR,
    MINOR_PENTATONIC,
    PHRYGIAN,
    Chord,
    chords,
    tune,
    walk,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from tests.synthesis.band import Band, Voice

Rhythms = tuple[tuple[float, ...], ...]

SINGABLE: Rhythms = ((1, 1, 2), (1.5, 0.5, 1, 1), (0.5, 0.5, 1, 2), (2, 1, 1), (1, 0.5, 0.5, 2), (-0.5, 0.5, 1, 2))
LIVELY: Rhythms = (
    (0.5, 0.5, 1, 0.5, 0.5, 1),
    (-0.5, 0.5, 0.5, 0.5, 1, 1),
    (0.5, 1, 0.5, 1, 1),
    (1, 0.5, 0.5, -0.5, 1.5),
)
SPARSE: Rhythms = ((-1, 1, 2), (1, 1, -2), (-0.5, 0.5, 0.5, 0.5, -2), (1.5, 0.5, -2), (-2, 1, 1))


@dataclass(frozen=True, slots=True)
class Style:
    """How a style is played: the tempo lies between two bounds in beats per minute."""

    play: Callable[[Band, np.random.Generator, int], None]
    tempo: tuple[float, float]
    beats_per_bar: int = 4
    swing: float = 0.5
    room: float = 0.2
    presence: float = 0


def _pick(rng: np.random.Generator, *progressions: str) -> list[Chord]:
    return chords(progressions[int(rng.integers(len(progressions)))])


def _stretch(progression: list[Chord], bars: int) -> list[Chord]:
    """Repeat a progression over so many bars."""
    return [progression[bar % len(progression)] for bar in range(bars)]


def _disco(band: Band, rng: np.random.Generator, bars: int) -> None:
    tonic = int(rng.integers(55, 62))
    plan = _stretch(
        _pick(rng, "I:m7 bVI:maj7 bIII:maj7 bVII:7", "I:m7 IV:m7 bVII:7 bIII:maj7", "I:m7 IV:7 I:m7 V:m7"), bars
    )
    for bar, chord in enumerate(plan):
        start, bass = bar * 4, chord.bass(33, tonic)
        for beat in range(4):
            band.drum(i.kick, start + beat, 0.9)
            band.drum(i.open_hat, start + beat + 0.5, 0.35, 0.3)
            band.drum(i.closed_hat, start + beat, 0.2, 0.3)
            band.note(i.finger_bass, bass, start + beat, 0.45, 0.5)
            band.note(i.finger_bass, bass + 12, start + beat + 0.5, 0.4, 0.42)
            if beat % 2:
                band.drum(i.clap, start + beat, 0.55, -0.1)
        for stroke in (0.5, 1.25, 1.5, 2.5, 3.25, 3.5):
            band.chord(i.plucked_string, chord.near(69, tonic), start + stroke, 0.18, 0.16, 0.5)
        if bar >= 2:
            band.chord(i.strings, chord.near(66, tonic), start, 4, 0.16, -0.3)
    for note in tune(rng, MINOR, tonic + 12, plan, LIVELY):
        if note.beat >= 16 or bars < 6:
            band.note(i.strings, note.midi, note.beat, note.beats, 0.4, -0.1)
    _end(band, bars * 4, plan[0], tonic, i.strings, i.finger_bass)


def _blues(band: Band, rng: np.random.Generator, bars: int) -> None:
    tonic = int(rng.integers(52, 58))
    plan = _stretch(chords("I:7 IV:7 I:7 I:7 IV:7 IV:7 I:7 I:7 V:7 IV:7 I:7 V:7"), bars)
    for bar, (chord, start) in enumerate(zip(plan, range(0, 4 * bars, 4), strict=True)):
        bass = chord.bass(35, tonic)
        for beat, step in enumerate((0, 4, 7, 9)):
            band.note(i.upright_bass, bass + step, start + beat, 0.9, 0.55)
            band.drum(i.ride, start + beat, 0.3, 0.3)
            band.drum(i.closed_hat, start + beat + 0.5, 0.25, 0.3)
            top = 7 if beat % 2 == 0 else 9
            for half in (0, 0.5):
                band.chord(i.plucked_string, (bass + 12, bass + 12 + top), start + beat + half, 0.45, 0.26, -0.35)
            band.drum(i.snare if beat % 2 else i.kick, start + beat, 0.5)
        if bar % 12 == 11:
            for number in range(3):
                band.drum(i.tom, start + 3 + number / 3, 0.5, -0.3 + 0.3 * number)
    for note in tune(rng, BLUES, tonic + 12, plan, SPARSE + SINGABLE[:2]):
        band.note(i.harmonica, note.midi, note.beat, note.beats, 0.42, 0.15)
    _end(band, bars * 4, plan[0], tonic, i.plucked_string, i.upright_bass)


def _metal(band: Band, rng: np.random.Generator, bars: int) -> None:
    tonic = int(rng.integers(38, 42))
    plan = _stretch(_pick(rng, "I:5 I:5 bVI:5 bVII:5", "I:5 bII:5 I:5 bIII:5", "I:5 I:5 IV:5 bII:5"), bars)
    for bar, chord in enumerate(plan):
        start, root = bar * 4, chord.bass(tonic, tonic)
        band.note(i.power_chord, root, start, 1.0, 1.0, -0.7)
        band.note(i.power_chord, root, start, 1.0, 1.0, 0.7)
        for gallop in (1, 1.5, 1.75, 2, 2.5, 2.75, 3, 3.5, 3.75):
            for side in (-0.7, 0.7):
                band.note(i.muted_power_chord, tonic, start + gallop, 0.24, 0.9, side)
            band.note(i.synth_bass, tonic - 12, start + gallop, 0.24, 0.45)
            band.drum(i.kick, start + gallop, 0.35)
        band.note(i.synth_bass, root - 12, start, 0.9, 0.5)
        for beat in range(4):
            band.drum(i.snare if beat % 2 else i.kick, start + beat, 0.5)
            band.drum(i.crash if beat == 0 and bar % 4 == 0 else i.ride, start + beat, 0.5, 0.35)
    if bars >= 6:
        for note in tune(rng, PHRYGIAN, tonic + 24, plan, ((0.5,) * 8, (1, 0.5, 0.5, 0.5, 0.5, 1), (2, 2))):
            if note.beat >= 16:
                band.note(i.lead_guitar, note.midi, note.beat, note.beats, 0.42)
    _end(band, bars * 4, plan[0], tonic, i.power_chord, i.synth_bass, crash=True)


def _classical(band: Band, rng: np.random.Generator, bars: int) -> None:
    tonic = int(rng.integers(57, 64))
    plan = _stretch(_pick(rng, "I V VI:m III:m IV I IV V", "I VI:m IV V I IV V I", "I II:m V I VI:m II:m V:7 I"), bars)
    for bar, chord in enumerate(plan):
        pitches = chord.near(57, tonic)
        for step, which in enumerate((0, 2, 1, 2, 0, 2, 1, 2)):
            band.note(i.piano, pitches[which], bar * 4 + step / 2, 0.7, 0.3 if step % 4 else 0.36, -0.3)
        band.note(i.strings, chord.bass(36, tonic), bar * 4, 4, 0.3, 0.3)
        if bar >= 4:
            band.chord(i.strings, chord.near(62, tonic), bar * 4, 4, 0.12, 0.4)
    for note in tune(rng, MAJOR, tonic + 12, plan, SINGABLE):
        voice = i.piano if note.beat < bars * 2 else i.strings
        band.note(voice, note.midi, note.beat, note.beats, 0.5, 0.1)
    _end(band, bars * 4, chords("I")[0], tonic, i.piano, i.strings)


def _reggae(band: Band, rng: np.random.Generator, bars: int) -> None:
    tonic = int(rng.integers(55, 61))
    plan = _stretch(_pick(rng, "I IV I V", "I:m IV:m I:m V:m", "I VI:m IV V"), bars)
    line = ((0, 0), (0.75, 0), (1.5, 7), (2.5, 4), (3, 0))
    for bar, chord in enumerate(plan):
        start, bass = bar * 4, chord.bass(31, tonic)
        for beat, step in line:
            band.note(i.finger_bass, bass + (chord.tones[1] if step == 4 else step), start + beat, 0.6, 0.7)
        band.drum(i.kick, start + 2, 0.8)
        band.drum(i.snare, start + 2, 0.5)
        for half in range(8):
            band.drum(i.closed_hat, start + half / 2, 0.2 + 0.12 * (half % 2), 0.35)
        for offbeat in (0.5, 1.5, 2.5, 3.5):
            band.chord(i.plucked_string, chord.near(66, tonic), start + offbeat, 0.14, 0.3, -0.4)
            band.chord(i.organ, chord.near(69, tonic), start + offbeat, 0.2, 0.16, 0.4)
        if bar % 4 == 3:
            band.drum(i.tom, start + 3.5, 0.5, -0.4)
    scale = MAJOR_PENTATONIC if plan[0].tones == (0, 4, 7) else MINOR_PENTATONIC
    for note in tune(rng, scale, tonic + 12, plan, SPARSE + SINGABLE[3:5]):
        band.note(i.organ, note.midi, note.beat, note.beats * 0.9, 0.3, 0.1)
    _end(band, bars * 4, plan[0], tonic, i.organ, i.finger_bass)


def _hiphop(band: Band, rng: np.random.Generator, bars: int) -> None:
    tonic = int(rng.integers(54, 60))
    loop = _pick(rng, "I:m9 I:m9 bVI:maj7 V:m7", "I:m9 IV:m7 I:m9 bVII:7", "IV:m9 IV:m9 I:m9 I:m9")
    plan = _stretch(loop, bars)
    kicks = ((0, 1.75, 2.5), (0, 0.75, 2.5, 3.75))
    riff = tune(rng, MINOR_PENTATONIC, tonic + 12, loop[:2], SPARSE)
    for bar, chord in enumerate(plan):
        start, bass = bar * 4, chord.bass(28, tonic)
        for beat in kicks[bar % 2]:
            band.drum(_deep_kick, start + beat, 0.95)
            band.note(i.synth_bass, bass, start + beat, 0.9 if beat else 1.4, 0.6)
        for beat in (1, 3):
            band.drum(i.snare, start + beat, 0.7)
            band.drum(i.clap, start + beat, 0.3)
        for sixteenth in range(0, 16, 2):
            band.drum(i.closed_hat, start + sixteenth / 4, 0.3, 0.25)
        band.drum(i.closed_hat, start + 3.75, 0.2, 0.25)
        band.chord(i.electric_piano, chord.near(60, tonic), start, 2.4, 0.2, -0.2, strum=0.03)
        band.chord(i.electric_piano, chord.near(60, tonic), start + 2.5, 1, 0.14, -0.2)
        for note in riff:
            if bar % 2 == 0 and (bar >= 4 or bars < 6):
                band.note(i.piano, note.midi, start + note.beat, min(note.beats, 1.5), 0.3, 0.3)
    _end(band, bars * 4, plan[0], tonic, i.electric_piano, i.synth_bass)


def _deep_kick() -> i.Sound:
    return i.kick(deep=True)


def _jazz(band: Band, rng: np.random.Generator, bars: int) -> None:
    tonic = int(rng.integers(56, 62))
    turnaround = "I:maj7 VI:m7 II:m7 V:7 III:m7 VI:7 II:m7 V:7"
    plan = _stretch(_pick(rng, "II:m7 V:7 I:maj7 VI:7", turnaround, "II:m7 V:7 I:maj7 I:maj7"), bars)
    for beat, pitch in enumerate(walk(rng, plan, tonic)):
        band.note(i.upright_bass, pitch, beat, 0.95, 0.65)
        band.drum(i.ride, beat, 0.32, 0.35)
        if beat % 2:
            band.drum(i.ride, beat + 0.5, 0.24, 0.35)
            band.drum(i.closed_hat, beat, 0.25, -0.2)
    for bar, chord in enumerate(plan):
        for hit in ((0, 1.5), (0.5, 2.5), (1.5,), (0, 2.5))[int(rng.integers(4))]:
            band.chord(i.piano, chord.near(62, tonic), bar * 4 + hit, 0.5, 0.2, -0.3)
        band.drum(i.brushed_snare, bar * 4 + 2.5, 0.3, -0.1)
    for note in tune(rng, MAJOR, tonic + 12, plan, LIVELY + SPARSE):
        band.note(i.brass, note.midi, note.beat, note.beats * 0.95, 0.42, 0.1)
    _end(band, bars * 4, chords("I:maj7")[0], tonic, i.piano, i.upright_bass)


def _vietnamese(band: Band, rng: np.random.Generator, bars: int) -> None:
    """Play a zither and a bamboo flute in turn over a five-tone scale, a wood block marking the phrase."""
    tonic = int(rng.integers(60, 65))
    scale = ((0, 2, 5, 7, 9), (0, 2, 4, 7, 9), (0, 3, 5, 7, 10))[int(rng.integers(3))]
    plan = [Chord(0, (0, 7)) if bar % 2 == 0 else Chord(7, (0, 5)) for bar in range(bars)]
    run = [tonic - 12 + step + 12 * octave for octave in range(3) for step in scale]
    for note in tune(rng, scale, tonic + 12, plan, ((1.5, 0.5, 2), (0.5, 0.5, 1, 2), (3, 0.5, 0.5), (2, 1, 1))):
        if note.beat % 16 < 12:
            band.note(i.zither, note.midi, note.beat, note.beats + 1, 0.55, -0.15)
        else:
            band.note(i.bamboo_flute, note.midi + (12 if note.midi < 74 else 0), note.beat, note.beats, 0.5, 0.25)
    for bar in range(bars):
        band.note(i.open_zither, tonic - 12 if bar % 2 == 0 else tonic - 5, bar * 4, 3, 0.35, -0.2)
        if bar % 4 == 0:
            for number, pitch in enumerate(run if bar % 8 == 0 else run[::-1]):
                band.note(i.open_zither, pitch, bar * 4 + 0.09 * number, 2, 0.22, -0.3)
        if bar % 2:
            band.drum(i.wood_block, bar * 4 + 3, 0.5, 0.4)
    band.chord(i.open_zither, (tonic - 12, tonic, tonic + 7, tonic + 12), bars * 4, 6, 0.45, strum=0.15)


def _country(band: Band, rng: np.random.Generator, bars: int) -> None:
    tonic = int(rng.integers(55, 60))
    plan = _stretch(_pick(rng, "I I IV I V V I I", "I IV I V I IV V I"), bars)
    for bar, chord in enumerate(plan):
        start, bass = bar * 4, chord.bass(36, tonic)
        for beat, step in ((0, 0), (2, 7)):
            band.note(i.upright_bass, bass + step, start + beat, 0.9, 0.6)
            band.drum(i.kick, start + beat, 0.4)
        for beat in (1, 3):
            band.chord(i.plucked_string, chord.near(62, tonic), start + beat, 0.8, 0.28, -0.3, strum=0.02)
        for half in range(8):
            band.drum(i.brushed_snare, start + half / 2, 0.45 if half % 4 == 2 else 0.2, 0.2)
    for note in tune(rng, MAJOR_PENTATONIC, tonic + 12, plan, LIVELY + SINGABLE[:3]):
        band.note(i.plucked_string, note.midi, note.beat, note.beats + 0.4, 0.5, 0.2)
    _end(band, bars * 4, plan[0], tonic, i.plucked_string, i.upright_bass)


def _rock(band: Band, rng: np.random.Generator, bars: int) -> None:
    tonic = int(rng.integers(40, 46))
    plan = _stretch(_pick(rng, "I:5 IV:5 V:5 IV:5", "I:5 bVII:5 IV:5 I:5", "I:5 V:5 bVII:5 IV:5"), bars)
    for bar, chord in enumerate(plan):
        start, root = bar * 4, chord.bass(tonic, tonic)
        for half in range(8):
            band.note(i.power_chord, root, start + half / 2, 0.46, 0.34, -0.35)
            band.note(i.finger_bass, root - 12, start + half / 2, 0.46, 0.5)
            band.drum(i.closed_hat, start + half / 2, 0.35, 0.3)
        for beat in range(4):
            band.drum(i.snare if beat % 2 else i.kick, start + beat, 0.8)
        band.drum(i.kick, start + 2.5, 0.6)
        if bar % 8 == 0:
            band.drum(i.crash, start, 0.5, 0.3)
    for note in tune(rng, MINOR_PENTATONIC, tonic + 24, plan, SINGABLE):
        band.note(i.lead_guitar, note.midi, note.beat, note.beats, 0.45, 0.3)
    _end(band, bars * 4, plan[0], tonic, i.power_chord, i.finger_bass, crash=True)


def _pop(band: Band, rng: np.random.Generator, bars: int) -> None:
    tonic = int(rng.integers(57, 63))
    plan = _stretch(_pick(rng, "I V VI:m IV", "VI:m IV I V", "I VI:m IV V"), bars)
    for bar, chord in enumerate(plan):
        start, bass = bar * 4, chord.bass(33, tonic)
        for beat in (0, 1.5, 2, 3.5):
            band.note(i.synth_bass, bass, start + beat, 0.45, 0.4)
            band.chord(i.electric_piano, chord.near(64, tonic), start + beat, 0.7, 0.16, -0.2)
        for beat in range(4):
            band.drum(i.clap if beat % 2 else i.kick, start + beat, 0.75)
            band.drum(i.closed_hat, start + beat + 0.5, 0.35, 0.3)
        if bar >= 4:
            band.chord(i.strings, chord.near(67, tonic), start, 4, 0.12, 0.3)
    for note in tune(rng, MAJOR_PENTATONIC, tonic + 12, plan, LIVELY + SINGABLE):
        band.note(i.piano, note.midi, note.beat, note.beats + 0.3, 0.5, 0.1)
    _end(band, bars * 4, chords("I")[0], tonic, i.electric_piano, i.synth_bass)


def _end(band: Band, beat: float, chord: Chord, tonic: int, voice: Voice, bass: Voice, *, crash: bool = False) -> None:
    """Let the last chord ring."""
    beats = band.beats_left(beat)
    if len(chord.tones) == 2:
        band.note(voice, chord.bass(tonic, tonic), beat, beats, 0.6)
    else:
        band.chord(voice, chord.near(62, tonic), beat, beats, 0.35, strum=0.04)
    band.note(bass, chord.bass(33, tonic), beat, beats, 0.5)
    if crash:
        band.drum(i.crash, beat, 0.6)
        band.drum(i.kick, beat, 0.8)


STYLES: dict[str, Style] = {
    "blues": Style(_blues, (84, 104), swing=0.66, presence=2),
    "classical": Style(_classical, (72, 92), room=0.45),
    "country": Style(_country, (150, 176), swing=0.54, presence=4),
    "disco": Style(_disco, (114, 124), presence=8),
    "hiphop": Style(_hiphop, (84, 94), swing=0.56, room=0.12, presence=9),
    "jazz": Style(_jazz, (132, 168), swing=0.64, room=0.3),
    "metal": Style(_metal, (132, 152), room=0.1, presence=9),
    "pop": Style(_pop, (100, 116), presence=10),
    "reggae": Style(_reggae, (72, 82), swing=0.55, room=0.3, presence=7),
    "rock": Style(_rock, (118, 136), presence=4),
    "vietnamese": Style(_vietnamese, (62, 74), room=0.5),
}
