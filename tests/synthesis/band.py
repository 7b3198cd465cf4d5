"""A band: puts notes and drums at beats, and mixes them in a room.

What it plays is the matter of ``styles``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from classifier.training.synthesis.instruments import SAMPLE_RATE, Sound, brightened, filtered

Voice = Callable[[float, float], Sound]

A4_MIDI, A4_HZ = 69, 440.0
ROOM_SECONDS = 1.4
HISS = 10 ** (-66 / 20)
WARMTH = 0.7  # how far the loudest moments are bent into tape's saturation
PEAK = 0.89  # a decibel below full scale, so that no encoder clips


class Band:
    """A song being recorded, in stereo.

    Parameters
    ----------
    seconds
        Length of the recording; what would sound after it is cut.
    tempo
        Beats per minute.
    swing
        Where the second half of a beat falls: 0.5 straight, 0.67 a shuffle.
    room
        How much of the room is heard, from 0 to 1.
    presence
        Decibels by which the recording is brightened above some 3 kHz.
    """

    def __init__(
        self,
        seconds: float,
        tempo: float,
        rng: np.random.Generator,
        *,
        swing: float = 0.5,
        room: float = 0.2,
        presence: float = 0,
    ) -> None:
        self.tempo, self.swing, self.room, self.presence = tempo, swing, room, presence
        self.rng = rng
        self._tracks = np.zeros((2, round(seconds * SAMPLE_RATE)), dtype=np.float32)
        self._notes: dict[tuple[Voice, int, float], Sound] = {}
        self._drums: dict[Callable[[], Sound], Sound] = {}

    def bars(self, beats_per_bar: int, *, ending_seconds: float = 3.0) -> int:
        """Say how many whole bars fit before an ending this long; at least one."""
        bar_seconds = beats_per_bar * 60 / self.tempo
        return max(1, int((self._tracks.shape[1] / SAMPLE_RATE - ending_seconds) / bar_seconds))

    def beats_left(self, beat: float) -> float:
        """Say how many beats are left of the recording after this one."""
        return max(0.5, self._tracks.shape[1] / SAMPLE_RATE * self.tempo / 60 - beat)

    def note(self, voice: Voice, midi: int, beat: float, beats: float, level: float, pan: float = 0) -> None:
        """Play a pitch (MIDI number) at a beat for some beats; ``pan`` from -1 (left) to 1 (right)."""
        seconds = round(beats * 60 / self.tempo, 3)
        key = (voice, midi, seconds)
        if key not in self._notes:
            self._notes[key] = voice(A4_HZ * 2 ** ((midi - A4_MIDI) / 12), seconds)
        self._place(self._notes[key], beat, level, pan)

    def chord(
        self,
        voice: Voice,
        pitches: Iterable[int],
        beat: float,
        beats: float,
        level: float,
        pan: float = 0,
        *,
        strum: float = 0,
    ) -> None:
        """Play several pitches, ``strum`` beats apart."""
        for number, midi in enumerate(pitches):
            self.note(voice, midi, beat + number * strum, beats, level, pan + 0.12 * (number - 1))

    def drum(self, voice: Callable[[], Sound], beat: float, level: float, pan: float = 0) -> None:
        """Hit a drum at a beat."""
        if voice not in self._drums:
            self._drums[voice] = voice()
        self._place(self._drums[voice], beat, level, pan)

    def swung(self, beat: float) -> float:
        """Return where a beat falls with this swing."""
        whole, part = divmod(beat, 1)
        return whole + (part * 2 * self.swing if part < 0.5 else self.swing + (part - 0.5) * 2 * (1 - self.swing))

    def _place(self, sound: Sound, beat: float, level: float, pan: float) -> None:
        human_seconds = self.rng.normal(0, 0.003)
        start = max(0, round((self.swung(beat) * 60 / self.tempo + human_seconds) * SAMPLE_RATE))
        room_left = self._tracks.shape[1] - start
        if room_left <= 0:
            return
        heard = sound[:room_left] * np.float32(level * self.rng.uniform(0.9, 1.1))
        angle = (np.clip(pan, -1, 1) + 1) * np.pi / 4
        self._tracks[0, start : start + heard.size] += heard * np.float32(np.cos(angle))
        self._tracks[1, start : start + heard.size] += heard * np.float32(np.sin(angle))

    def mixed(self) -> Sound:
        """Return the recording, shape (n, 2), peak just below full scale, fading out at its very end."""
        echoes = [self._reverberation(track, side) for side, track in enumerate(self._tracks)]
        mix = np.stack([brightened(track, self.presence) for track in self._tracks + self.room * np.stack(echoes)])
        mix -= mix.mean(axis=1, keepdims=True)
        hiss = np.random.default_rng(80).standard_normal(mix.shape, dtype=np.float32)
        mix += hiss * (HISS * np.abs(mix).max())
        fade = min(mix.shape[1], round(1.2 * SAMPLE_RATE))
        mix[:, -fade:] *= np.linspace(1, 0, fade, dtype=np.float32) ** 2
        mix = np.tanh(mix * np.float32(WARMTH / max(1e-9, float(np.percentile(np.abs(mix), 99.5)))))
        return np.ascontiguousarray((mix * (PEAK / max(1e-9, np.abs(mix).max()))).T, dtype=np.float32)

    def _reverberation(self, track: Sound, side: int) -> Sound:
        count = round(ROOM_SECONDS * SAMPLE_RATE)
        time = np.arange(count) / SAMPLE_RATE
        tail = np.random.default_rng(90 + side).standard_normal(count) * np.exp(-time * 5)
        echo = filtered(tail.astype(np.float32), low=200, high=5_000, steepness=1)
        echo /= np.sqrt(np.sum(echo**2))
        size = 1 << (track.size + count).bit_length()
        return np.fft.irfft(np.fft.rfft(track, size) * np.fft.rfft(echo, size), size)[: track.size].astype(np.float32)
