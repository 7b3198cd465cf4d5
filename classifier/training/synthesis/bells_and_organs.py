"""Bells, singing bowls, mallets, organs and drones on their own; conventions as in ``unaccompanied``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from classifier.training.synthesis import instruments
from classifier.training.synthesis.instruments import filtered, seconds_axis
from classifier.training.synthesis.unaccompanied import hertz, melody, place, reverberant, silence

if TYPE_CHECKING:
    from numpy.random import Generator

    from classifier.training.synthesis.instruments import Sound

HIGHEST_PARTIAL_HERTZ: Final = 12_000


class Bell(NamedTuple):
    """How a struck body of metal or wood rings.

    Attributes
    ----------
    ratios
        Frequencies of its partials relative to its pitch.
    decay
        Slowest and fastest decay of the lowest partial, 1/s.
    seconds
        Length of a stroke.
    """

    ratios: tuple[float, ...]
    decay: tuple[float, float]
    seconds: float


SINGING_BOWL: Final = Bell((1, 2.71, 5.04, 7.9), (0.15, 0.5), 8)
CHURCH_BELL: Final = Bell((0.5, 1, 1.2, 1.5, 2, 2.5, 2.67, 3, 4), (0.4, 1.2), 5)
CHIME: Final = Bell((1, 2.76, 5.4, 8.93), (0.8, 2), 2.5)
VIBRAPHONE: Final = Bell((1, 3.98, 10), (2, 5), 2.5)


def _stroke(draw: Generator, pitch: float, bell: Bell, seconds: float) -> Sound:
    """Strike a bell; every partial is a pair of tones slightly apart, which beat."""
    time = seconds_axis(seconds)
    decay = draw.uniform(*bell.decay)
    sound = np.zeros(time.size)
    for number, ratio in enumerate(bell.ratios):
        if ratio * pitch < HIGHEST_PARTIAL_HERTZ:
            envelope = np.exp(-time * decay * (1 + 0.7 * number)) / (1 + 0.6 * number)
            for detuning in (0.0, draw.uniform(0.3, 3)):
                phase = 2 * np.pi * (ratio * pitch + detuning) * time + draw.uniform(0, 6)
                sound += np.sin(phase) * envelope * draw.uniform(0.3, 1)
    return (sound * np.minimum(1, time / draw.uniform(0.001, 0.02))).astype(np.float32)


def bells(draw: Generator, seconds: float) -> Sound:
    """Play a peal of church bells, or a melody on chimes or a vibraphone."""
    bell = (CHURCH_BELL, CHIME, VIBRAPHONE)[draw.integers(3)]
    total = silence(seconds)
    length = min(bell.seconds, seconds)
    if bell is not CHURCH_BELL:
        for note in melody(draw, seconds, lowest=65, highest=93, tempo=(60, 150)):
            place(total, _stroke(draw, hertz(note.pitch), bell, length), note.start, draw.uniform(0.4, 1))
        return total
    semitones = draw.choice([0, 2, 4, 5, 7, 9, 11, 12], draw.integers(1, 6), replace=False)
    pitches = draw.uniform(180, 500) * 2 ** (semitones / 12)
    gap = draw.uniform(0.4, 1.6)
    for number in range(int(seconds / gap) + 1):
        start = max(0.0, number * gap + draw.normal(0, 0.02))
        place(total, _stroke(draw, pitches[number % len(pitches)], bell, length), start, draw.uniform(0.5, 1))
    return total


def singing_bowls(draw: Generator, seconds: float) -> Sound:
    """Strike one to three singing bowls now and then, or rub one so that it sounds all the time."""
    total = silence(seconds)
    lowest = draw.uniform(110, 600)
    pitches = [lowest, *(lowest * draw.choice([1.25, 1.33, 1.5, 2], draw.integers(0, 3)))]
    if draw.random() < 0.4:
        swell = np.interp(np.arange(total.size), np.linspace(0, total.size, 6), draw.uniform(0.2, 1, 6))
        rubbed = _stroke(draw, lowest, SINGING_BOWL._replace(decay=(0.0, 0.01)), seconds)[: total.size]
        total += rubbed * swell.astype(np.float32)
    start = draw.uniform(0, 1)
    while start < seconds:
        pitch = pitches[draw.integers(len(pitches))]
        place(total, _stroke(draw, pitch, SINGING_BOWL, SINGING_BOWL.seconds), start, draw.uniform(0.4, 1))
        start += draw.uniform(1.5, 6)
    return total


def drone(draw: Generator, seconds: float) -> Sound:
    """Hold slowly changing chords on strings and organ pipes in a large room, as ambient music does."""
    total = silence(seconds)
    lowest, start = int(draw.integers(40, 57)), 0.0
    while start < seconds:
        length = draw.uniform(3, 8)
        root = lowest + int(draw.choice([0, 0, 5, 7, -2, 3]))
        for interval in draw.choice([-12, 0, 3, 4, 7, 10, 12, 14, 19], draw.integers(2, 6), replace=False):
            voice = instruments.strings if draw.random() < 0.6 else instruments.organ
            place(total, voice(hertz(root + int(interval)), length), start + draw.uniform(0, 1), draw.uniform(0.2, 0.6))
        start += length * draw.uniform(0.6, 1)
    muffled = filtered(total, high=draw.uniform(600, 6_000), steepness=1)
    return reverberant(draw, muffled, seconds=draw.uniform(2, 5), share=draw.uniform(0.4, 0.8))


def fairground_organ(draw: Generator, seconds: float) -> Sound:
    """Play a melody in octaves on organ pipes over a bass and off-beat chords."""
    tempo = draw.uniform(100, 190)
    beat = 60 / tempo
    total = silence(seconds)
    for note in melody(draw, seconds, lowest=67, highest=88, tempo=(tempo, tempo)):
        place(total, instruments.organ(hertz(note.pitch), note.seconds), note.start, 0.7)
        place(total, instruments.organ(hertz(note.pitch + 12), note.seconds), note.start, 0.25)
    lowest, beats = int(draw.integers(40, 50)), int(draw.choice([2, 3, 4]))
    for bar in range(int(seconds / (beats * beat)) + 1):
        root, start = lowest + int(draw.choice([0, 5, 7])), bar * beats * beat
        place(total, instruments.organ(hertz(root), beat * 0.8), start, 0.7)
        for number in range(1, beats):
            for interval in (12, 16, 19):
                place(total, instruments.organ(hertz(root + interval), beat * 0.4), start + number * beat, 0.3)
    return total


def church_organ(draw: Generator, seconds: float) -> Sound:
    """Play slow chords on organ pipes in a large room."""
    total = silence(seconds)
    lowest, start = int(draw.integers(45, 57)), 0.0
    while start < seconds:
        length = draw.uniform(0.8, 3)
        root, third = lowest + int(draw.choice([0, 5, 7, 9, 2, -3])), int(draw.choice([3, 4]))
        for interval in (-12, 0, third, 7, 12):
            place(total, instruments.organ(hertz(root + interval), length), start, 0.4)
        start += length
    return reverberant(draw, total, seconds=draw.uniform(2, 4), share=0.6)
