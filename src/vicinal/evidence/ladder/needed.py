"""Needed: how many training subjects a network needs for a stated metric, read off its learning curve.

Between two sizes the curve is a straight line over the logarithm of their number. Takes samples; must not know
networks.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from jaxtyping import Float64

from vicinal.evidence.ladder.sample import Sample

__all__ = ["Needed", "Ratio", "needed", "ratio"]


@dataclass(frozen=True)
class Needed:
    """Subjects from which on the curve stays at the target; infinite where it does not within the sizes tried.

    Args:    value, low, high: with the 95 % interval.  fewest: the smallest size tried; a value that is as
             small means "at most".  draws: in each resample.
    """

    target: float
    value: float
    low: float
    high: float
    fewest: int
    most: int
    draws: Float64[np.ndarray, " resamples"] = field(repr=False)

    @property
    def is_reached(self) -> bool:
        """Whether the curve itself reaches the target."""
        return bool(np.isfinite(self.value))

    @property
    def is_at_most(self) -> bool:
        """Whether the curve is there with the fewest subjects already, so that fewer might do."""
        return self.value <= self.fewest

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values; null where the target is not reached within the sizes tried."""
        bounds = {name: _finite(getattr(self, name)) for name in ("value", "low", "high")}
        return bounds | {
            "target": self.target,
            "fewest_tried": self.fewest,
            "most_tried": self.most,
            "at_most": self.is_at_most,
        }


@dataclass(frozen=True)
class Ratio:
    """How many times the subjects of another network.

    Args:    bound: where the number of one of the two lies beyond the sizes tried, what is known of the value: "at
             most" or "at least" it, with the largest or smallest size tried in place of the number.
             low, high: its interval; 0 and infinite where nothing is known on that side.
    """

    value: float
    low: float
    high: float
    bound: Literal["", "at most", "at least"] = ""

    @property
    def is_clear(self) -> bool:
        """Whether the interval lies on one side of 1."""
        return self.low > 1 or self.high < 1

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values; null for infinite."""
        return {
            "value": self.value,
            "bound": self.bound,
            "low": _finite(self.low),
            "high": _finite(self.high),
            "clear": self.is_clear,
        }


def needed(curve: Mapping[int, Sample], target: float, *, seed: int = 0) -> Needed:
    """Return how many training subjects a curve needs for a metric of `target`.

    Each resample has its own test subjects, the same for every network, and moves every point as other seeds would.

    Args:    curve: the metric by number of training subjects.  seed: of those moves; every network needs its own,
             or a ratio would take them for moves that the two have in common.
    """
    sizes = np.array(sorted(curve))
    rng = np.random.default_rng(seed)
    moved = np.stack([curve[int(n)].with_seeds(rng) for n in sizes])
    draws = np.array([_crossing(sizes, column, target) for column in moved.T])
    value = _crossing(sizes, np.array([curve[int(n)].value for n in sizes]), target)
    low, high = np.quantile(draws, [0.025, 0.975], method="inverted_cdf")
    return Needed(target, value, float(low), float(high), int(sizes[0]), int(sizes[-1]), draws)


def ratio(a: Needed, b: Needed, *, n_compared: int = 1) -> Ratio | None:
    """Return how many times the subjects of b that a needs, or None where neither gets to the target.

    A network that does not get there needs more than were tried, and one that is there with the fewest may need less,
    so the sizes tried bound the ratio from one side, in each resample too.

    Args:    n_compared: ratios that are looked at; the interval has a level of 1 - 0.05 / n (Bonferroni).
    """
    if not a.is_reached and not b.is_reached:
        return None
    least = np.where(a.draws <= a.fewest, 0.0, np.minimum(a.draws, a.most) / b.draws)  # over infinite it is 0
    most = np.where(b.draws <= b.fewest, np.inf, a.draws / np.minimum(b.draws, b.most))
    half = 0.05 / n_compared / 2
    return Ratio(
        value=min(a.value, a.most) / min(b.value, b.most),
        low=float(np.quantile(least, half, method="inverted_cdf")),
        high=float(np.quantile(most, 1 - half, method="inverted_cdf")),
        bound=_bound(a, b),
    )


def _bound(a: Needed, b: Needed) -> Literal["", "at most", "at least"]:
    """Return on which side of the ratio the truth lies; none where both numbers are there or both are the fewest."""
    may_be_less, may_be_more = a.is_at_most or not b.is_reached, b.is_at_most or not a.is_reached
    if may_be_less == may_be_more:
        return ""
    return "at most" if may_be_less else "at least"


def _crossing(sizes: np.ndarray, values: Float64[np.ndarray, " sizes"], target: float) -> float:
    """Return the size from which on the values stay at or above the target, or infinity."""
    below = np.flatnonzero(~(values >= target))
    if not len(below):
        return float(sizes[0])
    k = int(below[-1])
    if k == len(sizes) - 1:
        return float("inf")
    if np.isnan(values[k]):
        return float(sizes[k + 1])
    share = (target - values[k]) / (values[k + 1] - values[k])
    return float(np.exp(np.log(sizes[k]) + share * np.log(sizes[k + 1] / sizes[k])))


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
