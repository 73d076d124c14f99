"""The learning curve that an experiment asks for: the same network trained again on a share of the training subjects.

Validation, calibration and test rows stay whole; a smaller cohort lies within a larger one. Wiring only.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int64

from vicinal.decisions.calibration import identity
from vicinal.errors import TrainingError
from vicinal.evidence.learning_curve import Cohort, learning_curve
from vicinal.execution import map_tasks
from vicinal.experiment import Experiment
from vicinal.inputs.pack import Pack
from vicinal.inputs.splits import Split, with_fewer_groups
from vicinal.scores.score import score_pack
from vicinal.scoretable import ScoreTable
from vicinal.terminal import Show
from vicinal.training.config import TrainingConfig
from vicinal.workflow.gathering import Gathered
from vicinal.workflow.learning import Learned, learn_split
from vicinal.workflow.learning_events import width_of
from vicinal.workflow.reporting_events import n_positives

__all__ = ["Share", "announce", "learn_from", "with_fewer_subjects"]


@dataclass(frozen=True)
class Share:
    """One training of a learning curve, with all that it takes; plain data, for another process.

    Args:    share: of the training subjects.  pack: its folder.  split: with the other subjects set aside.
             n_subjects: to train on.  config: of the training, with the steps of the whole run.
    """

    share: float
    pack: Path
    split: Split
    n_subjects: int
    experiment: Experiment
    config: TrainingConfig


def announce(experiment: Experiment, show: Show) -> None:
    """Say before anything is trained how many trainings the learning curve adds."""
    n = len([share for share in experiment.evidence.learning_curve if share < 1])
    if n:
        show.say(
            f"learning curve: after this training {n} more follow, on "
            f"{', '.join(f'{share:g}' for share in experiment.evidence.learning_curve if share < 1)} of the training "
            f"subjects and for as many steps, so that in all it takes about {n + 1} times as long."
        )


def with_fewer_subjects(
    experiment: Experiment, gathered: Gathered, learned: Learned, table: ScoreTable, show: Show
) -> dict[str, Any]:
    """Return {"learning_curve": ...} where the experiment asks for one, else nothing.

    Args:    learned: the network of the run, whose steps every other one takes.  table: its scored test rows.
    """
    asked, pack = experiment.evidence, gathered.pack
    if not asked.learning_curve:
        return {}
    jobs = list(_jobs(experiment, gathered, learned))
    if jobs:
        show.say(
            f"learning curve: {len(jobs)} more trainings of {learned.fitted.n_steps:,} steps each; the first took "
            f"{learned.fitted.seconds:.0f} s, so about {len(jobs) * learned.fitted.seconds:.0f} s"
        )
    cohorts = []
    with show.progress("learning curve") as update:
        # In this process: a training uses every processor already.
        for done, cohort in enumerate(map_tasks(learn_from, jobs), start=1):
            cohorts.append(cohort)
            update(done, len(jobs))
    train = gathered.split.indices("train")
    n_groups = len(np.unique(pack.groups[train]))
    # As the others are: scores that no calibration has touched.
    raw = table.with_probabilities(identity(table.task, table.classes).apply(table.logits))
    cohorts.append(Cohort(1.0, n_groups, len(train), raw))
    found = learning_curve(
        cohorts,
        unit="recordings" if pack.subjects is None else "subjects",
        resamples=asked.resamples,
        seed=experiment.seed,
    )
    return {"learning_curve": found}


def learn_from(job: Share) -> Cohort:
    """Train on the rows of a share and score the test rows, or say why that cannot be done."""
    pack, split, experiment = Pack.open(job.pack), job.split, job.experiment
    train = split.indices("train")
    made = Cohort(job.share, job.n_subjects, len(train))
    lacking = _one_sided(pack, train)
    if lacking:
        return _without(made, f"its training rows are all of one kind for {', '.join(lacking)}")
    try:
        learned = learn_split(experiment, pack, split, config=job.config)
    except TrainingError as error:
        return _without(made, str(error))
    scores = score_pack(learned.model, pack, split.indices("test"), role="test", split_hash=split.hash)
    return Cohort(made.share, made.n_subjects, made.n_rows, scores)


def _without(cohort: Cohort, why: str) -> Cohort:
    return Cohort(cohort.share, cohort.n_subjects, cohort.n_rows, left_out=why)


def _jobs(experiment: Experiment, gathered: Gathered, learned: Learned) -> Iterator[Share]:
    pack, split = gathered.pack, gathered.split
    train = split.indices("train")
    n_groups = len(np.unique(pack.groups[train]))
    config = experiment.training
    n_pieces = len(train)
    if pack.task == "events":  # which are learnt from in stretches, of which a recording holds many
        width = width_of(experiment.inputs.contract, config)
        n_pieces = int(np.ceil(pack.lengths[train] / width).sum())
    a_pass = max(1, n_pieces // config.batch)
    # As many steps as the run had, and validated as often: only what is learnt from differs.
    config = config.model_copy(
        update={
            "epochs": None,
            "minutes": None,
            "steps": learned.fitted.n_steps,
            "validate_after_steps": max(config.validate_after_steps, a_pass),
        }
    )
    for share in experiment.evidence.learning_curve:
        n = max(1, round(share * n_groups))
        if n < n_groups:
            fewer = with_fewer_groups(split, pack.groups, n_train=n, seed=experiment.inputs.split.seed)
            yield Share(share, pack.folder, fewer, n, experiment, config)


def _one_sided(pack: Pack, rows: Int64[np.ndarray, " m"]) -> list[str]:
    """Return the classes that all rows, or all events of the rows, have, or none."""
    if pack.task == "events":
        counts = n_positives(pack, rows)
        return [name for name, n in zip(pack.classes, counts.tolist(), strict=True) if n in (0, counts.sum())]
    truth = pack.truth[rows]
    return [
        name
        for k, name in enumerate(pack.classes)
        if not (truth[:, k] == 1).any() or not (truth[:, k] == 0).any()
    ]
