"""From gathered rows to a trained network: the part that `run`, `compare` and the estimator share."""

import platform
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, cast

import numpy as np
import torch
from torch import nn

import vicinal
from vicinal.decisions.calibration import identity
from vicinal.errors import ExperimentError
from vicinal.evidence.following import following, following_names, mean_f1_classes
from vicinal.experiment import Experiment
from vicinal.inputs.batches import ArrayRows, Batches, Rows
from vicinal.inputs.contract import Contract
from vicinal.inputs.pack import Pack
from vicinal.inputs.segments import Segments
from vicinal.inputs.splits import Split
from vicinal.representations.engine import Engine, choose
from vicinal.representations.frozen import Rest, features, n_frozen_features, settle
from vicinal.representations.network import Network, build
from vicinal.representations.resident import resident
from vicinal.scores.model import Model
from vicinal.scores.scorer import make_scorer
from vicinal.scoretable import Task
from vicinal.terminal import QUIET, Show
from vicinal.training.checkpoint import Checkpoints
from vicinal.training.config import TrainingConfig
from vicinal.training.loop import Fitted, fit
from vicinal.training.monitor import Monitor
from vicinal.workflow.course import Course
from vicinal.workflow.course_view import CourseView
from vicinal.workflow.learning_events import segments_of, validation_at_events, width_of

__all__ = ["Learned", "learn", "learn_split"]

MOST_FROZEN_BYTES = 4 << 30
"""Of features kept in memory; beyond, they are computed again in each epoch."""

MOST_SAMPLED = 1000
"""Training rows that are measured at each validation; no more than there are validation rows."""


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
    return learn(
        pack,
        train=split.indices("train"),
        validation=split.indices("validation"),
        network=experiment.representations.network,
        contract=experiment.inputs.contract,
        task=experiment.inputs.task,
        classes=pack.classes,
        config=config or experiment.training,
        seed=experiment.seed,
        sink=sink,
        past=past,
        show=show,
        checkpoints=checkpoints,
    )


def learn(
    rows: Rows,
    *,
    train: np.ndarray,
    validation: np.ndarray,
    network: str,
    contract: Contract,
    task: Task,
    classes: tuple[str, ...],
    config: TrainingConfig,
    seed: int,
    sink: Callable[[dict[str, Any]], None] | None,
    past: Iterable[Mapping[str, Any]] = (),
    show: Show,
    checkpoints: Checkpoints | None = None,
) -> Learned:
    """Build a network and fit it on `train` rows, keeping the weights that are best on `validation` rows.

    Args:    sink: receives each record of the monitor.  past: records from before, of a run that goes on.
             show: draws the course of training, and says what the monitor found.
             checkpoints: of training; it goes on from the newest.
    Raises:  ExperimentError: when `config.select` is no metric of this task.  Else as `fit`.
    """
    # Each validation scores with new weights: compiling for each would cost more than it gives.
    engine = choose(precision=config.precision, device=config.device, compiled=False)
    # Each event has exactly one class, as each recording of the task "classes" has.
    decided: Task = "classes" if task == "events" else task
    config = config.model_copy(update={"select": _select(config.select, decided, classes)})
    at_events = isinstance(rows, Pack) and task == "events"
    shape = (contract.input_shape[0], width_of(contract, config)) if at_events else contract.input_shape
    net = build(network, input_shape=shape, n_outputs=len(classes), seed=seed)
    start = time.perf_counter()
    settle(engine.place(net), rows.rows, train, tensor=engine.tensor, seed=seed)
    trained: nn.Module = net
    if _keeps_features(net, n_rows=len(train) + len(validation), augmented=bool(config.augment)):
        trained, (rows, train, validation) = Rest(net), _features(net, rows, train, validation, engine=engine)
    frozen_s = time.perf_counter() - start
    batches: Batches | Segments
    if isinstance(rows, Pack) and task == "events":
        batches = segments_of(rows, train, net, contract=contract, config=config, seed=seed)
        judged = partial(validation_at_events, rows, contract=contract, engine=engine, select=config.select)
    else:
        batches = Batches(
            *_at_hand(rows, train, engine=engine),
            batch=config.batch,
            seed=seed,
            augment=config.augment,
            rate_hz=contract.position_rate_hz,
        )
        judged = partial(
            _judged, rows, contract=contract, task=task, classes=classes, engine=engine, select=config.select
        )
    sampled = _sample(train, n=len(validation), seed=seed)
    # Rows without any event have no metric; then there is no gap to tell.
    at_some = task == "events" and isinstance(rows, Pack) and bool((rows.targets(sampled).classes >= 0).any())
    course = Course(past)
    with show.live(CourseView(course)) as changed:

        def keep(record: dict[str, Any]) -> None:
            if sink is not None:
                sink(record)
            course.add(record)
            changed()

        monitor = Monitor(keep)
        fitted = fit(
            trained,
            batches,
            validate=judged(validation),
            sample=judged(sampled) if at_some or task != "events" else None,
            config=config,
            task=task,
            monitor=monitor,
            engine=engine,
            seed=seed,
            checkpoints=checkpoints,
        )
    # What was computed once belongs to the cost of training as much as the steps do.
    fitted = replace(fitted, seconds=fitted.seconds + frozen_s, training_s=fitted.training_s + frozen_s)
    frozen_weights = {name: value.cpu().numpy() for name, value in net.state_dict().items()}
    model = Model(
        network=net.text,
        input_shape=contract.input_shape,
        weights={**frozen_weights, **fitted.weights},
        contract=contract,
        calibration=identity(decided, classes),
        provenance={
            "vicinal": vicinal.__version__,
            "torch": torch.__version__,
            "python": platform.python_version(),
            "precision": engine.precision,
            "seed": seed,
            "n_steps": fitted.n_steps,
        },
    )
    for finding in monitor.findings:
        show.say(f"{finding.kind}: {finding.message}")
    return Learned(model, {**frozen_weights, **fitted.last}, fitted, monitor, engine, config.select)


def _select(name: str, task: Task, classes: tuple[str, ...]) -> str:
    """Return the metric by which weights are selected, known before any step is taken."""
    if name == "auto":
        return "auroc" if len(classes) == 1 else "macro_auroc"
    known = following_names(task, classes)
    if name in known or (task == "classes" and mean_f1_classes(name, classes)):
        return name
    several = f", or the mean F1 of some classes: f1[{', '.join(classes[:2])}]" if task == "classes" else ""
    raise ExperimentError(
        f"training.select: expected one of the validation metrics {', '.join(known)}{several}; got {name!r}."
    )


def _keeps_features(net: Network, *, n_rows: int, augmented: bool) -> bool:
    """Return whether the features of a first stage that never learns can be computed once for all epochs."""
    n_bytes = 4 * n_frozen_features(net) * n_rows
    return 0 < n_bytes <= MOST_FROZEN_BYTES and not augmented


def _features(
    net: Network, rows: Rows, train: np.ndarray, validation: np.ndarray, *, engine: Engine
) -> tuple[Rows, np.ndarray, np.ndarray]:
    """Return rows of features in place of signals, training rows first, with their new numbers."""
    both = np.concatenate([train, validation])
    found = features(net, rows.rows, both, tensor=engine.tensor)
    kept = ArrayRows(found, np.ones(len(both), dtype=np.int64), rows.truth[both])
    return kept, np.arange(len(train)), np.arange(len(train), len(both))


def _at_hand(rows: Rows, train: np.ndarray, *, engine: Engine) -> tuple[Rows, np.ndarray]:
    """Return the training rows where the network is, renumbered, if they fit there; else as they are."""
    shape = rows.rows(train[:1])[0].shape[1:]
    kept = resident(rows.rows, train, truth=rows.truth[train], shape=tuple(shape), device=engine.device)
    return (rows, train) if kept is None else (kept, np.arange(len(train)))


def _sample(train: np.ndarray, *, n: int, seed: int) -> np.ndarray:
    """Return a fixed sample of training rows, on which metrics are compared with those on `n` validation rows."""
    return np.random.default_rng(seed).permutation(train)[: min(n, MOST_SAMPLED)]


def _judged(
    rows: Rows,
    indices: np.ndarray,
    *,
    contract: Contract,
    task: Task,
    classes: tuple[str, ...],
    engine: Engine,
    select: str,
) -> Callable[[nn.Module], dict[str, float]]:
    """Return what measures a network on these rows, as they are: without augmentation."""
    x, lengths = rows.rows(indices)
    truth, raw = rows.truth[indices], identity(task, classes)

    def validate(network: nn.Module) -> dict[str, float]:
        scorer = make_scorer(cast(Network, network), engine=engine, contract=contract, calibration=raw)
        # An image is always whole, and so are features; layers over either take no lengths.
        logits = scorer.compute(x, lengths if x.ndim == 3 else None).astype(np.float64)
        table = scorer.table(logits, ids=indices.astype(str), role="validation", truth=truth)
        return following(table, select=select)

    return validate
