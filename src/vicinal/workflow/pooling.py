"""The rows of several folds as one: their scores, and what disturbances do to them.

Each row is scored by the model of its own fold. Wiring only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from vicinal.evidence.disturbances import DISTURBANCES
from vicinal.evidence.strength import Level, against_strength
from vicinal.experiment import Experiment
from vicinal.files import read_json
from vicinal.scoretable import ScoreTable
from vicinal.workflow.disturbing import DISTURBED

__all__ = ["pooled", "pooled_robustness"]


def pooled(tables: Sequence[ScoreTable]) -> ScoreTable:
    """Return the rows of all folds as one table; no single model or split made it."""
    first = tables[0]
    subjects = [table.subjects for table in tables if table.subjects is not None]
    folds = [table.folds for table in tables if table.folds is not None]
    return replace(
        first,
        role="out_of_fold",
        ids=np.concatenate([table.ids for table in tables]),
        truth=np.concatenate([table.truth for table in tables]),
        logits=np.concatenate([table.logits for table in tables]),
        probabilities=np.concatenate([table.probabilities for table in tables]),
        subjects=np.concatenate(subjects) if len(subjects) == len(tables) else None,
        folds=np.concatenate(folds) if len(folds) == len(tables) else None,
        columns={name: np.concatenate([table.columns[name] for table in tables]) for name in first.columns},
        model_hash="",
        split_hash="",
    )


def pooled_robustness(experiment: Experiment, folders: Sequence[Path]) -> dict[str, Any]:
    """Return {"robustness": ...} of the rows of all folds together, from what each fold kept; nothing if not asked for.

    Args:    folders: of the finished folds.
    """
    asked = experiment.evidence
    if not asked.robustness:
        return {}
    of_folds = [read_json(folder / "evidence.json")["robustness"] for folder in folders]
    found: dict[str, dict[str, Any]] = {}
    made: list[str] = []
    for name in asked.robustness:
        left_out = [one[name]["left_out"] for one in of_folds if "left_out" in one[name]]
        if left_out:
            found[name] = {"unit": DISTURBANCES[name].unit, "left_out": left_out[0]}
        else:
            made.append(name)
    if made:
        tables = [ScoreTable.read(folder / "scores" / DISTURBED) for folder in folders]
        levels = {name: _levels(name, [one[name]["points"] for one in of_folds], tables) for name in made}
        n_test_rows = sum(one[made[0]]["n_test_rows"] for one in of_folds)
        found |= against_strength(
            pooled([_part(table, "", 0.0) for table in tables]),
            levels,
            n_test_rows=n_test_rows,
            resamples=asked.resamples,
            seed=experiment.seed,
        )
    return {"robustness": {name: found[name] for name in asked.robustness}}


def _levels(
    name: str, points: Sequence[Sequence[Mapping[str, Any]]], tables: Sequence[ScoreTable]
) -> list[Level]:
    """Return each strength of one disturbance with the rows of all folds; `points` are those of each fold."""
    levels = []
    for of_strength in zip(*points, strict=True):
        strength = float(of_strength[0]["strength"])
        parts = [_part(table, name, strength) for table in tables]
        held = [part for part in parts if len(part)]
        levels.append(
            Level(
                strength,
                pooled(held) if held else None,
                sum(point["refused"] for point in of_strength),
                next((point["why"] for point in of_strength if point["refused"]), ""),
            )
        )
    return levels


def _part(table: ScoreTable, name: str, strength: float) -> ScoreTable:
    """Return the rows of one version of the recordings, by the ids of these."""
    rows = table.select((table.columns["disturbance"] == name) & (table.columns["strength"] == strength))
    return replace(rows, ids=rows.columns["recording"], columns={})
