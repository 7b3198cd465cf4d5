"""Estimators that scikit-learn does not have, in its conventions; what a released expert is made of.

They are light to load and to serve: how they are trained with heavier packages lives in ``classifier.training``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.metrics.pairwise import pairwise_kernels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

_LEAST_DEVIATION = 1e-3


class GroupScaler(TransformerMixin, BaseEstimator):
    """Standardise every column, then give every group of columns the same weight however wide it is.

    Parameters
    ----------
    widths
        Number of columns of each group, in order.
    """

    def __init__(self, widths: Sequence[int]) -> None:
        self.widths = widths

    def fit(self, X: NDArray[np.float32], y: ArrayLike | None = None) -> Self:
        """Learn mean and deviation of each column; ``X`` has shape (n, sum of widths)."""
        if X.shape[1] != sum(self.widths):
            raise ValueError(f"groups of {sum(self.widths)} columns in all, but {X.shape[1]} are given")
        weight = np.concatenate([np.full(width, width**-0.5) for width in self.widths])
        self.mean_ = X.mean(axis=0, dtype=np.float64).astype(np.float32)
        self.weight_ = (weight / (X.std(axis=0, dtype=np.float64) + _LEAST_DEVIATION)).astype(np.float32)
        return self

    def transform(self, X: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return float32 of the same shape."""
        scaled: NDArray[np.float32] = (np.asarray(X, dtype=np.float32) - self.mean_) * self.weight_
        return scaled


class MarginSVC(ClassifierMixin, BaseEstimator):
    """A support vector machine that keeps half-precision vectors and turns its margins into probabilities.

    The machine itself is ``sklearn.svm.SVC``, one against one. The margins are summed up for each class as
    scikit-learn does (a vote for each duel won, and a share below one for by how much) and pass a softmax; whoever
    needs calibrated probabilities fits them afterwards, on songs held out.

    Parameters
    ----------
    C, kernel, gamma, class_weight
        As in ``sklearn.svm.SVC``.
    sharpness
        Factor of the summed margins before the softmax.
    """

    def __init__(
        self,
        *,
        C: float = 1.0,
        kernel: str = "rbf",
        gamma: float | str = "scale",
        class_weight: str | None = None,
        sharpness: float = 1.5,
    ) -> None:
        self.C = C
        self.kernel = kernel
        self.gamma = gamma
        self.class_weight = class_weight
        self.sharpness = sharpness

    def fit(self, X: NDArray[np.floating[Any]], y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Fit on ``X`` of shape (n, columns), n labels of at least two classes, and how much each row counts."""
        from sklearn.svm import SVC

        X = np.asarray(X, dtype=np.float64)
        gamma = {"scale": 1 / (X.shape[1] * X.var() or 1.0), "auto": 1 / X.shape[1]}.get(str(self.gamma), self.gamma)
        machine = SVC(
            C=self.C,
            kernel=self.kernel,
            gamma=gamma,
            class_weight=self.class_weight,
            decision_function_shape="ovo",
            cache_size=1000,
        ).fit(X, y, sample_weight)
        self.classes_: NDArray[Any] = machine.classes_
        self.gamma_ = float(gamma)
        self.vectors_ = machine.support_vectors_.astype(np.float16)
        self.intercept_ = machine.intercept_.astype(np.float32)
        self.duels_ = _duels(machine.dual_coef_.astype(np.float32), machine.n_support_)
        if len(self.classes_) == 2:  # where there is one duel only, scikit-learn's sign is the second class's
            self.duels_, self.intercept_ = -self.duels_, -self.intercept_
        return self

    def decision_function(self, X: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Return the summed margin of each class, shape (n, classes)."""
        parameters: dict[str, Any] = {} if self.kernel == "linear" else {"gamma": self.gamma_}
        if self.kernel in {"poly", "sigmoid"}:
            parameters["coef0"] = 0.0
        similar = pairwise_kernels(
            np.asarray(X, dtype=np.float32), self.vectors_.astype(np.float32), metric=self.kernel, **parameters
        )
        margins = similar @ self.duels_ + self.intercept_
        votes = np.zeros((len(margins), len(self.classes_)), dtype=np.float32)
        shares = np.zeros_like(votes)
        for duel, (first, second) in enumerate(_pairs(len(self.classes_))):
            won = margins[:, duel] > 0
            votes[:, first] += won
            votes[:, second] += ~won
            shares[:, first] += margins[:, duel]
            shares[:, second] -= margins[:, duel]
        return votes + shares / (3 * (np.abs(shares) + 1))

    def predict_proba(self, X: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Return the probability of each class, shape (n, classes)."""
        probabilities: NDArray[np.float32] = softmax(self.sharpness * self.decision_function(X), axis=1)
        return probabilities

    def predict(self, X: NDArray[np.floating[Any]]) -> NDArray[Any]:
        """Return the most probable class of each row."""
        predicted: NDArray[Any] = self.classes_[self.decision_function(X).argmax(axis=1)]
        return predicted


class WeightedLDA(ClassifierMixin, BaseEstimator):
    """Linear discriminant analysis in which every row counts by its weight.

    It is ``sklearn.discriminant_analysis.LinearDiscriminantAnalysis(solver="lsqr")``, which knows no weights: class
    means and the covariance within classes, shrunk towards a multiple of the identity.

    Parameters
    ----------
    shrinkage
        Share of that identity, 0 to 1.
    """

    def __init__(self, *, shrinkage: float = 0.3) -> None:
        self.shrinkage = shrinkage

    def fit(self, X: NDArray[np.floating[Any]], y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Fit on ``X`` of shape (n, columns), n labels, and how much each row counts; classes count by their rows."""
        X = np.asarray(X, dtype=np.float64)
        weight = np.ones(len(X)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        self.classes_, place = np.unique(y, return_inverse=True)
        masses = np.bincount(place, weights=weight)
        means = np.stack([np.average(X[place == c], axis=0, weights=weight[place == c]) for c in range(len(masses))])
        centred = (X - means[place]) * np.sqrt(weight / weight.sum())[:, None]
        covariance = (1 - self.shrinkage) * (centred.T @ centred)
        covariance.flat[:: len(covariance) + 1] += self.shrinkage * np.square(centred).sum() / X.shape[1]
        coefficients = np.linalg.lstsq(covariance, means.T, rcond=None)[0].T
        self.coefficients_ = coefficients.astype(np.float32)
        self.intercept_ = (np.log(masses / masses.sum()) - (means * coefficients).sum(axis=1) / 2).astype(np.float32)
        return self

    def predict_proba(self, X: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Return the probability of each class, shape (n, classes)."""
        scores = np.asarray(X, dtype=np.float32) @ self.coefficients_.T + self.intercept_
        probabilities: NDArray[np.float32] = softmax(scores, axis=1)
        return probabilities

    def predict(self, X: NDArray[np.floating[Any]]) -> NDArray[Any]:
        """Return the most probable class of each row."""
        predicted: NDArray[Any] = self.classes_[self.predict_proba(X).argmax(axis=1)]
        return predicted


class HalfPrecisionPCA(TransformerMixin, BaseEstimator):
    """Principal components, kept in half precision: of a release they are the largest part.

    Parameters
    ----------
    components
        How many, at most.
    """

    def __init__(self, components: int) -> None:
        self.components = components

    def fit(self, X: NDArray[np.float32], y: object = None) -> Self:
        """Find the components of features, shape (n, width), by randomised decomposition, always the same."""
        from sklearn.decomposition import PCA  # serving does without

        found = PCA(self.components, svd_solver="randomized", iterated_power=2, random_state=0).fit(X)
        self.mean_ = found.mean_.astype(np.float32)
        self.components_ = found.components_.astype(np.float16)
        return self

    def transform(self, X: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return shape (n, components)."""
        turned: NDArray[np.float32] = (np.asarray(X, dtype=np.float32) - self.mean_) @ self.components_.astype(
            np.float32
        ).T
        return turned


class FirstColumns(TransformerMixin, BaseEstimator):
    """Hand on the first columns alone, so that several machines can share one reduction and look at less of it.

    Parameters
    ----------
    columns
        How many, at most.
    """

    def __init__(self, columns: int) -> None:
        self.columns = columns

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def fit(self, X: object, y: object = None) -> Self:
        """Learn nothing."""
        return self

    def transform(self, X: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return shape (n, columns)."""
        return X[:, : self.columns]


def _pairs(classes: int) -> list[tuple[int, int]]:
    return [(first, second) for first in range(classes) for second in range(first + 1, classes)]


def _duels(dual: NDArray[np.float32], support: NDArray[np.int32]) -> NDArray[np.float32]:
    """Spread libsvm's packed dual coefficients into one column per pair of classes, shape (vectors, pairs)."""
    bounds = np.concatenate([[0], np.cumsum(support)])
    pairs = _pairs(len(support))
    columns = np.zeros((bounds[-1], len(pairs)), dtype=np.float32)
    for duel, (first, second) in enumerate(pairs):
        of_first, of_second = slice(bounds[first], bounds[first + 1]), slice(bounds[second], bounds[second + 1])
        columns[of_first, duel] = dual[second - 1, of_first]
        columns[of_second, duel] = dual[first, of_second]
    return columns


class DenseNetwork(ClassifierMixin, BaseEstimator):
    """A trained multilayer perceptron, served without the library that trained it.

    TensorFlow takes 500 MB and its small runtime another 60 MB on disk, for six matrix products.

    Parameters
    ----------
    layers
        Weights, shape (inputs, outputs), and biases, shape (outputs,), of every layer; ReLU follows all but the last,
        which gives logits. Dropout is no part of a network that has been trained.
    classes
        Class of each output of the last layer.
    """

    def __init__(
        self, layers: tuple[tuple[NDArray[np.float32], NDArray[np.float32]], ...], classes: NDArray[Any]
    ) -> None:
        self.layers = layers
        self.classes = classes

    @property
    def classes_(self) -> NDArray[Any]:
        return self.classes

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def fit(self, X: object, y: object) -> Self:
        """Refuse: the network was trained elsewhere (``classifier.training.keras_network``)."""
        raise TypeError("a served network does not learn")

    def predict_proba(self, X: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Return the probability of each class, shape (n, classes)."""
        signal: NDArray[np.float32] = np.asarray(X, dtype=np.float32)
        *hidden, (weights, bias) = self.layers
        for layer_weights, layer_bias in hidden:
            signal = np.maximum(signal @ layer_weights + layer_bias, 0)
        probabilities: NDArray[np.float32] = softmax(signal @ weights + bias, axis=1)
        return probabilities

    def predict(self, X: NDArray[np.floating[Any]]) -> NDArray[Any]:
        """Return the most probable class of each row."""
        predicted: NDArray[Any] = self.classes[self.predict_proba(X).argmax(axis=1)]
        return predicted
