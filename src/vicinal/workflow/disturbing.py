"""The disturbances that an experiment asks for, as the part of `evidence.json` that holds them."""

from typing import Any

import numpy as np
from jaxtyping import Int64

from vicinal.errors import ExperimentError
from vicinal.evidence.strength import Change, against_strength
from vicinal.experiment import Experiment
from vicinal.inputs.pack import Pack
from vicinal.scores.model import Model
from vicinal.scoretable import ScoreTable
from vicinal.terminal import Show

__all__ = ["refuse_images", "under_disturbances"]

_ROWS = 256


def refuse_images(experiment: Experiment) -> None:
    """Refuse disturbances of signals for images, before anything is read.

    Raises:  ExperimentError: when the contract has no rate.
    """
    if experiment.evidence.robustness and experiment.inputs.contract.position_rate_hz is None:
        raise ExperimentError("evidence.robustness disturbs signals in time; images have none. Leave it out.")


def under_disturbances(
    experiment: Experiment, model: Model, pack: Pack, indices: Int64[np.ndarray, " m"], show: Show
) -> dict[str, Any]:
    """Return {"robustness": ...} where the experiment asks for any, else nothing.

    Args:    indices: the test rows.
    """
    asked, rate_hz = experiment.evidence, experiment.inputs.contract.position_rate_hz
    if not asked.robustness or rate_hz is None:
        return {}
    scorer = model.scorer()

    def score(change: Change) -> ScoreTable:
        logits = []
        for start in range(0, len(indices), _ROWS):
            samples, lengths = pack.rows(indices[start : start + _ROWS])
            logits.append(scorer.logits(change(samples), lengths))
        return scorer.table(
            np.concatenate(logits),
            ids=pack.ids[indices],
            role="test",
            truth=pack.truth[indices],
            subjects=None if pack.subjects is None else pack.subjects[indices],
        )

    with show.progress("disturbing"):
        found = against_strength(
            score,
            asked.robustness,
            rate_hz=rate_hz,
            n_channels=len(experiment.inputs.contract.input_channels),
            resamples=asked.resamples,
            seed=experiment.seed,
        )
    return {"robustness": found}
