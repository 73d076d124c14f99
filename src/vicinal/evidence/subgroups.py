"""Subgroups: the same metrics among the rows of each value of a column, and how far each group is from the rest.

A column of few values is taken as it is; a column of many numbers is cut into bands. Knows score tables; must not
know where a column comes from.
"""

import difflib
import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64, Int8

from vicinal.errors import ExperimentError
from vicinal.evidence.metric import Metric
from vicinal.evidence.metrics import measure
from vicinal.evidence.resampling import (
    FURTHEST,
    Drawn,
    Statistic,
    bootstrap,
    difference_statistic,
    resampled_interval,
)
from vicinal.evidence.summary import Reach, entries, number, reach, reliability
from vicinal.scoretable import ScoreTable

__all__ = ["METRICS", "NOT_KNOWN", "banded", "require_columns", "subgroups"]

METRICS = (
    "auroc", "average_precision", "sensitivity", "specificity", "ppv", "npv", "accuracy", "macro_f1", "brier",
)  # fmt: skip
"""What is measured in each group, where the task has it."""

NOT_KNOWN = "not known"
"""The group of the rows whose column is empty."""

_MOST_GROUPS = 20
_MOST_NUMBERS = 6

Groups = dict[str, Bool[np.ndarray, " n"]]
Decisions = Int8[np.ndarray, "n k"]


def require_columns(known: Collection[str], wanted: Sequence[str]) -> None:
    """Refuse columns that are not there.

    Raises:  ExperimentError: names all of them.
    """
    missing = dict.fromkeys(name for name in wanted if name not in known)
    if missing:
        near = {name: difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.5) for name in missing}
        words = [f"{name!r}{f' (did you mean {one[0]!r}?)' if one else ''}" for name, one in near.items()]
        shown = f"the columns {', '.join(sorted(known))}" if known else "no further column"
        raise ExperimentError(
            f"evidence.subgroups: there is no column {' and none '.join(words)}; the data have {shown}. "
            "Name one that is there, or add it to the label table."
        )


def subgroups(
    table: ScoreTable,
    decisions: Decisions | None = None,
    *,
    columns: Sequence[str],
    bands: Mapping[str, Sequence[float]] | None = None,
    resamples: int = 2000,
    seed: int = 0,
) -> dict[str, dict[str, Any]]:
    """Return for each column its groups, and in each the metrics with their intervals and gaps.

    A gap is the group minus all other rows, with an interval of its own: both parts are recomputed in the same
    resamples of subjects, so that a subject with rows in both counts in both.

    Args:    decisions: as of `metrics.compute`.  bands: rising edges by column, see `banded`.
    Returns: {column: {group: {"n", "n_subjects", "n_positive", "metrics": {name: entry}, "gaps": {name: {"value",
             "low", "high", "clear", "n", "n_others", "n_subjects", "n_subjects_others"}}}}}; entries as in
             `evidence.json`.
    Raises:  ExperimentError: when a column is not there, or holds more texts than groups can be told apart.
    """
    require_columns(table.columns, columns)
    found = {}
    for column in columns:
        groups = _groups(column, table.columns[column], (bands or {}).get(column))
        measured = {
            name: (_Part.of(table, decisions, rows), _Part.of(table, decisions, ~rows))
            for name, rows in groups.items()
        }
        gaps = _gaps(table, measured, resamples=resamples, seed=seed)
        found[column] = {
            name: {
                **part.facts(),
                "metrics": part.entries(resamples=resamples, seed=seed),
                "gaps": gaps[name],
            }
            for name, (part, _) in measured.items()
        }
    return found


def banded(values: Float64[np.ndarray, " n"], edges: Sequence[float]) -> Groups:
    """Return the rows of each band: below the first edge, from each edge to below the next, from the last on.

    Bands without rows are left out. NaN is in none.
    """
    where = np.where(
        np.isnan(values), -1, np.searchsorted(np.asarray(edges, np.float64), values, side="right")
    )
    names = [
        f"under {edges[0]:g}",
        *(f"{low:g} to under {high:g}" for low, high in itertools.pairwise(edges)),
        f"{edges[-1]:g} and over",
    ]
    return {name: where == k for k, name in enumerate(names) if (where == k).any()}


@dataclass(frozen=True)
class _Part:
    """Some rows of a table, their metrics, and where their clusters are among those of the whole."""

    table: ScoreTable
    places: np.ndarray
    metrics: dict[str, Metric] = field(default_factory=dict)

    @staticmethod
    def of(table: ScoreTable, decisions: Decisions | None, rows: Bool[np.ndarray, " n"]) -> "_Part":
        part = table.select(rows)
        places = np.searchsorted(np.unique(table.clusters), np.unique(part.clusters))
        if not len(part):
            return _Part(part, places)
        metrics = measure(part, None if decisions is None else decisions[rows])
        return _Part(part, places, {one.name: one for one in metrics if one.name in METRICS})

    def statistic(self, name: str) -> Statistic | None:
        """Return the metric as a statistic of the clusters of the whole table."""
        metric = self.metrics.get(name)
        if metric is None or metric.statistic is None:
            return None
        statistic, places = metric.statistic, self.places

        def of_whole(drawn: Drawn) -> Float64[np.ndarray, " resamples"]:
            return statistic(np.ascontiguousarray(drawn[:, places]))

        return of_whole

    def facts(self) -> dict[str, Any]:
        has_subjects = self.table.subjects is not None
        return {
            "n": len(self.table),
            "n_subjects": len(self.places) if has_subjects else None,
            "n_positive": {
                name: int(np.nansum(self.table.truth[:, k])) for k, name in enumerate(self.table.classes)
            },
        }

    def entries(self, *, resamples: int, seed: int) -> dict[str, dict[str, Any]]:
        return entries(self.table, list(self.metrics.values()), resamples=resamples, seed=seed)


def _gaps(
    table: ScoreTable, parts: Mapping[str, tuple[_Part, _Part]], *, resamples: int, seed: int
) -> dict[str, dict[str, Any]]:
    pairs: dict[tuple[str, str], tuple[Metric, Metric]] = {}
    statistics: dict[str, Statistic] = {}
    for group, (part, rest) in parts.items():
        for name in part.metrics:
            here, there = part.statistic(name), rest.statistic(name)
            if here is not None and there is not None:
                pairs[group, name] = part.metrics[name], rest.metrics[name]
                statistics[f"{group}\n{name}"] = difference_statistic(here, there)
    draws = bootstrap(statistics, n_subjects=len(np.unique(table.clusters)), resamples=resamples, seed=seed)
    found: dict[str, dict[str, Any]] = {group: {} for group in parts}
    for (group, name), (one, other) in pairs.items():
        facts = [reach(part.table, metric) for part, metric in zip(parts[group], (one, other), strict=True)]
        fewest = min(fact.n_independent for fact in facts)
        value = one.value - other.value
        low, high = resampled_interval(
            value,
            draws[f"{group}\n{name}"],
            scale="difference",
            n_fewest=fewest,
            furthest=FURTHEST[one.scale],
        )
        gap = {"value": number(value), "low": number(low), "high": number(high)} | _sizes(*facts)
        found[group][name] = (
            gap | {"clear": bool(low > 0 or high < 0)} | reliability(facts[0]) | reliability(facts[1])
        )
    return found


def _quartiles(numbers: Float64[np.ndarray, " n"]) -> list[float]:
    """Return the edges of quarters, to three digits: they are read by people, and name the groups."""
    return sorted({float(f"{cut:.3g}") for cut in np.quantile(numbers, [0.25, 0.5, 0.75])})


def _sizes(here: Reach, there: Reach) -> dict[str, int | None]:
    """Return the rows and subjects that a gap rests on, of the group and of all others."""
    known = here.has_subjects
    return {
        "n": here.n,
        "n_others": there.n,
        "n_subjects": here.n_subjects if known else None,
        "n_subjects_others": there.n_subjects if known else None,
    }


def _groups(column: str, values: np.ndarray, edges: Sequence[float] | None) -> Groups:
    if values.dtype.kind in "fiub":
        numbers = values.astype(np.float64)
        missing = np.isnan(numbers)
        distinct = np.unique(numbers[~missing])
        if edges is None and len(distinct) <= _MOST_NUMBERS:
            groups = {f"{one:g}": numbers == one for one in distinct}
        else:
            # Quartiles, where nobody said which bands mean something.
            groups = banded(numbers, _quartiles(numbers[~missing]) if edges is None else edges)
    else:
        if edges is not None:
            raise ExperimentError(
                f"evidence.bands: the column {column!r} holds texts, not numbers. Leave it out."
            )
        missing = values == ""
        groups = {str(one): values == one for one in np.unique(values[~missing])}
    if len(groups) > _MOST_GROUPS:
        raise ExperimentError(
            f"evidence.subgroups: the column {column!r} holds {len(groups)} values, more than {_MOST_GROUPS}. "
            "Join some of them in the label table first."
        )
    return groups | ({NOT_KNOWN: missing} if missing.any() else {})
