"""The subgroups that an experiment asks for, as the part of `evidence.json` that holds them."""

from typing import Any

import numpy as np
from jaxtyping import Int8

from vicinal.evidence.subgroups import subgroups
from vicinal.experiment import Experiment
from vicinal.scoretable import ScoreTable

__all__ = ["in_subgroups"]


def in_subgroups(
    experiment: Experiment, table: ScoreTable, decisions: Int8[np.ndarray, "n k"]
) -> dict[str, Any]:
    """Return {"subgroups": ...} where the experiment asks for any, else nothing.

    Raises:  ExperimentError: when a column is not there, or holds too many values.
    """
    asked = experiment.evidence
    if not asked.subgroups:
        return {}
    found = subgroups(
        table,
        decisions,
        columns=asked.subgroups,
        bands=asked.bands,
        resamples=asked.resamples,
        seed=experiment.seed,
    )
    return {"subgroups": found}
