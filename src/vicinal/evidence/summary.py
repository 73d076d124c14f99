"""The summary of one run's evidence: every metric with its interval, beside policy, meaning and protocol.

What it returns is `evidence.json` (schema in `docs/evidence.md`). Must not know how anything was trained.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Int8

from vicinal.decisions.meaning import RELIABLE_SUBJECTS
from vicinal.decisions.proportions import wilson
from vicinal.evidence.intervals import bootstrap, percentile_interval
from vicinal.evidence.metrics import Metric, measure
from vicinal.scoretable import ScoreTable

__all__ = ["summarise"]


def summarise(
    table: ScoreTable,
    *,
    decisions: Int8[np.ndarray, "n k"] | None = None,
    policy: Mapping[str, Any] | None = None,
    meaning: Mapping[str, Any] | None = None,
    protocol: Mapping[str, Any] | None = None,
    resamples: int = 2000,
    seed: int = 0,
) -> dict[str, Any]:
    """Return the evidence about one table of scores as JSON values.

    Args:    table: usually the test rows.  decisions: of a policy on these rows, 1, 0 or -1.
             policy, meaning, protocol: JSON values, passed on as they are.
             resamples, seed: of the bootstrap by subject.
    Returns: {"metrics", "policy", "meaning", "protocol"}; see `docs/evidence.md`.
    Raises:  FormatError: when `decisions` does not fit the table.
    """
    metrics = measure(table, decisions)
    clusters = np.unique(table.clusters)
    draws = bootstrap(
        {metric.name: metric.statistic for metric in metrics if metric.statistic is not None},
        n_subjects=len(clusters),
        resamples=resamples,
        seed=seed,
    )
    for metric in metrics:
        if metric.centred and metric.name in draws:
            moved = draws[metric.name] - (np.nanmean(draws[metric.name]) - metric.value)
            draws[metric.name] = np.maximum(moved, 0.0)
    intervals = {name: percentile_interval(values) for name, values in draws.items()}
    return {
        "metrics": {metric.name: _entry(table, metric, intervals.get(metric.name)) for metric in metrics},
        "policy": dict(policy or {}),
        "meaning": dict(meaning or {}),
        "protocol": {**(protocol or {}), "role": table.role, "resamples": resamples, "seed": seed},
    }


def _entry(table: ScoreTable, metric: Metric, interval: tuple[float, float] | None) -> dict[str, Any]:
    clusters = table.clusters
    if metric.hits is not None:
        share = wilson(metric.hits[metric.rows], clusters[metric.rows])
        interval = (share.low, share.high)
    low, high = interval or (float("nan"), float("nan"))
    known = ~np.isnan(table.truth).all(axis=1)
    n_positive = min(len(np.unique(clusters[known & column])) for column in metric.about.T)
    n_negative = min(len(np.unique(clusters[known & ~column])) for column in metric.about.T)
    has_subjects = table.subjects is not None
    entry: dict[str, Any] = {
        "value": _number(metric.value),
        "low": _number(low),
        "high": _number(high),
        "n": int(metric.rows.sum()),
        "n_subjects": len(np.unique(clusters[metric.rows])) if has_subjects else None,
        "n_positive_subjects": n_positive if has_subjects else None,
    }
    # An interval without width says that no resample could show anything else, not that nothing else is true.
    if min(n_positive, n_negative) < RELIABLE_SUBJECTS or low == high:
        entry["unreliable"] = True
    if metric.left_out:
        entry["left_out"] = list(metric.left_out)
    return entry


def _number(value: float) -> float | None:
    """Return None for NaN: JSON has no NaN."""
    return None if np.isnan(value) else float(value)
