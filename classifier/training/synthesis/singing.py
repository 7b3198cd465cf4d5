"""Voices on their own: singing, humming, a choir, whistling; conventions as in ``unaccompanied``.

A singer is a glottal pulse train through the formants of vowels (G. Fant, Acoustic Theory of Speech Production, 1960).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from scipy.signal import lfilter

from classifier.training.synthesis.instruments import SAMPLE_RATE, filtered
from classifier.training.synthesis.unaccompanied import melody, reverberant, white_noise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from classifier.training.synthesis.instruments import Sound
    from classifier.training.synthesis.unaccompanied import Note

    Floats = NDArray[np.float64]

VOWEL_FORMANTS: Final = (
    (730, 1090, 2440, 3300),
    (530, 1840, 2480, 3400),
    (270, 2290, 3010, 3600),
    (570, 840, 2410, 3300),
    (300, 870, 2240, 3200),
    (490, 1350, 1690, 3200),
    (660, 1720, 2410, 3400),
)
"""Formant frequencies in Hz, after G. Peterson and H. Barney (1952); the fourth is typical."""
_FORMANT_BANDWIDTHS: Final = (80, 100, 140, 200)
_FORMANT_GAINS: Final = (1, 0.6, 0.35, 0.2)
_OPEN_SHARE: Final = 0.6
"""Part of a period in which the glottis is open."""
_JITTER: Final = 0.004
_JITTER_SAMPLES: Final = 200
_VOWEL_FADE_SAMPLES: Final = 1_200


class _Performance(NamedTuple):
    """A sung melody sample by sample: pitch (MIDI), amplitude, index of the vowel, and noise of the consonants."""

    pitch: Floats
    amplitude: Floats
    vowel: NDArray[np.intp]
    consonants: Floats


def singing(draw: Generator, seconds: float) -> Sound:
    """Sing a melody on random vowels, with vibrato, glides and ornaments."""
    return _voice(draw, seconds, _sung_melody(draw, seconds))


def humming(draw: Generator, seconds: float) -> Sound:
    """Hum a melody through the nose."""
    performance = _performance(draw, seconds, _sung_melody(draw, seconds))
    source = _glottal_source(draw, performance)
    tract = draw.uniform(0.9, 1.2)
    return _resonated(_resonated(source, 260 * tract, 90), 1_000 * tract, 300).astype(np.float32)


def choir(draw: Generator, seconds: float) -> Sound:
    """Sing a melody with two voices in parallel in a hall."""
    notes = _sung_melody(draw, seconds)
    total = np.zeros(int(seconds * SAMPLE_RATE), dtype=np.float32)
    for interval in (0, int(draw.choice([-12, -5, 4, 5, 7, 12]))):
        part = [
            note._replace(start=note.start + abs(draw.normal(0, 0.02)), pitch=note.pitch + interval) for note in notes
        ]
        total += _voice(draw, seconds, part)
    return reverberant(draw, total, seconds=draw.uniform(1, 3), share=0.4)


def whistling(draw: Generator, seconds: float) -> Sound:
    """Whistle a melody: a sine that glides, and breath."""
    lowest = int(draw.integers(76, 88))
    notes = melody(draw, seconds, lowest=lowest, highest=lowest + 14, tempo=(60, 150))
    performance = _performance(draw, seconds, notes)
    phase = 2 * np.pi * np.cumsum(_frequency(performance.pitch)) / SAMPLE_RATE
    tone = np.sin(phase) + draw.uniform(0, 0.08) * np.sin(2 * phase)
    breath = filtered(white_noise(draw, phase.size), low=900, high=5_000) * draw.uniform(0.01, 0.12)
    return (performance.amplitude * (tone + breath) + 0.2 * breath).astype(np.float32)


def _sung_melody(draw: Generator, seconds: float) -> list[Note]:
    lowest = int(draw.integers(43, 65))
    return melody(draw, seconds, lowest=lowest, highest=lowest + 14, tempo=(55, 130))


def _performance(draw: Generator, seconds: float, notes: Sequence[Note]) -> _Performance:
    count = int(seconds * SAMPLE_RATE)
    pitch, amplitude, consonants = np.full(count, 60.0), np.zeros(count), np.zeros(count)
    vowel = np.zeros(count, dtype=np.intp)
    glide_seconds = draw.uniform(0.01, 0.12)
    vibrato, vibrato_hertz = draw.uniform(0, 0.6), draw.uniform(4.5, 6.5)
    ornaments = draw.random() < 0.35
    before = None
    for note in notes:
        start = int(note.start * SAMPLE_RATE)
        time = np.arange(min(count, int((note.start + note.seconds) * SAMPLE_RATE)) - start) / SAMPLE_RATE
        if time.size == 0:
            continue
        now = slice(start, start + time.size)
        curve = note.pitch + vibrato * np.sin(2 * np.pi * vibrato_hertz * time) * np.minimum(1, time / 0.35)
        if before is not None:
            curve += (before - note.pitch) * np.exp(-time / glide_seconds)
        if ornaments and note.seconds > 0.4 and draw.random() < 0.5:
            turn = np.sin(2 * np.pi * draw.uniform(2, 7) * time)
            curve += draw.uniform(0.5, 2) * turn * (time > 0.4 * note.seconds)
        pitch[now] = curve + 0.05 * np.cumsum(draw.standard_normal(time.size)) / np.sqrt(SAMPLE_RATE)
        left = note.seconds * draw.uniform(0.85, 1.02) - time
        envelope = np.minimum(1, time / draw.uniform(0.02, 0.1)) * np.clip(left / 0.05, 0, 1)
        amplitude[now] = envelope * draw.uniform(0.6, 1)
        vowel[now] = draw.integers(len(VOWEL_FORMANTS))
        if draw.random() < 0.6:
            length = min(time.size, int(SAMPLE_RATE * draw.uniform(0.02, 0.09)))
            noise = draw.standard_normal(length) * np.hanning(length)
            consonants[start : start + length] += noise * draw.uniform(0.05, 0.4)
        before = note.pitch
    return _Performance(pitch, amplitude, vowel, consonants)


def _voice(draw: Generator, seconds: float, notes: Sequence[Note]) -> Sound:
    performance = _performance(draw, seconds, notes)
    source = _glottal_source(draw, performance)
    tract = draw.uniform(0.9, 1.2)  # a shorter vocal tract has higher formants
    bandwidths = [bandwidth * draw.uniform(0.8, 1.3) for bandwidth in _FORMANT_BANDWIDTHS]
    voice = np.zeros(source.size)
    fade = np.full(_VOWEL_FADE_SAMPLES, 1 / _VOWEL_FADE_SAMPLES)
    for number in np.unique(performance.vowel):
        share = np.convolve(performance.vowel == number, fade, mode="same")
        for formant, bandwidth, gain in zip(VOWEL_FORMANTS[number], bandwidths, _FORMANT_GAINS, strict=True):
            voice += share * gain * _resonated(source, formant * tract, bandwidth)
    voice /= np.abs(voice).max() + np.finfo(np.float32).tiny
    return voice.astype(np.float32) + 0.3 * filtered(performance.consonants.astype(np.float32), low=2_500, high=9_000)


def _glottal_source(draw: Generator, performance: _Performance) -> Floats:
    """Return the derivative of the glottal flow and some breath, shape (n,)."""
    count = performance.pitch.size
    jitter = np.repeat(draw.standard_normal(count // _JITTER_SAMPLES + 1), _JITTER_SAMPLES)[:count]
    period = np.cumsum(_frequency(performance.pitch) * (1 + _JITTER * jitter)) / SAMPLE_RATE % 1
    opened = np.minimum(period / _OPEN_SHARE, 1)
    flow = np.where(period < _OPEN_SHARE, opened**2 * (3 - 2 * opened), 0)
    breath = draw.uniform(0.005, 0.06) * draw.standard_normal(count)
    return performance.amplitude * (40 * np.diff(flow, prepend=0) + breath)


def _frequency(pitch: Floats) -> Floats:
    frequency: Floats = 440 * 2 ** ((pitch - 69) / 12)
    return frequency


def _resonated(signal: Floats, frequency: float, bandwidth: float) -> Floats:
    """Filter with one resonance."""
    radius = np.exp(-np.pi * bandwidth / SAMPLE_RATE)
    denominator = [1, -2 * radius * np.cos(2 * np.pi * frequency / SAMPLE_RATE), radius**2]
    resonated: Floats = lfilter([1 - radius], denominator, signal)
    return resonated
