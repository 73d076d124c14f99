"""Signals, labels and subjects as arrays, as a person gives them: checked and brought to one form.

scikit-learn converts what it can (lists, data frames, objects that are numbers); every refusal is a
`ContractError` that names the argument. Must not know networks, training or files.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float32, Float64
from scipy.sparse import issparse
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from vicinal.errors import ContractError
from vicinal.scoretable import Task

__all__ = ["Labels", "fingerprints", "read_known_labels", "read_labels", "read_signals", "read_subjects"]

_SIGNALS = "numbers of shape (n, time), (n, channels, time) or (n, channels, height, width)"


@dataclass(frozen=True)
class Labels:
    """What each signal shows.

    Args:    task: `binary`, `classes` or `labels`.
             classes: (C,) sorted, as they were given; of `labels` the names of the columns.
             truth: (n, K), 1 or 0; binary: K = 1, of the positive class.
             positive: which of two classes is that, 0 or 1.
    """

    task: Task
    classes: np.ndarray
    truth: Float64[np.ndarray, "n k"]
    positive: int = 1

    @property
    def names(self) -> tuple[str, ...]:
        """K names; binary: that of the positive class only."""
        names = tuple(str(name) for name in self.classes.tolist())
        return (names[self.positive],) if self.task == "binary" else names

    @property
    def strata(self) -> np.ndarray:
        """(n,) a text for each row, the same for rows with the same truth."""
        return np.array(["".join("1" if value else "0" for value in row) for row in self.truth.tolist()])


def read_signals(X: Any) -> Float32[np.ndarray, "n *shape"]:
    """Return signals as float32, in the shape that they were given in.

    Raises:  ContractError: when `X` has another shape, or holds values that are not finite in float32.
             TypeError: when it holds objects that are no numbers.
    """
    if issparse(X):
        raise ContractError("X: expected a dense array, got a sparse one. Give X.toarray().")
    if np.ma.isMaskedArray(X):  # What is masked is missing, and would otherwise come back without a word.
        X = np.ma.filled(np.ma.asarray(X, dtype=np.float64), np.nan)
    try:
        array = check_array(
            X, dtype="numeric", allow_nd=True, ensure_2d=False, ensure_all_finite=False, ensure_min_samples=0
        )
    except ValueError as error:
        what = str(error).partition("\n")[0]  # The first line says what is wrong; the others print the data.
        raise ContractError(f"X: expected {_SIGNALS}. {what}") from error
    if array.ndim not in (2, 3, 4) or 0 in array.shape:
        advice = (
            "Reshape your data to one row a signal." if array.ndim not in (2, 3, 4) else "Nothing is there."
        )
        raise ContractError(f"X: expected {_SIGNALS}, got {array.shape}. {advice}")
    with np.errstate(over="ignore"):  # A value too large for float32 becomes infinite, and is named below.
        samples = np.ascontiguousarray(array, dtype=np.float32)
    bad = np.flatnonzero(~np.isfinite(samples).reshape(len(samples), -1).all(axis=1))
    if len(bad):
        raise ContractError(
            f"X: {len(bad)} of {len(samples)} signals hold NaN or infinity (first {bad[:5].tolist()}). Fill the gaps, "
            "or leave these signals out."
        )
    return samples


def read_labels(y: Any, n: int, *, positive: Any = None) -> Labels:
    """Return the labels of n signals: one class each, or a column of 0 and 1 for each label.

    Args:    positive: that of two classes which decisions are about; None for the second.
    Raises:  ContractError: when `y` is something else, or has only one class, or a label that never changes;
             when `positive` is not one of two classes, or two labels have the same name.
    """
    array, kind = _targets(y, n)
    if kind == "multilabel-indicator":
        columns = getattr(y, "columns", None)
        names = np.arange(array.shape[1]) if columns is None else np.array(list(columns))
        _check_distinct([str(name) for name in names.tolist()])
        _check_indicators(array, names)
        _check_positive(positive, names, n_classes=0)
        return Labels("labels", names, array.astype(np.float64))
    classes, codes = np.unique(array, return_inverse=True)
    if len(classes) < 2:
        raise ContractError(f"y: expected at least two classes, got one class, {classes.tolist()[0]!r}.")
    _check_positive(positive, classes, n_classes=len(classes))
    one_hot = np.eye(len(classes))[codes]
    if len(classes) > 2:
        return Labels("classes", classes, one_hot)
    which = 1 if positive is None else classes.tolist().index(positive)
    return Labels("binary", classes, one_hot[:, [which]], which)


def read_known_labels(y: Any, n: int, *, like: Labels) -> Labels:
    """Return the labels of n further signals; their classes are those of `like`, which need not all appear.

    Raises:  ContractError: when `y` is not of the kind of `like`, or has other classes.
    """
    array, kind = _targets(y, n)
    if (kind == "multilabel-indicator") != (like.task == "labels"):
        raise ContractError(f"y: expected {_kind_in_words(like)}, as in fit, got shape {array.shape}.")
    if like.task == "labels":
        if array.shape[1] != len(like.classes):
            raise ContractError(f"y: expected {len(like.classes)} columns, as in fit, got {array.shape[1]}.")
        _check_zeros_and_ones(array)
        return Labels(like.task, like.classes, array.astype(np.float64))
    unknown = sorted(set(array.tolist()) - set(like.classes.tolist()), key=str)
    if unknown:
        raise ContractError(
            f"y: expected the classes of fit, {like.classes.tolist()}, got also {unknown[:5]}."
        )
    one_hot = (array[:, None] == like.classes[None]).astype(np.float64)
    truth = one_hot[:, [like.positive]] if like.task == "binary" else one_hot
    return Labels(like.task, like.classes, truth, like.positive)


def read_subjects(groups: Any, n: int) -> np.ndarray:
    """Return whom each of n signals was measured on, as text.

    Raises:  ContractError: when there is not one for each signal.
    """
    keys = _array(groups, "groups", f"{n} subjects")
    if keys.shape == (n, 1):  # A data frame of one column.
        keys = keys[:, 0]
    if keys.shape != (n,):
        raise ContractError(
            f"groups: expected the subject of each of {n} signals, got shape {keys.shape}. Leave groups out when "
            "each signal is of another subject."
        )
    _check_known(keys, "groups", "subject")
    return keys.astype(str)


def fingerprints(samples: Float32[np.ndarray, "n channels *positions"]) -> list[bytes]:
    """Return a hash of each signal, by which it is known again."""
    return [hashlib.blake2b(row.tobytes(), digest_size=16).digest() for row in samples]


def _targets(y: Any, n: int) -> tuple[np.ndarray, str]:
    """Return labels as an array of one or two dimensions, and what scikit-learn calls their kind."""
    if y is None:
        raise ContractError("y: SignalClassifier requires y to be passed, but the target y is None.")
    array = _array(y.toarray() if issparse(y) else y, "y", f"{n} labels")
    if not array.ndim or len(array) != n:
        raise ContractError(f"y: expected one label for each of {n} signals, got shape {array.shape}.")
    _check_known(array, "y", "label")
    kinds = sorted({type(value).__name__ for value in array.ravel()}) if array.dtype == object else []
    if len(kinds) > 1 and "str" in kinds:
        raise ContractError(
            f"y: expected labels of one kind, got {' and '.join(kinds)}. Make all of them text."
        )
    try:
        check_classification_targets(array)
        kind = type_of_target(array, input_name="y")
    except ValueError as error:
        raise ContractError(f"y: expected classes, got values that are no classes: {error}") from error
    if kind in ("binary", "multiclass"):
        # Warns as all of scikit-learn does when labels stand in a column.
        return column_or_1d(array, warn=True), kind
    if kind != "multilabel-indicator":
        raise ContractError(
            f"y: expected one label for each of {n} signals, or a column of 0 and 1 for each label, got shape "
            f"{array.shape}. Give the class of each signal, or a column for each label."
        )
    return array, kind


def _check_positive(positive: Any, classes: np.ndarray, *, n_classes: int) -> None:
    if positive is None or (n_classes == 2 and positive in classes.tolist()):
        return
    advice = "Name one of them." if n_classes == 2 else "With more than two, or with labels, leave it out."
    raise ContractError(
        f"positive: expected None or one of two classes, got {positive!r} for {classes.tolist()}. {advice}"
    )


def _check_distinct(names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ContractError(
            f"y: expected another name for each label, got {', '.join(twice)} more than once. Rename the columns."
        )


def _check_indicators(array: np.ndarray, names: np.ndarray) -> None:
    _check_zeros_and_ones(array)
    constant = [
        str(name) for name, column in zip(names, array.T, strict=True) if column.min() == column.max()
    ]
    if constant:
        raise ContractError(
            f"y: expected signals with and without each label, but {', '.join(constant)} never changes. Leave "
            "that column out."
        )


def _check_zeros_and_ones(array: np.ndarray) -> None:
    values = np.unique(array)
    if not np.isin(values, (0, 1)).all():
        raise ContractError(
            f"y: expected 0 and 1 in a column for each label, got {values.tolist()}. One class for each signal is "
            "a single column."
        )


def _kind_in_words(labels: Labels) -> str:
    if labels.task == "labels":
        return f"a column of 0 and 1 for each of {len(labels.classes)} labels"
    return "one class for each signal"


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


def _check_known(values: np.ndarray, name: str, what: str) -> None:
    """Refuse None, NaN and infinity, which would be a class or a subject of their own."""
    unknown: np.ndarray = np.asarray(pd.isna(values))
    if values.dtype.kind == "f":
        unknown = ~np.isfinite(values)
    missing = np.flatnonzero(unknown.reshape(len(values), -1).any(axis=1))
    if len(missing):
        raise ContractError(
            f"{name}: expected a {what} for each signal, {len(missing)} are missing (NaN, None, inf; first "
            f"{missing[:5].tolist()}). "
            "Leave these signals out."
        )
