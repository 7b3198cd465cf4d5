from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.features import musicnn
from classifier.features.musicnn import (
    CHANNELS,
    FRONT_CHANNELS,
    MIDDLE_CHANNELS,
    PENULTIMATE,
    TAGS,
    TEMPORAL_FRAMES,
    TIMBRAL_BANDS,
    MusiCNN,
    NetworkOutput,
    features,
    summary,
)
from classifier.features.musicnn_convolutions import MIDDLE_FRAMES, TIMBRAL_FRAMES
from classifier.features.musicnn_input import (
    BANDS,
    FRAME_SAMPLES,
    HOP_SAMPLES,
    PATCH_FRAMES,
    RATE,
    USUAL_RMS,
    compressed_mel,
    normalise_loudness,
    patches,
    resampled,
)
from classifier.features.spectrum import SAMPLE_RATE
from classifier.training.musicnn_weights import folded, read, to_float16
from tests.classifier.synthesis import song

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Doubles = NDArray[np.float64]

TIMBRAL_FILTERS = 204
TEMPORAL_FILTERS = 51
LIVE_SHARE = 0.1
"""Of the front end's filters; the others are all but nothing, as weight decay leaves them."""
TOLERANCE = 2e-5
"""Of single precision, where values are of the order of one."""


def variables(seed: int = 0) -> dict[str, Floats]:
    """What a checkpoint of the published network holds, by chance; of both signs wherever both can be."""
    draw = np.random.default_rng(seed)
    found: dict[str, Doubles] = {}

    def normalisation(number: int, width: int) -> None:
        name = f"batch_normalization_{number}" if number else "batch_normalization"
        found[f"{name}/gamma"] = draw.normal(0, 1, width)
        found[f"{name}/beta"] = draw.normal(0, 0.3, width)
        found[f"{name}/moving_mean"] = draw.normal(0, 0.3, width)
        found[f"{name}/moving_variance"] = draw.uniform(0.5, 2, width)

    def convolution(number: int, frames: int, height: int, filters: int) -> None:
        name = f"conv2d_{number}" if number else "conv2d"
        kernel = draw.normal(0, (frames * height) ** -0.5, (frames, height, 1, filters))
        if number < len(TIMBRAL_BANDS) + len(TEMPORAL_FRAMES):
            kernel[..., draw.random(filters) > LIVE_SHARE] *= 1e-20
        else:
            kernel[..., : filters // 4] *= 1e-20
        found[f"{name}/kernel"] = kernel
        found[f"{name}/bias"] = draw.normal(0, 0.3, filters)
        normalisation(number + 1, filters)

    normalisation(0, 1)
    sizes = [(TIMBRAL_FRAMES, bands, TIMBRAL_FILTERS) for bands in TIMBRAL_BANDS]
    sizes += [(frames, 1, TEMPORAL_FILTERS) for frames in TEMPORAL_FRAMES]
    sizes += [(MIDDLE_FRAMES, height, MIDDLE_CHANNELS) for height in (FRONT_CHANNELS, MIDDLE_CHANNELS, MIDDLE_CHANNELS)]
    for number, size in enumerate(sizes):
        convolution(number, *size)
    normalisation(9, 2 * CHANNELS)
    found["dense/kernel"] = draw.normal(0, (2 * CHANNELS) ** -0.5, (2 * CHANNELS, PENULTIMATE))
    found["dense/bias"] = draw.normal(0, 0.3, PENULTIMATE)
    normalisation(10, PENULTIMATE)
    found["dense_1/kernel"] = draw.normal(0, PENULTIMATE**-0.5, (PENULTIMATE, len(TAGS)))
    found["dense_1/bias"] = draw.normal(0, 1, len(TAGS))
    return {name: array.astype(np.float32) for name, array in found.items()}


def heard_slowly(source: Mapping[str, Floats], patch: Floats) -> tuple[Doubles, Doubles, Doubles]:
    """The published network as its authors wrote it, layer by layer, of one patch: tags, all 753 means, penultimate."""
    v = {name: array.astype(np.float64) for name, array in source.items()}

    def normalised(x: Doubles, number: int) -> Doubles:
        name = f"batch_normalization_{number}" if number else "batch_normalization"
        deviation = np.sqrt(v[f"{name}/moving_variance"] + 1e-3)
        return (x - v[f"{name}/moving_mean"]) / deviation * v[f"{name}/gamma"] + v[f"{name}/beta"]

    def convolved(x: Doubles, number: int, before: int, after: int) -> Doubles:
        """Filter (time, height), and rectify and normalise: (time, places, filters)."""
        name = f"conv2d_{number}" if number else "conv2d"
        kernel = v[f"{name}/kernel"][:, :, 0]
        padded = np.pad(x, ((before, after), (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape[:2])
        products = np.tensordot(windows, kernel, axes=2)
        return normalised(np.maximum(products + v[f"{name}/bias"], 0), number + 1)

    level = normalised(patch.astype(np.float64)[..., None], 0)[..., 0]
    front = [convolved(level, number, 3, 3).max(axis=1) for number in (0, 1)]
    front += [
        convolved(level, number, (frames - 1) // 2, frames // 2).max(axis=1)
        for number, frames in zip((2, 3, 4), TEMPORAL_FRAMES, strict=True)
    ]
    layers = [np.concatenate(front, axis=1)]
    layers.append(convolved(layers[0], 5, 3, 3)[:, 0])
    layers.append(convolved(layers[1], 6, 3, 3)[:, 0] + layers[1])
    layers.append(convolved(layers[2], 7, 3, 3)[:, 0] + layers[2])
    channels = np.concatenate(layers, axis=1)
    pooled = np.stack((channels.max(axis=0), channels.mean(axis=0)), axis=1).ravel()
    dense = np.maximum(normalised(pooled, 9) @ v["dense/kernel"] + v["dense/bias"], 0)
    penultimate = normalised(dense, 10)
    logits = penultimate @ v["dense_1/kernel"] + v["dense_1/bias"]
    return 1 / (1 + np.exp(-logits)), pooled[1::2], penultimate


@pytest.fixture(scope="module")
def source() -> dict[str, Floats]:
    return variables()


@pytest.fixture(scope="module")
def weights(source: dict[str, Floats]) -> dict[str, NDArray[Any]]:
    return folded(source)


@pytest.fixture(scope="module")
def network(weights: dict[str, NDArray[Any]]) -> MusiCNN:
    return MusiCNN(weights)


def some_patches(count: int, seed: int = 0) -> Floats:
    draw = np.random.default_rng(seed)
    return draw.gamma(2, 0.7, (count, PATCH_FRAMES, BANDS)).astype(np.float32)


class TestNetwork:
    def test_it_says_what_the_published_network_says(self, network: MusiCNN, source: dict[str, Floats]) -> None:
        given_patches = some_patches(2)
        output = network(given_patches)
        for number, patch in enumerate(given_patches):
            tags, pooled, penultimate = heard_slowly(source, patch)
            assert output.tags[number] == pytest.approx(tags, abs=TOLERANCE)
            assert output.penultimate[number] == pytest.approx(penultimate, abs=20 * TOLERANCE)
            kept = network.channels
            assert output.pooled[number] == pytest.approx(pooled[kept], abs=20 * TOLERANCE)

    def test_channels_that_are_left_out_are_the_same_whatever_is_heard(
        self, network: MusiCNN, source: dict[str, Floats]
    ) -> None:
        (_, one, _), (_, other, _) = (heard_slowly(source, patch) for patch in some_patches(2))
        left_out = np.setdiff1d(np.arange(CHANNELS), network.channels)
        assert left_out.size > FRONT_CHANNELS / 2
        assert one[left_out] == pytest.approx(other[left_out], abs=1e-9)

    def test_patches_do_not_hear_each_other(self, network: MusiCNN) -> None:
        given_patches = some_patches(7)
        together = network(given_patches)
        for number, patch in enumerate(given_patches):
            alone = network(patch[None])
            for one, all_of_them in zip(alone, together, strict=True):
                assert one[0] == pytest.approx(all_of_them[number], abs=TOLERANCE)

    def test_shapes_and_types(self, network: MusiCNN) -> None:
        output = network(some_patches(3))
        shapes = [array.shape for array in output]
        assert shapes == [(3, len(TAGS)), (3, len(network.channels)), (3, PENULTIMATE)]
        assert {array.dtype for array in output} == {np.dtype(np.float32)}
        assert ((output.tags > 0) & (output.tags < 1)).all()

    def test_what_is_given_is_not_written_into(self, network: MusiCNN) -> None:
        given_patches = some_patches(1)
        before = given_patches.copy()
        network(given_patches)
        assert (given_patches == before).all()

    def test_half_precision_changes_hardly_anything(self, network: MusiCNN, weights: dict[str, NDArray[Any]]) -> None:
        halved = to_float16(weights)
        assert {array.dtype.name for array in halved.values()} == {"float16", "float32", "int16"}
        assert MusiCNN(halved)(some_patches(2)).tags == pytest.approx(network(some_patches(2)).tags, abs=5e-3)

    def test_a_process_can_be_handed_it(self, network: MusiCNN) -> None:
        again = pickle.loads(pickle.dumps(network))
        assert (again(some_patches(1)).tags == network(some_patches(1)).tags).all()


class TestReading:
    def test_variables_are_read_from_the_wheel_without_the_optimisers(self, tmp_path: Path) -> None:
        from zipfile import ZipFile

        import tensorflow as tf  # takes seconds

        names = ["conv2d/bias", "conv2d/bias/Adam", "beta1_power"]
        values = [tf.constant([1.5, -2.0]), tf.constant([3.0]), tf.constant(0.9)]
        tf.raw_ops.SaveV2(
            prefix=str(tmp_path / "x"), tensor_names=names, shape_and_slices=[""] * len(names), tensors=values
        )
        with ZipFile(tmp_path / "wheel.whl", "w") as archive:
            for part in (".index", ".data-00000-of-00001"):
                archive.write(tmp_path / f"x{part}", f"musicnn/MSD_musicnn/{part}")
        found = read(tmp_path / "wheel.whl")
        assert {name: array.tolist() for name, array in found.items()} == {"conv2d/bias": [1.5, -2.0]}


class TestPatches:
    @pytest.mark.parametrize(
        ("seconds", "count"), [(30, 5), (20, 5), (15.1, 5), (12.1, 4), (10, 3), (6.1, 2), (6, 1), (3, 1), (2, 1)]
    )
    def test_there_are_as_many_as_do_not_overlap_and_at_most_five(self, seconds: float, count: int) -> None:
        samples = song(0, seconds=seconds)[: int(seconds * SAMPLE_RATE)]
        assert patches(samples).shape == (count, PATCH_FRAMES, BANDS)

    @settings(deadline=None, max_examples=30)
    @given(st.integers(1, 8 * SAMPLE_RATE), st.integers(1, 6))
    def test_any_length_gives_whole_finite_patches(self, length: int, count: int) -> None:
        found = patches(np.random.default_rng(0).normal(0, 0.1, length).astype(np.float32), count=count)
        assert 1 <= len(found) <= count
        assert found.shape[1:] == (PATCH_FRAMES, BANDS)
        assert found.dtype == np.float32
        assert np.isfinite(found).all()
        assert (found >= 0).all()

    def test_they_are_spread_over_the_whole_segment(self) -> None:
        # A segment in five parts of which one sounds: that patch alone is not silent.
        for part in range(5):
            samples = np.zeros(30 * SAMPLE_RATE, dtype=np.float32)
            samples[part * 6 * SAMPLE_RATE : (part + 1) * 6 * SAMPLE_RATE] = 0.5 * np.sin(np.arange(6 * SAMPLE_RATE))
            loudness = patches(samples).max(axis=(1, 2))
            assert loudness[part] > 1
            assert np.delete(loudness, part).max() < 1e-3

    def test_what_is_shorter_than_a_patch_is_repeated_from_its_start(self) -> None:
        samples = song(1, seconds=3)[: 2 * SAMPLE_RATE]
        (patch,) = patches(samples)
        own = 1 + (2 * RATE - FRAME_SAMPLES) // HOP_SAMPLES
        assert (patch[own:] == patch[: PATCH_FRAMES - own]).all()
        assert not (patch[own - 1] == patch[-1]).all()

    def test_a_patch_is_librosas_mel_spectrum(self) -> None:
        import librosa

        samples = resampled(song(2, seconds=3.5), [range(151)])[0]
        frames = np.lib.stride_tricks.sliding_window_view(samples, FRAME_SAMPLES)[::HOP_SAMPLES]
        mel = librosa.feature.melspectrogram(
            y=samples, sr=RATE, n_fft=FRAME_SAMPLES, hop_length=HOP_SAMPLES, n_mels=BANDS, center=False
        )
        assert np.allclose(compressed_mel(frames), np.log10(10_000 * mel.T + 1), atol=TOLERANCE)


class TestResampling:
    @pytest.mark.parametrize("hertz", [55, 1_000, 6_800])
    def test_a_tone_stays_what_it_is(self, hertz: float) -> None:
        samples = np.sin(2 * np.pi * hertz / SAMPLE_RATE * np.arange(SAMPLE_RATE)).astype(np.float32)
        tone = np.sin(2 * np.pi * hertz / RATE * np.arange(RATE))
        found = resampled(samples, [range(50)])[0]
        assert found[200:-200] == pytest.approx(tone[200:-200], abs=1e-4)

    @pytest.mark.parametrize("hertz", [8_300, 10_000])
    def test_a_tone_that_does_not_fit_is_taken_away(self, hertz: float) -> None:
        samples = np.sin(2 * np.pi * hertz / SAMPLE_RATE * np.arange(SAMPLE_RATE)).astype(np.float32)
        assert np.abs(resampled(samples, [range(50)])[0, 200:-200]).max() < 1e-3

    def test_pieces_are_those_of_the_whole(self) -> None:
        samples = song(3, seconds=3)
        whole = resampled(samples, [range(140)])[0]
        pieces = resampled(samples, [range(10, 40), range(70, 100)])
        assert pieces[0] == pytest.approx(whole[10 * 320 : 40 * 320], abs=1e-6)
        assert pieces[1] == pytest.approx(whole[70 * 320 : 100 * 320], abs=1e-6)


class TestLevel:
    @settings(deadline=None, max_examples=20)
    @given(st.floats(0.005, 20))
    def test_the_level_of_a_song_does_not_matter(self, gain: float) -> None:
        samples = song(4, seconds=4)
        assert np.allclose(
            normalise_loudness(samples * np.float32(gain)), normalise_loudness(samples), rtol=1e-4, atol=1e-6
        )

    def test_it_is_brought_to_the_usual(self) -> None:
        noise = np.random.default_rng(0).normal(0, 0.01, 5 * SAMPLE_RATE).astype(np.float32)
        assert np.sqrt(np.square(normalise_loudness(noise)).mean()) == pytest.approx(USUAL_RMS, rel=0.01)

    def test_pauses_do_not_make_the_rest_louder(self) -> None:
        sound = np.random.default_rng(0).normal(0, 0.01, 4 * SAMPLE_RATE).astype(np.float32)
        with_pause = np.concatenate((sound, np.zeros(8 * SAMPLE_RATE, dtype=np.float32)))
        assert np.allclose(normalise_loudness(with_pause)[: sound.size], normalise_loudness(sound), rtol=0.02)

    @pytest.mark.filterwarnings("error")
    def test_silence_stays_silent(self, network: MusiCNN) -> None:
        silence = np.zeros(5 * SAMPLE_RATE, dtype=np.float32)
        assert not normalise_loudness(silence).any()
        assert not patches(normalise_loudness(silence)).any()
        assert np.isfinite(features(silence, network)).all()

    def test_what_is_next_to_silence_is_not_made_loud(self) -> None:
        dither = np.random.default_rng(0).normal(0, 1e-5, 5 * SAMPLE_RATE).astype(np.float32)
        assert np.sqrt(np.square(normalise_loudness(dither)).mean()) < USUAL_RMS / 10

    def test_what_is_given_is_not_written_into(self) -> None:
        samples = song(5, seconds=3)
        before = samples.copy()
        normalise_loudness(samples)
        assert (samples == before).all()


class TestFeatures:
    def test_every_number_has_a_name_of_its_own(self, network: MusiCNN) -> None:
        found = features(song(6, seconds=7), network)
        assert found.shape == (len(network.columns),)
        assert found.dtype == np.float32
        assert len(set(network.columns)) == len(network.columns)
        assert network.columns[:2] == ("rock mean", "pop mean")
        assert network.columns[3 * len(TAGS) - 1] == "happy logarithm"
        assert network.columns[-1] == f"penultimate {PENULTIMATE - 1}"

    def test_numbers_stand_under_their_names(self, network: MusiCNN) -> None:
        draw = np.random.default_rng(0)
        output = NetworkOutput(
            draw.random((5, len(TAGS)), dtype=np.float32),
            draw.random((5, len(network.channels)), dtype=np.float32),
            draw.random((5, PENULTIMATE), dtype=np.float32),
        )
        by_name = dict(zip(network.columns, summary(output).tolist(), strict=True))
        jazz = output.tags[:, TAGS.index("jazz")]
        assert by_name["jazz mean"] == pytest.approx(jazz.mean())
        assert by_name["jazz deviation"] == pytest.approx(jazz.std())
        assert by_name["jazz logarithm"] == pytest.approx(np.log(jazz).mean(), abs=0.01)
        assert by_name[f"channel {network.channels[7]}"] == pytest.approx(output.pooled[:, 7].mean())
        assert by_name["penultimate 3"] == pytest.approx(output.penultimate[:, 3].mean())

    def test_the_level_does_not_matter(self, network: MusiCNN) -> None:
        samples = song(7, seconds=6.5)
        assert features(samples * np.float32(0.01), network) == pytest.approx(features(samples, network), abs=1e-3)

    def test_one_patch_has_no_deviation(self, network: MusiCNN) -> None:
        found = dict(zip(network.columns, features(song(8, seconds=3), network).tolist(), strict=True))
        assert all(found[f"{tag} deviation"] == 0 for tag in TAGS)

    def test_fewer_patches_may_be_asked_for(self, network: MusiCNN) -> None:
        samples = song(9, seconds=10)
        one = network(patches(normalise_loudness(samples), count=1))
        assert features(samples, network, count=1) == pytest.approx(summary(one))


def test_there_are_fifty_tags() -> None:
    assert len(set(musicnn.TAGS)) == 50
