"""From gathered rows to a trained network: the part that `run`, `compare` and the estimator share."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from torch import nn

from vicinal.decisions.calibration import identity
from vicinal.evidence.metrics import ranking
from vicinal.inputs.batches import Batches, Rows
from vicinal.inputs.contract import Contract
from vicinal.representations.engine import Engine, choose
from vicinal.representations.network import Network, build
from vicinal.scores.model import Model
from vicinal.scores.scorer import make_scorer
from vicinal.scoretable import Task
from vicinal.terminal import Show
from vicinal.training.config import TrainingConfig
from vicinal.training.loop import Fitted, fit
from vicinal.training.monitor import Monitor

__all__ = ["Learned", "learn"]


@dataclass(frozen=True)
class Learned:
    """What training gave: a model that is not calibrated yet, and how it came about."""

    model: Model
    fitted: Fitted
    monitor: Monitor
    engine: Engine
    select: str


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
    show: Show,
) -> Learned:
    """Build a network and fit it on `train` rows, keeping the weights that are best on `validation` rows."""
    engine = choose(precision=config.precision)
    if config.select == "auto":
        config = config.model_copy(update={"select": "auroc" if len(classes) == 1 else "macro_auroc"})
    net = build(network, input_shape=contract.input_shape, n_outputs=len(classes), seed=seed)
    batches = Batches(
        rows, train, batch=config.batch, seed=seed, augment=config.augment, rate_hz=contract.position_rate_hz
    )
    with show.progress("training") as update:
        monitor = Monitor(sink=sink, progress=update)
        fitted = fit(
            net,
            batches,
            validate=_validation(
                rows, validation, contract=contract, task=task, classes=classes, engine=engine
            ),
            config=config,
            task=task,
            monitor=monitor,
            engine=engine,
            seed=seed,
        )
    model = Model(
        network=net.text,
        input_shape=contract.input_shape,
        weights=fitted.weights,
        contract=contract,
        calibration=identity(task, classes),
        provenance={"precision": engine.precision, "seed": seed, "n_steps": fitted.n_steps},
    )
    return Learned(model, fitted, monitor, engine, config.select)


def _validation(
    rows: Rows,
    indices: np.ndarray,
    *,
    contract: Contract,
    task: Task,
    classes: tuple[str, ...],
    engine: Engine,
) -> Callable[[nn.Module], dict[str, float]]:
    x, lengths = rows.rows(indices)
    truth, raw = rows.truth[indices], identity(task, classes)

    def validate(network: nn.Module) -> dict[str, float]:
        scorer = make_scorer(cast(Network, network), engine=engine, contract=contract, calibration=raw)
        logits = scorer.logits(x, lengths)
        table = scorer.table(logits, ids=indices.astype(str), role="validation", truth=truth)
        found = ranking(table)
        return {"loss": found.pop("log_loss"), **found}

    return validate
