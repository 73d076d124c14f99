"""AUROC against the strength of a disturbance, on the same recordings.

Is handed the scores at each strength; must not know networks, recordings or how they were disturbed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vicinal.evidence.disturbances import DISTURBANCES
from vicinal.evidence.metrics import measure
from vicinal.evidence.pairs import differences
from vicinal.evidence.summary import entries
from vicinal.scoretable import ScoreTable

__all__ = ["Level", "against_strength"]


@dataclass(frozen=True)
class Level:
    """What a model says of the recordings at one strength of a disturbance.

    Args:    scores: of those that its contract still takes, in their order; None where it takes none.
             n_refused: those that it refuses, or for which the disturbance has no meaning.  why: of the first.
    """

    strength: float
    scores: ScoreTable | None
    n_refused: int = 0
    why: str = ""


def against_strength(
    undisturbed: ScoreTable,
    levels: Mapping[str, Sequence[Level]],
    *,
    n_test_rows: int,
    resamples: int = 2000,
    seed: int = 0,
) -> dict[str, dict[str, Any]]:
    """Return the AUROC of undisturbed recordings and at each strength of each disturbance, with intervals by subject.

    Args:    undisturbed: scores of the same recordings as they are.  levels: by name of `DISTURBANCES`.
             n_test_rows: test rows from which they were drawn.  resamples, seed: of the bootstrap.
    Returns: {name: {"unit", "n_rows", "n_test_rows", "undisturbed": entry, "points": [{"strength", "refused",
             "change": {"value", "low", "high", "clear"} or None, ...entry}]}}, of several classes the mean AUROC;
             change: the AUROC there minus that of the same rows undisturbed, in paired resamples. Or {"unit",
             "left_out": why} where no recording can be disturbed so and still be scored.
    """
    whole = _auroc(undisturbed, resamples=resamples, seed=seed)
    found: dict[str, dict[str, Any]] = {}
    for name, made in levels.items():
        unit = DISTURBANCES[name].unit
        if not any(one.scores is not None for one in made):
            found[name] = {"unit": unit, "left_out": made[0].why if made else "it has no strength"}
            continue
        found[name] = {
            "unit": unit,
            "n_rows": len(undisturbed),
            "n_test_rows": n_test_rows,
            "undisturbed": whole,
            "points": [_point(one, undisturbed, resamples=resamples, seed=seed) for one in made],
        }
    return found


def _point(level: Level, undisturbed: ScoreTable, *, resamples: int, seed: int) -> dict[str, Any]:
    point: dict[str, Any] = {"strength": level.strength, "refused": level.n_refused}
    if level.n_refused:
        point["why"] = level.why
    if level.scores is None:
        nothing = {"value": None, "low": None, "high": None, "n": 0}
        return point | nothing | {"n_subjects": None, "n_positive_subjects": None, "change": None}
    place = {name: row for row, name in enumerate(undisturbed.ids.tolist())}
    same = undisturbed.select(np.array([place[name] for name in level.scores.ids.tolist()], np.int64))
    change = differences(level.scores, same, names=("auroc",), resamples=resamples, seed=seed).get("auroc")
    if change is not None:
        change = {key: change[key] for key in ("value", "low", "high", "clear")}
    return point | _auroc(level.scores, resamples=resamples, seed=seed) | {"change": change}


def _auroc(table: ScoreTable, *, resamples: int, seed: int) -> dict[str, Any]:
    metrics = [one for one in measure(table) if one.name == "auroc"]
    return entries(table, metrics, resamples=resamples, seed=seed)["auroc"]
