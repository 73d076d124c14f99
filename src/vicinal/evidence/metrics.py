"""Metrics of a score table: what the scores are worth.

Ranking and calibration are measured on scores and probabilities, the rest on decisions (1, 0, -1 referred).
Rows of unknown truth are left out; referred rows are left out of what counts decisions, and counted by
`referred`. Values come from scikit-learn where it has them. Must not know networks, files or plots.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int, Int8
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score

from vicinal.errors import FormatError
from vicinal.evidence.confusion import balanced_accuracy, cells, f1, f1_of, kappa, macro_f1, mcc
from vicinal.evidence.curves import calibration_points
from vicinal.evidence.intervals import (
    Statistic,
    auroc_statistic,
    average_precision_statistic,
    mean_statistic,
    sums_statistic,
)
from vicinal.scoretable import ScoreTable

__all__ = ["Metric", "auroc", "compute", "measure", "ranking"]

N_BINS = 15
_EDGE = 1e-15
"""Probabilities are held this far from 0 and 1 where a logarithm is taken."""

Rows = Float64[np.ndarray, " n"]
Mask = Bool[np.ndarray, " n"]
Decisions = Int8[np.ndarray, "n k"]


@dataclass(frozen=True)
class Metric:
    """One metric of one table, and how to find its interval.

    Args:    name: key of the evidence.  value: NaN where undefined.
             rows: (n,) the rows it is a statement about.
             hits: (n,) which of them count, where it is a share of rows; its interval is Wilson's.
             statistic: of the multiplicities of the table's clusters, where it is resampled.
             about: (n, 1) the positive rows of its class; (n, K) for a mean over classes.
             centred: resampling alone makes it larger (calibration errors): its resamples are moved by their
             mean excess over the value, and held above 0.
             left_out: classes that a mean over classes could not include.
    """

    name: str
    value: float
    rows: Mask
    about: Bool[np.ndarray, "n m"]
    hits: Mask | None = None
    statistic: Statistic | None = None
    centred: bool = False
    left_out: tuple[str, ...] = ()


def ranking(table: ScoreTable) -> dict[str, float]:
    """Return the few metrics that follow a training epoch by epoch, in a hundredth of the time of all.

    Returns: log_loss and, for one class, auroc and average_precision; for several, macro_auroc.
    """
    index = np.unique(table.clusters, return_inverse=True)[1]
    areas = [{m.name: m.value for m in _of_scores(table, k, index)} for k in range(len(table.classes))]
    known = ~np.isnan(table.truth)
    p, y = np.clip(table.probabilities[known], _EDGE, 1 - _EDGE), table.truth[known]
    exclusive = table.task == "classes"
    losses = -np.log(p[y == 1]) if exclusive else -np.where(y == 1, np.log(p), np.log1p(-p))
    found = {"log_loss": float(losses.mean()) if len(losses) else float("nan")}
    if len(areas) == 1:
        return found | areas[0]
    defined = [area["auroc"] for area in areas if not np.isnan(area["auroc"])]
    return found | {"macro_auroc": float(np.mean(defined)) if defined else float("nan")}


def compute(table: ScoreTable, decisions: Decisions | None = None) -> dict[str, float]:
    """Return every metric of the table by name.

    Args:    decisions: (n, K), 1, 0 or -1 (referred), as from `Policy.decide`. Without them binary tables and
             labels have no metrics of decisions; exclusive classes are decided by the largest probability.
    Returns: NaN where a metric is undefined (no positive rows, no alarms, ...).
    Raises:  FormatError: when `decisions` does not fit the table.
    """
    return {metric.name: metric.value for metric in measure(table, decisions)}


def auroc(truth: Rows, scores: Rows) -> float:
    """Return the AUROC of scores, ties counting half; NaN without positives or without negatives."""
    if not len(truth) or np.min(truth) == np.max(truth):
        return float("nan")
    return float(roc_auc_score(truth, scores))


def measure(table: ScoreTable, decisions: Decisions | None = None) -> list[Metric]:
    """Return every metric of the table with what its interval needs; see `compute`."""
    if decisions is not None and np.shape(decisions) != table.truth.shape:
        raise FormatError(
            f"decisions must be {table.truth.shape}, one for each row and class; got {np.shape(decisions)}."
        )
    index = np.unique(table.clusters, return_inverse=True)[1]
    if table.task == "classes":
        return list(_of_exclusive(table, decisions, index))
    if table.task == "binary":
        column = None if decisions is None else decisions[:, 0]
        found = [*_of_scores(table, 0, index), *_of_probabilities(table, 0, index)]
        return found + ([] if column is None else list(_of_decisions(table, 0, column, index)))
    return list(_of_labels(table, decisions, index))


def _of_scores(table: ScoreTable, k: int, index: Int[np.ndarray, " n"], mark: str = "") -> Iterator[Metric]:
    """Yield how well the scores of one class rank its rows."""
    known = ~np.isnan(table.truth[:, k])
    # Logits rank without saturating; a softmax ranks one class against the rest by its probability only.
    scores = (table.probabilities if table.task == "classes" else table.logits)[known, k]
    truth, positive = table.truth[known, k], (table.truth == 1)[:, [k]]
    both = len(truth) and truth.min() != truth.max()
    area = auroc_statistic(truth, scores, index[known]) if both else None
    precision = average_precision_statistic(truth, scores, index[known]) if both else None
    yield Metric(f"auroc{mark}", auroc(truth, scores), known, positive, statistic=area)
    value = float(average_precision_score(truth, scores)) if both else float("nan")
    yield Metric(f"average_precision{mark}", value, known, positive, statistic=precision)


def _of_probabilities(table: ScoreTable, k: int, index: Int[np.ndarray, " n"]) -> Iterator[Metric]:
    """Yield how far the probabilities of one class can be taken at their word."""
    known = ~np.isnan(table.truth[:, k])
    p, y, subjects = table.probabilities[known, k], table.truth[known, k], index[known]
    positive = (table.truth == 1)[:, [k]]
    if not len(y):
        return
    held = np.clip(p, _EDGE, 1 - _EDGE)
    losses = {"brier": (p - y) ** 2, "log_loss": -np.where(y == 1, np.log(held), np.log1p(-held))}
    for name, loss in losses.items():
        yield _summed(name, np.stack([loss, np.ones(len(y))], axis=1), subjects, _mean, known, positive)
    for name, equal_mass in (("ece", False), ("ece_mass", True)):
        error = calibration_points(y, p, n_bins=N_BINS, equal_mass=equal_mass).error
        rows = np.zeros((len(y), N_BINS, 2))
        rows[np.arange(len(y)), _bins(p, equal_mass)] = np.stack([p - y, np.ones(len(y))], axis=1)
        statistic = sums_statistic(rows.reshape(len(y), -1), subjects, _calibration_error)
        yield Metric(name, error, known, positive, statistic=statistic, centred=True)
    yield from _calibration_line(y, logit(held), subjects, known, positive)


def _bins(p: Rows, equal_mass: bool) -> Int[np.ndarray, " n"]:
    """Return the bin of each row, as in `calibration_points`; a resample keeps the bins of the sample."""
    if not equal_mass:
        return np.minimum((p * N_BINS).astype(np.int64), N_BINS - 1)
    bins = np.empty(len(p), np.int64)
    bins[np.argsort(p, kind="stable")] = np.arange(len(p)) * N_BINS // len(p)
    return bins


def _calibration_error(sums: Float64[np.ndarray, " m"]) -> float:
    differences, counts = sums.reshape(N_BINS, 2).T
    return float(np.abs(differences).sum() / counts.sum())


def _calibration_line(
    y: Rows, z: Rows, subjects: Int[np.ndarray, " n"], known: Mask, positive: Bool[np.ndarray, "n 1"]
) -> Iterator[Metric]:
    """Yield slope and intercept of the logistic regression of truth on logit(p): 1 and 0 when calibrated.

    Resamples take one Newton step from the fit to all rows, which is exact to first order.
    """
    names = ("calibration_slope", "calibration_intercept")
    if y.min() == y.max() or np.ptp(z) == 0:
        for name in names:
            yield Metric(name, float("nan"), known, positive)
        return
    fit = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(z[:, None], y)
    at = np.array([fit.coef_[0, 0], fit.intercept_[0]])
    p = expit(at[0] * z + at[1])
    weight = p * (1 - p)
    rows = np.stack([(y - p) * z, y - p, weight * z * z, weight * z, weight], axis=1)

    def line(which: int) -> Callable[[Float64[np.ndarray, " m"]], float]:
        def value(sums: Float64[np.ndarray, " m"]) -> float:
            determinant = sums[2] * sums[4] - sums[3] ** 2
            if determinant <= 0:
                return float("nan")
            steps = (sums[4] * sums[0] - sums[3] * sums[1], sums[2] * sums[1] - sums[3] * sums[0])
            return float(at[which] + steps[which] / determinant)

        return value

    for which, name in enumerate(names):
        statistic = sums_statistic(rows, subjects, line(which))
        yield Metric(name, float(at[which]), known, positive, statistic=statistic)


def _of_decisions(
    table: ScoreTable, k: int, decisions: Int8[np.ndarray, " n"], index: Int[np.ndarray, " n"], mark: str = ""
) -> Iterator[Metric]:
    """Yield what the decisions about one class are worth, over the rows that were decided."""
    known = ~np.isnan(table.truth[:, k])
    decided = known & (decisions >= 0)
    truth, called = table.truth[:, k] == 1, decisions == 1
    positive = truth[:, None]
    shares = {
        "sensitivity": (truth, called),
        "specificity": (~truth, ~called),
        "ppv": (called, truth),
        "npv": (~called, ~truth),
        "accuracy": (np.ones(len(table), bool), truth == called),
    }
    for name, (among, hits) in shares.items():
        yield _share(f"{name}{mark}", decided & among, hits, positive)
    yield from _of_confusion(truth[decided], called[decided], index[decided], decided, positive, mark)
    if (decisions[known] < 0).any():
        yield _share(f"referred{mark}", known, np.asarray(decisions < 0), positive)


def _of_confusion(
    truth: Mask,
    called: Mask,
    subjects: Int[np.ndarray, " m"],
    rows: Mask,
    positive: Bool[np.ndarray, "n 1"],
    mark: str,
) -> Iterator[Metric]:
    counted = cells(truth.astype(np.int64), called.astype(np.int64), 2)
    for name, value in (("f1", f1), ("balanced_accuracy", balanced_accuracy), ("mcc", mcc), ("kappa", kappa)):
        yield _summed(f"{name}{mark}", counted, subjects, value, rows, positive)


def _of_exclusive(
    table: ScoreTable, decisions: Decisions | None, index: Int[np.ndarray, " n"]
) -> Iterator[Metric]:
    """Yield the metrics of a task whose classes exclude each other."""
    n_classes, positive = len(table.classes), table.truth == 1
    known = ~np.isnan(table.truth).any(axis=1)
    decided = known if decisions is None else known & (decisions >= 0).all(axis=1)
    called = np.argmax(table.probabilities if decisions is None else decisions, axis=1)
    truth = np.argmax(np.nan_to_num(table.truth), axis=1)
    yield _share("accuracy", decided, truth == called, positive)
    counted = cells(truth[decided], called[decided], n_classes)
    subjects, absent = index[decided], _absent(table, decided)
    for k, name in enumerate(table.classes):
        yield _summed(f"f1[{name}]", counted, subjects, f1_of(k, n_classes), decided, positive[:, [k]])
    for name, value in (
        ("macro_f1", macro_f1([k for k, c in enumerate(table.classes) if c not in absent], n_classes)),
        ("balanced_accuracy", balanced_accuracy),
        ("mcc", mcc),
        ("kappa", kappa),
    ):
        named = absent if name in ("macro_f1", "balanced_accuracy") else ()
        yield _summed(name, counted, subjects, value, decided, positive, left_out=named)
    yield from _mean_of_classes(table, index, "auroc")
    held = np.clip(table.probabilities, _EDGE, 1)
    loss = -np.log(held[np.arange(len(table)), truth])
    brier = ((table.probabilities - np.nan_to_num(table.truth)) ** 2).sum(axis=1)
    for name, row in (("brier", brier), ("log_loss", loss)):
        rows = np.stack([row, np.ones(len(row))], axis=1)[known]
        yield _summed(name, rows, index[known], _mean, known, positive)
    if decisions is not None and (decisions[known] < 0).any():
        yield _share("referred", known, np.any(decisions < 0, axis=1), positive)


def _of_labels(
    table: ScoreTable, decisions: Decisions | None, index: Int[np.ndarray, " n"]
) -> Iterator[Metric]:
    """Yield the metrics of a task whose classes can be true together."""
    yield from _mean_of_classes(table, index, "auroc")
    yield from _mean_of_classes(table, index, "average_precision")
    if decisions is None:
        return
    scores = []
    for k, name in enumerate(table.classes):
        for metric in _of_decisions(table, k, decisions[:, k], index, f"[{name}]"):
            yield metric
            if metric.name.startswith("f1[") and metric.about.any():
                scores.append(metric)
    if scores:
        present = {metric.name for metric in scores}
        absent = tuple(name for name in table.classes if f"f1[{name}]" not in present)
        yield _averaged("macro_f1", scores, table.truth == 1, absent)


def _mean_of_classes(table: ScoreTable, index: Int[np.ndarray, " n"], kind: str) -> Iterator[Metric]:
    """Yield the mean over the classes with positive and negative rows, then each class."""
    named = [
        metric
        for k, name in enumerate(table.classes)
        for metric in _of_scores(table, k, index, f"[{name}]")
        if metric.name.startswith(f"{kind}[")
    ]
    defined = [metric for metric in named if metric.statistic is not None]
    absent = tuple(c for c, metric in zip(table.classes, named, strict=True) if metric.statistic is None)
    if defined:
        yield _averaged(kind, defined, table.truth == 1, absent)
    else:
        yield Metric(
            kind, float("nan"), ~np.isnan(table.truth).all(axis=1), table.truth == 1, left_out=absent
        )
    yield from named


def _averaged(
    name: str, metrics: list[Metric], positive: Bool[np.ndarray, "n k"], absent: tuple[str, ...]
) -> Metric:
    rows = np.any([metric.rows for metric in metrics], axis=0)
    about = np.concatenate([metric.about for metric in metrics], axis=1) if metrics else positive
    statistics = [metric.statistic for metric in metrics if metric.statistic is not None]
    value = float(np.mean([metric.value for metric in metrics]))
    return Metric(name, value, rows, about, statistic=mean_statistic(statistics), left_out=absent)


def _share(name: str, among: Mask, hits: Mask, positive: Bool[np.ndarray, "n k"]) -> Metric:
    value = float(hits[among].mean()) if among.any() else float("nan")
    return Metric(name, value, among, positive, hits=hits)


def _summed(
    name: str,
    rows: Float64[np.ndarray, "m c"],
    subjects: Int[np.ndarray, " m"],
    value: Callable[[Float64[np.ndarray, " c"]], float],
    among: Mask,
    positive: Bool[np.ndarray, "n k"],
    left_out: tuple[str, ...] = (),
) -> Metric:
    if not len(rows):
        return Metric(name, float("nan"), among, positive, left_out=left_out)
    statistic = sums_statistic(rows, subjects, value)
    return Metric(name, value(rows.sum(axis=0)), among, positive, statistic=statistic, left_out=left_out)


def _absent(table: ScoreTable, rows: Mask) -> tuple[str, ...]:
    return tuple(
        name
        for name, any_row in zip(table.classes, table.truth[rows].any(axis=0), strict=True)
        if not any_row
    )


def _mean(sums: Float64[np.ndarray, " c"]) -> float:
    return float(sums[0] / sums[1]) if sums[1] else float("nan")
