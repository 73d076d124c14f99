"""The training loop: from a network with random weights to the weights that did best on validation rows.

Network, engine, batches and validation are passed in; it must not know data sets, files or metrics.
"""

import contextlib
import math
import statistics
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor, nn

from vicinal.errors import ExperimentError, TrainingError
from vicinal.training.best import Best, weights_of
from vicinal.training.checkpoint import Checkpoints, State, Stopped
from vicinal.training.config import TrainingConfig
from vicinal.training.criterion import criterion
from vicinal.training.dead_units import EVERY as DEAD_EVERY
from vicinal.training.dead_units import DeadUnits
from vicinal.training.dynamics import EVERY as MOVES_EVERY
from vicinal.training.dynamics import Dynamics
from vicinal.training.failure import NotFinite
from vicinal.training.learner import Learner
from vicinal.training.mixup import mix
from vicinal.training.monitor import Looked, Monitor
from vicinal.training.passed import Batch, Batches, Engine, Validate
from vicinal.training.schedule import N_HELD, n_steps_within, rate_factor
from vicinal.training.snapshot import EVERY as SNAPSHOT_EVERY
from vicinal.training.snapshot import Snapshot

__all__ = ["Fitted", "fit"]

MOST_ROLLBACKS = 3


@dataclass(frozen=True)
class Fitted:
    """The result of training.

    Attributes: weights: float32 arrays by name, of the epoch that did best on validation rows.
                last: those after the last step, as they were validated.
                best_epoch: that epoch, counted from 1.  n_steps: steps taken.
                n_planned: steps that the budget allowed; as `steps` in the configuration this number repeats the
                run. More than `n_steps` when training stopped early.
                seconds: wall-clock time.  training_s: the median step times their number, so that setting up
                and validation do not count.  history: a record per validation.
    """

    weights: dict[str, Float32[np.ndarray, "..."]] = field(repr=False)
    last: dict[str, Float32[np.ndarray, "..."]] = field(repr=False)
    best_epoch: int
    n_steps: int
    n_planned: int
    seconds: float
    training_s: float
    history: list[dict[str, Any]] = field(repr=False)


def fit(
    network: nn.Module,
    batches: Batches,
    *,
    validate: Validate,
    config: TrainingConfig,
    task: str,
    monitor: Monitor,
    engine: Engine,
    seed: int,
    sample: Validate | None = None,
    checkpoints: Checkpoints | None = None,
) -> Fitted:
    """Train a network and return the weights that did best on validation rows.

    AdamW, a learning rate that rises and falls, clipped gradients; validation after an epoch once
    `validate_after_steps` have passed, and at the end; no further steps after `patience` validations in a row
    without a better `select`. When loss, gradient or a weight is not finite, the step is taken back: training goes on
    from the last snapshot with half the learning rate, at most 3 times, or stops (`on_failure`).
    The same seed, steps and thread count give the same weights, bit for bit, on a processor.

    Args:    network: called as `network(x, lengths)` -> logits like a batch's truth; its weights are trained in place.
             batches: training rows.  validate: metrics of a network on validation rows.
             task: "binary", "classes", "labels" or "events".  monitor: receives every number.
             engine: where it runs.  seed: of everything random inside the network, such as dropout, and of mixup.
             sample: metrics of a network on some training rows, for the gap to those on validation rows.
             checkpoints: where the state is kept after each validation and every so often; when there is one
             already, training goes on from it, bit for bit as if it had never stopped.
    Raises:  TrainingError: when loss, gradient or weights are not finite and training cannot go back, or there is no
             step to take.
             ExperimentError: when `config.select` is not one of the validation metrics, the class weights
             do not fit the outputs, or mixup is asked for and rows have no class to mix.
             Stopped: when it was asked to stop.  PathError: when a checkpoint cannot be written.
    """
    if batches.n_steps < 1:
        raise TrainingError("training: expected at least one full batch, got none. Use a smaller batch.")
    if config.mixup and task not in ("binary", "classes", "labels"):
        raise ExperimentError(
            f"training.mixup: expected a task of binary, classes or labels, got {task!r}. Leave it out."
        )
    device = torch.device(engine.device)
    # Dropout draws from torch's global generator: a fork leaves that of the caller as it was.
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        return _Run(network, batches, validate, sample, config, task, monitor, engine, seed, checkpoints).go()


@dataclass(frozen=True)
class _Late:
    """Numbers of a step that may not have been computed yet."""

    step: int
    figures: Float[Tensor, "2"]
    weights: Float[Tensor, ""]
    moves: Float[Tensor, "2 stages"] | None
    rate: float
    n_rows: int


class _Run:
    """The state of one call of `fit`."""

    def __init__(
        self,
        network: nn.Module,
        batches: Batches,
        validate: Validate,
        sample: Validate | None,
        config: TrainingConfig,
        task: str,
        monitor: Monitor,
        engine: Engine,
        seed: int,
        checkpoints: Checkpoints | None,
    ) -> None:
        self.start = time.perf_counter()
        self.batches, self.validate, self.sample, self.config = batches, validate, sample, config
        self.monitor, self.engine, self.seed = monitor, engine, seed
        self.learner = Learner(network, config=config, engine=engine)
        self.dynamics, self.dead = Dynamics(self.learner.network), DeadUnits(self.learner.network)
        self.loss = criterion(batches, config=config, task=task, engine=engine)
        self.n_done = self.n_validated = self.n_rollbacks = 0
        self.total = _total(config, batches.n_steps)
        self.best = Best(config.select)
        self.late: deque[_Late] = deque()
        self.step_seconds: list[float] = []
        self.last_read = self.start
        self.checkpoints = checkpoints
        found = None if checkpoints is None else checkpoints.newest()
        if found is None:
            self.snapshot = self._snapshot()
        else:
            self._restore(found)

    def go(self) -> Fitted:
        while not self._is_over():
            try:
                self._go_on()
            except NotFinite as failure:
                self._roll_back(failure)
        return Fitted(
            weights=self.best.weights,
            last=weights_of(self.learner.judged),
            best_epoch=self.best.epoch,
            n_steps=self.n_done,
            n_planned=self.n_done if self.total is None else self.total,
            seconds=time.perf_counter() - self.start,
            training_s=statistics.median(self.step_seconds) * self.n_done,
            history=self.monitor.epochs,
        )

    def _is_over(self) -> bool:
        """Whether the budget is used up, or validation has not become better for too long."""
        patience = self.config.patience
        return self.n_done == self.total or (patience is not None and self.best.n_since >= patience)

    def _go_on(self) -> None:
        """Take the steps that are left of an epoch, and validate when it is time."""
        epoch, n_before = divmod(self.n_done, self.batches.n_steps)
        self._epoch(epoch, first=n_before)
        if self.n_done == self.total or self.n_done - self.n_validated >= self.config.validate_after_steps:
            self._validate(epoch + 1)
            self.snapshot = self._snapshot()
            if self._is_over():
                self.monitor.end(step=self.n_done, total=self.total, best_epoch=self.best.epoch)
            self._keep(is_due=True)

    def _epoch(self, epoch: int, *, first: int) -> None:
        for batch in self.batches.epoch(epoch, first=first):
            self._step(batch)
            if self.total is None and self.n_done == N_HELD:
                self.total = self._measured_total()
            if self.n_done == self.total:
                break
            # Between the last step of an epoch and its validation there is no moment to go on from.
            if self.n_done % self.batches.n_steps:
                if self.n_done % SNAPSHOT_EVERY == 0:
                    self._read_figures(n_late=0)
                    self.snapshot = self._snapshot()
                self._keep(is_due=False)
        self._read_figures(n_late=0)

    def _step(self, batch: Batch) -> None:
        config, step = self.config, self.n_done + 1
        factor = rate_factor(self.n_done, total=self.total, warmup=config.warmup, schedule=config.schedule)
        rate = factor * config.learning_rate * 0.5**self.n_rollbacks
        if config.mixup:
            rng = np.random.default_rng([self.seed, self.n_done])
            batch = mix(batch, alpha=config.mixup, rng=rng)
        with self.dead.looking() if self.n_done % DEAD_EVERY == 0 else contextlib.nullcontext():
            figures = self.learner.gradient(batch, self.loss)
        # A processor computes at once, so its numbers are read before they touch the weights. Reading would
        # stall an accelerator, so there they are read while it works on the next step.
        n_late = 0 if self.engine.device == "cpu" else 1
        if not n_late:
            loss, norm = figures.tolist()
            if not (math.isfinite(loss) and math.isfinite(norm)):
                raise NotFinite(step=step, loss=loss, norm=norm, rate=rate)
        self.learner.update(rate)
        weights = self.dynamics.step()
        moves = self.dynamics.measure() if self.n_done % MOVES_EVERY == 0 else None
        self.n_done = step
        self.late.append(_Late(step, figures, weights, moves, rate, len(batch.x)))
        self._read_figures(n_late=n_late)

    def _read_figures(self, *, n_late: int) -> None:
        while len(self.late) > n_late:
            late = self.late.popleft()
            loss, norm = late.figures.tolist()
            if not (math.isfinite(loss) and math.isfinite(norm) and math.isfinite(late.weights.item())):
                stages = self.dynamics.not_finite()
                raise NotFinite(step=late.step, loss=loss, norm=norm, rate=late.rate, stages=stages)
            now = time.perf_counter()
            self.step_seconds.append(now - self.last_read)
            self.last_read = now
            self.monitor.step(
                step=late.step,
                total=self.total,
                loss=loss,
                gradient_norm=norm,
                learning_rate=late.rate,
                rows_per_s=late.n_rows / max(self.step_seconds[-1], 1e-9),
                looked=None if late.moves is None else self._looked(late.moves),
            )

    def _looked(self, moves: Float[Tensor, "2 stages"]) -> Looked:
        ratios = zip(self.dynamics.stages, *moves.tolist(), strict=True)
        return Looked(
            update_ratio={stage: moved / max(size, 1e-12) for stage, moved, size in ratios},
            dead_units=self.dead.share,
        )

    def _snapshot(self) -> Snapshot | None:
        if self.config.on_failure == "stop":
            return None
        return Snapshot.of(self.learner.arrays(), n_done=self.n_done, n_noted=self.monitor.n_noted)

    def _roll_back(self, failure: NotFinite) -> None:
        """Go back to the last snapshot, with half the learning rate.

        Raises:  TrainingError: when there is none, or that was done often enough.
        """
        if self.snapshot is None or self.n_rollbacks == MOST_ROLLBACKS:
            raise TrainingError(failure.message(n_rollbacks=self.n_rollbacks)) from failure
        self.late.clear()
        self.learner.restore(self.snapshot.arrays)
        self.dynamics.reset()
        self.n_rollbacks += 1
        self.n_done = self.snapshot.n_done
        self.n_validated = min(self.n_validated, self.n_done)
        self.monitor.rollback(
            step=failure.step,
            to_step=self.n_done,
            what=failure.what,
            rate_share=0.5**self.n_rollbacks,
            n_noted=self.snapshot.n_noted,
        )

    def _keep(self, *, is_due: bool) -> None:
        """Write a checkpoint when it is time, or when the run is to stop."""
        if self.checkpoints is None:
            return
        is_last = self.checkpoints.stop()
        if is_last or is_due or self.checkpoints.is_due:
            self._read_figures(n_late=0)
            self.checkpoints.write(self.n_done, self._state())
            self.last_read = time.perf_counter()
        if is_last and not self._is_over():
            raise Stopped(f"training was asked to stop, and did after step {self.n_done}.")

    def _state(self) -> State:
        tensors = {f"learner.{name}": array for name, array in self.learner.arrays().items()}
        tensors |= {f"best.{name}": array for name, array in self.best.weights.items()}
        tensors |= {f"dead.{name}": array for name, array in self.dead.arrays().items()}
        tensors["step_seconds"] = np.array(self.step_seconds)
        facts = {
            "n_done": self.n_done,
            "n_validated": self.n_validated,
            "n_rollbacks": self.n_rollbacks,
            "total": self.total,
            "best": {"epoch": self.best.epoch, "value": self.best.value, "n_since": self.best.n_since},
            "seconds": time.perf_counter() - self.start,
            "monitor": self.monitor.state(),
        }
        if self.snapshot is not None:
            facts["snapshot"] = {"n_done": self.snapshot.n_done, "n_noted": self.snapshot.n_noted}
            if self.snapshot.n_done != self.n_done:  # else it is what the learner is
                tensors |= {f"snapshot.{name}": array for name, array in self.snapshot.arrays.items()}
        return State(tensors, facts)

    def _restore(self, state: State) -> None:
        facts, tensors = state.facts, state.tensors
        self.learner.restore(_below("learner.", tensors))
        self.dynamics.reset()
        self.dead.restore(_below("dead.", tensors))
        self.best.restore(_below("best.", tensors), **facts["best"])
        self.step_seconds = tensors["step_seconds"].tolist()
        self.n_done, self.n_validated, self.total = facts["n_done"], facts["n_validated"], facts["total"]
        self.n_rollbacks = facts["n_rollbacks"]
        self.monitor.restore(facts["monitor"])
        kept, self.snapshot = facts.get("snapshot"), self._snapshot()
        if kept is not None and kept["n_done"] != self.n_done:
            self.snapshot = Snapshot.of(_below("snapshot.", tensors), **kept)
        self.last_read = time.perf_counter()
        self.start = self.last_read - facts["seconds"]

    def _validate(self, epoch: int) -> None:
        validation, training = self._metrics()
        is_best = self.best.offer(epoch, validation, self.learner.judged)
        self.monitor.epoch(
            epoch=epoch,
            step=self.n_done,
            validation=validation,
            training=training,
            dead_units=self.dead.by_layer(),
            select=self.config.select,
            best=is_best,
            seconds=time.perf_counter() - self.start,
        )
        self.last_read = time.perf_counter()
        self.n_validated = self.n_done

    def _metrics(self) -> tuple[dict[str, float], dict[str, float] | None]:
        """Return the metrics on validation rows, and on the sample of training rows where there is one."""
        network = self.learner.judged.eval()
        metrics = {name: float(value) for name, value in self.validate(network).items()}
        training = self.sample and {name: float(value) for name, value in self.sample(network).items()}
        self.learner.network.train()
        if self.config.select not in metrics:
            raise ExperimentError(
                f"training.select: expected one of the validation metrics {', '.join(sorted(metrics))}, got "
                f"{self.config.select!r}."
            )
        return metrics, training

    def _measured_total(self) -> int:
        """Return how many steps fit the minutes, from the steps so far and one timed validation."""
        self._read_figures(n_late=0)
        before = time.perf_counter()
        self._metrics()
        self.last_read = time.perf_counter()
        minutes = self.config.minutes or 0.0
        return n_steps_within(
            60 * minutes - (self.last_read - self.start),
            # The first steps also pay for memory and compilation.
            step_s=statistics.median(self.step_seconds[2:]),
            validation_s=self.last_read - before,
            n_steps_per_epoch=max(self.batches.n_steps, self.config.validate_after_steps),
            n_done=self.n_done,
        )


def _total(config: TrainingConfig, n_steps_per_epoch: int) -> int | None:
    return config.steps if config.epochs is None else config.epochs * n_steps_per_epoch


def _below(prefix: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name.removeprefix(prefix): a for name, a in arrays.items() if name.startswith(prefix)}
