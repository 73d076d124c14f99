"""The training loop: from a network with random weights to the weights that did best on validation rows.

Network, engine, batches and validation are passed in; it must not know data sets, files or metrics.
"""

import math
import statistics
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor, nn

from vicinal.errors import ExperimentError, TrainingError
from vicinal.training.average import Average
from vicinal.training.best import Best, weights_of
from vicinal.training.checkpoint import Checkpoints, State, Stopped
from vicinal.training.config import TrainingConfig
from vicinal.training.loss import Loss, balanced_weights, make_loss
from vicinal.training.mixup import mix
from vicinal.training.monitor import Monitor
from vicinal.training.optimiser import make_optimiser, moments, restore_moments
from vicinal.training.passed import Batch, Batches, Engine, Validate
from vicinal.training.schedule import N_HELD, n_steps_within, rate_factor

__all__ = ["Fitted", "fit"]


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
    checkpoints: Checkpoints | None = None,
) -> Fitted:
    """Train a network and return the weights that did best on validation rows.

    AdamW, a learning rate that rises and falls, clipped gradients; validation after an epoch once
    `validate_after_steps` have passed, and at the end; no further steps after `patience` validations in a row
    without a better `select`.
    The same seed, steps and thread count give the same weights, bit for bit, on a processor.

    Args:    network: called as `network(x, lengths)` -> logits like a batch's truth; its weights are trained in place.
             batches: training rows.  validate: metrics of a network on validation rows.
             task: "binary", "classes", "labels" or "events".  monitor: receives every number.
             engine: where it runs.  seed: of everything random inside the network, such as dropout, and of mixup.
             checkpoints: where the state is kept after each validation and every so often; when there is one
             already, training goes on from it, bit for bit as if it had never stopped.
    Raises:  TrainingError: when loss or gradient is not finite, or there is no step to take.
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
        return _Run(network, batches, validate, config, task, monitor, engine, seed, checkpoints).go()


class _Run:
    """The state of one call of `fit`."""

    def __init__(
        self,
        network: nn.Module,
        batches: Batches,
        validate: Validate,
        config: TrainingConfig,
        task: str,
        monitor: Monitor,
        engine: Engine,
        seed: int,
        checkpoints: Checkpoints | None,
    ) -> None:
        self.start = time.perf_counter()
        self.batches, self.validate, self.config = batches, validate, config
        self.monitor, self.engine, self.seed = monitor, engine, seed
        self.network = engine.place(network).train()
        self.parameters = [p for p in self.network.parameters() if p.requires_grad]
        self.optimiser = make_optimiser(self.network, config)
        self.average = Average(self.network, decay=config.ema) if config.ema else None
        self.loss = _loss(batches, config=config, task=task, engine=engine)
        self.n_done = self.n_validated = 0
        self.total = _total(config, batches.n_steps)
        self.best = Best(config.select)
        self.late: deque[tuple[int, Tensor, float, int]] = deque()
        self.step_seconds: list[float] = []
        self.last_read = self.start
        self.checkpoints = checkpoints
        found = None if checkpoints is None else checkpoints.newest()
        if found is not None:
            self._restore(found)

    def go(self) -> Fitted:
        while not self._is_over():
            epoch, n_before = divmod(self.n_done, self.batches.n_steps)
            self._epoch(epoch, first=n_before)
            if (
                self.n_done == self.total
                or self.n_done - self.n_validated >= self.config.validate_after_steps
            ):
                self._validate(epoch + 1)
                if self._is_over():
                    self.monitor.end(step=self.n_done, total=self.total, best_epoch=self.best.epoch)
                self._keep(is_due=True)
        return Fitted(
            weights=self.best.weights,
            last=weights_of(self._judged()),
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

    def _epoch(self, epoch: int, *, first: int) -> None:
        for batch in self.batches.epoch(epoch, first=first):
            self._step(batch)
            if self.total is None and self.n_done == N_HELD:
                self.total = self._measured_total()
            if self.n_done == self.total:
                break
            # Between the last step of an epoch and its validation there is no moment to go on from.
            if self.n_done % self.batches.n_steps:
                self._keep(is_due=False)
        self._read_figures(n_late=0)

    def _step(self, batch: Batch) -> None:
        config = self.config
        factor = rate_factor(self.n_done, total=self.total, warmup=config.warmup, schedule=config.schedule)
        rate = factor * config.learning_rate
        if config.mixup:
            rng = np.random.default_rng([self.seed, self.n_done])
            batch = mix(batch, alpha=config.mixup, rng=rng)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.zero_grad(set_to_none=True)
        with self.engine.autocast():
            logits = self.network(self.engine.tensor(batch.x), self.engine.tensor(batch.lengths))
        loss = self.loss(logits, self.engine.tensor(batch.y))
        loss.backward()  # type: ignore[no-untyped-call]  # torch's own
        norm = nn.utils.clip_grad_norm_(self.parameters, config.clip, foreach=True)
        self.late.append((self.n_done + 1, torch.stack([loss.detach(), norm.detach()]), rate, len(batch.x)))
        # A processor computes at once, so its numbers are read before they touch the weights. Reading would
        # stall an accelerator, so there they are read while it works on the next step.
        self._read_figures(n_late=0 if self.engine.device == "cpu" else 1)
        self.optimiser.step()
        if self.average is not None:
            self.average.update(self.network)
        self.n_done += 1

    def _read_figures(self, *, n_late: int) -> None:
        while len(self.late) > n_late:
            step, figures, rate, n_rows = self.late.popleft()
            loss, norm = figures.tolist()
            if not (math.isfinite(loss) and math.isfinite(norm)):
                raise TrainingError(_not_finite(step, loss, norm, rate))
            now = time.perf_counter()
            self.step_seconds.append(now - self.last_read)
            self.last_read = now
            self.monitor.step(
                step=step,
                total=self.total,
                loss=loss,
                gradient_norm=norm,
                learning_rate=rate,
                rows_per_s=n_rows / max(self.step_seconds[-1], 1e-9),
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
        tensors = {f"network.{name}": array for name, array in _exact(self.network).items()}
        if self.average is not None:
            tensors |= {f"average.{name}": array for name, array in _exact(self.average.network).items()}
        kept = moments(self.optimiser, self.parameters)
        tensors |= {f"optimiser.{name}": array for name, array in kept.items()}
        tensors |= {f"best.{name}": array for name, array in self.best.weights.items()}
        tensors["random"] = torch.get_rng_state().numpy()
        if self.engine.device != "cpu":
            tensors["random_of_device"] = torch.cuda.get_rng_state(torch.device(self.engine.device)).numpy()
        tensors["step_seconds"] = np.array(self.step_seconds)
        facts = {
            "n_done": self.n_done,
            "n_validated": self.n_validated,
            "total": self.total,
            "best": {"epoch": self.best.epoch, "value": self.best.value, "n_since": self.best.n_since},
            "n_averaged": 0 if self.average is None else self.average.n_updates,
            "seconds": time.perf_counter() - self.start,
            "monitor": self.monitor.state(),
        }
        return State(tensors, facts)

    def _restore(self, state: State) -> None:
        facts, tensors = state.facts, state.tensors
        self.network.load_state_dict(_tensors(_below("network.", tensors)))
        if self.average is not None:
            self.average.restore(_tensors(_below("average.", tensors)), n_updates=facts["n_averaged"])
        restore_moments(self.optimiser, self.parameters, _below("optimiser.", tensors))
        self.best.restore(_below("best.", tensors), **facts["best"])
        torch.set_rng_state(torch.from_numpy(tensors["random"]))
        if "random_of_device" in tensors:
            torch.cuda.set_rng_state(
                torch.from_numpy(tensors["random_of_device"]), torch.device(self.engine.device)
            )
        self.step_seconds = tensors["step_seconds"].tolist()
        self.n_done, self.n_validated, self.total = facts["n_done"], facts["n_validated"], facts["total"]
        self.monitor.restore(facts["monitor"])
        self.last_read = time.perf_counter()
        self.start = self.last_read - facts["seconds"]

    def _validate(self, epoch: int) -> None:
        metrics = self._metrics()
        is_best = self.best.offer(epoch, metrics, self._judged())
        self.monitor.epoch(
            epoch=epoch,
            step=self.n_done,
            validation=metrics,
            select=self.config.select,
            best=is_best,
            seconds=time.perf_counter() - self.start,
        )
        self.last_read = time.perf_counter()
        self.n_validated = self.n_done

    def _metrics(self) -> dict[str, float]:
        network = self._judged()
        network.eval()
        metrics = {name: float(value) for name, value in self.validate(network).items()}
        self.network.train()
        if self.config.select not in metrics:
            raise ExperimentError(
                f"training.select: expected one of the validation metrics {', '.join(sorted(metrics))}, got "
                f"{self.config.select!r}."
            )
        return metrics

    def _judged(self) -> nn.Module:
        return self.network if self.average is None else self.average.network

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


def _loss(batches: Batches, *, config: TrainingConfig, task: str, engine: Engine) -> Loss:
    weights = config.class_weights
    gamma = config.focal_gamma if config.loss == "focal" else 0.0
    if weights == "none":
        return make_loss(task, smoothing=config.label_smoothing, gamma=gamma)
    first = next(iter(batches.epoch(0))).y
    if weights == "balanced":
        values = balanced_weights(np.concatenate([batch.y for batch in batches.epoch(0)]), task=task)
    else:
        values = np.asarray(weights)
    if values.shape != first.shape[1:2]:
        raise ExperimentError(
            f"training.class_weights: expected {first.shape[1]} numbers, one a class, got {len(values)}."
        )
    given = engine.tensor(values.astype(np.float32))
    return make_loss(task, weights=given, smoothing=config.label_smoothing, gamma=gamma)


def _exact(network: nn.Module) -> dict[str, np.ndarray]:
    return {name: tensor.detach().cpu().numpy() for name, tensor in network.state_dict().items()}


def _below(prefix: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name.removeprefix(prefix): a for name, a in arrays.items() if name.startswith(prefix)}


def _tensors(arrays: Mapping[str, np.ndarray]) -> dict[str, Tensor]:
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def _not_finite(step: int, loss: float, norm: float, rate: float) -> str:
    return (
        f"training stopped at step {step}: expected a finite loss and gradient, got loss {loss:g} and "
        f"gradient norm {norm:g} at learning rate {rate:.3g}. Try a third of the learning rate; if the first "
        "steps already fail, look for recordings with extreme values (scale or clip in the contract), or use "
        'precision = "float32".'
    )
