"""SignalClassifier: arrays in, probabilities out, the scikit-learn way.

The same network text, training, calibration and model file as everywhere else; only files and packs are left out.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from jaxtyping import Float32, Float64, Int64
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from vicinal.decisions.calibration import fit_calibration
from vicinal.errors import ContractError
from vicinal.inputs.batches import ArrayRows
from vicinal.inputs.contract import Contract
from vicinal.inputs.reference import describe
from vicinal.inputs.splits import make_split
from vicinal.scores.model import Model
from vicinal.scoretable import Task
from vicinal.terminal import QUIET
from vicinal.training.config import TrainingConfig
from vicinal.workflow.learning import Learned, learn

__all__ = ["SignalClassifier"]


class SignalClassifier(ClassifierMixin, BaseEstimator):
    """A network over signals, with `fit`, `predict_proba` and `predict`.

    Args:    network: a network text or the name of a preset.
             minutes, epochs: the budget of training; give one of them.
             batch, learning_rate, weight_decay, augment: see `vicinal.training.config.TrainingConfig`.
             rate_hz: positions a second, which augmentation and inspection speak of; 1 when it does not matter.
             validation: share of the groups that selects the best epoch and calibrates, 0 to 1.
             seed: of the split, the weights and the order.
    After `fit`: `classes_`, `n_features_in_` (values a signal), `model_` (a `vicinal.scores.model.Model`, which
    `save` writes), `history_` (one record per epoch).
    """

    def __init__(
        self,
        network: str = "resnet1d",
        *,
        minutes: float | None = None,
        epochs: int | None = None,
        batch: int = 64,
        learning_rate: float = 1e-3,
        weight_decay: float = 1e-2,
        augment: tuple[dict[str, Any], ...] = (),
        rate_hz: float = 1.0,
        validation: float = 0.2,
        seed: int = 0,
    ) -> None:
        self.network = network
        self.minutes = minutes
        self.epochs = epochs
        self.batch = batch
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.augment = augment
        self.rate_hz = rate_hz
        self.validation = validation
        self.seed = seed

    def fit(self, X: np.ndarray, y: np.ndarray, groups: np.ndarray | None = None) -> Self:
        """Train on signals `X` (n, channels, time) or (n, time) with labels `y` (n,).

        Args:    groups: (n,) the subject of each signal, who never stands on both sides of the validation
                 split; None assumes one signal per subject.
        Raises:  ContractError: when `X`, `y` or `groups` is not of that shape, or holds values that are not finite.
                 ExperimentError: when there is not exactly one budget, or too few groups.
        """
        samples = _samples(X)
        labels = _labels(y, len(samples))
        groups = None if groups is None else _groups(groups, len(samples))
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise ContractError(f"y: expected at least two classes, got only {self.classes_.tolist()}.")
        self.n_features_in_ = int(np.prod(samples.shape[1:]))
        rows = ArrayRows(samples, _full(samples), _truth(codes, len(self.classes_)))
        learned, validation = self._learn(rows, labels, groups)
        scorer = learned.model.scorer()
        table = scorer.table(
            scorer.logits(*rows.rows(validation)),
            ids=validation.astype(str),
            role="validation",
            truth=rows.truth[validation],
        )
        self.model_: Model = replace(learned.model, calibration=fit_calibration(table))
        self.history_ = learned.fitted.history
        return self

    def predict_proba(self, X: np.ndarray) -> Float64[np.ndarray, "n classes"]:
        """Return calibrated probabilities, one column per class of `classes_`.

        Raises:  ContractError: when the signals are not of the shape that `fit` saw.
        """
        check_is_fitted(self, "model_")
        samples = _samples(X)
        if samples.shape[1:] != self.model_.input_shape:
            raise ContractError(
                f"X: expected signals of shape {self.model_.input_shape}, got {samples.shape[1:]}. "
                "Give signals like those that fit saw."
            )
        scorer = self.model_.scorer()
        p = self.model_.calibration.apply(scorer.logits(samples, _full(samples)))
        return np.hstack([1 - p, p]) if len(self.classes_) == 2 else p

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the most probable class of each signal."""
        labels: np.ndarray = self.classes_[self.predict_proba(X).argmax(axis=1)]
        return labels

    def save(self, path: Path | str) -> None:
        """Write `model.vicinal`; `vicinal.load` reads it."""
        check_is_fitted(self, "model_")
        self.model_.save(Path(path))

    def _learn(
        self, rows: ArrayRows, labels: np.ndarray, groups: np.ndarray | None
    ) -> tuple[Learned, Int64[np.ndarray, " m"]]:
        n, channels, length = rows.x.shape
        ids = np.arange(n).astype(str)
        split = make_split(
            ids,
            ids if groups is None else groups,
            labels.astype(str),
            shares={"validation": self.validation},
            seed=self.seed,
        )
        names = tuple(str(name) for name in self.classes_)
        task: Task = "binary" if len(names) == 2 else "classes"
        contract = Contract(
            channels=tuple(str(k) for k in range(channels)),
            rate_hz=self.rate_hz,
            duration_s=length / self.rate_hz,
            units="1",
        )
        learned = learn(
            rows,
            train=split.indices("train"),
            validation=split.indices("validation"),
            network=self.network,
            contract=contract,
            task=task,
            classes=names[1:] if task == "binary" else names,
            config=self._config(),
            seed=self.seed,
            sink=None,
            show=QUIET,
        )
        reference = describe(rows, split.indices("train"), contract)
        return replace(learned, model=replace(learned.model, reference=reference)), split.indices(
            "validation"
        )

    def _config(self) -> TrainingConfig:
        return TrainingConfig(
            minutes=self.minutes,
            epochs=self.epochs if self.epochs is not None or self.minutes is not None else 30,
            batch=self.batch,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            augment=tuple(self.augment),
        )


def _full(samples: Float32[np.ndarray, "n channels time"]) -> Int64[np.ndarray, " n"]:
    return np.full(len(samples), samples.shape[-1], dtype=np.int64)


def _array(values: Any, name: str, expected: str) -> np.ndarray:
    """Return `values` as an array.

    Raises:  ContractError: when they are lists of different lengths.
    """
    try:
        return np.asarray(values)
    except ValueError as error:
        raise ContractError(
            f"{name}: expected {expected}, got lists of different lengths ({error})."
        ) from error


def _samples(X: Any) -> Float32[np.ndarray, "n channels time"]:
    expected = "numbers of shape (n, channels, time) or (n, time)"
    array = _array(X, "X", expected)
    if array.ndim not in (2, 3) or 0 in array.shape or array.dtype.kind not in "biuf":
        advice = "Text is not converted." if array.dtype.kind in "USO" else "Give one row a signal."
        raise ContractError(f"X: expected {expected}, got {array.dtype} {array.shape}. {advice}")
    samples = np.ascontiguousarray(array if array.ndim == 3 else array[:, None], dtype=np.float32)
    if not np.isfinite(samples).all():
        bad = np.flatnonzero(~np.isfinite(samples).all(axis=(1, 2)))
        raise ContractError(
            f"X: {len(bad)} signals hold NaN or infinity, first {bad[:5].tolist()}. Fill them first."
        )
    return samples


def _labels(y: Any, n: int) -> np.ndarray:
    labels = _array(y, "y", f"{n} labels")
    if labels.shape != (n,):
        advice = " Give the class of each signal, not one column for each." if labels.ndim == 2 else ""
        raise ContractError(
            f"y: expected one label for each of {n} signals, got shape {labels.shape}.{advice}"
        )
    _check_known(labels, "y", "label")
    try:
        check_classification_targets(labels)
    except ValueError as error:
        raise ContractError(f"y: expected classes, got values that are no classes: {error}") from error
    return labels


def _groups(groups: Any, n: int) -> np.ndarray:
    keys = _array(groups, "groups", f"{n} subjects")
    if keys.shape != (n,):
        raise ContractError(
            f"groups: expected the subject of each of {n} signals, got shape {keys.shape}. Leave groups out when "
            "each signal is of another subject."
        )
    _check_known(keys, "groups", "subject")
    return keys.astype(str)


def _check_known(values: np.ndarray, name: str, what: str) -> None:
    """Refuse None and NaN, which would be a class or a subject of their own."""
    missing = np.flatnonzero([value is None or value != value for value in values.tolist()])
    if len(missing):
        raise ContractError(
            f"{name}: expected a {what} for each signal, {len(missing)} are missing (first {missing[:5].tolist()}). "
            "Leave these signals out."
        )


def _truth(codes: np.ndarray, n_classes: int) -> Float64[np.ndarray, "n k"]:
    one_hot: Float64[np.ndarray, "n k"] = np.eye(n_classes)[codes]
    return one_hot[:, 1:] if n_classes == 2 else one_hot
