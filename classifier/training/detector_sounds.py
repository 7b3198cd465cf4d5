"""Sounds that the music detector learns from: recordings, mixtures and synthesised sounds, all treated alike.

The recordings that are not music share one codec, level, length and bandwidth, and none of these may give them away:
music is cut, band-limited and encoded as they are, and both sides pass the codec of voice messages.
"""

from __future__ import annotations

import csv
import zlib
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import av
import numpy as np
import soxr
from scipy.signal import butter, sosfilt

from classifier.audio.decoding import SAMPLE_RATE, decode
from classifier.errors import Silent, TooShort
from classifier.training.data_loading import LONGEST_SONG_SECONDS, NoMaterial
from classifier.training.recordings_evaluation import OPUS_RATE, transcoded
from classifier.training.synthesis import DRUMS, MUSIC, SIGNALS
from classifier.training.synthesis.instruments import SAMPLE_RATE as SYNTHESIS_RATE
from classifier.training.synthesis.unaccompanied import reverberant, white_noise

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.random import Generator
    from numpy.typing import NDArray

    Samples = NDArray[np.float32]

FOLDS: Final = 5
LEVEL_DECIBELS: Final = -23.0
"""Root mean square that sounds are brought to before they are mixed or encoded, relative to full scale."""
CUT_SECONDS: Final = (4.0, 20.0)
SHORT_SECONDS: Final = (3.0, 5.0)
VOICE_MESSAGE_BITS: Final = (16_000, 20_000, 24_000, 32_000)
WIDE_BAND_HERTZ, TELEPHONE_HERTZ = 7_900, 3_800
BANDWIDTH_SHARES: Final = (0.35, 0.35, 0.3)
"""Shares of sounds that keep their bandwidth, stop at 8 kHz and stop at 4 kHz as a telephone does."""
CUTS_OF_A_SONG: Final = 4
"""Of the few complete songs."""
MUSIC_EXAMPLES, RARE_MUSIC_EXAMPLES, SIGNAL_EXAMPLES = 6, 16, 14
"""Synthesised sounds by name; rare is what recordings of music seldom hold on its own, such as voices and drums."""
RARE: Final = (*DRUMS, "bells", "singing bowls", "drone", "singing", "humming", "whistling")
SYNTHESISED_SECONDS: Final = (3.5, 15.0)
SPEECH_OVER_MUSIC, SPEECH_OVER_DRUMS, SPEECH_OVER_ENVIRONMENT, MUSIC_OVER_ENVIRONMENT = 240, 60, 80, 60
"""Numbers of mixtures."""
_ENCODABLE_SAMPLES: Final = 4 * SAMPLE_RATE


@dataclass(frozen=True)
class Source:
    """A recording, a pair of recordings to mix, or a sound to synthesise.

    Attributes
    ----------
    collection
        ``gtzan``, ``modern``, ``vietnamese``, ``other``, ``notmusic``, ``synthesis`` or ``mixture``.
    name
        Of its clip, or of its entry in ``synthesis``.
    kind
        ``music``, ``speech``, ``environment``, ``tone`` or, for clips never to learn from, ``borderline``.
    label
        What it is in more detail.
    group
        Recordings of one group (an artist, a speaker) share a fold.
    path
        Its file; None if it is synthesised.
    background
        File or entry of ``synthesis.DRUMS`` to mix it with; None if it is not a mixture.
    below_decibels
        How far the background lies below it.
    seed
        Of its random choices.
    """

    collection: str
    name: str
    kind: str
    label: str
    group: str
    path: Path | None = None
    background: Path | str | None = None
    below_decibels: float = 0.0
    seed: int = 0

    @property
    def fold(self) -> int:
        """The part of the data that it belongs to, 0 to 4."""
        return zlib.crc32(self.group.encode()) % FOLDS


@dataclass(frozen=True, eq=False)
class Sound:
    """One treated version of a source.

    Attributes
    ----------
    source
        What it was made from.
    treatment
        ``original``, ``voice message`` or ``short``.
    samples
        Mono, 22,050 Hz, shape (n,).
    """

    source: Source
    treatment: str
    samples: Samples


def recordings(directory: Path) -> list[Source]:
    """List all recordings of a data directory: music, sounds that are not music, and borderline clips.

    Raises
    ------
    NoMaterial
        If the directory has no ``notmusic``.
    """
    if not (directory / "notmusic" / "clips.csv").is_file():
        raise NoMaterial(f"{directory} holds no notmusic/clips.csv.")
    return [*_music(directory), *_not_music(directory / "notmusic")]


def _music(directory: Path) -> Iterator[Source]:
    artists = {row["track"]: row["artist"] for row in _table(directory / "gtzan" / "splits.csv")}
    for path in _files(directory / "gtzan" / "clips") + _files(directory / "gtzan" / "audio"):
        track = ".".join(path.stem.split(".")[:2])
        group = f"gtzan {artists.get(track) or track}"
        yield Source("gtzan", path.stem, "music", track.split(".")[0], group, path)
    for row in _table(directory / "modern" / "clips.csv"):
        path = directory / "modern" / row["label"] / f"{row['clip']}.opus"
        yield Source("modern", row["clip"], "music", row["label"], f"modern {row['artist']}", path)
    for collection in ("vietnamese", "other"):
        for path in _files(directory / collection / "audio"):
            for seed in range(CUTS_OF_A_SONG):
                yield Source(collection, path.stem, "music", collection, f"{collection} {path.stem}", path, seed=seed)


def _not_music(directory: Path) -> Iterator[Source]:
    for row in _table(directory / "clips.csv"):
        kind = "speech" if row["kind"] == "synthetic" else row["kind"]
        yield Source("notmusic", row["clip"], kind, row["label"], f"notmusic {row['group']}", directory / row["clip"])


def _table(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _files(directory: Path) -> list[Path]:
    return sorted(directory.iterdir()) if directory.is_dir() else []


def synthesised() -> list[Source]:
    """List the sounds to synthesise."""
    music = [
        Source("synthesis", name, "music", name, f"synthesis {name} {seed}", seed=seed)
        for name in MUSIC
        for seed in range(RARE_MUSIC_EXAMPLES if name in RARE else MUSIC_EXAMPLES)
    ]
    signals = [
        Source("synthesis", name, kind, name, f"synthesis {name} {seed}", seed=seed)
        for name, (kind, _) in SIGNALS.items()
        for seed in range(SIGNAL_EXAMPLES)
    ]
    return music + signals


def mixtures(sources: Sequence[Source]) -> list[Source]:
    """Draw pairs to mix, both of one fold: speech over music or drums, and either of speech and music over noise.

    Speech over a street is speech, music over it is music, and speech over music is music.
    """
    draw = np.random.default_rng(0)
    by_kind = {kind: [source for source in sources if source.kind == kind] for kind in ("speech", "environment")}
    music = [source for source in sources if source.collection == "modern"]
    pairs = (
        (SPEECH_OVER_MUSIC, "music", by_kind["speech"], music, (-3, 0, 3, 6, 9, 12)),
        (SPEECH_OVER_ENVIRONMENT, "speech", by_kind["speech"], by_kind["environment"], (0, 3, 6, 9, 12, 20)),
        (MUSIC_OVER_ENVIRONMENT, "music", music, by_kind["environment"], (6, 9, 12, 20)),
    )
    drawn: list[Source] = []
    for count, kind, foregrounds, backgrounds, decibels in pairs:
        for _ in range(count if foregrounds else 0):
            front = foregrounds[draw.integers(len(foregrounds))]
            if behind := [source for source in backgrounds if source.fold == front.fold]:
                background = behind[draw.integers(len(behind))]
                label = f"{front.kind} over {background.kind}"
                below = float(draw.choice(decibels))
                drawn.append(_mixture(front, kind, label, background.path, below, len(drawn)))
    for _ in range(SPEECH_OVER_DRUMS if by_kind["speech"] else 0):
        front = by_kind["speech"][draw.integers(len(by_kind["speech"]))]
        drums, below = str(draw.choice(list(DRUMS))), float(draw.choice((-3, 0, 3, 6)))
        drawn.append(_mixture(front, "music", "speech over drums", drums, below, len(drawn)))
    return drawn


def _mixture(front: Source, kind: str, label: str, background: Path | str | None, below: float, seed: int) -> Source:
    return replace(
        front, collection="mixture", kind=kind, label=label, background=background, below_decibels=below, seed=seed
    )


def sounds_of(source: Source) -> list[Sound]:
    """Read, mix or synthesise a source, and treat it; the same for the same source."""
    draw = np.random.default_rng([source.seed, zlib.crc32(f"{source.collection} {source.name}".encode())])
    samples = _synthesised(source.name, draw) if source.path is None else _read(source.path)
    if source.background is not None:
        samples = mixed(samples, _background(source.background, samples.size, draw), source.below_decibels)
    sounds = [Sound(source, "original", _cut(samples, CUT_SECONDS, draw))]
    with suppress(Silent):  # lone clicks are silence to whoever decodes them, and never reach the detector
        sounds.append(Sound(source, "voice message", _voice_message(_cut(samples, CUT_SECONDS, draw), draw)))
    if source.collection not in {"synthesis", "mixture"} and samples.size > SHORT_SECONDS[0] * SAMPLE_RATE:
        sounds.append(Sound(source, "short", _cut(samples, SHORT_SECONDS, draw)))
    return sounds


def _read(path: Path) -> Samples:
    try:
        return decode(path, max_seconds=LONGEST_SONG_SECONDS)
    except TooShort:  # excerpts of GTZAN last two to three seconds
        return _read_short(path)


def _read_short(path: Path) -> Samples:
    with av.open(path) as container:
        rate = container.streams.audio[0].rate
        resampler = av.AudioResampler("flt", "mono", rate)
        frames = [frame for part in container.decode(audio=0) for frame in resampler.resample(part)]
    samples: Samples = soxr.resample(np.concatenate([frame.to_ndarray()[0] for frame in frames]), rate, SAMPLE_RATE)
    return samples


def _synthesised(name: str, draw: Generator) -> Samples:
    """Synthesise a sound as if it had been recorded: often in a room, often with some noise."""
    synthesise = MUSIC[name] if name in MUSIC else SIGNALS[name][1]
    sound = synthesise(draw, draw.uniform(*SYNTHESISED_SECONDS))
    if draw.random() < 0.5:
        sound = reverberant(draw, sound, seconds=draw.uniform(0.2, 2), share=draw.uniform(0.1, 0.5))
    samples: Samples = soxr.resample(sound, SYNTHESIS_RATE, SAMPLE_RATE)
    if draw.random() < 0.6:
        samples = mixed(samples, white_noise(draw, samples.size), draw.uniform(20, 55))
    return levelled(samples)


def _background(background: Path | str, count: int, draw: Generator) -> Samples:
    """Return at most ``count`` samples of a file or of a synthesised drum."""
    if isinstance(background, str):
        sound = DRUMS[background](draw, count / SAMPLE_RATE + 1)
        return soxr.resample(sound, SYNTHESIS_RATE, SAMPLE_RATE)[:count]
    samples = _read(background)
    start = int(draw.integers(max(1, samples.size - count)))
    return samples[start : start + count]


def mixed(front: Samples, background: Samples, below_decibels: float) -> Samples:
    """Add a background that lies so many dB below, both cut to the shorter one's length."""
    count = min(front.size, background.size)
    return levelled(front[:count]) + levelled(background[:count]) * np.float32(10 ** (-below_decibels / 20))


def levelled(samples: Samples) -> Samples:
    """Bring a sound to ``LEVEL_DECIBELS``; silence stays silent."""
    level = np.sqrt(np.square(samples, dtype=np.float64).mean())
    return samples * np.float32(10 ** (LEVEL_DECIBELS / 20) / max(level, np.finfo(np.float32).tiny))


def _cut(samples: Samples, seconds: tuple[float, float], draw: Generator) -> Samples:
    count = int(draw.uniform(*seconds) * SAMPLE_RATE)
    start = int(draw.integers(max(1, samples.size - count)))
    return samples[start : start + count]


def _voice_message(samples: Samples, draw: Generator) -> Samples:
    """Limit the bandwidth as microphones and telephones do, and encode the sound as chats do."""
    edge = (None, WIDE_BAND_HERTZ, TELEPHONE_HERTZ)[draw.choice(3, p=BANDWIDTH_SHARES)]
    if edge is not None:
        samples = sosfilt(butter(12, edge, fs=SAMPLE_RATE, output="sos"), samples).astype(np.float32)
    padded = np.pad(levelled(samples), (0, max(0, _ENCODABLE_SAMPLES - samples.size)))
    bits = int(draw.choice(VOICE_MESSAGE_BITS))
    return transcoded(padded, container="ogg", codec="libopus", rate=OPUS_RATE, bits_per_second=bits)[: samples.size]
