"""Lesson: everything that learning from some rows needs, made ready: network, engine, batches, and what validates.

Training and the search for a learning rate take the same one. Must not take a step.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import cast

import numpy as np
from torch import nn

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
from vicinal.scores.scorer import make_scorer
from vicinal.scoretable import Task
from vicinal.training.config import TrainingConfig
from vicinal.training.passed import Validate
from vicinal.workflow.learning_events import segments_of, validation_at_events, width_of

__all__ = ["Lesson", "lesson_of", "lesson_of_split"]

MOST_FROZEN_BYTES = 4 << 30
"""Of features kept in memory; beyond, they are computed again in each epoch."""

MOST_SAMPLED = 1000
"""Training rows that are measured at each validation; no more than there are validation rows."""


@dataclass(frozen=True)
class Lesson:
    """What is learnt, from what, and how it is judged.

    Args:    network: with random weights.  trained: the part of it that learns.
             decided: what is decided of a row; of an event exactly one class.  config: `select` is a metric's name.
             validate: metrics on the validation rows.  sample: on some training rows, or None where there is no metric.
             frozen_s: seconds that went into what never learns.
    """

    network: Network = field(repr=False)
    trained: nn.Module = field(repr=False)
    batches: Batches | Segments = field(repr=False)
    validate: Validate = field(repr=False)
    sample: Validate | None = field(repr=False)
    config: TrainingConfig
    task: Task
    decided: Task
    classes: tuple[str, ...]
    contract: Contract = field(repr=False)
    engine: Engine
    seed: int
    frozen_s: float


def lesson_of_split(
    experiment: Experiment, pack: Pack, split: Split, *, config: TrainingConfig | None = None
) -> Lesson:
    """Return what an experiment learns from the training rows of a split of its pack.

    Args:    config: instead of the experiment's own.
    """
    return lesson_of(
        pack,
        train=split.indices("train"),
        validation=split.indices("validation"),
        network=experiment.representations.network,
        contract=experiment.inputs.contract,
        task=experiment.inputs.task,
        classes=pack.classes,
        config=config or experiment.training,
        seed=experiment.seed,
    )


def lesson_of(
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
) -> Lesson:
    """Build a network and make ready what it learns from.

    Raises:  ExperimentError: when `config.select` is no metric of this task.
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
    return Lesson(
        network=net,
        trained=trained,
        batches=batches,
        validate=judged(validation),
        sample=judged(sampled) if at_some or task != "events" else None,
        config=config,
        task=task,
        decided=decided,
        classes=classes,
        contract=contract,
        engine=engine,
        seed=seed,
        frozen_s=frozen_s,
    )


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
