"""The learning rate at each step, and how many steps a budget in minutes buys.

Pure arithmetic; must not know the clock, the optimiser or the network.
"""

import math
from typing import Literal

__all__ = ["N_HELD", "Schedule", "n_held", "n_steps_within", "rate_factor"]

Schedule = Literal["one-cycle", "cosine"]

N_HELD = 10
"""Steps at the start during which the rate does not depend on the total, so that they can be timed first."""

_START = 1 / 25
_END = 1e-4


def n_held(total: int) -> int:
    """Return for how many first steps the rate is held: `N_HELD`, in short runs a tenth of them."""
    return min(N_HELD, total // 10)


def rate_factor(step: int, *, total: int | None, warmup: float, schedule: Schedule = "one-cycle") -> float:
    """Return the share of the peak learning rate at `step` of `total`.

    From 1/25 up to 1 over the warm-up, then down to 1/10,000 along half a cosine. `one-cycle` rises along half a
    cosine too, `cosine` along a straight line.

    Args:    step: 0 for the first.  total: number of steps, or None while it is not known (the held steps).
             warmup: share of the steps before the peak, 0 up to (not including) 1.
    Source:  Smith and Topin 2018, arXiv:1708.07120, where the momentum moves too; Loshchilov and Hutter 2017,
             arXiv:1608.03983, without restarts.
    """
    if total is None or step < n_held(total):
        return _START
    peak = warmup * (total - 1)
    if step < peak and schedule == "cosine":
        return _START + (1 - _START) * step / peak
    if step < peak:
        return _between(_START, 1.0, step / peak)
    return _between(1.0, _END, (step - peak) / max(total - 1 - peak, 1))


def n_steps_within(
    seconds: float, *, step_s: float, validation_s: float, n_steps_per_epoch: int, n_done: int
) -> int:
    """Return the total number of steps, those done included, that fit into the seconds left.

    Args:    seconds: what is left of the budget.  step_s: one step.  validation_s: one validation, which
             happens after each epoch and at the end.  n_steps_per_epoch: > 0.  n_done: steps taken so far.
    """
    per_step_s = step_s + validation_s / n_steps_per_epoch
    return n_done + max(0, math.floor((seconds - validation_s) / per_step_s))


def _between(start: float, stop: float, share: float) -> float:
    return stop + (start - stop) * 0.5 * (1 + math.cos(math.pi * min(share, 1.0)))
