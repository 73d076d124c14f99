"""The subgroups that are asked for, as the part of `evidence.json` that holds them."""

from typing import Any

import numpy as np
from jaxtyping import Int8

from vicinal.evidence.subgroups import subgroups
from vicinal.experiment import EvidenceConfig
from vicinal.scoretable import ScoreTable

__all__ = ["in_subgroups"]


def in_subgroups(
    asked: EvidenceConfig, table: ScoreTable, decisions: Int8[np.ndarray, "n k"] | None, *, seed: int
) -> dict[str, Any]:
    """Return {"subgroups": ...} where any are asked for, else nothing.

    Raises:  ExperimentError: when a column is not there, or holds too many values.
    """
    if not asked.subgroups:
        return {}
    found = subgroups(
        table,
        decisions,
        columns=asked.subgroups,
        bands=asked.bands,
        resamples=asked.resamples,
        seed=seed,
    )
    return {"subgroups": found}
