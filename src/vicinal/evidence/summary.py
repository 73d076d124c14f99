"""The summary of one run's evidence: every metric with its interval, beside policy, meaning and protocol.

What it returns is `evidence.json` (schema in `docs/evidence.md`). Must not know how anything was trained.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float64, Int8

from vicinal.decisions.meaning import RELIABLE_SUBJECTS
from vicinal.decisions.proportions import wilson
from vicinal.evidence.metric import Metric
from vicinal.evidence.metrics import measure
from vicinal.evidence.resampling import bootstrap, resampled_interval
from vicinal.scoretable import ScoreTable

__all__ = ["entries", "summarise"]

Values = Float64[np.ndarray, " resamples"]


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
    found = entries(table, measure(table, decisions), resamples=resamples, seed=seed)
    return {
        "metrics": found,
        "policy": dict(policy or {}),
        "meaning": dict(meaning or {}),
        "protocol": {**(protocol or {}), "role": table.role, "resamples": resamples, "seed": seed},
    }


def entries(
    table: ScoreTable, metrics: Sequence[Metric], *, resamples: int, seed: int
) -> dict[str, dict[str, Any]]:
    """Return each metric of the table with its interval, rows and subjects, as JSON values by name."""
    draws = bootstrap(
        {one.name: one.statistic for one in metrics if one.statistic is not None and one.hits is None},
        n_subjects=len(np.unique(table.clusters)),
        resamples=resamples,
        seed=seed,
    )
    return {metric.name: _entry(table, metric, draws.get(metric.name)) for metric in metrics}


def _entry(table: ScoreTable, metric: Metric, draws: Values | None) -> dict[str, Any]:
    clusters = table.clusters
    known = ~np.isnan(table.truth).all(axis=1)
    n_positive = min(len(np.unique(clusters[known & column])) for column in metric.about.T)
    n_negative = min(len(np.unique(clusters[known & ~column])) for column in metric.about.T)
    n_subjects = len(np.unique(clusters[metric.rows]))
    # The rarest of many classes says little about how well their mean is known.
    n_fewest = min(n_positive, n_negative) if metric.about.shape[1] == 1 else n_subjects
    low, high = _interval(metric, clusters, draws, n_fewest=n_fewest)
    has_subjects = table.subjects is not None
    entry: dict[str, Any] = {
        "value": _number(metric.value),
        "low": _number(low),
        "high": _number(high),
        "n": int(metric.rows.sum()),
        "n_subjects": n_subjects if has_subjects else None,
        "n_positive_subjects": n_positive if has_subjects else None,
    }
    # An interval without width says that no resample could show anything else, not that nothing else is true.
    if min(n_positive, n_negative) < RELIABLE_SUBJECTS or low == high:
        entry["unreliable"] = True
    if metric.left_out:
        entry["left_out"] = list(metric.left_out)
    return entry


def _interval(
    metric: Metric, clusters: np.ndarray, draws: Values | None, *, n_fewest: int
) -> tuple[float, float]:
    if metric.hits is not None:
        found = wilson(metric.hits[metric.rows], clusters[metric.rows])
        return found.low, found.high
    if draws is None:
        return float("nan"), float("nan")
    if metric.centred:
        draws = np.maximum(draws - (np.nanmean(draws) - metric.value), 0.0)
    return resampled_interval(metric.value, draws, scale=metric.scale, n_fewest=n_fewest)


def _number(value: float) -> float | None:
    """Return None for NaN: JSON has no NaN."""
    return None if np.isnan(value) else float(value)
