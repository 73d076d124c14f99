"""How far probabilities can be taken at their word: Brier score, log loss, calibration error and line.

Knows arrays; must not know score tables, nor how probabilities were made.
"""

from collections.abc import Callable, Iterator

import numpy as np
from jaxtyping import Bool, Float64, Int
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from vicinal.evidence.confusion import ratio
from vicinal.evidence.curves import calibration_points
from vicinal.evidence.metric import Metric, mean_of_sums, summed
from vicinal.evidence.resampling import sums_statistic

__all__ = ["EDGE", "N_BINS", "n_between", "of_probabilities"]

N_BINS = 15
EDGE = 1e-15
"""Probabilities are held this far from 0 and 1 where a logarithm is taken."""

_FEW = 3
"""If so few subjects alone keep the kinds from being parted, a resample misses all of them once in 20 times or more
(exp(-3) = 0.05), and then has no line: there is no 95 % interval."""

_WHY_NO_VALUE = (
    "one threshold parts all positive rows from all negative ones: no finite line fits best, and these rows say "
    "nothing about calibration"
)
_WHY_NO_INTERVAL = (
    "but for three subjects or fewer one threshold would part all positive rows from all negative ones: the interval "
    "has no end"
)

Rows = Float64[np.ndarray, " m"]
Index = Int[np.ndarray, " m"]
Mask = Bool[np.ndarray, " n"]
About = Bool[np.ndarray, "n m"]
Sums = Float64[np.ndarray, "*resamples c"]


def of_probabilities(
    truth: Rows, probability: Rows, index: Index, *, among: Mask, about: About, mark: str = ""
) -> Iterator[Metric]:
    """Yield Brier score, log loss, calibration errors and line of one probability.

    Args:    truth: 0 or 1.  index: the cluster of each row.  among, about: as of `Metric`.
             mark: after each name, such as "[A]".
    """
    if not len(truth):
        return
    held = np.clip(probability, EDGE, 1 - EDGE)
    brier = (probability - truth) ** 2
    loss = -np.where(truth == 1, np.log(held), np.log1p(-held))
    for name, row in (("brier", brier), ("log_loss", loss)):
        rows = np.stack([row, np.ones(len(row))], axis=1)
        yield summed(f"{name}{mark}", rows, index, mean_of_sums, among=among, about=about)
    for name, equal_mass in (("ece", False), ("ece_mass", True)):
        error = calibration_points(truth, probability, n_bins=N_BINS, equal_mass=equal_mass).error
        rows = np.zeros((len(truth), N_BINS, 2))
        added = np.stack([probability - truth, np.ones(len(truth))], axis=1)
        rows[np.arange(len(truth)), _bins(probability, equal_mass)] = added
        statistic = sums_statistic(rows.reshape(len(truth), -1), index, _calibration_error)
        yield Metric(f"{name}{mark}", error, among, about, statistic, centred=True)
    yield from _calibration_line(truth, logit(held), index, among=among, about=about, mark=mark)


def _bins(p: Rows, equal_mass: bool) -> Index:
    """Return the bin of each row, as in `calibration_points`; a resample keeps the bins of the sample."""
    if not equal_mass:
        return np.minimum((p * N_BINS).astype(np.int64), N_BINS - 1)
    bins = np.empty(len(p), np.int64)
    bins[np.argsort(p, kind="stable")] = np.arange(len(p)) * N_BINS // len(p)
    return bins


def _calibration_error(sums: Sums) -> Float64[np.ndarray, "*resamples"]:
    bins = sums.reshape(*sums.shape[:-1], N_BINS, 2)
    return ratio(np.abs(bins[..., 0]).sum(axis=-1), bins[..., 1].sum(axis=-1))


def _calibration_line(
    y: Rows, z: Rows, index: Index, *, among: Mask, about: About, mark: str
) -> Iterator[Metric]:
    """Yield slope and intercept of the logistic regression of truth on logit(p): 1 and 0 when calibrated.

    Resamples take one Newton step from the fit to all rows, which is exact to first order.
    """
    names = (f"calibration_slope{mark}", f"calibration_intercept{mark}")
    n_apart, why = 0, "the rows are all of one kind, or all probabilities the same: there is no line"
    if y.min() != y.max() and np.ptp(z) > 0:
        n_apart = n_between(y, z, index)
        why = "" if n_apart > _FEW else _WHY_NO_INTERVAL if n_apart else _WHY_NO_VALUE
    if not n_apart:
        for name in names:
            yield Metric(name, float("nan"), among, about, why=why)
        return
    # Newton's steps: the line search of the usual solver gives up near the optimum where few rows lie across.
    line = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000, solver="newton-cholesky")
    fit = line.fit(z[:, None], y)
    at = np.array([fit.coef_[0, 0], fit.intercept_[0]])
    p = expit(at[0] * z + at[1])
    weight = p * (1 - p)
    rows = np.stack([(y - p) * z, y - p, weight * z * z, weight * z, weight], axis=1)
    for which, name in enumerate(names):
        statistic = sums_statistic(rows, index, _after_a_step(at, which))
        yield Metric(name, float(at[which]), among, about, None if why else statistic, why=why)


def n_between(y: Rows, z: Rows, index: Index) -> int:
    """Return but for how many subjects one threshold would part positive rows from negative ones, either way round.

    Counted at the threshold with the fewest rows on the wrong side of it; rows at the threshold are on neither. At 0
    the likelihood of a logistic regression grows without end (Albert & Anderson 1984).

    Args:    y: 1 or 0.  z: scores.  index: the subject of each row.
    """
    cuts, place = np.unique(z, return_inverse=True)
    counts = [np.bincount(place, weights=y == kind, minlength=len(cuts)) for kind in (0, 1)]
    fewest = []
    for lower in (0, 1):
        below, above = counts[1 - lower], counts[lower]
        n_wrong = (np.cumsum(below) - below) + (above.sum() - np.cumsum(above))
        cut = int(np.argmin(n_wrong))
        wrong = ((place < cut) & (y != lower)) | ((place > cut) & (y == lower))
        fewest.append(len(np.unique(index[wrong])))
    return min(fewest)


def _after_a_step(
    at: Float64[np.ndarray, " 2"], which: int
) -> Callable[[Sums], Float64[np.ndarray, "*resamples"]]:
    def value(sums: Sums) -> Float64[np.ndarray, "*resamples"]:
        gradient_z, gradient, zz, zi, ii = np.moveaxis(sums, -1, 0)
        determinant = zz * ii - zi**2
        above = (ii * gradient_z - zi * gradient) if which == 0 else (zz * gradient - zi * gradient_z)
        return np.asarray(at[which] + ratio(above, determinant))

    return value
