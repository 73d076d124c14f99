"""What training costs beside the network: how much of a step goes to data and to the loop around it.

The real loop runs over a real pack on disk, with augmentation; whatever it is handed to read, lay out and record is
timed. It measures what `training` and `inputs` do; it changes nothing in them.
"""

import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

import numpy as np
from torch import nn

from vicinal.inputs.batches import Batch, Batches
from vicinal.inputs.contract import Contract
from vicinal.inputs.datasets.catalogue import Catalogue, Recording
from vicinal.inputs.packing import write_pack
from vicinal.representations.engine import Engine
from vicinal.representations.network import Network
from vicinal.representations.resident import resident
from vicinal.signal import Signal
from vicinal.training.config import TrainingConfig
from vicinal.training.loop import fit
from vicinal.training.monitor import Monitor

__all__ = ["AUGMENT", "overhead"]

AUGMENT: tuple[dict[str, object], ...] = (
    {"kind": "gain", "low": 0.7, "high": 1.4},
    {"kind": "polarity", "share": 0.3},
    {"kind": "shift", "limit_s": 1},
)
"""As the AF experiment does."""

RATE_HZ = 100.0
N_BATCHES = 2
Placed = TypeVar("Placed", bound=nn.Module)


def overhead(network: Network, *, batch: int, n_steps: int, engine: Engine) -> float:
    """Return the share of a training step that cutting, augmenting, laying out and recording take; the median step's.

    The first step does not count. The network's weights are trained a little.

    Args:    network: over signals along time.  batch: rows of a step.  n_steps: steps that count, > 0.
    """
    channels, n = network.input_shape
    names = tuple(f"channel{k}" for k in range(channels))
    contract = Contract(channels=names, rate_hz=RATE_HZ, duration_s=n / RATE_HZ, units="mV")
    rows = tuple(
        Recording(id=str(k), path=None, subject=None, group=str(k), labels=(), seed=k)
        for k in range(N_BATCHES * batch)
    )
    classes = tuple(f"class{k}" for k in range(network.n_outputs))
    truth = np.random.default_rng(0).integers(0, 2, (len(rows), len(classes))).astype(np.float64)
    clock = _Clock()
    with tempfile.TemporaryDirectory(prefix="vicinal-bench-") as folder:
        pack = write_pack(
            Path(folder) / "pack",
            catalogue=Catalogue(name="noise", classes=classes, recordings=rows, has_subjects=False),
            read=_Noise(names, n),
            contract=contract,
            classes=classes,
            truth=truth,
        )
        every = np.arange(len(rows))
        held = resident(pack.rows, every, truth=truth, shape=contract.input_shape, device=engine.device)
        batches = Batches(held or pack, every, batch=batch, seed=0, augment=AUGMENT, rate_hz=RATE_HZ)
        fit(
            network,
            _TimedBatches(batches, clock),
            validate=lambda _: {"auroc": 0.5},
            config=TrainingConfig(
                steps=n_steps + 2, batch=batch, select="auroc", validate_after_steps=n_steps + 2
            ),
            task="labels",
            monitor=_TimedMonitor(clock),
            engine=_TimedEngine(engine, clock),
            seed=0,
        )
    return median(clock.shares[-n_steps:])


@dataclass(frozen=True)
class _Noise:
    """What reads a recording: noise, the same for the same one."""

    channels: tuple[str, ...]
    n: int

    def __call__(self, one: Recording) -> Signal:
        samples = np.random.default_rng(one.seed).standard_normal(
            (len(self.channels), self.n), dtype=np.float32
        )
        units = ("mV",) * len(self.channels)
        return Signal(samples=samples, channels=self.channels, units=units, rate_hz=RATE_HZ, id=one.id)


@dataclass
class _Clock:
    """Seconds beside the network since the last step ended, and the shares of the steps so far."""

    beside: float = 0.0
    last: float = 0.0
    shares: list[float] = field(default_factory=list)

    def __enter__(self) -> None:
        self._start = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self.beside += time.perf_counter() - self._start

    def end_step(self) -> None:
        now = time.perf_counter()
        if self.last:
            self.shares.append(self.beside / (now - self.last))
        self.last, self.beside = now, 0.0


@dataclass(frozen=True)
class _TimedBatches:
    batches: Batches
    clock: _Clock

    @property
    def n_steps(self) -> int:
        return self.batches.n_steps

    def epoch(self, k: int, /, *, first: int = 0) -> Iterator[Batch]:
        """Yield the batches; what the loop does with one is not counted."""
        with self.clock:
            waiting = self.batches.epoch(k, first=first)
        while True:
            with self.clock:
                batch = next(waiting, None)
            if batch is None:
                return
            yield batch


@dataclass(frozen=True)
class _TimedEngine:
    engine: Engine
    clock: _Clock

    @property
    def device(self) -> str:
        return self.engine.device

    def place(self, network: Placed, /) -> Placed:
        return self.engine.place(network)

    def autocast(self) -> AbstractContextManager[None]:
        return self.engine.autocast()

    def tensor(self, array: Any, /) -> Any:
        with self.clock:
            return self.engine.tensor(array)


class _TimedMonitor(Monitor):
    def __init__(self, clock: _Clock) -> None:
        super().__init__(sink=lambda _: None)
        self._clock = clock

    def step(self, **figures: Any) -> None:
        """Record the step, and let the clock begin the next."""
        with self._clock:
            super().step(**figures)
        self._clock.end_step()
