"""Metrics of a confusion table, as functions of its K * K cells, truth by row and decision by column.

Each takes the flat sums of `cells`, of any number of resamples at once, so that a resample of subjects costs one
weighted sum. NaN if undefined.
"""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float64, Int

__all__ = ["balanced_accuracy", "cells", "f1", "f1_of", "kappa", "macro_f1", "mcc", "ratio", "square"]

Sums = Float64[np.ndarray, "*resamples c"]
Values = Float64[np.ndarray, "*resamples"]


def cells(truth: Int[np.ndarray, " m"], called: Int[np.ndarray, " m"], k: int) -> Float64[np.ndarray, "m c"]:
    """Return one row of zeros and a one for each row: its cell of the (truth, called) table."""
    rows = np.zeros((len(truth), k * k))
    rows[np.arange(len(truth)), truth * k + called] = 1
    return rows


def square(sums: Sums) -> Float64[np.ndarray, "*resamples k k"]:
    """Return the sums as tables, truth by row and decision by column."""
    k = round(sums.shape[-1] ** 0.5)
    return sums.reshape(*sums.shape[:-1], k, k)


def ratio(above: Values, below: Values) -> Values:
    """Return a quotient, NaN where nothing is divided by."""
    quotient: Values = np.full(np.shape(below), np.nan)
    np.divide(above, below, out=quotient, where=np.asarray(below) > 0)
    return quotient


def f1_of(k: int, n_classes: int) -> Callable[[Sums], Values]:
    """Return the F1 of class k: 2 C_kk / (row k + column k)."""

    def value(sums: Sums) -> Values:
        table = sums.reshape(*sums.shape[:-1], n_classes, n_classes)
        return ratio(2 * table[..., k, k], table[..., k, :].sum(axis=-1) + table[..., :, k].sum(axis=-1))

    return value


f1 = f1_of(1, 2)


def macro_f1(present: Sequence[int], n_classes: int) -> Callable[[Sums], Values]:
    """Return the mean F1 over the classes `present`; one that a resample lacks is worth 0 there."""
    each = [f1_of(k, n_classes) for k in present]

    def value(sums: Sums) -> Values:
        if not each:
            return np.full(sums.shape[:-1], np.nan)
        return np.asarray(np.mean([np.nan_to_num(one(sums)) for one in each], axis=0))

    return value


def balanced_accuracy(sums: Sums) -> Values:
    """Return the mean share found over the classes there are; of two classes, both must be."""
    table = square(sums)
    of_class = table.sum(axis=-1)
    there = of_class > 0
    found = np.nan_to_num(ratio(np.diagonal(table, axis1=-2, axis2=-1), of_class)).sum(axis=-1)
    n_there = there.sum(axis=-1).astype(np.float64)
    if table.shape[-1] == 2:
        n_there = np.where(there.all(axis=-1), n_there, 0)
    return ratio(found, n_there)


def mcc(sums: Sums) -> Values:
    """Return the correlation of truth and decision (Matthews; for K classes Gorodkin 2004)."""
    table = square(sums)
    true, called = table.sum(axis=-1), table.sum(axis=-2)
    n, right = true.sum(axis=-1), np.trace(table, axis1=-2, axis2=-1)
    spread = (n**2 - (true**2).sum(axis=-1)) * (n**2 - (called**2).sum(axis=-1))
    return ratio(right * n - (true * called).sum(axis=-1), spread**0.5)


def kappa(sums: Sums) -> Values:
    """Return Cohen's kappa: agreement beyond chance."""
    table = square(sums)
    true, called = table.sum(axis=-1), table.sum(axis=-2)
    n, by_chance = true.sum(axis=-1), (true * called).sum(axis=-1)
    return ratio(n * np.trace(table, axis1=-2, axis2=-1) - by_chance, n**2 - by_chance)
