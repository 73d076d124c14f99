"""Two models on the same rows: the difference of every metric, with its interval by paired resamples of subjects.

Knows score tables and decisions; must not know networks, files or how the scores were made.
"""

from collections.abc import Collection
from typing import Any

import numpy as np
from jaxtyping import Int8

from vicinal.errors import FormatError
from vicinal.evidence.intervals import matched
from vicinal.evidence.metrics import measure
from vicinal.evidence.resampling import FURTHEST, bootstrap, difference_statistic, resampled_interval
from vicinal.evidence.summary import number, reach, reliability
from vicinal.scoretable import ScoreTable

__all__ = ["differences", "in_order_of"]

Decisions = Int8[np.ndarray, "n k"]


def in_order_of(a: ScoreTable, b: ScoreTable) -> ScoreTable:
    """Return the rows of b in the order of a.

    Raises:  FormatError: when task, classes, ids, subjects or truth differ.
    """
    order = matched(a, b)
    if a.task != b.task or not np.array_equal(a.truth, b.truth[order], equal_nan=True):
        raise FormatError(
            f"two models are compared on the same truth: got the tasks {a.task!r} and {b.task!r}, or other truth "
            "for the same row. Score both models on the same data."
        )
    return b.select(order)


def differences(
    a: ScoreTable,
    b: ScoreTable,
    *,
    decisions: tuple[Decisions, Decisions] | None = None,
    names: Collection[str] | None = None,
    resamples: int = 2000,
    seed: int = 0,
) -> dict[str, dict[str, Any]]:
    """Return for each metric a minus b, on the same subjects in every resample.

    A metric that one of the two does not have, or has without a value, has no difference.

    Args:    a, b: the same rows in the same order, see `in_order_of`.
             decisions: of both, (n, K) each.  names: of the metrics; None: all.
    Returns: by name {"value", "low", "high", "n", "n_subjects", "n_positive_subjects", "a", "b", "clear"}, and
             "unreliable" as in `evidence.json`; clear: whether the interval lies on one side of 0.
    """
    first, second = decisions if decisions is not None else (None, None)
    of_b = {one.name: one for one in measure(b, second)}
    pairs = [
        (one, other)
        for one in measure(a, first)
        if (names is None or one.name in names)
        and (other := of_b.get(one.name)) is not None
        and one.statistic is not None
        and other.statistic is not None
    ]
    draws = bootstrap(
        {one.name: difference_statistic(one.statistic, other.statistic) for one, other in pairs},  # type: ignore[arg-type]  # neither is None
        n_subjects=len(np.unique(a.clusters)),
        resamples=resamples,
        seed=seed,
    )
    found = {}
    for one, other in pairs:
        facts = reach(a, one)
        value = one.value - other.value
        low, high = resampled_interval(
            value,
            draws[one.name],
            scale="difference",
            n_fewest=facts.n_independent,
            furthest=FURTHEST[one.scale],
        )
        entry: dict[str, Any] = {"value": number(value), "low": number(low), "high": number(high)}
        entry |= facts.to_dict() | {"a": one.value, "b": other.value, "clear": bool(low > 0 or high < 0)}
        found[one.name] = entry | reliability(facts)
    return found
