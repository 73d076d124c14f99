"""Metrics of a score table: what the scores are worth.

Ranking and calibration are measured on scores and probabilities, the rest on decisions (1, 0, -1 referred).
Rows of unknown truth are left out; referred rows are left out of what counts decisions, and counted by
`referred`. Values come from scikit-learn where it has them. Must not know networks, files or plots.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Float64, Int, Int8
from sklearn.metrics import average_precision_score, roc_auc_score

from vicinal.errors import FormatError
from vicinal.evidence.confusion import balanced_accuracy, cells, kappa, macro_f1, mcc
from vicinal.evidence.decided import of_decisions
from vicinal.evidence.metric import Metric, averaged, mean_of_sums, share, summed
from vicinal.evidence.reliability import EDGE, of_probabilities
from vicinal.evidence.resampling import Scale, auroc_statistic, average_precision_statistic
from vicinal.scoretable import ScoreTable

__all__ = ["auroc", "compute", "measure", "ranking"]

Rows = Float64[np.ndarray, " n"]
Index = Int[np.ndarray, " n"]
Decisions = Int8[np.ndarray, "n k"]


def ranking(table: ScoreTable) -> dict[str, float]:
    """Return the few metrics that follow a training epoch by epoch, in a hundredth of the time of all.

    Returns: log_loss and, for one class, auroc and average_precision; for several, macro_auroc.
    """
    index = _index(table)
    areas = [{m.name: m.value for m in _of_scores(table, k, index)} for k in range(len(table.classes))]
    known = ~np.isnan(table.truth)
    p, y = np.clip(table.probabilities[known], EDGE, 1 - EDGE), table.truth[known]
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
    index = _index(table)
    if table.task == "classes":
        return list(_of_exclusive(table, decisions, index))
    if table.task == "binary":
        found = [*_of_scores(table, 0, index), *_of_one_probability(table, 0, index)]
        return found + (
            [] if decisions is None else list(of_decisions(table.truth[:, 0], decisions[:, 0], index))
        )
    return list(_of_labels(table, decisions, index))


def _index(table: ScoreTable) -> Index:
    return np.unique(table.clusters, return_inverse=True)[1]


def _of_scores(table: ScoreTable, k: int, index: Index, mark: str = "") -> Iterator[Metric]:
    """Yield how well the scores of one class rank its rows."""
    known = ~np.isnan(table.truth[:, k])
    # Logits rank without saturating; a softmax ranks one class against the rest by its probability only.
    scores = (table.probabilities if table.task == "classes" else table.logits)[known, k]
    truth, about = table.truth[known, k], (table.truth == 1)[:, [k]]
    both = len(truth) and truth.min() != truth.max()
    area = auroc_statistic(truth, scores, index[known]) if both else None
    precision = average_precision_statistic(truth, scores, index[known]) if both else None
    yield Metric(f"auroc{mark}", auroc(truth, scores), known, about, area, scale="share")
    value = float(average_precision_score(truth, scores)) if both else float("nan")
    yield Metric(f"average_precision{mark}", value, known, about, precision, scale="share")


def _of_one_probability(table: ScoreTable, k: int, index: Index, mark: str = "") -> Iterator[Metric]:
    known, about = ~np.isnan(table.truth[:, k]), (table.truth == 1)[:, [k]]
    yield from of_probabilities(
        table.truth[known, k],
        table.probabilities[known, k],
        index[known],
        among=known,
        about=about,
        mark=mark,
    )


def _of_exclusive(table: ScoreTable, decisions: Decisions | None, index: Index) -> Iterator[Metric]:
    """Yield the metrics of a task whose classes exclude each other."""
    known = ~np.isnan(table.truth).any(axis=1)
    decided = known if decisions is None else known & (decisions >= 0).all(axis=1)
    called = np.argmax(table.probabilities if decisions is None else decisions, axis=1)
    truth = np.argmax(np.nan_to_num(table.truth), axis=1)
    yield from _of_all_classes(table, truth, called, decided, index)
    yield from _mean_of_classes(table, index, ("auroc", "average_precision"))
    yield from _of_largest(table, truth, known, index)
    for k, name in enumerate(table.classes):
        # A row that was referred was decided for no class.
        of_class = np.where(decided, (called == k).astype(np.int8), np.int8(-1))
        for metric in of_decisions(table.truth[:, k], of_class, index, mark=f"[{name}]", known=decided):
            yield metric
        for metric in _of_one_probability(table, k, index, f"[{name}]"):
            if not metric.name.startswith(("brier", "log_loss")):
                yield metric
    if decisions is not None and (decisions[known] < 0).any():
        yield share("referred", known, np.any(decisions < 0, axis=1), index, table.truth == 1)


def _of_all_classes(
    table: ScoreTable,
    truth: Int[np.ndarray, " n"],
    called: Int[np.ndarray, " n"],
    decided: Bool[np.ndarray, " n"],
    index: Index,
) -> Iterator[Metric]:
    """Yield what the decisions between exclusive classes are worth as a whole."""
    n_classes, about = len(table.classes), table.truth == 1
    yield share("accuracy", decided, truth == called, index, about)
    absent = _absent(table, decided)
    present = [k for k, name in enumerate(table.classes) if name not in absent]
    counted = cells(truth[decided], called[decided], n_classes)
    scales: dict[str, Scale] = {"mcc": "correlation", "kappa": "correlation"}
    for name, value in (
        ("macro_f1", macro_f1(present, n_classes)),
        ("balanced_accuracy", balanced_accuracy),
        ("mcc", mcc),
        ("kappa", kappa),
    ):
        yield summed(
            name,
            counted,
            index[decided],
            value,
            among=decided,
            about=about[:, present] if present else about,
            scale=scales.get(name, "share"),
            left_out=absent if name not in scales else (),
        )


def _of_largest(
    table: ScoreTable, truth: Int[np.ndarray, " n"], known: Bool[np.ndarray, " n"], index: Index
) -> Iterator[Metric]:
    """Yield Brier score and log loss over all classes, and how far the largest probability is to be believed."""
    about, p = table.truth == 1, table.probabilities
    brier = ((p - np.nan_to_num(table.truth)) ** 2).sum(axis=1)
    loss = -np.log(np.clip(p, EDGE, 1)[np.arange(len(table)), truth])
    for name, row in (("brier", brier), ("log_loss", loss)):
        rows = np.stack([row, np.ones(len(row))], axis=1)[known]
        yield summed(name, rows, index[known], mean_of_sums, among=known, about=about)
    right = (truth == p.argmax(axis=1))[known].astype(np.float64)
    for metric in of_probabilities(right, p.max(axis=1)[known], index[known], among=known, about=about):
        if metric.name.startswith(("ece", "calibration")):
            yield metric


def _of_labels(table: ScoreTable, decisions: Decisions | None, index: Index) -> Iterator[Metric]:
    """Yield the metrics of a task whose classes can be true together."""
    yield from _mean_of_classes(table, index, ("auroc", "average_precision"))
    about = table.truth == 1
    probable = [list(_of_one_probability(table, k, index, f"[{c}]")) for k, c in enumerate(table.classes)]
    for name in ("brier", "log_loss", "ece", "ece_mass"):
        each = [metric for found in probable for metric in found if metric.name.startswith(f"{name}[")]
        if each:
            yield averaged(name, each, about=about, left_out=_unnamed(table, each, name))
    for found in probable:
        yield from found
    if decisions is None:
        return
    scores = []
    for k, name in enumerate(table.classes):
        for metric in of_decisions(table.truth[:, k], decisions[:, k], index, mark=f"[{name}]"):
            yield metric
            if metric.name.startswith("f1[") and metric.about.any():
                scores.append(metric)
    if scores:
        yield averaged("macro_f1", scores, about=about, left_out=_unnamed(table, scores, "f1"))


def _mean_of_classes(table: ScoreTable, index: Index, kinds: tuple[str, ...]) -> Iterator[Metric]:
    """Yield for each kind the mean over the classes with positive and negative rows, then each class."""
    found = [_of_scores(table, k, index, f"[{name}]") for k, name in enumerate(table.classes)]
    for kind, named in zip(kinds, zip(*found, strict=True), strict=True):
        defined = [metric for metric in named if metric.statistic is not None]
        yield averaged(kind, named, about=table.truth == 1, left_out=_unnamed(table, defined, kind))
        yield from named


def _unnamed(table: ScoreTable, metrics: list[Metric], kind: str) -> tuple[str, ...]:
    """Return the classes that have no metric of this kind among `metrics`."""
    there = {metric.name for metric in metrics}
    return tuple(name for name in table.classes if f"{kind}[{name}]" not in there)


def _absent(table: ScoreTable, rows: Bool[np.ndarray, " n"]) -> tuple[str, ...]:
    there = (table.truth[rows] == 1).any(axis=0)
    return tuple(name for name, any_row in zip(table.classes, there, strict=True) if not any_row)
