"""The summary of one run's evidence: every metric with its interval, beside policy, meaning and protocol.

What it returns is `evidence.json` (schema in `docs/evidence.md`). Must not know how anything was trained.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from jaxtyping import Float64, Int8

from vicinal.decisions.meaning import RELIABLE_SUBJECTS
from vicinal.decisions.proportions import wilson
from vicinal.evidence.beats import COLUMNS, ROWS, beat_metrics, beat_tables
from vicinal.evidence.metric import Metric
from vicinal.evidence.metrics import measure
from vicinal.evidence.mistakes import confusion, mistakes
from vicinal.evidence.resampling import bootstrap, resampled_interval
from vicinal.scoretable import ScoreTable

__all__ = [
    "FURTHER",
    "BeatMaps",
    "Reach",
    "entries",
    "number",
    "reach",
    "reliability",
    "remarks",
    "summarise",
]

Values = Float64[np.ndarray, " resamples"]

BeatMaps = Mapping[str, Mapping[str, str]]

FURTHER: dict[str, Callable[[ScoreTable, Int8[np.ndarray, "n k"] | None, BeatMaps], list[Metric]]] = {
    "beats": beat_metrics
}
"""Metrics that only some data have, by the name that asks for them."""


def summarise(
    table: ScoreTable,
    *,
    decisions: Int8[np.ndarray, "n k"] | None = None,
    policy: Mapping[str, Any] | None = None,
    meaning: Mapping[str, Any] | None = None,
    protocol: Mapping[str, Any] | None = None,
    further: Sequence[str] = (),
    beat_maps: BeatMaps = MappingProxyType({}),
    resamples: int = 2000,
    seed: int = 0,
) -> dict[str, Any]:
    """Return the evidence about one table of scores as JSON values.

    Args:    table: usually the test rows.  decisions: of a policy on these rows, 1, 0 or -1.
             policy, meaning, protocol: JSON values, passed on as they are.
             further: names of `FURTHER` metrics.  beat_maps: other maps of symbols, for `beats`.
             resamples, seed: of the bootstrap by subject.
    Returns: {"metrics", "policy", "meaning", "protocol"}, with decisions also {"confusion", "errors"}, with `beats`
             also "beats", the tables; see
             `docs/evidence.md`.
    Raises:  FormatError: when `decisions` or further metrics do not fit the table.
    """
    metrics = measure(table, decisions)
    for name in further:
        metrics += FURTHER[name](table, decisions, beat_maps)
    found = entries(table, metrics, resamples=resamples, seed=seed)
    decided: dict[str, Any] = {}
    if decisions is not None:
        decided = {"confusion": confusion(table, decisions), "errors": mistakes(table, decisions)}
    tables = beat_tables(table, decisions, beat_maps) if "beats" in further else {}
    return {
        "metrics": found,
        **({"beats": _tables(tables)} if tables else {}),
        "policy": dict(policy or {}),
        "meaning": dict(meaning or {}),
        **decided,
        "protocol": {**(protocol or {}), "role": table.role, "resamples": resamples, "seed": seed},
    }


def _tables(tables: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Return tables of beats as JSON values, by the end of the names of their metrics; rows truth, columns decided."""
    counts = {mark.removeprefix("@") or "protocol": one.tolist() for mark, one in tables.items()}
    return {"rows": list(ROWS), "columns": list(COLUMNS), "counts": counts}


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


@dataclass(frozen=True)
class Reach:
    """How many rows and subjects a metric rests on.

    Args:    n: rows.  n_subjects: theirs.  n_positive, n_negative: subjects with a positive row, and with a
             negative one; for a mean over classes those of the rarest.  n_independent: subjects that its
             standard error is known from.  has_subjects: whether they are subjects, or rows instead.
    """

    n: int
    n_subjects: int
    n_positive: int
    n_negative: int
    n_independent: int
    has_subjects: bool

    def to_dict(self) -> dict[str, Any]:
        """Return the counts as JSON values, null where subjects are not known."""
        return {
            "n": self.n,
            "n_subjects": self.n_subjects if self.has_subjects else None,
            "n_positive_subjects": self.n_positive if self.has_subjects else None,
        }


def reach(table: ScoreTable, metric: Metric) -> Reach:
    """Count what a metric of the table rests on."""
    clusters, known = table.clusters, ~np.isnan(table.truth).all(axis=1)
    n_positive = min(len(np.unique(clusters[known & column])) for column in metric.about.T)
    n_negative = min(len(np.unique(clusters[known & ~column])) for column in metric.about.T)
    n_subjects = len(np.unique(clusters[metric.rows]))
    # The rarest of many classes says little about how well their mean is known.
    rarest = min(n_positive, n_negative) if metric.about.shape[1] == 1 else n_subjects
    return Reach(
        int(metric.rows.sum()), n_subjects, n_positive, n_negative, rarest, table.subjects is not None
    )


def reliability(facts: Reach) -> dict[str, bool]:
    """Return {"unreliable": True} where too few subjects are positive, or negative, and nothing elsewhere."""
    return {"unreliable": True} if min(facts.n_positive, facts.n_negative) < RELIABLE_SUBJECTS else {}


def remarks(metrics: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return what must be said beside the numbers: classes that a mean could not include, and what has no value.

    Args:    metrics: entries by name, as in `evidence.json`.  Entries with the same reason share a line.
    """
    names: dict[str, list[str]] = {}
    for name, entry in metrics.items():
        if entry.get("left_out"):
            absent = ", ".join(entry["left_out"])
            names.setdefault(f"without {absent}, which the rows do not hold or do not lack", []).append(name)
        if entry.get("why"):
            names.setdefault(entry["why"], []).append(name)
    return [f"{', '.join(found)}: {reason}." for reason, found in names.items()]


def _entry(table: ScoreTable, metric: Metric, draws: Values | None) -> dict[str, Any]:
    facts = reach(table, metric)
    low, high = _interval(metric, table.clusters, draws, n_fewest=facts.n_independent)
    entry: dict[str, Any] = {"value": number(metric.value), "low": number(low), "high": number(high)}
    entry |= facts.to_dict() | reliability(facts)
    if metric.why:
        entry["why"] = metric.why
    if low == high:
        # No resample could show anything else, which is not to say that nothing else is true.
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


def number(value: float) -> float | None:
    """Return None for NaN: JSON has no NaN."""
    return None if np.isnan(value) else float(value)
