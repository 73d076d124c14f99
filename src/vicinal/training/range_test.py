"""Range test: which learning rate suits a network and its rows, from one short climb through all rates.

Every step takes a larger rate than the one before; where the loss falls fastest the rate does most, and where it rises
the rate is too high. Validation rows play no part, and the weights are used up by it. Must not know data sets or files.
"""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from vicinal.errors import TrainingError
from vicinal.training.config import TrainingConfig
from vicinal.training.criterion import criterion
from vicinal.training.learner import Learner
from vicinal.training.mixup import mix
from vicinal.training.passed import Batch, Batches, Engine

__all__ = ["HIGHEST", "LOWEST", "N_STEPS", "RangeTest", "range_test", "suggestion"]

LOWEST, HIGHEST = 1e-6, 1.0
N_STEPS = 150

_SMOOTHED = 0.03
"""Width of the smoothing, as a share of the steps: the losses of single batches jump."""

_DIVERGED = 2.0
"""Times the lowest loss, beyond which higher rates would show nothing more."""

_LEAST_FALL = 0.02
"""Share by which the loss must have fallen for a suggestion to rest on anything."""


@dataclass(frozen=True)
class RangeTest:
    """What the climb showed.

    Args:    rates, losses: of each step.  smooth: the losses with their neighbours.
             suggested: the peak rate for a schedule, None where the loss fell nowhere.  reason: in words, for either.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    smooth: tuple[float, ...]
    suggested: float | None
    reason: str

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        return asdict(self)


def range_test(
    network: nn.Module,
    batches: Batches,
    *,
    config: TrainingConfig,
    task: str,
    engine: Engine,
    seed: int,
    n_steps: int = N_STEPS,
    progress: Callable[[int, int], None] | None = None,
) -> RangeTest:
    """Train while the learning rate climbs evenly in its logarithm, until the loss has doubled or at the top.

    Args:    network, batches, task, engine, seed: as for `fit`.  config: the learning rate in it plays no part.
             n_steps: from `LOWEST` to `HIGHEST`, at least 20.  progress: called with steps done, and steps in all.
    Raises:  TrainingError: when there is no step to take, or the first loss is not finite.
    Source:  Smith 2015, arXiv:1506.01186, on accuracy and an even climb; the fastest fall of the loss is fastai's.
    """
    if batches.n_steps < 1:
        raise TrainingError("range test: expected at least one full batch, got none. Use a smaller batch.")
    rates = np.geomspace(LOWEST, HIGHEST, n_steps).tolist()
    device = torch.device(engine.device)
    losses: list[float] = []
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        learner = Learner(network, config=config, engine=engine)
        loss = criterion(batches, config=config, task=task, engine=engine)
        for k, (rate, batch) in enumerate(zip(rates, _endless(batches), strict=False)):
            if config.mixup:
                batch = mix(batch, alpha=config.mixup, rng=np.random.default_rng([seed, k]))
            value, norm = learner.gradient(batch, loss).tolist()
            if not (math.isfinite(value) and math.isfinite(norm)):
                break
            losses.append(value)
            smooth = _smoothed(losses, n_steps)
            if smooth[-1] > _DIVERGED * min(smooth) and k > n_steps // 3:
                break
            learner.update(rate)
            if progress is not None:
                progress(k + 1, n_steps)
    if not losses:
        raise TrainingError(
            "range test: the first loss or gradient is not finite, at any learning rate. Look for recordings with "
            'extreme values (scale or clip in the contract), or use precision = "float32".'
        )
    rates = rates[: len(losses)]
    suggested, reason = suggestion(rates, losses, n_steps=n_steps)
    return RangeTest(tuple(rates), tuple(losses), tuple(_smoothed(losses, n_steps)), suggested, reason)


def suggestion(rates: Sequence[float], losses: Sequence[float], *, n_steps: int) -> tuple[float | None, str]:
    """Return the rate at which the smoothed loss falls fastest, and why; None where it never falls.

    Args:    n_steps: that were planned, by which the smoothing is measured.
    """
    smooth = np.asarray(_smoothed(losses, n_steps))
    lowest = int(smooth.argmin())
    fell = 1 - smooth[lowest] / max(smooth[0], 1e-12)
    if lowest < 2 or fell < _LEAST_FALL:
        return None, (
            f"the loss fell at no rate from {rates[0]:.0e} to {rates[-1]:.0e}: {smooth[0]:.3f} at the start, at best "
            f"{smooth[lowest]:.3f}. Check that labels belong to their recordings, or give the test larger batches."
        )
    slope = np.gradient(smooth[: lowest + 1], np.log10(rates[: lowest + 1]))
    steepest = int(slope.argmin())
    end = "it was still falling at the top" if lowest == len(smooth) - 1 else "higher rates raised it again"
    return float(f"{rates[steepest]:.1e}"), (
        f"there the loss falls fastest, by {-slope[steepest]:.2f} for a tenfold rate; it is lowest, "
        f"{smooth[lowest]:.3f}, at {rates[lowest]:.1e}, and {end}"
    )


def _endless(batches: Batches) -> Iterator[Batch]:
    for k in itertools.count():
        yield from batches.epoch(k)


def _smoothed(losses: Sequence[float], n_steps: int) -> list[float]:
    """Return the losses, each with its neighbours by a bell; nothing is late, as it would be by a running mean."""
    values, width = np.asarray(losses), max(_SMOOTHED * n_steps, 1.0)
    places = np.arange(len(values))
    bells = np.exp(-0.5 * ((places[:, None] - places[None]) / width) ** 2)
    return list((bells @ values / bells.sum(axis=1)).tolist())
