"""The instruments of the synthesised songs: each a function from a pitch and a length to sound.

How they play together is the matter of ``band``, and what they play of ``styles``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

SAMPLE_RATE = 44_100
RELEASE_SECONDS = 0.03
BRIGHTEST_PARTIAL_HZ = 12_000
SHELF_HZ = 3_000

ORGAN_STOPS = (0.4, 0.3, 0.2, 0.15, 0, 0.08, 0, 0.06)
REED = (0.4, 0.1, 0.3, 0.08, 0.2, 0.05, 0.12)
SILK = tuple(0.5 / n**0.8 for n in range(1, 16))

Sound = NDArray[np.float32]


def seconds_axis(seconds: float) -> Sound:
    """Return the time of every sample of a sound this long, shape (n,)."""
    return np.arange(max(1, round(seconds * SAMPLE_RATE)), dtype=np.float32) / np.float32(SAMPLE_RATE)


def filtered(sound: Sound, *, low: float = 0, high: float = SAMPLE_RATE, steepness: int = 4) -> Sound:
    """Keep what lies between two frequencies in Hz, with the slopes of a Butterworth filter and no delay."""
    spectrum = np.fft.rfft(sound)
    hertz = np.fft.rfftfreq(sound.size, 1 / SAMPLE_RATE)
    gain = 1 / np.sqrt(1 + (hertz / high) ** (2 * steepness))
    if low:
        gain *= 1 / np.sqrt(1 + (low / np.maximum(hertz, 1)) ** (2 * steepness))
    return np.fft.irfft(spectrum * gain, sound.size).astype(np.float32)


def brightened(sound: Sound, decibels: float) -> Sound:
    """Lift what lies above some 3 kHz, as a shelving equaliser does."""
    hertz = np.fft.rfftfreq(sound.size, 1 / SAMPLE_RATE)
    above = hertz**2 / (hertz**2 + SHELF_HZ**2)
    return np.fft.irfft(np.fft.rfft(sound) * 10 ** (decibels / 20 * above), sound.size).astype(np.float32)


def _noise(seconds: float, seed: int) -> Sound:
    count = max(1, round(seconds * SAMPLE_RATE))
    return np.random.default_rng(seed).standard_normal(count).astype(np.float32)


def _released(sound: Sound) -> Sound:
    """Let a note end without a click."""
    count = min(sound.size, round(RELEASE_SECONDS * SAMPLE_RATE))
    sound[-count:] *= np.linspace(1, 0, count, dtype=np.float32)
    return sound


def _partials(
    phase: Sound, hertz: float, amplitudes: Sequence[float], decay: float = 0, time: Sound | None = None
) -> Sound:
    """Add harmonics; with ``decay`` (1/s) each dies away, the higher the sooner, as on a string."""
    total = np.zeros_like(phase)
    for number, amplitude in enumerate(amplitudes, start=1):
        if amplitude == 0 or number * hertz > BRIGHTEST_PARTIAL_HZ:
            continue
        partial = np.sin(number * phase) * np.float32(amplitude)
        if decay and time is not None:
            partial *= np.exp(-time * np.float32(decay * (0.6 + 0.4 * number)))
        total += partial
    return total


def _string(hertz: float, seconds: float, amplitudes: Sequence[float], *, decay: float, attack: float) -> Sound:
    """Pluck or strike a string that keeps its pitch."""
    time = seconds_axis(seconds)
    return _released(_partials(_phase(hertz, time), hertz, amplitudes, decay, time) * _attack(time, attack))


def _phase(hertz: float | Sound, time: Sound) -> Sound:
    if isinstance(hertz, float):
        return (2 * np.pi * hertz * time).astype(np.float32)
    return (2 * np.pi * np.cumsum(hertz, dtype=np.float64) / SAMPLE_RATE).astype(np.float32)


def _attack(time: Sound, seconds: float) -> Sound:
    ramp: Sound = np.minimum(np.float32(1), time / np.float32(seconds))
    return ramp


def plucked_string(hertz: float, seconds: float) -> Sound:
    """A guitar's string."""
    return _string(hertz, seconds, [0.6 / n for n in range(1, 13)], decay=2.2, attack=0.003)


def piano(hertz: float, seconds: float) -> Sound:
    return _string(hertz, seconds, (0.6, 0.3, 0.18, 0.1, 0.08, 0.05, 0.03, 0.02), decay=1.3, attack=0.004)


def electric_piano(hertz: float, seconds: float) -> Sound:
    time = seconds_axis(seconds)
    strike = np.sin(_phase(14 * hertz, time)) * np.exp(-time * 18) * 0.6 if 14 * hertz < BRIGHTEST_PARTIAL_HZ else 0
    sound = np.sin(_phase(hertz, time) + 0.9 * np.exp(-time * 3) * np.sin(_phase(hertz, time) + strike))
    tremolo = 1 + 0.2 * np.sin(2 * np.pi * 5.2 * time)
    return _released((0.6 * sound * np.exp(-time * 1.4) * tremolo * _attack(time, 0.004)).astype(np.float32))


def organ(hertz: float, seconds: float) -> Sound:
    time = seconds_axis(seconds)
    pitch = hertz * (1 + 0.003 * np.sin(2 * np.pi * 6.3 * time))
    return _released(_partials(_phase(pitch, time), hertz, ORGAN_STOPS) * _attack(time, 0.008))


def strings(hertz: float, seconds: float) -> Sound:
    """A section: three players, slightly apart in pitch."""
    time = seconds_axis(seconds)
    swell = np.minimum(_attack(time, 0.12), np.minimum(1, (seconds - time) / 0.12))
    total = np.zeros_like(time)
    for player, cents in enumerate((-7, 0, 6)):
        rate = hertz * 2 ** (cents / 1200) * (1 + 0.003 * np.sin(2 * np.pi * (5.1 + 0.4 * player) * time + player))
        total += _partials(_phase(rate, time), hertz, [0.22 / n for n in range(1, 11)])
    return _released(total * np.maximum(swell, 0).astype(np.float32))


def brass(hertz: float, seconds: float) -> Sound:
    """Brightness follows loudness, which is what makes brass sound like brass."""
    time = seconds_axis(seconds)
    loudness = _attack(time, 0.05) * np.exp(-time * 0.8)
    phase = _phase(hertz * (1 + 0.003 * np.sin(2 * np.pi * 5.5 * time) * _attack(time, 0.4)), time)
    total = np.zeros_like(time)
    for number in range(1, 11):
        if number * hertz < BRIGHTEST_PARTIAL_HZ:
            total += np.sin(number * phase) * loudness ** (0.6 + 0.25 * number) / number
    return _released(np.float32(0.45) * total)


def harmonica(hertz: float, seconds: float) -> Sound:
    """A reed, bent up into its note."""
    time = seconds_axis(seconds)
    bend = 2 ** (-0.7 * np.exp(-time * 14) / 12)
    tremble = 1 + 0.006 * np.sin(2 * np.pi * 5.8 * time) * _attack(time, 0.3)
    return _released(_partials(_phase(hertz * bend * tremble, time), hertz, REED) * _attack(time, 0.03))


def zither(hertz: float, seconds: float) -> Sound:
    """A zither's string, pressed after the pluck so that the note slides up into place and then trembles."""
    time = seconds_axis(seconds)
    slide = 2 ** (-0.9 * np.exp(-time * 11) / 12)
    tremble = 2 ** (0.35 * np.sin(2 * np.pi * 5.6 * time) * _attack(time, 0.35) / 12)
    body = _partials(_phase(hertz * slide * tremble, time), hertz, SILK, 1.6, time)
    return _released(body * _attack(time, 0.002))


def open_zither(hertz: float, seconds: float) -> Sound:
    """The same string, not pressed: for runs across the bridge."""
    return _string(hertz, seconds, SILK, decay=1.8, attack=0.002)


def bamboo_flute(hertz: float, seconds: float) -> Sound:
    time = seconds_axis(seconds)
    pitch = hertz * 2 ** (0.25 * np.sin(2 * np.pi * 5 * time) * np.minimum(1, time / 0.5) / 12)
    breath = filtered(_noise(seconds, 5), low=hertz * 0.8, high=hertz * 2.5) * 0.06
    tone = _partials(_phase(pitch.astype(np.float32), time), hertz, [0.5, 0.12, 0.07, 0.02])
    swell = np.minimum(_attack(time, 0.07), np.maximum(0, (seconds - time) / 0.1))
    return _released(((tone + breath[: time.size]) * np.minimum(1, swell)).astype(np.float32))


def finger_bass(hertz: float, seconds: float) -> Sound:
    return _string(hertz, seconds, (0.7, 0.45, 0.25, 0.12, 0.06, 0.03), decay=1.2, attack=0.006)


def upright_bass(hertz: float, seconds: float) -> Sound:
    time = seconds_axis(seconds)
    finger = filtered(_noise(seconds, 3), low=200, high=1_500) * np.exp(-time * 90) * 0.15
    body = _partials(_phase(hertz, time), hertz, [0.8, 0.35, 0.14, 0.06], 2.0, time) * _attack(time, 0.012)
    return _released((body + finger[: time.size]).astype(np.float32))


def synth_bass(hertz: float, seconds: float) -> Sound:
    """A deep sine with a little drive: the bass of machines."""
    time = seconds_axis(seconds)
    driven = np.tanh(2.2 * np.sin(_phase(hertz, time))) * np.float32(0.55)
    return _released(driven * np.exp(-time * np.float32(0.7)) * _attack(time, 0.008))


def power_chord(hertz: float, seconds: float, *, muted: bool = False) -> Sound:
    """Root, fifth and octave through an amplifier driven far too hard, and its loudspeaker."""
    time = seconds_axis(seconds)
    decay = 5.0 if muted else 0.9
    total = np.zeros_like(time)
    for ratio, cents in ((1, -4), (1, 5), (1.5, 2), (2, -2)):
        rate = hertz * ratio * 2 ** (cents / 1200)
        total += _partials(_phase(rate, time), rate, [1 / n for n in range(1, 20)])
    driven = np.tanh(6 * total * np.exp(-time * decay))
    return _released(filtered(driven.astype(np.float32), low=90, high=5_500, steepness=2) * np.float32(0.45))


def muted_power_chord(hertz: float, seconds: float) -> Sound:
    return power_chord(hertz, seconds, muted=True)


def lead_guitar(hertz: float, seconds: float) -> Sound:
    time = seconds_axis(seconds)
    pitch = hertz * 2 ** (0.3 * np.sin(2 * np.pi * 5.5 * time) * _attack(time, 0.4) / 12)
    clean = _partials(_phase(pitch, time), hertz, [1 / n for n in range(1, 14)])
    driven = np.tanh(5 * clean * np.exp(-time * np.float32(0.6)))
    return _released(filtered(driven, low=150, high=4_500) * np.float32(0.4))


def kick(deep: bool = False) -> Sound:
    time = seconds_axis(0.6 if deep else 0.28)
    fall = (45 + (110 if deep else 150) * np.exp(-time * 32)).astype(np.float32)
    click = filtered(_noise(0.6 if deep else 0.28, 1), low=1_000, high=6_000) * np.exp(-time * 220) * 0.25
    return _released((np.sin(_phase(fall, time)) * np.exp(-time * (6 if deep else 13)) + click).astype(np.float32))


def snare() -> Sound:
    time = seconds_axis(0.25)
    rattle = filtered(_noise(0.25, 2), low=900, high=9_000) * np.exp(-time * 18) * 0.5
    return _released((rattle + np.sin(_phase(190.0, time)) * np.exp(-time * 24) * 0.6).astype(np.float32))


def brushed_snare() -> Sound:
    time = seconds_axis(0.3)
    sweep = _attack(time, 0.03) * np.exp(-time * np.float32(12))
    return _released(filtered(_noise(0.3, 4), low=1_500, high=7_000) * sweep * np.float32(0.4))


def clap() -> Sound:
    time = seconds_axis(0.3)
    bursts = sum(np.exp(-np.maximum(0, time - lag) * 90) * (time >= lag) for lag in (0, 0.011, 0.023))
    envelope = 0.35 * bursts + 0.4 * np.exp(-time * 16)
    return _released((filtered(_noise(0.3, 6), low=700, high=5_000) * envelope * 0.7).astype(np.float32))


def closed_hat() -> Sound:
    time = seconds_axis(0.08)
    return _released(filtered(_noise(0.08, 7), low=6_500) * np.exp(-time * 70) * np.float32(0.4))


def open_hat() -> Sound:
    time = seconds_axis(0.35)
    return _released(filtered(_noise(0.35, 8), low=6_000) * np.exp(-time * 10) * np.float32(0.35))


def ride() -> Sound:
    time = seconds_axis(0.9)
    ring = np.sum([np.sin(_phase(hertz, time)) for hertz in (3_130.0, 4_170.0, 5_430.0, 6_790.0)], axis=0)
    wash = filtered(_noise(0.9, 9), low=5_000) * np.float32(0.3) + np.float32(0.07) * ring
    return _released(wash * np.exp(-time * np.float32(6)) * np.float32(0.5))


def crash() -> Sound:
    time = seconds_axis(2.0)
    return _released(filtered(_noise(2.0, 10), low=3_000) * np.exp(-time * 2.2) * np.float32(0.45))


def tom(hertz: float = 110.0) -> Sound:
    time = seconds_axis(0.4)
    fall = (hertz * (1 + 0.5 * np.exp(-time * 18))).astype(np.float32)
    return _released((np.sin(_phase(fall, time)) * np.exp(-time * 8)).astype(np.float32))


def wood_block() -> Sound:
    time = seconds_axis(0.12)
    body = np.sin(_phase(920.0, time)) + 0.5 * np.sin(_phase(1_390.0, time))
    return _released((body * np.exp(-time * 45) * 0.5).astype(np.float32))
