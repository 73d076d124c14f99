"""Metrics of a confusion table, as functions of its K * K cells, truth by row and decision by column.

Each takes the flat sums of `cells`, so that a resample of subjects costs one weighted sum. NaN if undefined.
"""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float64, Int

__all__ = ["balanced_accuracy", "cells", "f1", "f1_of", "kappa", "macro_f1", "mcc"]

Sums = Float64[np.ndarray, " c"]


def cells(truth: Int[np.ndarray, " m"], called: Int[np.ndarray, " m"], k: int) -> Float64[np.ndarray, "m c"]:
    """Return one row of zeros and a one for each row: its cell of the (truth, called) table."""
    rows = np.zeros((len(truth), k * k))
    rows[np.arange(len(truth)), truth * k + called] = 1
    return rows


def _square(sums: Sums) -> Float64[np.ndarray, "k k"]:
    k = round(len(sums) ** 0.5)
    return sums.reshape(k, k)


def _ratio(above: float, below: float) -> float:
    return float(above / below) if below else float("nan")


def f1_of(k: int, n_classes: int) -> Callable[[Sums], float]:
    """Return the F1 of class k: 2 C_kk / (row k + column k)."""

    def value(sums: Sums) -> float:
        table = sums.reshape(n_classes, n_classes)
        return _ratio(2 * table[k, k], table[k].sum() + table[:, k].sum())

    return value


f1 = f1_of(1, 2)


def macro_f1(present: Sequence[int], n_classes: int) -> Callable[[Sums], float]:
    """Return the mean F1 over the classes `present`; one that a resample lacks is worth 0 there."""
    each = [f1_of(k, n_classes) for k in present]
    return lambda sums: (
        float(np.mean([np.nan_to_num(value(sums)) for value in each])) if each else float("nan")
    )


def balanced_accuracy(sums: Sums) -> float:
    """Return the mean share found over the classes there are; of two classes, both must be."""
    table = _square(sums)
    of_class = table.sum(axis=1)
    there = of_class > 0
    if len(table) == 2 and not there.all():
        return float("nan")
    return float((table.diagonal()[there] / of_class[there]).mean()) if there.any() else float("nan")


def mcc(sums: Sums) -> float:
    """Return the correlation of truth and decision (Matthews; for K classes Gorodkin 2004)."""
    table = _square(sums)
    n, right, true, called = table.sum(), table.trace(), table.sum(axis=1), table.sum(axis=0)
    spread = (n**2 - (true**2).sum()) * (n**2 - (called**2).sum())
    return _ratio(right * n - (true * called).sum(), spread**0.5)


def kappa(sums: Sums) -> float:
    """Return Cohen's kappa: agreement beyond chance."""
    table = _square(sums)
    n, by_chance = table.sum(), (table.sum(axis=1) * table.sum(axis=0)).sum()
    return _ratio(n * table.trace() - by_chance, n**2 - by_chance)
