"""Estimate: a metric of one network, or the difference of two, with an interval over test subjects and seeds together.

Each source of chance reaches as far as its standard error times its own Student's t, and the two reaches are added as
squares (Howe 1974). Drawing seeds again instead, as a bootstrap over subjects and seeds does, covers the truth in 80 of
100 draws where three seeds are what matters; this in 95 to 97 (`benchmarks/seeds.py`). Takes samples; must not know
networks.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.stats import t as student

from vicinal.errors import FormatError
from vicinal.evidence.ladder.sample import Sample
from vicinal.evidence.resampling import FURTHEST, Scale, resampled_interval
from vicinal.evidence.summary import number

__all__ = ["Estimate", "Spread", "between", "estimate", "spread_of"]


@dataclass(frozen=True)
class Spread:
    """A value and the two standard errors it has, each with its degrees of freedom.

    Args:    subject_error, of_subjects: from who was tested.  seed_error, of_seeds: from the seeds; 0 of a single
             one, which cannot tell.
    """

    value: float
    subject_error: float
    of_subjects: float
    seed_error: float
    of_seeds: float

    def reach(self, p: float) -> float:
        """Return how far from the value an interval of level 1 - p ends, on a scale without ends.

        Where no resample of subjects differs, as of a perfect network, it is Wilson's of subjects that all agree.
        """
        times = student.ppf(1 - p / 2, [self.of_subjects, self.of_seeds])
        of_subjects = self.subject_error * times[0]
        if not self.subject_error:
            of_subjects = times[0] ** 2 / (self.of_subjects + 1 + times[0] ** 2)
        return float(np.hypot(of_subjects, self.seed_error * times[1]))


@dataclass(frozen=True)
class Estimate:
    """A value with its interval, and the probability of one as far from 0 if the truth were 0.

    Args:    p: two-sided: the level at which the interval ends at 0; only of use for differences.
    """

    value: float
    low: float
    high: float
    p: float

    def to_dict(self) -> dict[str, float | None]:
        """Return value, low and high as JSON values, null where undefined."""
        return {"value": number(self.value), "low": number(self.low), "high": number(self.high)}


def spread_of(sample: Sample) -> Spread:
    """Return the errors of the mean over the seeds of one sample."""
    subjects, seeds = max(sample.n_fewest - 1, 1), max(len(sample.values) - 1, 1)
    return Spread(sample.value, sample.subject_error, subjects, sample.seed_error, seeds)


def between(a: Sample, b: Sample) -> Spread:
    """Return a minus b for two networks: paired by test subject, and not by seed.

    The same seed gives different networks different weights, so their errors of seeds are independent and add as
    squares, with the degrees of freedom of Welch (1947): 2 to 4 of three seeds each, where pairing seeds would leave
    2. Where a seed also draws the same subjects to learn from for both, the true interval is narrower.

    Raises:  FormatError: when the two were not resampled as often.
    """
    if a.draws.shape[1] != b.draws.shape[1]:
        raise FormatError(
            f"a difference needs the same resamples, got {a.draws.shape[1]} and {b.draws.shape[1]}."
        )
    paired = Sample(
        np.array([a.value - b.value]),
        (a.draws.mean(axis=0) - b.draws.mean(axis=0))[None],
        min(a.n_fewest, b.n_fewest),
    )
    squares = np.array([a.seed_error, b.seed_error]) ** 2
    known = np.array([max(len(one.values) - 1, 1) for one in (a, b)])
    freedom = squares.sum() ** 2 / (squares**2 / known).sum() if squares.any() else known.sum()
    return Spread(
        paired.value,
        paired.subject_error,
        max(paired.n_fewest - 1, 1),
        float(np.sqrt(squares.sum())),
        float(freedom),
    )


def estimate(of: Sample | Spread, *, scale: Scale = "share", level: float = 0.95) -> Estimate:
    """Return the mean over seeds with an interval over test subjects and seeds together.

    Three seeds alone have a t of 4.3, which is what three seeds know. Of one seed the interval is over test subjects
    alone.

    Args:    scale: "share" from 0 to 1, symmetric in the log-odds; "difference" of two of them on either side, cut
             where no difference can be, which leaves its coverage as it is: the truth lies within.
    """
    spread = spread_of(of) if isinstance(of, Sample) else of
    value = spread.value
    if not np.isfinite(value) or not np.isfinite(spread.subject_error):
        return Estimate(value, float("nan"), float("nan"), float("nan"))
    # Two draws of such a standard deviation that the rules of one table's intervals reach as far.
    error = spread.reach(1 - level) / float(student.ppf((1 + level) / 2, spread.of_subjects))
    draws = value + error / np.sqrt(2) * np.array([-1.0, 1.0])
    low, high = resampled_interval(
        value,
        draws,
        scale=scale,
        n_fewest=round(spread.of_subjects) + 1,
        level=level,
        furthest=FURTHEST["share"],
    )
    return Estimate(value, low, high, _p(value, spread.reach))


def _p(value: float, reach: Callable[[float], float]) -> float:
    """Return the p at which the interval ends at 0."""
    least = 1e-12
    if value == 0 or reach(1 - least) >= abs(value):
        return 1.0
    if reach(least) <= abs(value):
        return least
    return float(brentq(lambda p: reach(p) - abs(value), least, 1 - least))
