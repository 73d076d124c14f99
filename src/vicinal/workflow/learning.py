"""From rows to a trained network: the part that `run`, `compare` and the estimator share."""

import platform
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

import vicinal
from vicinal.decisions.calibration import identity
from vicinal.experiment import Experiment
from vicinal.inputs.pack import Pack
from vicinal.inputs.splits import Split
from vicinal.representations.engine import Engine
from vicinal.scores.model import Model
from vicinal.terminal import QUIET, Show
from vicinal.training.checkpoint import Checkpoints
from vicinal.training.config import TrainingConfig
from vicinal.training.loop import Fitted, fit
from vicinal.training.monitor import Monitor
from vicinal.workflow.course import Course
from vicinal.workflow.course_view import CourseView
from vicinal.workflow.lesson import Lesson, lesson_of_split

__all__ = ["Learned", "learn", "learn_split"]


@dataclass(frozen=True)
class Learned:
    """What training gave: a model that is not calibrated yet, and how it came about.

    Args:    model: of the best weights.  last: the weights after the last step, by name.
    """

    model: Model
    last: dict[str, np.ndarray]
    fitted: Fitted
    monitor: Monitor
    engine: Engine
    select: str


def learn_split(
    experiment: Experiment,
    pack: Pack,
    split: Split,
    *,
    config: TrainingConfig | None = None,
    sink: Callable[[dict[str, Any]], None] | None = None,
    past: Iterable[Mapping[str, Any]] = (),
    show: Show = QUIET,
    checkpoints: Checkpoints | None = None,
) -> Learned:
    """Learn what an experiment says, from the training rows of a split of its pack.

    Args:    config: instead of the experiment's own.  sink, past, show, checkpoints, and errors: as for `learn`.
    """
    lesson = lesson_of_split(experiment, pack, split, config=config)
    return learn(lesson, sink=sink, past=past, show=show, checkpoints=checkpoints)


def learn(
    lesson: Lesson,
    *,
    sink: Callable[[dict[str, Any]], None] | None = None,
    past: Iterable[Mapping[str, Any]] = (),
    show: Show = QUIET,
    checkpoints: Checkpoints | None = None,
) -> Learned:
    """Fit the network of a lesson, keeping the weights that are best on its validation rows.

    Args:    sink: receives each record of the monitor.  past: records from before, of a run that goes on.
             show: draws the course of training, and says what the monitor found.
             checkpoints: of training; it goes on from the newest.
    Raises:  as `fit`.
    """
    course = Course(past)
    with show.live(CourseView(course)) as changed:

        def keep(record: dict[str, Any]) -> None:
            if sink is not None:
                sink(record)
            course.add(record)
            changed()

        monitor = Monitor(keep)
        fitted = fit(
            lesson.trained,
            lesson.batches,
            validate=lesson.validate,
            sample=lesson.sample,
            config=lesson.config,
            task=lesson.task,
            monitor=monitor,
            engine=lesson.engine,
            seed=lesson.seed,
            checkpoints=checkpoints,
        )
    # What was computed once belongs to the cost of training as much as the steps do.
    fitted = replace(
        fitted,
        seconds=fitted.seconds + lesson.frozen_s,
        training_s=fitted.training_s + lesson.frozen_s,
    )
    frozen = {name: value.cpu().numpy() for name, value in lesson.network.state_dict().items()}
    for finding in monitor.findings:
        show.say(f"{finding.kind}: {finding.message}")
    return Learned(
        model=_model(lesson, {**frozen, **fitted.weights}, n_steps=fitted.n_steps),
        last={**frozen, **fitted.last},
        fitted=fitted,
        monitor=monitor,
        engine=lesson.engine,
        select=lesson.config.select,
    )


def _model(lesson: Lesson, weights: dict[str, np.ndarray], *, n_steps: int) -> Model:
    """Return a model that is not calibrated yet."""
    return Model(
        network=lesson.network.text,
        input_shape=lesson.contract.input_shape,
        weights=weights,
        contract=lesson.contract,
        calibration=identity(lesson.decided, lesson.classes),
        provenance={
            "vicinal": vicinal.__version__,
            "torch": torch.__version__,
            "python": platform.python_version(),
            "precision": lesson.engine.precision,
            "seed": lesson.seed,
            "n_steps": n_steps,
        },
    )
