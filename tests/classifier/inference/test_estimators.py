from __future__ import annotations

import pickle
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.svm import SVC

from classifier.inference.estimators import DenseNetwork, GroupScaler, HalfPrecisionPCA, MarginSVC
from classifier.training.keras_network import KerasNetwork
from tests.conftest import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

COLUMNS = 6
ROWS = 240
EXACT_IN_HALF_PRECISION = 256


def problem(classes: int, seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.str_]]:
    """Return overlapping clouds whose numbers half precision holds exactly, and the name of each row's cloud."""
    draw = np.random.default_rng(seed)
    names = np.array(["blues", "disco", "jazz", "metal", "pop"])[:classes]
    labels = draw.integers(0, classes, ROWS)
    points = draw.normal(0, 1, (classes, COLUMNS))[labels] + draw.normal(0, 0.9, (ROWS, COLUMNS))
    return (np.round(points * EXACT_IN_HALF_PRECISION) / EXACT_IN_HALF_PRECISION).astype(np.float32), names[labels]


class TestMarginSVC:
    @pytest.mark.parametrize("kernel", ["rbf", "poly", "sigmoid", "linear"])
    @pytest.mark.parametrize("gamma", ["scale", "auto", 0.05])
    @pytest.mark.parametrize("class_weight", [None, "balanced"])
    def test_its_margins_are_scikit_learns(self, kernel: str, gamma: float | str, class_weight: str | None) -> None:
        X, y = problem(5)
        choice: dict[str, Any] = {"C": 3.0, "kernel": kernel, "gamma": gamma, "class_weight": class_weight}
        ours = MarginSVC(**choice).fit(X[:160], y[:160])
        theirs = SVC(**choice).fit(X[:160].astype(np.float64), y[:160])
        expected = theirs.decision_function(X[160:])
        np.testing.assert_allclose(ours.decision_function(X[160:]), expected, atol=2e-3)
        np.testing.assert_array_equal(ours.predict(X[160:]), theirs.classes_[expected.argmax(axis=1)])

    @pytest.mark.parametrize("kernel", ["rbf", "poly", "sigmoid", "linear"])
    def test_two_classes_are_told_apart_as_scikit_learn_does(self, kernel: str) -> None:
        X, y = problem(2, seed=3)
        ours, theirs = MarginSVC(kernel=kernel).fit(X[:160], y[:160]), SVC(kernel=kernel).fit(X[:160], y[:160])
        margin = theirs.decision_function(X[160:])
        np.testing.assert_array_equal(ours.predict(X[160:]), theirs.predict(X[160:]))
        # Summed up for each class: who wins the one duel gets a vote, and a share below one half for the margin.
        won = np.stack([margin < 0, margin > 0], axis=1)
        shares = np.stack([-margin, margin], axis=1)
        expected = won + shares / (3 * (np.abs(shares) + 1))
        np.testing.assert_allclose(ours.decision_function(X[160:]), expected, atol=2e-3)

    def test_probabilities_sum_to_one_and_follow_the_margins(self) -> None:
        X, y = problem(4)
        machine = MarginSVC().fit(X, y)
        probabilities = machine.predict_proba(X)
        assert probabilities.shape == (ROWS, 4)
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
        np.testing.assert_array_equal(machine.classes_[probabilities.argmax(axis=1)], machine.predict(X))

    def test_sharper_is_surer_and_votes_for_the_same(self) -> None:
        X, y = problem(3)
        dull, sharp = MarginSVC(sharpness=0.5).fit(X, y), MarginSVC(sharpness=4).fit(X, y)
        assert (sharp.predict_proba(X).max(axis=1) > dull.predict_proba(X).max(axis=1)).all()
        np.testing.assert_array_equal(sharp.predict(X), dull.predict(X))

    def test_a_pickled_one_answers_the_same(self) -> None:
        X, y = problem(4)
        machine = MarginSVC(kernel="poly").fit(X, y)
        again = pickle.loads(pickle.dumps(machine))
        np.testing.assert_array_equal(again.predict_proba(X), machine.predict_proba(X))

    def test_it_takes_part_in_searches_and_pipelines(self) -> None:
        X, y = problem(3)
        copy = clone(MarginSVC(C=7, kernel="poly", sharpness=2))
        assert copy.get_params() == {
            "C": 7,
            "kernel": "poly",
            "gamma": "scale",
            "class_weight": None,
            "sharpness": 2,
        }
        pipeline = Pipeline([("scale", MinMaxScaler()), ("expert", MarginSVC())])
        search = GridSearchCV(pipeline, {"expert__C": [1, 10]}, cv=2).fit(X, y)
        assert search.best_score_ > 0.6

    def test_its_vectors_take_half_the_room(self) -> None:
        X, y = problem(3)
        assert MarginSVC().fit(X, y).vectors_.dtype == np.float16

    def test_one_class_cannot_be_learnt(self) -> None:
        X, _ = problem(2)
        with pytest.raises(ValueError, match="number of classes"):
            MarginSVC().fit(X, np.full(ROWS, "blues"))


class TestGroupScaler:
    @given(st.lists(st.integers(1, 12), min_size=1, max_size=5))
    @settings(max_examples=25, deadline=None)
    def test_every_group_weighs_the_same_however_wide(self, widths: list[int]) -> None:
        X = np.random.default_rng(0).normal(3, 50, (400, sum(widths))).astype(np.float32)
        scaled = GroupScaler(widths).fit(X).transform(X)
        groups = np.split(scaled, np.cumsum(widths)[:-1], axis=1)
        power = [np.square(group).sum(axis=1).mean() for group in groups]
        np.testing.assert_allclose(power, 1, atol=1e-3)
        np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-4)
        assert scaled.dtype == np.float32

    def test_a_column_that_never_changes_does_not_blow_up(self) -> None:
        X = np.ones((10, 3), dtype=np.float32)
        assert np.abs(GroupScaler([3]).fit(X).transform(X + 1e-4)).max() < 0.2

    def test_columns_that_are_in_no_group_are_refused(self) -> None:
        with pytest.raises(ValueError, match="groups of 5 columns in all, but 6 are given"):
            GroupScaler([2, 3]).fit(np.zeros((4, 6), dtype=np.float32))

    def test_it_clones_and_pickles(self) -> None:
        X = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)
        scaler = clone(GroupScaler([1, 3])).fit(X)
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(scaler)).transform(X), scaler.transform(X))


@pytest.fixture(scope="module")
def trained() -> tuple[KerasNetwork, Any, NDArray[np.float32], NDArray[np.str_]]:
    """Train a small network; give also the Keras network that its flatbuffer was made of."""
    X, y = problem(3)
    kept: list[Any] = []

    class Watched(KerasNetwork):
        def _build(self, keras: Any, columns: int) -> Any:
            kept.append(super()._build(keras, columns))
            return kept[-1]

    network = Watched(layers=2, units=16, learning_rate=1e-2, epochs=12, patience=4)
    network.fit(X, y, groups=np.arange(ROWS) // 4)
    return network, kept[0], X, y


class TestNetwork:
    def test_what_is_served_equals_the_network_that_was_trained(
        self, trained: tuple[KerasNetwork, Any, NDArray[np.float32], NDArray[np.str_]]
    ) -> None:
        network, keras_network, X, _ = trained
        logits = np.asarray(keras_network(X, training=False), dtype=np.float64)
        expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        served = network.served_.predict_proba(X)
        assert served.shape == (ROWS, 3)
        np.testing.assert_allclose(served, expected, atol=1e-4)
        np.testing.assert_array_equal(network.predict_proba(X), served)

    def test_it_learns(self, trained: tuple[KerasNetwork, Any, NDArray[np.float32], NDArray[np.str_]]) -> None:
        network, _, X, y = trained
        assert (network.predict(X) == y).mean() > 0.6
        assert set(network.classes_) == {"blues", "disco", "jazz"}

    def test_the_same_seed_gives_the_same_network(self) -> None:
        X, y = problem(2)
        small = KerasNetwork(layers=1, units=4, epochs=2)
        first, second = clone(small).fit(X, y), clone(small).fit(X, y)
        np.testing.assert_array_equal(first.predict_proba(X), second.predict_proba(X))

    def test_the_recipe_is_the_classic_one(self) -> None:
        recipe = KerasNetwork()
        assert (recipe.layers, recipe.units, recipe.learning_rate) == (5, 300, 1e-4)

    def test_a_served_one_survives_pickling_and_cloning(
        self, trained: tuple[KerasNetwork, Any, NDArray[np.float32], NDArray[np.str_]]
    ) -> None:
        network, _, X, _ = trained
        expected = network.served_.predict_proba(X)
        for again in (pickle.loads(pickle.dumps(network.served_)), clone(network.served_)):
            np.testing.assert_array_equal(again.predict_proba(X), expected)
            np.testing.assert_array_equal(again.classes_, network.classes_)

    def test_a_served_one_does_not_learn(
        self, trained: tuple[KerasNetwork, Any, NDArray[np.float32], NDArray[np.str_]]
    ) -> None:
        network, _, X, y = trained
        with pytest.raises(TypeError, match="does not learn"):
            network.served_.fit(X, y)

    def test_one_that_was_not_trained_does_not_answer(self) -> None:
        with pytest.raises((NotFittedError, AttributeError)):
            KerasNetwork().predict_proba(np.zeros((1, 3), dtype=np.float32))

    def test_serving_imports_no_tensorflow(
        self, trained: tuple[KerasNetwork, Any, NDArray[np.float32], NDArray[np.str_]], tmp_path: Path
    ) -> None:
        network, _, X, _ = trained
        served: DenseNetwork = network.served_
        (tmp_path / "network").write_bytes(pickle.dumps((served, X)))
        code = """
import pickle, sys
network, X = pickle.load(open(sys.argv[1], "rb"))
assert network.predict(X).shape == (len(X),)
print(sorted({"tensorflow", "keras", "librosa"} & set(sys.modules)))
"""
        result = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / "network")],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        assert result.stdout == "[]\n"


class TestHalfPrecisionPCA:
    def test_it_turns_as_scikit_learns_does(self) -> None:
        features = (np.random.default_rng(0).normal(size=(200, 40)) * np.linspace(3, 0.1, 40)).astype(np.float32)
        ours = HalfPrecisionPCA(5).fit(features)
        theirs = PCA(5, svd_solver="randomized", iterated_power=2, random_state=0).fit(features)
        assert ours.transform(features) == pytest.approx(theirs.transform(features), abs=0.02)

    def test_it_is_stored_in_half_precision(self) -> None:
        features = np.random.default_rng(0).normal(size=(50, 30)).astype(np.float32)
        assert HalfPrecisionPCA(10).fit(features).components_.nbytes == 10 * 30 * 2
