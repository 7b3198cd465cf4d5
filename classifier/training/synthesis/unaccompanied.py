"""Music on one instrument: melodies, chords, drums, bells and organs, improvised from a random generator.

Functions take a generator and a length in seconds and return float32 samples at 44,100 Hz, shape (n,), of any level.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from scipy.signal import fftconvolve

from classifier.training.synthesis import instruments
from classifier.training.synthesis.instruments import SAMPLE_RATE, filtered, seconds_axis

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.random import Generator

    from classifier.training.synthesis.instruments import Sound

SCALES: Final = (
    (0, 2, 4, 5, 7, 9, 11),
    (0, 2, 3, 5, 7, 8, 10),
    (0, 2, 4, 7, 9),
    (0, 3, 5, 7, 10),
    (0, 2, 4, 5, 7, 9, 10),
    (0, 1, 4, 5, 7, 8, 10),
    (0, 2, 5, 7, 9),
)
"""Semitones above the tonic: major, minor, pentatonics, mixolydian, Phrygian dominant, and the Vietnamese bac."""
_A4_MIDI, _A4_HERTZ = 69, 440.0
_STEPS_PER_BAR: Final = 16
_DECAY_60_DECIBELS: Final = 6.9
"""Time constants after which a sound has decayed by 60 dB."""


class Note(NamedTuple):
    """A note of a melody: start and length in seconds, pitch as a MIDI number."""

    start: float
    seconds: float
    pitch: int


class Instrument(NamedTuple):
    """A voice of ``instruments``, with its lowest and highest pitch as MIDI numbers."""

    play: Callable[[float, float], Sound]
    lowest: int
    highest: int
    chords: bool = False


INSTRUMENTS: Final[Mapping[str, Instrument]] = {
    "guitar": Instrument(instruments.plucked_string, 45, 76, chords=True),
    "piano": Instrument(instruments.piano, 40, 88, chords=True),
    "electric piano": Instrument(instruments.electric_piano, 45, 84, chords=True),
    "organ": Instrument(instruments.organ, 45, 84, chords=True),
    "strings": Instrument(instruments.strings, 45, 84, chords=True),
    "brass": Instrument(instruments.brass, 45, 76),
    "harmonica": Instrument(instruments.harmonica, 58, 84),
    "zither": Instrument(instruments.zither, 50, 79, chords=True),
    "open zither": Instrument(instruments.open_zither, 50, 84, chords=True),
    "bamboo flute": Instrument(instruments.bamboo_flute, 60, 88),
    "finger bass": Instrument(instruments.finger_bass, 28, 50),
    "upright bass": Instrument(instruments.upright_bass, 28, 50),
    "synth bass": Instrument(instruments.synth_bass, 28, 50),
    "power chords": Instrument(instruments.power_chord, 36, 50),
    "muted power chords": Instrument(instruments.muted_power_chord, 36, 50),
    "lead guitar": Instrument(instruments.lead_guitar, 52, 80),
}


def hertz(pitch: float) -> float:
    """Return the frequency of a MIDI number."""
    return float(_A4_HERTZ * 2 ** ((pitch - _A4_MIDI) / 12))


def silence(seconds: float) -> Sound:
    """Return zeros to place notes on."""
    return np.zeros(int(seconds * SAMPLE_RATE), dtype=np.float32)


def place(total: Sound, sound: Sound, start: float, gain: float = 1.0) -> None:
    """Add a sound at ``start`` seconds; what lies outside ``total`` is dropped."""
    first = int(start * SAMPLE_RATE)
    if 0 <= first < total.size:
        count = min(sound.size, total.size - first)
        total[first : first + count] += np.float32(gain) * sound[:count]


def white_noise(draw: Generator, count: int) -> Sound:
    """Return standard normal noise, shape (count,)."""
    return draw.standard_normal(count, dtype=np.float32)


def reverberant(draw: Generator, sound: Sound, *, seconds: float, share: float) -> Sound:
    """Add the reverberation of a room; ``seconds`` is its reverberation time, ``share`` its part of the mix."""
    count = int(seconds * SAMPLE_RATE)
    response = white_noise(draw, count) * np.exp(-_DECAY_60_DECIBELS * np.arange(count) / count).astype(np.float32)
    response /= np.sqrt(np.square(response).sum())
    return ((1 - share) * sound + share * fftconvolve(sound, response)[: sound.size]).astype(np.float32)


def melody(draw: Generator, seconds: float, *, lowest: int, highest: int, tempo: tuple[float, float]) -> list[Note]:
    """Improvise a melody: a short motif on a random scale, repeated with variations.

    Parameters
    ----------
    draw
        Source of randomness.
    seconds
        Notes start before this.
    lowest, highest
        Range as MIDI numbers, at least an octave.
    tempo
        Slowest and fastest, in beats per minute.
    """
    scale, tonic = SCALES[draw.integers(len(SCALES))], int(draw.integers(12))
    pitches = [pitch for pitch in range(lowest, highest + 1) if (pitch - tonic) % 12 in scale]
    beat = 60 / draw.uniform(*tempo)
    size = int(draw.integers(4, 9))
    lengths = draw.choice([0.5, 0.5, 1, 1, 1, 1.5, 2], size)
    steps = draw.choice([-2, -1, -1, 0, 1, 1, 2, 3], size)
    notes: list[Note] = []
    start, position = 0.0, len(pitches) // 2
    while start < seconds:
        for length, usual in zip(lengths.tolist(), steps.tolist(), strict=True):
            step = int(draw.integers(-3, 4)) if draw.random() < 0.15 else usual
            position = min(max(position + step, 0), len(pitches) - 1)
            if draw.random() >= 0.08:  # otherwise a rest
                notes.append(Note(start, length * beat, pitches[position]))
            start += length * beat
        position = min(max(len(pitches) // 2 + int(draw.integers(-2, 3)), 0), len(pitches) - 1)
    return [note for note in notes if note.start < seconds]


def solo(draw: Generator, seconds: float, instrument: Instrument) -> Sound:
    """Improvise on an instrument: single notes, or chords where it can play them."""
    total = silence(seconds)
    chords = instrument.chords and draw.random() < 0.4
    width = min(19, instrument.highest - instrument.lowest)
    lowest = int(draw.integers(instrument.lowest, instrument.highest - width + 1))
    legato = draw.uniform(0.6, 1.3)
    for note in melody(draw, seconds, lowest=lowest, highest=lowest + width, tempo=(60, 150)):
        length = min(4.0, max(0.15, note.seconds * legato))
        gain = draw.uniform(0.5, 1)
        third = 3 if draw.random() < 0.4 else 4
        for number, interval in enumerate((0, third, 7) if chords else (0,)):
            strum = 0.012 * number * draw.random()
            place(total, instrument.play(hertz(note.pitch + interval), length), note.start + strum, gain)
    return total


def drum_kit(draw: Generator, seconds: float) -> Sound:
    """Play a random beat of four quarters on a drum kit, with fills and now and then without some of its drums."""
    snares = (instruments.snare, instruments.clap, instruments.brushed_snare)
    sounds = {
        "kick": instruments.kick(bool(draw.random() < 0.3)),
        "snare": snares[draw.choice(3, p=(0.6, 0.2, 0.2))](),
        "hat": instruments.closed_hat(),
        "open hat": instruments.open_hat(),
        "ride": instruments.ride(),
        "tom": instruments.tom(float(draw.uniform(80, 200))),
        "wood block": instruments.wood_block(),
    }
    extra = {"kick": 0.15, "snare": 0.06, "tom": 0.05, "wood block": 0.03, "open hat": 0.03}
    pattern = {name: (draw.random(_STEPS_PER_BAR) < extra.get(name, 0)).astype(float) for name in sounds}
    pattern["kick"][[0, 8]] = 1
    pattern["snare"][[4, 12]] = 1
    pattern["hat" if draw.random() < 0.7 else "ride"][:: int(draw.choice([1, 2, 2, 4]))] = draw.uniform(0.4, 0.9)
    if draw.random() < 0.5:
        for name in draw.choice(list(sounds), 2, replace=False):
            pattern[name][:] = 0
    step_seconds = 15 / draw.uniform(70, 175)
    swing = draw.choice([0, 0, 0.15])
    total = silence(seconds)
    for step in range(int(seconds / step_seconds) + 1):
        place_in_bar = step % _STEPS_PER_BAR
        fill = step // _STEPS_PER_BAR % 4 == 3 and place_in_bar >= 12
        start = (step + swing * (step % 2)) * step_seconds
        for name, sound in sounds.items():
            level = 1.0 if fill and name == "tom" and draw.random() < 0.6 else pattern[name][place_in_bar]
            if level > 0:
                place(total, sound, start + draw.normal(0, 0.003), level * draw.uniform(0.7, 1))
    return total


def _drum_stroke(draw: Generator, pitch: float, decay: float, *, bend: float, brightness: float) -> Sound:
    """Strike a membrane: vibrating modes whose pitch falls by ``bend``, dying away with ``decay`` 1/s, and a slap."""
    time = seconds_axis(min(1.2, 5 / decay))
    circular, tuned = (1, 1.59, 2.14, 2.3, 2.65, 2.92, 3.5), (1, 2, 3, 4, 5.02, 1.5, 2.5)
    phase = 2 * np.pi * np.cumsum(pitch * (1 + bend * np.exp(-time * draw.uniform(8, 25)))) / SAMPLE_RATE
    stroke = np.zeros(time.size)
    for number, ratio in enumerate(circular if draw.random() < 0.5 else tuned):
        amplitude = brightness**number * draw.uniform(0.3, 1) / (number + 1)
        stroke += amplitude * np.sin(ratio * phase + draw.uniform(0, 6)) * np.exp(-time * decay * (1 + 0.5 * number))
    slap = filtered(white_noise(draw, time.size), low=300, high=draw.uniform(2_000, 7_000))
    return (stroke + draw.uniform(0.1, 0.6) * slap * np.exp(-time * draw.uniform(40, 150))).astype(np.float32)


def hand_drums(draw: Generator, seconds: float) -> Sound:
    """Play a repeated pattern of low, high and slapped strokes on a hand drum, as on a tabla or a frame drum."""
    pitch = draw.uniform(60, 260)
    strokes = (
        _drum_stroke(draw, pitch, draw.uniform(5, 14), bend=draw.uniform(0, 0.4), brightness=1.0),
        _drum_stroke(draw, pitch * draw.uniform(1.3, 2.6), draw.uniform(10, 30), bend=0, brightness=1.2),
        _drum_stroke(draw, pitch * draw.uniform(2, 4), draw.uniform(30, 70), bend=0, brightness=1.3),
    )
    jingle = filtered(white_noise(draw, 3_000), low=5_000) * np.exp(-np.arange(3_000) / 600).astype(np.float32)
    jingles = draw.random() < 0.3
    size = int(draw.choice([6, 8, 10, 12, 14, 16]))
    pattern = draw.choice([-1, 0, 1, 2], size, p=(0.25, 0.25, 0.3, 0.2))  # -1 is a rest
    pattern[0] = 0
    accents = draw.uniform(0.3, 1, size)
    step_seconds = 60 / draw.uniform(70, 140) / draw.choice([2, 3, 4])
    total = silence(seconds)
    for step in range(int(seconds / step_seconds) + 1):
        stroke = int(draw.integers(-1, 3)) if draw.random() < 0.12 else int(pattern[step % size])
        if stroke >= 0:
            start = step * step_seconds + draw.normal(0, 0.004)
            place(total, strokes[stroke], start, accents[step % size] * draw.uniform(0.8, 1.1))
            place(total, jingle, start, 0.2 * jingles)
    return total
