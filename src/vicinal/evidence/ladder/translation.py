"""Translation: what the evidence becomes when the same test signals arrive earlier or later, network by network.

Takes score tables and the logits of moved signals; must not know networks or signals.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float64

from vicinal.decisions.calibration import identity
from vicinal.evidence.ladder.estimate import estimate
from vicinal.evidence.ladder.sample import Sample, sample_of
from vicinal.evidence.summary import number
from vicinal.scoretable import ScoreTable

__all__ = ["Moved", "translation"]


@dataclass(frozen=True)
class Moved:
    """One trained network on the same test rows as they are, and moved.

    Args:    still: scores of the rows as they are.
             logits: (shifts, 2, rows, K): moved later and earlier, in the order of the table.
             changed: (shifts,) share of decisions that differ; NaN where there are none.
    """

    still: ScoreTable
    logits: Float64[np.ndarray, "shifts two rows k"]
    changed: Float64[np.ndarray, " shifts"]


def translation(
    seeds: Sequence[Moved], shifts: Sequence[float], metric: str, *, resamples: int = 2000, seed: int = 0
) -> list[dict[str, Any]]:
    """Return the metric at each shift, the mean of later and earlier, and how far it is from that without a shift.

    Args:    seeds: networks of one kind, each with the same rows.  shifts: shares of a signal's length.
    Returns: [{"shift", "value", "low", "high", "change": {"value", "low", "high", "clear"} or None,
             "decisions_changed": a share or None}], no shift first.
    """

    def sample(tables: Sequence[ScoreTable]) -> Sample:
        return sample_of(tables, metric, resamples=resamples, seed=seed)

    still = sample([one.still for one in seeds])
    points: list[dict[str, Any]] = [
        {"shift": 0.0, **estimate(still).to_dict(), "change": None, "decisions_changed": 0.0}
    ]
    for k, shift in enumerate(shifts):
        later, earlier = (sample([_scored(one.still, one.logits[k, way]) for one in seeds]) for way in (0, 1))
        moved = Sample((later.values + earlier.values) / 2, (later.draws + earlier.draws) / 2, later.n_fewest)
        change = estimate(moved - still, scale="difference")
        clear = bool(change.low > 0 or change.high < 0)
        points.append(
            {
                "shift": float(shift),
                **estimate(moved).to_dict(),
                "change": {**change.to_dict(), "clear": clear},
                "decisions_changed": number(float(np.mean([one.changed[k] for one in seeds]))),
            }
        )
    return points


def _scored(table: ScoreTable, logits: Float64[np.ndarray, "rows k"]) -> ScoreTable:
    probabilities = identity(table.task, table.classes).apply(logits)
    return replace(table, logits=logits, probabilities=probabilities)
