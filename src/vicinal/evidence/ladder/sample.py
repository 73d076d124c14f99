"""Sample: a metric of one network that was trained with several seeds, as far as test subjects and seeds know it.

Two sources of chance are kept apart and added: which subjects are tested (the same resamples for every network, so that
differences are paired) and which seed drew the weights, the order and the subjects to learn from. Takes score tables;
must not know how anything was trained.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from vicinal.errors import FormatError
from vicinal.evidence.metrics import measure
from vicinal.evidence.resampling import bootstrap
from vicinal.evidence.summary import reach
from vicinal.scoretable import ScoreTable

__all__ = ["Sample", "fixed", "sample_of"]


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
        """Return the difference on the same subjects, seed by seed: of what the same trained networks say.

        Different networks are held against each other by `between` of `estimate.py`.

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
