"""Tones and noises that are not music; conventions as in ``unaccompanied``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.signal import sawtooth, square

from classifier.training.synthesis.instruments import SAMPLE_RATE, filtered
from classifier.training.synthesis.unaccompanied import place, silence, white_noise

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from classifier.training.synthesis.instruments import Sound

CALL_PROGRESS_TONES: Final = ((350, 440), (425, 425), (480, 620), (440, 480), (400, 450))
"""Pairs of frequencies in Hz that telephones use, ITU-T E.180."""
CADENCES: Final = ((60.0, 0.0), (0.5, 0.5), (2.0, 4.0), (0.25, 0.25), (0.4, 0.2), (1.0, 4.0))
"""Seconds on and off."""
DTMF_LOW, DTMF_HIGH = (697, 770, 852, 941), (1209, 1336, 1477)
MAINS_HERTZ: Final = (50, 60, 100, 120)


def steady_tone(draw: Generator, seconds: float) -> Sound:
    """Return a sine, square or sawtooth of one frequency."""
    phase = 2 * np.pi * _between(draw, 60, 6_000) * _time(seconds)
    wave = (np.sin, np.sin, square, sawtooth)[draw.integers(4)]
    return wave(phase).astype(np.float32)


def telephone_tone(draw: Generator, seconds: float) -> Sound:
    """Return a dial, ringing or busy tone."""
    time = _time(seconds)
    low, high = CALL_PROGRESS_TONES[draw.integers(len(CALL_PROGRESS_TONES))]
    on, off = CADENCES[draw.integers(len(CADENCES))]
    tone = np.sin(2 * np.pi * low * time) + np.sin(2 * np.pi * high * time)
    return (tone * (time % (on + off) < on)).astype(np.float32)


def telephone_keys(draw: Generator, seconds: float) -> Sound:
    """Dial a random number by DTMF."""
    time = _time(seconds)
    on, off = draw.uniform(0.06, 0.4), draw.uniform(0.04, 0.4)
    key = (time // (on + off)).astype(int)
    keys = key[-1] + 1
    low, high = draw.choice(DTMF_LOW, keys)[key], draw.choice(DTMF_HIGH, keys)[key]
    tone = np.sin(2 * np.pi * low * time) + np.sin(2 * np.pi * high * time)
    return (tone * (time % (on + off) < on)).astype(np.float32)


def beeps(draw: Generator, seconds: float) -> Sound:
    """Repeat a beep, or two in turn, as alarms do."""
    time = _time(seconds)
    on, off = draw.uniform(0.05, 0.6), draw.uniform(0.05, 1.5)
    low = draw.uniform(400, 4_000)
    frequency = np.where(time // (on + off) % 2, low * draw.choice([0.8, 1, 1, 1.25]), low)
    return (np.sin(2 * np.pi * frequency * time) * (time % (on + off) < on)).astype(np.float32)


def sweep(draw: Generator, seconds: float) -> Sound:
    """Sweep a sine up, or up and down as a siren does."""
    time = _time(seconds)
    low, high = _between(draw, 60, 1_000), _between(draw, 1_000, 8_000)
    progress = time / draw.choice([seconds, draw.uniform(0.5, 6)]) % 1
    if draw.random() < 0.5:
        progress = 1 - np.abs(2 * progress - 1)
    frequency = low * (high / low) ** progress if draw.random() < 0.5 else low + (high - low) * progress
    return np.sin(2 * np.pi * np.cumsum(frequency) / SAMPLE_RATE).astype(np.float32)


def mains_hum(draw: Generator, seconds: float) -> Sound:
    """Return hum of the mains with its harmonics and some noise."""
    time = _time(seconds)
    fundamental = float(draw.choice(MAINS_HERTZ))
    hum = draw.uniform(0, 0.2) * draw.standard_normal(time.size)
    for harmonic in range(1, 20):
        phase = 2 * np.pi * harmonic * fundamental * time + draw.uniform(0, 6)
        hum += draw.uniform(0, 1) / harmonic * np.sin(phase)
    return hum.astype(np.float32)


def coloured_noise(draw: Generator, seconds: float) -> Sound:
    """Return white, pink, brown or band-limited noise, steady or swelling as wind does."""
    count = int(seconds * SAMPLE_RATE)
    spectrum = np.fft.rfft(white_noise(draw, count))
    frequency = np.maximum(np.fft.rfftfreq(count, 1 / SAMPLE_RATE), 1)
    spectrum *= frequency ** -draw.choice([0, 0, 0.5, 1, draw.uniform(-0.5, 1)])
    noise = np.fft.irfft(spectrum, count).astype(np.float32)
    if draw.random() < 0.5:
        noise = filtered(noise, low=float(draw.choice([0, draw.uniform(50, 2_000)])), high=_between(draw, 400, 16_000))
    if draw.random() < 0.4:
        knots = int(seconds * draw.uniform(0.5, 6)) + 2
        level = np.exp(draw.normal(0, 0.8, knots))
        noise *= np.interp(np.arange(count), np.linspace(0, count, knots), level).astype(np.float32)
    return noise


def clicks(draw: Generator, seconds: float) -> Sound:
    """Return clicks at a steady rate or at random."""
    total = draw.uniform(0, 0.02) * white_noise(draw, silence(seconds).size)
    steady, gap, start = draw.random() < 0.4, draw.uniform(0.05, 1), 0.0
    while start < seconds:
        count = int(SAMPLE_RATE * draw.uniform(0.002, 0.06))
        click = white_noise(draw, count) * np.exp(-np.arange(count) / (0.2 * count)).astype(np.float32)
        click = filtered(click, low=draw.uniform(100, 2_000), high=draw.uniform(3_000, 12_000))
        place(total, click, start, draw.uniform(0.3, 1))
        start += gap if steady else draw.exponential(gap) + 0.01
    return total.astype(np.float32)


def engine(draw: Generator, seconds: float) -> Sound:
    """Return the pulses and the noise of an engine whose speed drifts."""
    count, knots = int(seconds * SAMPLE_RATE), int(seconds) + 2
    speed = np.clip(draw.uniform(15, 90) * np.exp(np.cumsum(draw.normal(0, 0.08, knots))), 8, 200)
    frequency = np.interp(np.arange(count), np.linspace(0, count, knots), speed)
    jitter = np.repeat(draw.standard_normal(count // 500 + 1), 500)[:count]
    pulses = np.exp(-(np.cumsum(frequency * (1 + 0.03 * jitter)) / SAMPLE_RATE % 1) * draw.uniform(4, 20)) - 0.1
    noise = draw.uniform(0.1, 0.8) * draw.standard_normal(count) * (0.3 + pulses)
    return filtered((pulses + noise).astype(np.float32), low=30, high=draw.uniform(600, 5_000))


def _time(seconds: float) -> NDArray[np.float64]:
    return np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE


def _between(draw: Generator, low: float, high: float) -> float:
    """Draw a frequency, every octave being as likely."""
    return float(np.exp(draw.uniform(np.log(low), np.log(high))))
