"""The few metrics that follow training, validation by validation, in a hundredth of the time of all.

On probabilities as they come out of the network: nothing is calibrated and no threshold is fitted yet. Must not know
how a network learns.
"""

import numpy as np
from scipy.stats import rankdata

from vicinal.evidence.confusion import cells, f1_of, macro_f1
from vicinal.evidence.curves import calibration_points
from vicinal.evidence.metrics import ranking
from vicinal.evidence.reliability import N_BINS
from vicinal.scoretable import ScoreTable, Task

__all__ = ["following", "following_names", "mean_f1_classes"]

_OF_F1 = "f1["
_LEAST_ROWS = 5


def following(table: ScoreTable, *, select: str = "") -> dict[str, float]:
    """Return the metrics of `following_names`, and `select` where that is a mean F1 over some of the classes.

    `loss` is the log loss; `ece` the calibration error, of exclusive classes that of the largest probability, of
    labels the mean over them; `accuracy`, `macro_f1` and `f1[CLASS]` decide for the largest probability. NaN where
    there are no rows to say it of; `macro_f1` is the mean over the classes that have rows.

    Where a network has given up telling a class that is there, further names say so: `never[CLASS]`, the highest
    probability of any row, when it is below a half and rows are ranked no better than by chance (AUROC within two
    standard errors of a half, with five rows of either kind or more); `always[CLASS]`, the lowest one, when it is
    above. Rare classes that are told apart are not among them: a threshold finds those.
    """
    found = ranking(table)
    found = {"loss": found.pop("log_loss"), **found, "ece": _calibration_error(table)}
    if table.task == "classes":
        found |= _of_largest(table)
    else:
        found |= _never_told(table)
    chosen = mean_f1_classes(select, table.classes) if table.task == "classes" else ()
    if len(chosen) > 1:
        found[select] = float(np.mean([np.nan_to_num(found[f"{_OF_F1}{name}]"]) for name in chosen]))
    return found


def following_names(task: Task, classes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of the metrics of a table of this task and these classes."""
    names = ("loss", "auroc", "average_precision") if len(classes) == 1 else ("loss", "macro_auroc")
    if task != "classes":
        return (*names, "ece")
    return (*names, "ece", "accuracy", "macro_f1", *(f"{_OF_F1}{name}]" for name in classes))


def mean_f1_classes(name: str, classes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the classes of `f1[N, A, O]`, the mean F1 of these; nothing when it names anything else."""
    if not (name.startswith(_OF_F1) and name.endswith("]")):
        return ()
    within = name[len(_OF_F1) : -1]
    chosen = (within,) if within in classes else tuple(part.strip() for part in within.split(","))
    return chosen if set(chosen) <= set(classes) and len(set(chosen)) == len(chosen) else ()


def _of_largest(table: ScoreTable) -> dict[str, float]:
    known = ~np.isnan(table.truth).any(axis=1)
    truth, called = table.truth[known].argmax(axis=1), table.probabilities[known].argmax(axis=1)
    n = len(table.classes)
    sums = cells(truth, called, n).sum(axis=0)
    return {
        "accuracy": float((truth == called).mean()) if len(truth) else float("nan"),
        "macro_f1": float(macro_f1(np.unique(truth).tolist(), n)(sums)),
        **{f"{_OF_F1}{name}]": float(f1_of(k, n)(sums)) for k, name in enumerate(table.classes)},
    }


def _never_told(table: ScoreTable) -> dict[str, float]:
    found = {}
    for name, truth, p in zip(table.classes, table.truth.T, table.probabilities.T, strict=True):
        known = ~np.isnan(truth)
        if _is_chance(truth[known] == 1, p[known]):
            if p[known].max() < 0.5:
                found[f"never[{name}]"] = float(p[known].max())
            if p[known].min() > 0.5:
                found[f"always[{name}]"] = float(p[known].min())
    return found


def _is_chance(positive: np.ndarray, score: np.ndarray) -> bool:
    """Whether the AUROC of enough rows is no more than two standard errors, those of no difference, above a half."""
    n, m = int(positive.sum()), int((~positive).sum())
    if min(n, m) < _LEAST_ROWS:
        return False
    auroc = (rankdata(score)[positive].sum() - n * (n + 1) / 2) / (n * m)
    return bool(auroc < 0.5 + 2 * np.sqrt((n + m + 1) / (12 * n * m)))


def _calibration_error(table: ScoreTable) -> float:
    if table.task == "classes":
        known = ~np.isnan(table.truth).any(axis=1)
        truth, p = table.truth[known], table.probabilities[known]
        return _error((truth.argmax(axis=1) == p.argmax(axis=1)).astype(np.float64), p.max(axis=1))
    errors = []
    for truth, p in zip(table.truth.T, table.probabilities.T, strict=True):
        known = ~np.isnan(truth)
        errors.append(_error(truth[known], p[known]))
    return float(np.mean(errors))


def _error(truth: np.ndarray, probability: np.ndarray) -> float:
    return calibration_points(truth, probability, n_bins=N_BINS).error if len(truth) else float("nan")
