"""Intervals of AUROC by subject, and paired differences between two models on the same rows.

Other metrics have theirs from `summary` and `pairs`; proportions from `vicinal.decisions.proportions.wilson`. Knows
score tables; must not know networks or files.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int

from vicinal.errors import FormatError
from vicinal.evidence.resampling import (
    auroc_statistic,
    bootstrap,
    difference_statistic,
    once,
    resampled_interval,
)
from vicinal.scoretable import ScoreTable

__all__ = ["Difference", "Interval", "auroc_interval", "fewest", "matched", "paired_auroc"]


@dataclass(frozen=True)
class Interval:
    """A value with its 95 % interval; NaN where undefined. `n_subjects` is None without subjects."""

    value: float
    low: float
    high: float
    n: int
    n_subjects: int | None


@dataclass(frozen=True)
class Difference:
    """Model a minus model b on the same rows, with a 95 % interval; it excludes 0 where they differ."""

    value: float
    low: float
    high: float
    n: int
    n_subjects: int | None

    @property
    def is_clear(self) -> bool:
        """Whether the interval lies on one side of 0."""
        return self.low > 0 or self.high < 0


def fewest(
    clusters: np.ndarray, truth: Float64[np.ndarray, " n"], rows: Bool[np.ndarray, " n"] | None = None
) -> int:
    """Return how many clusters the rarer kind has, with a positive row or with a negative one.

    Args:    clusters: (n,).  truth: 1, 0 or NaN where not known.  rows: those that count; all when not given.
    """
    among = np.ones(len(truth), bool) if rows is None else rows
    return min(len(np.unique(clusters[among & (truth == value)])) for value in (1, 0))


def auroc_interval(
    table: ScoreTable, *, name: str | None = None, resamples: int = 2000, seed: int = 0
) -> Interval:
    """Return the AUROC of one class with its interval by subject.

    Args:    table: any rows; those of unknown truth are left out.  name: the class; the first when not given.
             resamples, seed: of the bootstrap.
    """
    k = 0 if name is None else table.classes.index(name)
    known = ~np.isnan(table.truth[:, k])
    scores = (table.probabilities if table.task == "classes" else table.logits)[known, k]
    clusters, index = np.unique(table.clusters[known], return_inverse=True)
    statistic = auroc_statistic(table.truth[known, k], scores, index)
    draws = bootstrap({"": statistic}, n_subjects=len(clusters), resamples=resamples, seed=seed)[""]
    n_subjects = None if table.subjects is None else len(clusters)
    value = float(statistic(once(len(clusters)))[0])
    n_fewest = fewest(table.clusters, table.truth[:, k])
    low, high = resampled_interval(value, draws, scale="share", n_fewest=n_fewest)
    return Interval(value, low, high, int(known.sum()), n_subjects)


def paired_auroc(
    a: ScoreTable, b: ScoreTable, *, name: str | None = None, resamples: int = 2000, seed: int = 0
) -> Difference:
    """Return AUROC of a minus AUROC of b, for one class on the same rows, by paired resamples of subjects.

    Args:    a, b: tables with the same ids, in any order.  name: the class; the first when not given.
    Raises:  FormatError: when ids, subjects or truth differ, or rows of both kinds are not there.
    """
    k = 0 if name is None else a.classes.index(name)
    known = ~np.isnan(a.truth[:, k])
    order = matched(a, b)
    truth, scores = a.truth[known, k], (a.logits[known, k], b.logits[order][known, k])
    if a.task == "classes":
        scores = a.probabilities[known, k], b.probabilities[order][known, k]
    if not np.array_equal(truth, b.truth[order][known, k]):
        raise FormatError("a paired difference needs the same truth in both tables, and it differs.")
    if not len(truth) or truth.min() == truth.max():
        raise FormatError("a paired difference of AUROC needs positive and negative rows.")
    clusters, index = np.unique(a.clusters[known], return_inverse=True)
    difference = difference_statistic(*(auroc_statistic(truth, column, index) for column in scores))
    draws = bootstrap({"": difference}, n_subjects=len(clusters), resamples=resamples, seed=seed)[""]
    value = float(difference(once(len(clusters)))[0])
    n_fewest = fewest(a.clusters, a.truth[:, k])
    low, high = resampled_interval(value, draws, scale="difference", n_fewest=n_fewest, furthest=1.0)
    n_subjects = None if a.subjects is None else len(clusters)
    return Difference(value, low, high, len(truth), n_subjects)


def matched(a: ScoreTable, b: ScoreTable) -> Int[np.ndarray, " n"]:
    """Return the rows of b in the order of a.

    Raises:  FormatError: when classes, ids or subjects differ.
    """
    here, there = np.argsort(a.ids, kind="stable"), np.argsort(b.ids, kind="stable")
    if a.classes != b.classes or len(a) != len(b) or (a.ids[here] != b.ids[there]).any():
        only = sorted(set(a.ids.tolist()) ^ set(b.ids.tolist()))[:3]
        raise FormatError(
            "a paired difference needs two tables of the same classes and ids; "
            f"got {len(a)} and {len(b)} rows, {a.classes} and {b.classes}"
            + (f", differing in {', '.join(only)}" if only else "")
            + ". Score both models on the same rows."
        )
    order = np.empty(len(a), np.int64)
    order[here] = there
    if not np.array_equal(a.clusters, b.clusters[order]):
        raise FormatError("a paired difference needs the same subjects in both tables, and they differ.")
    return order
