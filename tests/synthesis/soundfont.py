"""A band of recorded instruments: the same notes as ``Band``, played by FluidSynth from a General MIDI sound font.

Only the page's example songs are made so; on Debian, ``fluidsynth`` and ``fluid-soundfont-gm`` (MIT licence) are needed
while they are made, and never afterwards.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from classifier.training.synthesis import instruments as i
from tests.synthesis.band import PEAK, Band, Voice

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from classifier.training.synthesis.instruments import Sound

FONT = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
TICKS_PER_BEAT = 480
# The MIDI file's own tempo is the default of 120 beats a minute; notes are placed in seconds.
TICKS_PER_SECOND = 2 * TICKS_PER_BEAT
DRUM_CHANNEL = 9
PERCUSSION_SECONDS = 0.1
LOUDNESS = 0.8

PROGRAMS: dict[Voice, int] = {
    i.finger_bass: 33,
    i.strings: 48,
    i.plucked_string: 25,
    i.upright_bass: 32,
    i.piano: 0,
    i.brass: 66,
}
DRUMS: dict[Callable[[], Sound], int] = {
    i.kick: 36,
    i.brushed_snare: 38,
    i.closed_hat: 42,
    i.tom: 45,
    i.ride: 51,
    i.wood_block: 76,
}
_CONTROL, _PROGRAM, _NOTE_ON, _NOTE_OFF = 0xB0, 0xC0, 0x90, 0x80
_PAN, _REVERBERATION = 10, 91
_END_OF_TRACK = b"\0\xff\x2f\0"


class RecordedBand(Band):
    """A song that FluidSynth plays.

    Parameters
    ----------
    seconds, tempo, rng, swing, room
        As in ``Band``.
    programs, drums
        General MIDI numbers for voices and drums beyond ``PROGRAMS`` and ``DRUMS``, or instead of these.
    kit
        Number of the drum kit.
    """

    def __init__(
        self,
        seconds: float,
        tempo: float,
        rng: np.random.Generator,
        *,
        swing: float = 0.5,
        room: float = 0.2,
        programs: Mapping[Voice, int] | None = None,
        drums: Mapping[Callable[[], Sound], int] | None = None,
        kit: int = 0,
    ) -> None:
        super().__init__(seconds, tempo, rng, swing=swing, room=room)
        self._programs = {**PROGRAMS, **(programs or {})}
        self._kit_notes = {**DRUMS, **(drums or {})}
        self._channels: dict[Voice, int] = {}
        self._events: list[tuple[float, bytes]] = [(0.0, bytes([_PROGRAM | DRUM_CHANNEL, kit]))]

    def note(self, voice: Voice, midi: int, beat: float, beats: float, level: float, pan: float = 0) -> None:
        channel = self._channel(voice, pan)
        start = self._seconds(beat)
        loudness = int(np.clip(127 * (0.25 + level) * self.rng.uniform(0.9, 1.05), 1, 127))
        self._events += [
            (start, bytes([_NOTE_ON | channel, midi, loudness])),
            (start + beats * 60 / self.tempo, bytes([_NOTE_OFF | channel, midi, 0])),
        ]

    def drum(self, voice: Callable[[], Sound], beat: float, level: float, pan: float = 0) -> None:
        start, note = self._seconds(beat), self._kit_notes[voice]
        loudness = int(np.clip(127 * (0.3 + level) * self.rng.uniform(0.88, 1.05), 1, 127))
        self._events += [
            (start, bytes([_NOTE_ON | DRUM_CHANNEL, note, loudness])),
            (start + PERCUSSION_SECONDS, bytes([_NOTE_OFF | DRUM_CHANNEL, note, 0])),
        ]

    def _channel(self, voice: Voice, pan: float) -> int:
        if voice not in self._channels:
            count = len(self._channels)
            channel = count + (count >= DRUM_CHANNEL)
            self._channels[voice] = channel
            self._events += [
                (0.0, bytes([_PROGRAM | channel, self._programs[voice]])),
                (0.0, bytes([_CONTROL | channel, _PAN, int(64 + 50 * pan)])),
                (0.0, bytes([_CONTROL | channel, _REVERBERATION, int(127 * min(1, 1.5 * self.room))])),
            ]
        return self._channels[voice]

    def _seconds(self, beat: float) -> float:
        return max(0.0, self.swung(beat) * 60 / self.tempo + float(self.rng.normal(0, 0.004)))

    def mixed(self) -> Sound:
        """Return the recording as ``Band`` does."""
        with tempfile.TemporaryDirectory() as name:
            score, sound = Path(name) / "song.mid", Path(name) / "song.raw"
            score.write_bytes(self._midi())
            command = ["fluidsynth", "-niq", "-g", "0.6", "-r", str(i.SAMPLE_RATE), "-O", "s16", "-T", "raw"]
            subprocess.run([*command, "-F", sound, FONT, score], check=True, capture_output=True)
            played = np.frombuffer(sound.read_bytes(), "<i2").reshape(-1, 2).astype(np.float32)
        frames = self._tracks.shape[1]
        mix = np.pad(played[:frames], ((0, max(0, frames - len(played))), (0, 0)))
        fade = min(frames, round(1.2 * i.SAMPLE_RATE))
        mix[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)[:, None] ** 2
        mix = np.tanh(mix * np.float32(LOUDNESS / max(1e-9, float(np.percentile(np.abs(mix), 99.7)))))
        return np.ascontiguousarray(mix * (PEAK / np.abs(mix).max()), dtype=np.float32)

    def _midi(self) -> bytes:
        """Return the song as a MIDI file of one track: instruments first, and a note ends before the next begins."""
        order = {_PROGRAM: 0, _CONTROL: 1, _NOTE_OFF: 2, _NOTE_ON: 3}
        events = [(round(seconds * TICKS_PER_SECOND), event) for seconds, event in self._events]
        track, now = bytearray(), 0
        for tick, event in sorted(events, key=lambda item: (item[0], order[item[1][0] & 0xF0])):
            track += _variable_length(tick - now) + event
            now = tick
        track += _END_OF_TRACK
        header = b"MThd" + (6).to_bytes(4) + (0).to_bytes(2) + (1).to_bytes(2) + TICKS_PER_BEAT.to_bytes(2)
        return header + b"MTrk" + len(track).to_bytes(4) + bytes(track)


def _variable_length(number: int) -> bytes:
    digits = [number & 127]
    while number := number >> 7:
        digits.append(128 | number & 127)
    return bytes(reversed(digits))
