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

Draws = Float64[np.ndarray, " draws"]

_SEEDS_EACH = 100
"""Draws of seeds that meet each resample of test subjects, so that far quantiles rest on hundreds of draws."""


@dataclass(frozen=True)
class Needed:
    """Subjects from which on the curve stays at the target; infinite where it does not within the sizes tried.

    Args:    value, low, high: with the 95 % interval.  fewest: the smallest size tried; a value that is as
             small means "at most".  draws: of test subjects and seeds.
    """

    target: float
    value: float
    low: float
    high: float
    fewest: int
    most: int
    draws: Draws = field(repr=False)

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

    Each draw has its own test subjects, the same for every network, and moves every point as other seeds would.

    Args:    curve: the metric by number of training subjects.  seed: of those moves; every network needs its own,
             or a ratio would take them for moves that the two have in common.
    """
    sizes = np.array(sorted(curve))
    rng = np.random.default_rng(seed)
    draws = _crossings(sizes, np.stack([_moved(curve[int(n)], rng) for n in sizes]), target)
    (value,) = _crossings(sizes, np.array([[curve[int(n)].value] for n in sizes]), target)
    low, high = np.quantile(draws, [0.025, 0.975], method="inverted_cdf")
    return Needed(target, float(value), float(low), float(high), int(sizes[0]), int(sizes[-1]), draws)


def ratio(a: Needed, b: Needed, *, n_compared: int = 1) -> Ratio | None:
    """Return how many times the subjects of b that a needs, or None where neither gets to the target.

    A network that does not get there needs more than were tried, and one that is there with the fewest may need less,
    so the sizes tried bound the ratio from one side, in each draw too.

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


def _moved(sample: Sample, rng: np.random.Generator) -> Draws:
    """Return the metric in each draw, as other test subjects and other seeds would make it.

    Resamples of few subjects lie too close together: they are spread as Student's t, by the same factor for every
    network, so that differences stay paired. Where none differs, as of a perfect network, it moves as Wilson's interval
    of subjects that all agree.
    """
    n, n_seeds = sample.n_fewest, len(sample.values)
    freedom, n_draws = max(n - 1, 1), _SEEDS_EACH * sample.draws.shape[1]
    if sample.subject_error:
        spread = np.sqrt(n / np.random.default_rng(0).chisquare(freedom, n_draws))
        moved = sample.value + np.tile(sample.draws.mean(axis=0) - sample.value, _SEEDS_EACH) * spread
    else:
        t = rng.standard_t(freedom, n_draws)
        moved = sample.value + np.sign(t) * t**2 / (n + t**2)
    if n_seeds > 1:
        moved = moved + sample.seed_error * rng.standard_t(n_seeds - 1, n_draws)
    held: Draws = np.clip(moved, 0, 1)
    return held


def _crossings(sizes: np.ndarray, values: Float64[np.ndarray, "sizes draws"], target: float) -> Draws:
    """Return of each draw the size from which on its values stay at or above the target, or infinity."""
    last = len(sizes) - 1
    is_below = ~(values >= target)
    k = np.where(is_below.any(axis=0), last - np.argmax(is_below[::-1], axis=0), -1)
    before, after = np.clip(k, 0, last), np.clip(k + 1, 0, last)
    columns = np.arange(values.shape[1])
    low, high = values[before, columns], values[after, columns]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(np.isnan(low), 1.0, (target - low) / (high - low))
        between = np.exp(np.log(sizes[before]) + share * np.log(sizes[after] / sizes[before]))
    return np.where(k < 0, float(sizes[0]), np.where(k == last, np.inf, between))


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
