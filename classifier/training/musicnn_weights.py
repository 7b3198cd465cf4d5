"""The weights of MSD_musicnn: read from the TensorFlow checkpoint in PyPI's wheel, folded, rid of what is silent."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final
from zipfile import ZipFile

import numpy as np

from classifier.features.musicnn import MIDDLE_LAYERS, TEMPORAL_FRAMES, TIMBRAL_BANDS
from classifier.inference.artifact_file import read_artifact
from classifier.inference.manifest import PACKAGED_MODELS, BadRelease, read_release

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Doubles = NDArray[np.float64]

WHEEL: Final = "musicnn-0.1.0-py3-none-any.whl"
WHEEL_SHA256: Final = "f38a4890c648c1ddbb141c5d96d2b0a8cfcd36746002d896989f7b88beb65cfa"
_CHECKPOINT: Final = "musicnn/MSD_musicnn/"
_CHECKPOINT_PARTS: Final = (".index", ".data-00000-of-00001")
_VARIANCE_FLOOR: Final = 1e-3
"""Added to a variance by TensorFlow's batch normalisation."""
_LARGEST_INPUT: Final = 4.0
"""What the normalised input of a layer is taken to reach: the mel spectrum of a full-scale tone is 2.5."""
_SILENT: Final = 1e-4
"""A filter whose output cannot vary by more is a constant."""
_FRONT: Final = (*(f"timbral{bands}" for bands in TIMBRAL_BANDS), *(f"temporal{frames}" for frames in TEMPORAL_FRAMES))
_PENULTIMATE_NORMALISATION: Final = 10
_POOLED_NORMALISATION: Final = 9


class NoWeights(Exception):
    """The weights cannot be had; the text says from where they can."""


def load(wheel: Path | None) -> Mapping[str, NDArray[Any]] | None:
    """Return the weights of a wheel in half precision, or those of the release that comes with the project.

    Parameters
    ----------
    wheel
        The file; None takes the release's, which are the same numbers.

    Returns
    -------
    What ``MusiCNN`` takes; None where there is no wheel and the release has no network.

    Raises
    ------
    NoWeights
        If the file is not the wheel that the project was measured with.
    """
    if wheel is None:
        try:
            artifact = read_artifact(read_release(PACKAGED_MODELS)[1])
        except BadRelease:
            return None
        network: Mapping[str, NDArray[Any]] | None = artifact.network
        return network
    try:
        content = wheel.read_bytes()
    except OSError as error:
        raise NoWeights(f"{wheel} cannot be read: {error.strerror}. `make musicnn` fetches it.") from error
    if hashlib.sha256(content).hexdigest() != WHEEL_SHA256:
        raise NoWeights(f"{wheel} is not {WHEEL} as PyPI has it. `make musicnn` fetches it.")
    return to_float16(folded(read(wheel)))


def licence(wheel: Path) -> bytes:
    """Return the licence that the wheel carries."""
    with ZipFile(wheel) as archive:
        return archive.read(next(name for name in archive.namelist() if "LICENSE" in name.upper()))


def read(wheel: Path) -> dict[str, NDArray[np.float32]]:
    """Read the checkpoint's variables by name, without the optimiser's.

    Parameters
    ----------
    wheel
        ``musicnn`` 0.1.0 as PyPI has it; it need not be installed, and with today's NumPy cannot be.
    """
    import tensorflow as tf

    with TemporaryDirectory() as directory, ZipFile(wheel) as archive:
        prefix = Path(directory) / "checkpoint"
        for part in _CHECKPOINT_PARTS:
            Path(f"{prefix}{part}").write_bytes(archive.read(_CHECKPOINT + part))
        checkpoint = tf.train.load_checkpoint(str(prefix))
        names = checkpoint.get_variable_to_shape_map()
        return {name: checkpoint.get_tensor(name) for name in names if "/" in name and "Adam" not in name}


def folded(variables: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[Any]]:
    """Fold batch normalisation into the products and leave out what never changes.

    Exact, but that a filter which weight decay has silenced is replaced by its constant, from which it differs by less
    than 1e-4.

    Parameters
    ----------
    variables
        From ``read``.

    Returns
    -------
    The arrays that ``classifier.features.musicnn.MusiCNN`` takes, in double precision.
    """
    source = {name: array.astype(np.float64) for name, array in variables.items()}
    gain, shift = _normalisation(source, 0)
    weights: dict[str, NDArray[Any]] = {"input": np.concatenate((gain, shift))}

    layers = [_convolution(source, number) for number in range(len(_FRONT) + MIDDLE_LAYERS)]
    front, middle = layers[: len(_FRONT)], layers[len(_FRONT) :]
    for name, layer in zip(_FRONT, front, strict=True):
        kernel = layer.kernel[~layer.silent].transpose(0, 2, 1)  # by (filter, band, frame)
        weights[name] = kernel[:, 0] if name.startswith("temporal") else kernel
    for part in ("low", "high", "offset"):
        weights[f"front.{part}"] = np.concatenate([getattr(layer, part)[~layer.silent] for layer in front])

    # Pooled channel → its constant, or NaN.
    constants = [np.concatenate([layer.constant for layer in front])]
    for number, layer in enumerate(middle):
        kernel = layer.kernel.transpose(0, 2, 1)  # by (filter, channel, frame)
        if number == 0:
            silent = ~np.isnan(constants[0])
            constant_channel = np.einsum("ijk,j->ik", kernel[:, silent], constants[0][silent])
            kernel = np.concatenate((kernel[:, ~silent], constant_channel[:, None]), axis=1)
        weights[f"middle{number + 1}"] = kernel
        for part in ("low", "high", "offset"):
            weights[f"middle{number + 1}.{part}"] = getattr(layer, part)
        constants.append(layer.constant + constants[-1] if number else layer.constant)
    return weights | _dense(source, np.concatenate(constants))


def to_float16(weights: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Store what multiplies in half precision, the rest in single: it moves a tag by 0.00002, at most by 0.001."""
    return {
        name: array if array.dtype.kind == "i" else array.astype(np.float16 if array.ndim > 1 else np.float32)
        for name, array in weights.items()
    }


@dataclass(frozen=True, slots=True, eq=False)
class _Layer:
    """A convolution followed by rectification and batch normalisation, as ``MusiCNN`` computes it.

    Attributes
    ----------
    kernel
        Times the gain, shape (filters, frames, bands or channels).
    low, high, offset
        Of each filter.
    constant
        Of each filter: its output, if it is silent, else NaN.
    """

    kernel: Doubles
    low: Doubles
    high: Doubles
    offset: Doubles
    constant: Doubles

    @property
    def silent(self) -> NDArray[np.bool_]:
        return ~np.isnan(self.constant)


def _convolution(source: Mapping[str, Doubles], number: int) -> _Layer:
    name = f"conv2d_{number}" if number else "conv2d"
    gain, shift = _normalisation(source, number + 1)
    kernel = source[f"{name}/kernel"][:, :, 0].transpose(2, 0, 1) * gain[:, None, None]
    bias = source[f"{name}/bias"]
    varies = np.abs(kernel).sum(axis=(1, 2)) * _LARGEST_INPUT > _SILENT
    return _Layer(kernel, *_rectifier(gain, shift, bias), np.where(varies, np.nan, gain * np.maximum(bias, 0) + shift))


def _dense(source: Mapping[str, Doubles], constant: Doubles) -> dict[str, NDArray[Any]]:
    """Fold the dense layers, given the pooled channels' constants."""
    gain, shift = _normalisation(source, _POOLED_NORMALISATION)
    kernel = source["dense/kernel"].T * gain
    bias = source["dense/bias"] + source["dense/kernel"].T @ shift
    live = np.isnan(constant)
    # The maximum and the mean of a channel lie side by side; of a constant they are the same.
    bias += (kernel[:, ::2] + kernel[:, 1::2])[:, ~live] @ constant[~live]
    gain, shift = _normalisation(source, _PENULTIMATE_NORMALISATION)
    low, high, offset = _rectifier(gain, shift, bias)
    return {
        "penultimate": np.concatenate((kernel[:, ::2][:, live], kernel[:, 1::2][:, live]), axis=1) * gain[:, None],
        "penultimate.low": low,
        "penultimate.high": high,
        "penultimate.offset": offset,
        "tags": source["dense_1/kernel"].T,
        "tags.bias": source["dense_1/bias"],
        "channels": np.flatnonzero(live).astype(np.int16),
    }


def _normalisation(source: Mapping[str, Doubles], number: int) -> tuple[Doubles, Doubles]:
    """Return gain and shift of a batch normalisation."""
    name = f"batch_normalization_{number}" if number else "batch_normalization"
    gain = source[f"{name}/gamma"] / np.sqrt(source[f"{name}/moving_variance"] + _VARIANCE_FLOOR)
    return gain, source[f"{name}/beta"] - source[f"{name}/moving_mean"] * gain


def _rectifier(gain: Doubles, shift: Doubles, bias: Doubles) -> tuple[Doubles, Doubles, Doubles]:
    """Return the bounds and the offset that do what bias, rectification and normalisation do."""
    bound = -gain * bias
    return np.where(gain > 0, bound, -np.inf), np.where(gain > 0, np.inf, bound), shift - bound
