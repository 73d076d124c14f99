"""Sample: a metric of one network that was trained with several seeds, as far as test subjects and seeds know it.

Two sources of chance are kept apart and added: which subjects are tested (the same resamples for every network, so that
differences are paired) and which seed drew the weights, the order and the subjects to learn from. Takes score tables;
must not know how anything was trained.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from scipy.optimize import brentq
from scipy.stats import t as student

from vicinal.errors import FormatError
from vicinal.evidence.metrics import measure
from vicinal.evidence.resampling import Scale, bootstrap, resampled_interval
from vicinal.evidence.summary import number, reach
from vicinal.scoretable import ScoreTable

__all__ = ["Estimate", "Sample", "estimate", "fixed", "sample_of"]


@dataclass(frozen=True)
class Sample:
    """A metric, or a difference of two.

    Args:    values: of each seed, on the test rows as they are.
             draws: of each seed, on the same resamples of test subjects.
             n_fewest: test subjects of the rarer kind.
    """

    values: Float64[np.ndarray, " seeds"]
    draws: Float64[np.ndarray, "seeds resamples"]
    n_fewest: int

    def __sub__(self, other: "Sample") -> "Sample":
        """Return the difference on the same subjects, seed by seed.

        Raises:  FormatError: when the two were not made with as many seeds and resamples.
        """
        if self.draws.shape != other.draws.shape:
            raise FormatError(
                f"a difference needs the same seeds and resamples, got {self.draws.shape} and {other.draws.shape}."
            )
        return Sample(
            self.values - other.values, self.draws - other.draws, min(self.n_fewest, other.n_fewest)
        )

    @property
    def value(self) -> float:
        """The mean over seeds."""
        return float(self.values.mean())

    @property
    def subject_error(self) -> float:
        """The standard error of the mean over seeds that comes from the test subjects."""
        means = self.draws.mean(axis=0)
        means = means[~np.isnan(means)]
        return float(means.std(ddof=1)) if len(means) > 1 else float("nan")

    @property
    def seed_error(self) -> float:
        """The standard error of the mean that comes from the seeds; 0 of a single one, which cannot tell."""
        n = len(self.values)
        return float(self.values.std(ddof=1) / np.sqrt(n)) if n > 1 else 0.0

    def with_seeds(self, rng: np.random.Generator) -> Float64[np.ndarray, " resamples"]:
        """Return the mean over seeds in each resample, moved as other seeds would move it (Student's t)."""
        means: Float64[np.ndarray, " resamples"] = self.draws.mean(axis=0)
        n = len(self.values)
        return means if n < 2 else means + self.seed_error * rng.standard_t(n - 1, len(means))


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


def sample_of(tables: Sequence[ScoreTable], metric: str, *, resamples: int = 2000, seed: int = 0) -> Sample:
    """Measure what networks of one kind say of the same test rows.

    Args:    tables: of each seed, with the same rows in the same order.  metric: of `measure`.
             resamples, seed: of the bootstrap by subject; the same draws for every call on the same subjects.
    Raises:  FormatError: when the tables hold other rows, or no such metric.
    """
    first = tables[0]
    if any(not np.array_equal(first.ids, one.ids) for one in tables):
        raise FormatError("seeds are compared on the same test rows in the same order; got others.")
    found = [[one for one in measure(table) if one.name == metric] for table in tables]
    if not all(found):
        raise FormatError(f"these scores have no metric {metric!r}; use one of the evidence, such as auroc.")
    measured = [one for (one,) in found]
    draws = bootstrap(
        {str(k): one.statistic for k, one in enumerate(measured) if one.statistic is not None},
        n_subjects=len(np.unique(first.clusters)),
        resamples=resamples,
        seed=seed,
    )
    unknown = np.full(resamples, np.nan)
    return Sample(
        np.array([one.value for one in measured]),
        np.stack([draws.get(str(k), unknown) for k in range(len(measured))]),
        min(reach(first, one).n_independent for one in measured),
    )


def fixed(values: Sequence[float], like: Sample) -> Sample:
    """Return values that no test subject moves, such as a metric of training rows."""
    known = np.asarray(values, dtype=np.float64)
    return Sample(known, np.repeat(known[:, None], like.draws.shape[1], axis=1), like.n_fewest)


def estimate(sample: Sample, *, scale: Scale = "share", level: float = 0.95) -> Estimate:
    """Return the mean over seeds with an interval over test subjects and seeds together.

    Each source reaches as far as its standard error times its own Student's t: with as many degrees of freedom as
    the rarer kind has test subjects, less one, and as there are seeds, less one. The two reaches are added as
    squares (Howe 1974). Three seeds alone have a t of 4.3, which is what three seeds know. Of one seed the
    interval is over test subjects alone.

    Args:    scale: "share" from 0 to 1, symmetric in the log-odds; "difference" on either side.
    """
    value, subjects, seeds = sample.value, sample.subject_error, sample.seed_error
    if not np.isfinite(value) or not np.isfinite(subjects):
        return Estimate(value, float("nan"), float("nan"), float("nan"))
    of_subjects, of_seeds = max(sample.n_fewest - 1, 1), max(len(sample.values) - 1, 1)

    def reach(p: float) -> float:
        times = student.ppf(1 - p / 2, [of_subjects, of_seeds])
        return float(np.hypot(subjects * times[0], seeds * times[1]))

    # Two draws of such a standard deviation that the rules of one table's intervals reach as far.
    error = reach(1 - level) / float(student.ppf((1 + level) / 2, of_subjects))
    draws = value + error / np.sqrt(2) * np.array([-1.0, 1.0])
    low, high = resampled_interval(value, draws, scale=scale, n_fewest=of_subjects + 1, level=level)
    return Estimate(value, low, high, _p(value, reach))


def _p(value: float, reach: Callable[[float], float]) -> float:
    """Return the p at which the interval ends at 0."""
    least = 1e-12
    if reach(0.5) == 0:
        return float(value == 0)
    if value == 0 or reach(1 - least) >= abs(value):
        return 1.0
    if reach(least) <= abs(value):
        return least
    return float(brentq(lambda p: reach(p) - abs(value), least, 1 - least))
