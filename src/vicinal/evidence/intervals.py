"""Intervals by subject: the cluster bootstrap, and paired differences between two models on the same rows.

A statistic is a function of how often each subject was drawn, so that a resample costs no copy of its rows.
Proportions have their own interval: `vicinal.decisions.proportions.wilson`. Knows arrays and score tables;
must not know which metrics there are.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int

from vicinal.errors import FormatError
from vicinal.scoretable import ScoreTable

__all__ = [
    "Difference",
    "Interval",
    "Statistic",
    "auroc_interval",
    "auroc_statistic",
    "average_precision_statistic",
    "bootstrap",
    "mean_statistic",
    "paired_auroc",
    "percentile_interval",
    "sums_statistic",
]

Statistic = Callable[[Int[np.ndarray, " s"]], float]
"""From how often each of S subjects was drawn (ones: the rows as they are) to a value, NaN if undefined."""

Rows = Float64[np.ndarray, " n"]
Index = Int[np.ndarray, " n"]


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


def bootstrap(
    statistics: Mapping[str, Statistic], *, n_subjects: int, resamples: int, seed: int
) -> dict[str, Float64[np.ndarray, " resamples"]]:
    """Return each statistic on the same resamples of subjects, drawn with replacement.

    Args:    statistics: by name.  n_subjects: S.  resamples: how many.  seed: of the draws.
    """
    rng = np.random.default_rng(seed)
    values = {name: np.empty(resamples) for name in statistics}
    for b in range(resamples):
        drawn = np.bincount(rng.integers(0, n_subjects, n_subjects), minlength=n_subjects).astype(np.int32)
        for name, statistic in statistics.items():
            values[name][b] = statistic(drawn)
    return values


def percentile_interval(
    values: Float64[np.ndarray, " resamples"], *, level: float = 0.95
) -> tuple[float, float]:
    """Return the percentile interval; resamples where the statistic is undefined (NaN) are left out.

    Returns: (NaN, NaN) when fewer than half of the resamples are defined.
    """
    defined = values[~np.isnan(values)]
    if 2 * len(defined) < len(values) or not len(defined):
        return float("nan"), float("nan")
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def auroc_statistic(truth: Rows, scores: Rows, index: Index) -> Statistic:
    """Return the AUROC as a statistic: the share of (positive, negative) pairs in order, ties counting half.

    Rows are sorted once; a resample is a few gathers, a cumulative sum and a product: 10,000 resamples of
    50,000 rows of 5,000 subjects take a few seconds on one core.

    Args:    truth: 0 or 1.  scores: finite.  index: subject of each row, 0 to S - 1.
    """
    order = np.argsort(scores, kind="stable")
    ordered, positive = scores[order], truth[order] == 1
    negative_scores = ordered[~positive]
    of_positives, of_negatives = index[order][positive], index[order][~positive]
    below = np.searchsorted(negative_scores, ordered[positive], side="left")
    not_above = np.searchsorted(negative_scores, ordered[positive], side="right")
    has_ties = bool((below != not_above).any())

    def statistic(drawn: Int[np.ndarray, " s"]) -> float:
        # int32 keeps the sums exact: rows times draws stay far below 2^31.
        passed = np.zeros(len(of_negatives) + 1, np.int32)
        np.cumsum(drawn.take(of_negatives, mode="clip"), out=passed[1:])
        weights = drawn.take(of_positives, mode="clip")
        in_order = passed.take(below, mode="clip") * 2
        if has_ties:
            in_order += passed.take(not_above, mode="clip") - passed.take(below, mode="clip")
        n_pairs = int(weights.sum()) * int(passed[-1])
        # Not a dot product: BLAS threads cost more than they give at this size.
        won = float(np.multiply(weights, in_order, dtype=np.float64).sum())
        return won / (2 * n_pairs) if n_pairs else float("nan")

    return statistic


def average_precision_statistic(truth: Rows, scores: Rows, index: Index) -> Statistic:
    """Return average precision as a statistic: the sum over distinct scores, falling, of (R_i - R_i-1) P_i.

    Args:    truth: 0 or 1.  scores: finite.  index: subject of each row, 0 to S - 1.
    """
    order = np.argsort(-scores, kind="stable")
    falling, positive, subjects = scores[order], truth[order] == 1, index[order]
    last = np.flatnonzero(np.append(falling[1:] != falling[:-1], True))
    of_positives = subjects[positive]
    found_at = np.cumsum(positive)[last]

    def statistic(drawn: Int[np.ndarray, " s"]) -> float:
        called = np.cumsum(drawn.take(subjects, mode="clip"))[last]
        found = np.append(0, np.cumsum(drawn.take(of_positives, mode="clip"))).take(found_at)
        if not found[-1]:
            return float("nan")
        precision = np.divide(found, called, out=np.zeros(len(called)), where=called > 0)
        return float((np.diff(found, prepend=0) * precision).sum() / found[-1])

    return statistic


def sums_statistic(
    rows: Float64[np.ndarray, "n m"], index: Index, value: Callable[[Float64[np.ndarray, " m"]], float]
) -> Statistic:
    """Return a function of m sums over rows as a statistic: counts, losses, cells of a confusion table.

    Args:    rows: what each row adds to each sum.  index: subject of each row.  value: of the m sums.
    """
    by_subject = np.stack([np.bincount(index, weights=column) for column in rows.T])

    def statistic(drawn: Int[np.ndarray, " s"]) -> float:
        counts = drawn[: by_subject.shape[1]].astype(np.float64)
        return value(np.einsum("s,ms->m", counts, by_subject))

    return statistic


def mean_statistic(statistics: list[Statistic]) -> Statistic:
    """Return the mean of several statistics; NaN when one is."""
    return lambda drawn: float(np.mean([statistic(drawn) for statistic in statistics]))


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
    value = statistic(np.ones(len(clusters), np.int32))
    return Interval(value, *percentile_interval(draws), int(known.sum()), n_subjects)


def paired_auroc(
    a: ScoreTable, b: ScoreTable, *, name: str | None = None, resamples: int = 2000, seed: int = 0
) -> Difference:
    """Return AUROC of a minus AUROC of b, for one class on the same rows, by paired resamples of subjects.

    Args:    a, b: tables with the same ids, in any order.  name: the class; the first when not given.
    Raises:  FormatError: when ids, subjects or truth differ, or rows of both kinds are not there.
    """
    k = 0 if name is None else a.classes.index(name)
    known = ~np.isnan(a.truth[:, k])
    order = _matched(a, b)
    truth, scores = a.truth[known, k], (a.logits[known, k], b.logits[order][known, k])
    if a.task == "classes":
        scores = a.probabilities[known, k], b.probabilities[order][known, k]
    if not np.array_equal(truth, b.truth[order][known, k]):
        raise FormatError("a paired difference needs the same truth in both tables, and it differs.")
    if not len(truth) or truth.min() == truth.max():
        raise FormatError("a paired difference of AUROC needs positive and negative rows.")
    clusters, index = np.unique(a.clusters[known], return_inverse=True)
    first, second = (auroc_statistic(truth, column, index) for column in scores)

    def difference(drawn: Int[np.ndarray, " s"]) -> float:
        return first(drawn) - second(drawn)

    draws = bootstrap({"": difference}, n_subjects=len(clusters), resamples=resamples, seed=seed)[""]
    low, high = percentile_interval(draws)
    value = difference(np.ones(len(clusters), np.int32))
    n_subjects = None if a.subjects is None else len(clusters)
    return Difference(value, low, high, len(truth), n_subjects)


def _matched(a: ScoreTable, b: ScoreTable) -> Int[np.ndarray, " n"]:
    """Return the rows of b in the order of a."""
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
