"""What Debian's ffmpeg makes of a file, to compare with."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import numpy as np
from scipy.signal import correlate

from classifier.features.spectrum import SAMPLE_RATE

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def decoded_by_ffmpeg(path: Path, track: int | None = None) -> NDArray[np.float32]:
    """Return mono samples at 22,050 Hz, shape (n,); none if ffmpeg cannot decode the file."""
    chosen = [] if track is None else ["-map", f"0:a:{track}"]
    options = [*chosen, "-vn", "-ac", "1", "-ar", str(SAMPLE_RATE), "-f", "f32le", "-"]
    command = ["ffmpeg", "-v", "error", "-i", str(path), *options]
    output = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False).stdout
    return np.frombuffer(output[: len(output) // 4 * 4], dtype="<f4")


def likeness(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Return the normalised correlation of two signals at the delay where it is largest, up to a tenth of a second."""
    if not one.size or not other.size:
        return 0.0
    correlation = correlate(one, other, mode="full", method="fft")
    nearby = correlation[other.size - 1 - SAMPLE_RATE // 10 : other.size + SAMPLE_RATE // 10]
    return float(nearby.max() / (np.linalg.norm(one) * np.linalg.norm(other) + np.finfo(np.float32).tiny))
