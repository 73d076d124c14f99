"""Curves of a binary score as plain arrays: what a report draws.

Every function takes truth (0 or 1) and scores of the same rows, knows nothing of plots, and leaves the choice
of rows to the caller.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64, Num
from sklearn.metrics import precision_recall_curve, roc_curve

from vicinal.decisions.thresholds import shift_prevalence
from vicinal.errors import FormatError

__all__ = [
    "CalibrationPoints",
    "NetBenefit",
    "PrecisionRecall",
    "Roc",
    "ThresholdSweep",
    "calibration_points",
    "net_benefit",
    "precision_recall",
    "roc",
    "threshold_sweep",
]

Truth = Num[np.ndarray, " n"]
Scores = Float64[np.ndarray, " n"]


@dataclass(frozen=True)
class Roc:
    """Sensitivity against the false alarm rate (1 - specificity); thresholds fall from infinity."""

    thresholds: Float64[np.ndarray, " m"]
    false_alarm_rate: Float64[np.ndarray, " m"]
    sensitivity: Float64[np.ndarray, " m"]


@dataclass(frozen=True)
class PrecisionRecall:
    """PPV (precision) against sensitivity (recall); thresholds rise. `baseline` is the share of positives."""

    thresholds: Float64[np.ndarray, " m"]
    ppv: Float64[np.ndarray, " m"]
    sensitivity: Float64[np.ndarray, " m"]
    baseline: float


@dataclass(frozen=True)
class CalibrationPoints:
    """For each non-empty bin: mean probability, observed share of positives, and rows; `error` is the ECE."""

    probability: Float64[np.ndarray, " m"]
    observed: Float64[np.ndarray, " m"]
    n: Int64[np.ndarray, " m"]
    error: float


@dataclass(frozen=True)
class ThresholdSweep:
    """What each threshold gives; a row is positive when its probability >= threshold. NaN where undefined."""

    thresholds: Float64[np.ndarray, " m"]
    sensitivity: Float64[np.ndarray, " m"]
    specificity: Float64[np.ndarray, " m"]
    ppv: Float64[np.ndarray, " m"]
    npv: Float64[np.ndarray, " m"]
    f1: Float64[np.ndarray, " m"]
    alarms_per_1000: Float64[np.ndarray, " m"]


@dataclass(frozen=True)
class NetBenefit:
    """Net benefit of acting on the model, on everybody and on nobody (0), in true positives a row."""

    thresholds: Float64[np.ndarray, " m"]
    model: Float64[np.ndarray, " m"]
    treat_all: Float64[np.ndarray, " m"]
    treat_none: Float64[np.ndarray, " m"]


def roc(truth: Truth, scores: Scores) -> Roc:
    """Return the ROC curve, without the points on a straight line between their neighbours.

    Raises:  FormatError: when shapes differ, truth is not 0 or 1, or one of the two is absent.
    """
    y, s = _checked(truth, scores, both=True)
    false_alarm_rate, sensitivity, thresholds = roc_curve(y, s)
    return Roc(np.asarray(thresholds, np.float64), false_alarm_rate, sensitivity)


def precision_recall(truth: Truth, scores: Scores) -> PrecisionRecall:
    """Return the precision-recall curve at every distinct score.

    Raises:  FormatError: when shapes differ, truth is not 0 or 1, or there are no positives.
    """
    y, s = _checked(truth, scores, both=True)
    ppv, sensitivity, thresholds = precision_recall_curve(y, s, drop_intermediate=True)
    # scikit-learn closes the curve with (1, 0), which is no threshold's point.
    return PrecisionRecall(np.asarray(thresholds, np.float64), ppv[:-1], sensitivity[:-1], float(y.mean()))


def calibration_points(
    truth: Truth, probabilities: Scores, *, n_bins: int = 15, equal_mass: bool = False
) -> CalibrationPoints:
    """Return mean probability against observed share, in bins of equal width or of equal numbers of rows.

    Equal-width bins are [0, 1/b), [1/b, 2/b) ... [(b-1)/b, 1]; equal-mass bins cut the rows in order of
    probability into n_bins parts that differ by at most one row (ties are cut in row order).

    Returns: bins that hold rows only; `error` = sum over bins of (n_b / n) * |mean p_b - mean y_b|.
    Raises:  FormatError: when shapes differ, there are no rows, or numbers are out of range.
    """
    y, p = _checked(truth, probabilities, both=False)
    if equal_mass:
        order = np.argsort(p, kind="stable")
        bins = np.empty(len(p), np.int64)
        bins[order] = np.arange(len(p)) * n_bins // len(p)
    else:
        bins = np.minimum((p * n_bins).astype(np.int64), n_bins - 1)
    n = np.bincount(bins, minlength=n_bins)
    sums = [np.bincount(bins, weights=values, minlength=n_bins) for values in (p, y)]
    full = n > 0
    probability, observed = (total[full] / n[full] for total in sums)
    error = float((n[full] * np.abs(probability - observed)).sum() / len(p))
    return CalibrationPoints(probability, observed, n[full].astype(np.int64), error)


def threshold_sweep(
    truth: Truth,
    probabilities: Scores,
    *,
    thresholds: Float64[np.ndarray, " m"] | None = None,
    prevalence: float | None = None,
) -> ThresholdSweep:
    """Return sensitivity, specificity, PPV, NPV, F1 and alarms per 1,000 at each threshold.

    Args:    thresholds: rising; every hundredth from 0 to 1 when not given.
             prevalence: that of the field, for PPV, NPV, F1 and alarms; that of the rows when not given.
    Raises:  FormatError: when shapes differ or one class is absent.
    """
    y, p = _checked(truth, probabilities, both=True)
    cuts = np.linspace(0, 1, 101) if thresholds is None else np.asarray(thresholds, np.float64)
    q = float(y.mean()) if prevalence is None else prevalence
    sensitivity = _share_at_least(p[y == 1], cuts)
    false_alarm_rate = _share_at_least(p[y == 0], cuts)
    found, alarms = q * sensitivity, q * sensitivity + (1 - q) * false_alarm_rate
    with np.errstate(invalid="ignore", divide="ignore"):
        ppv = found / alarms
        npv = (1 - q) * (1 - false_alarm_rate) / (1 - alarms)
    return ThresholdSweep(
        thresholds=cuts,
        sensitivity=sensitivity,
        specificity=1 - false_alarm_rate,
        ppv=ppv,
        npv=npv,
        f1=2 * found / (q + alarms),
        alarms_per_1000=1000 * alarms,
    )


def net_benefit(
    truth: Truth,
    probabilities: Scores,
    *,
    thresholds: Float64[np.ndarray, " m"] | None = None,
    prevalence: float | None = None,
) -> NetBenefit:
    """Return net benefit TP/n - FP/n * t / (1 - t) at each threshold (Vickers and Elkin 2006).

    Args:    thresholds: in [0, 1); every hundredth from 0.01 to 0.99 when not given.
             prevalence: that of the field, where it is not that of the rows: probabilities are moved to it, and
             rows weigh as there. Thresholds are then those of moved probabilities.
    Returns: also treat all: q - (1 - q) * t / (1 - t), with q the prevalence; treat none: 0.
    Raises:  FormatError: when shapes differ, one class is absent, or a threshold is not in [0, 1).
    """
    y, p = _checked(truth, probabilities, both=True)
    cuts = np.arange(1, 100) / 100 if thresholds is None else np.asarray(thresholds, np.float64)
    if not ((cuts >= 0) & (cuts < 1)).all():
        raise FormatError("net benefit: thresholds must lie in [0, 1); at 1 a false alarm costs infinity.")
    q, odds = float(y.mean()), cuts / (1 - cuts)
    if prevalence is not None:
        p, q = shift_prevalence(p, source=q, field=prevalence), prevalence
    model = q * _share_at_least(p[y == 1], cuts) - (1 - q) * _share_at_least(p[y == 0], cuts) * odds
    return NetBenefit(cuts, model, q - (1 - q) * odds, np.zeros_like(cuts))


def _share_at_least(scores: Scores, cuts: Float64[np.ndarray, " m"]) -> Float64[np.ndarray, " m"]:
    """Return the share of `scores` >= each cut."""
    return 1 - np.searchsorted(np.sort(scores), cuts, side="left") / len(scores)


def _checked(truth: Truth, scores: Scores, *, both: bool) -> tuple[Scores, Scores]:
    y, s = np.asarray(truth, np.float64), np.asarray(scores, np.float64)
    if y.ndim != 1 or y.shape != s.shape:
        raise FormatError(f"a curve needs truth and scores of one shape (n,), got {y.shape} and {s.shape}.")
    if not np.isin(y, (0, 1)).all() or not np.isfinite(s).all():
        raise FormatError(
            "a curve needs truth of 0 and 1 and finite scores; leave out rows of unknown truth."
        )
    if not len(y) or (both and y.min() == y.max()):
        raise FormatError(
            f"a curve needs rows of both classes, got {int(y.sum())} positive rows of {len(y)}. "
            "Use a split that holds both."
        )
    return y, s
