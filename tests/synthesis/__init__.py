"""Small songs that the project composes and plays itself, so that nothing in it or its tests is anybody else's music.

``song`` plays one, the same for the same seed; ``write`` puts it into a file of any kind.
``python -m tests.synthesis --examples`` makes the songs that the local chat offers to try.
"""

from __future__ import annotations

import numpy as np

from classifier.training.synthesis.instruments import SAMPLE_RATE, Sound
from tests.synthesis.band import Band
from tests.synthesis.files import KINDS, write
from tests.synthesis.styles import STYLES

__all__ = ["KINDS", "SAMPLE_RATE", "STYLES", "Sound", "song", "write"]

_SHORTEST_ENDING_SECONDS, _ENDING_SHARE = 4.0, 0.3


def song(style: str, seconds: float = 30.0, seed: int = 0, *, stereo: bool = False) -> Sound:
    """Play a song.

    Parameters
    ----------
    style
        One of ``STYLES``.
    seconds
        Its exact length.
    seed
        Another seed is another song: key, tempo, chords, tune.
    stereo
        Whether to keep both channels.

    Returns
    -------
    ndarray
        Float32 between -1 and 1 at ``SAMPLE_RATE`` (44,100 Hz), shape (frames,), or (frames, 2) in stereo.
    """
    manner = STYLES[style]
    rng = np.random.default_rng([seed, sorted(STYLES).index(style)])
    tempo = float(rng.uniform(*manner.tempo))
    band = Band(seconds, tempo, rng, swing=manner.swing, room=manner.room, presence=manner.presence)
    ending = min(_SHORTEST_ENDING_SECONDS, seconds * _ENDING_SHARE)
    manner.play(band, rng, band.bars(manner.beats_per_bar, ending_seconds=ending))
    mixed = band.mixed()
    return mixed if stereo else mixed.mean(axis=1)
