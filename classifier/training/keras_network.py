"""The classic recipe's network: trained with Keras, handed on as the weights of its layers.

TensorFlow is imported only when a network is fitted.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import GroupShuffleSplit

from classifier.inference.estimators import DenseNetwork

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

HELD_OUT_SHARE: Final = 0.15


class KerasNetwork(ClassifierMixin, BaseEstimator):
    """Dense ReLU layers, Adam, early stopping on songs held out; the recipe has 5 × 300 units and a rate of 1e-4.

    Parameters
    ----------
    layers, units, dropout, learning_rate, batch
        Of the network and its training.
    epochs, patience
        At most so many passes; stopped when so many brought no better loss on the songs held out.
    seed
        Of the first weights, the order and the songs held out.
    """

    def __init__(
        self,
        *,
        layers: int = 5,
        units: int = 300,
        dropout: float = 0.2,
        learning_rate: float = 1e-4,
        batch: int = 32,
        epochs: int = 200,
        patience: int = 15,
        seed: int = 0,
    ) -> None:
        self.layers = layers
        self.units = units
        self.dropout = dropout
        self.learning_rate = learning_rate
        self.batch = batch
        self.epochs = epochs
        self.patience = patience
        self.seed = seed

    def fit(self, X: NDArray[np.float32], y: ArrayLike, groups: ArrayLike | None = None) -> Self:
        """Fit on shape (n, columns); rows of one group are held out together."""
        keras = _keras()
        self.classes_, targets = np.unique(y, return_inverse=True)
        X = np.asarray(X, dtype=np.float32)
        rows = np.arange(len(X)) if groups is None else np.asarray(groups)
        split = GroupShuffleSplit(1, test_size=HELD_OUT_SHARE, random_state=self.seed)
        learnt, held_out = next(split.split(X, targets, rows))
        keras.utils.set_random_seed(self.seed)
        network = self._build(keras, X.shape[1])
        stop = keras.callbacks.EarlyStopping(patience=self.patience, restore_best_weights=True)
        network.fit(
            X[learnt],
            targets[learnt],
            validation_data=(X[held_out], targets[held_out]),
            batch_size=self.batch,
            epochs=self.epochs,
            callbacks=[stop],
            verbose=0,
        )
        self.served_ = DenseNetwork(_layers(network), self.classes_)
        return self

    def predict_proba(self, X: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Return the probability of each class, shape (n, classes)."""
        return self.served_.predict_proba(X)

    def predict(self, X: NDArray[np.floating[Any]]) -> NDArray[Any]:
        """Return the most probable class of each row."""
        return self.served_.predict(X)

    def _build(self, keras: Any, columns: int) -> Any:
        layers = [keras.Input((columns,))]
        for _ in range(self.layers):
            layers += [keras.layers.Dense(self.units, activation="relu"), keras.layers.Dropout(self.dropout)]
        network = keras.Sequential([*layers, keras.layers.Dense(len(self.classes_))])
        network.compile(
            optimizer=keras.optimizers.Adam(self.learning_rate),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            steps_per_execution=8,
        )
        return network


def _keras() -> Any:
    # What TensorFlow tells about its own build on standard error is of no use to whoever trains a model.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras

    return keras


def _layers(network: Any) -> tuple[tuple[NDArray[np.float32], NDArray[np.float32]], ...]:
    """Return the weights and biases of every dense layer, first to last."""
    weights = [np.ascontiguousarray(array, dtype=np.float32) for array in network.get_weights()]
    return tuple(zip(weights[::2], weights[1::2], strict=True))
