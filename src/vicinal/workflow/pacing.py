"""Pacing: how long trials will take, from a few steps of each network before the comparison starts."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vicinal.decisions.calibration import identity
from vicinal.evidence.ladder.sample import sample_of
from vicinal.scores.score import score_pack
from vicinal.scoretable import ScoreTable
from vicinal.workflow.learning import learn_split
from vicinal.workflow.trial import Trial, gathered_for

__all__ = ["Pace", "expected_s", "pace_of", "resampling_s", "total_s"]

_STEPS = 8


@dataclass(frozen=True)
class Pace:
    """Seconds of one network.

    Args:    step_s: of one step.  check_s: to set up, and to validate once.  scoring_s: of all test rows once.
    """

    step_s: float
    check_s: float
    scoring_s: float


def pace_of(trial: Trial) -> Pace:
    """Train a few steps, and score the test rows once."""
    experiment, gathered = trial.experiment, gathered_for(trial.experiment, trial.data)
    few = {"epochs": None, "minutes": None, "steps": _STEPS, "validate_after_steps": _STEPS}
    learned = learn_split(
        experiment, gathered.pack, gathered.split, config=experiment.training.model_copy(update=few)
    )
    start = time.perf_counter()
    score_pack(learned.model, gathered.pack, gathered.split.indices("test"), role="test")
    fitted = learned.fitted
    return Pace(
        fitted.training_s / max(fitted.n_steps, 1),
        max(fitted.seconds - fitted.training_s, 0.0),
        time.perf_counter() - start,
    )


def expected_s(trial: Trial, pace: Pace) -> float:
    """Return how long a trial will take: its steps, its validations, and what is measured afterwards."""
    config = trial.experiment.training
    # Training, validation and calibration rows are scored too, and test rows again for each shift, later and earlier.
    measuring_s = pace.scoring_s * (2 + 2 * len(trial.measures.shifts))
    if config.minutes is not None:
        return 60 * config.minutes + measuring_s
    steps = config.steps or 0
    return steps * pace.step_s + pace.check_s * (1 + steps / config.validate_after_steps) + measuring_s


def resampling_s(trials: Sequence[Trial]) -> float:
    """Return how long the metrics of trials take to resample: of test rows as they are, and of those that are moved.

    Timed on made-up scores of the test rows of the first trial.
    """
    first = trials[0]
    gathered, task = gathered_for(first.experiment, first.data), first.experiment.inputs.task
    pack, test = gathered.pack, gathered.split.indices("test")
    logits = np.random.default_rng(0).normal(size=(len(test), len(pack.classes)))
    table = ScoreTable(
        task=task,
        classes=pack.classes,
        role="test",
        ids=pack.ids[test],
        truth=pack.truth[test],
        logits=logits,
        probabilities=identity(task, pack.classes).apply(logits),
        subjects=None if pack.subjects is None else pack.subjects[test],
    )
    start = time.perf_counter()
    sample_of([table], first.metric, resamples=first.experiment.evidence.resamples)
    once_s = time.perf_counter() - start
    times = 0.0
    for trial in trials:
        shifts, moved = trial.measures.shifts, min(trial.measures.most_rows / max(len(test), 1), 1.0)
        # Moved rows are later and earlier, and once as they are.
        times += 1 + (moved * (1 + 2 * len(shifts)) if shifts else 0)
    return once_s * times


def total_s(trials: Sequence[Trial], paces: dict[str, Pace]) -> float:
    """Return how long these trials will take one after the other; who has no pace is finished, or broke off."""
    return sum(expected_s(trial, paces[trial.name]) for trial in trials if trial.name in paces)
