"""The exact guarantee: a threshold whose true sensitivity meets its target with a stated confidence.

With n independent positives, one for each subject, k misses are allowed where k is the largest number with
BinomCDF(k; n, 1 - target) <= 1 - confidence; the threshold is the (k + 1)-th smallest positive score (a
tolerance limit from order statistics, Wilks 1941). It holds for new subjects drawn as these were, whatever
the distribution of the scores. Knows arrays; must not know tables or policies.
"""

import numpy as np
from jaxtyping import Bool, Float64, Int64
from scipy.special import bdtr

from vicinal.errors import InfeasibleError

__all__ = ["allowed_misses", "guaranteed_threshold", "least_subjects", "one_row_per_subject"]


def allowed_misses(n: int, *, target: float, delta: float) -> int:
    """Return how many of n independent positives may lie below the threshold; -1 when n is too small.

    Args:    n: independent positives.  target: least true sensitivity, 0 to 1.
             delta: chance that the guarantee may fail, 1 - confidence.
    """
    if n < 1:
        return -1
    # BinomCDF rises with k, so the number of k that pass is one more than the largest that does.
    return int(np.sum(bdtr(np.arange(n), n, 1 - target) <= delta)) - 1


def least_subjects(*, target: float, delta: float) -> int:
    """Return the least number of independent positives that can carry the guarantee: target^n <= delta."""
    n = max(1, int(np.floor(np.log(delta) / np.log(target))))
    while allowed_misses(n, target=target, delta=delta) < 0:
        n += 1
    return n


def one_row_per_subject(subjects: np.ndarray, *, ids: np.ndarray, seed: int) -> Int64[np.ndarray, " m"]:
    """Return one row of each subject, drawn with the seed, whatever order the rows are in.

    Args:    subjects: (n,).  ids: (n,) unique.  seed: of the draw.
    """
    order = np.argsort(ids, kind="stable")
    shuffled = np.random.default_rng(seed).permutation(order)
    _, first = np.unique(subjects[shuffled], return_index=True)
    return np.sort(shuffled[first])


def guaranteed_threshold(
    scores: Float64[np.ndarray, " n"],
    wanted: Bool[np.ndarray, " n"],
    *,
    subjects: np.ndarray,
    ids: np.ndarray,
    target: float,
    confidence: float,
    seed: int,
    below: bool = False,
) -> tuple[float, int]:
    """Return the threshold and the number of independent subjects that it rests on.

    Args:    scores: of calibration rows, which nothing was selected on.
             wanted: rows of the guaranteed class: positives for sensitivity, negatives for specificity.
             subjects, ids: (n,); one wanted row of each subject is used.
             target, confidence: 0 to 1, both excluded.
             below: guarantee that wanted rows lie below the threshold (specificity), not at or above it.
    Raises:  InfeasibleError: when there are too few subjects; it says how many more are needed.
    """
    rows = np.flatnonzero(wanted)
    rows = rows[one_row_per_subject(subjects[rows], ids=ids[rows], seed=seed)]
    delta = round(1 - confidence, 12)
    k = allowed_misses(len(rows), target=target, delta=delta)
    if k < 0:
        least = least_subjects(target=target, delta=delta)
        kind, aim = ("negative", "specificity") if below else ("positive", "sensitivity")
        raise InfeasibleError(
            f"{aim} >= {target:g} with confidence {confidence:g} needs at least {least} {kind} subjects in "
            f"the calibration rows, got {len(rows)}: {least - len(rows)} more are needed. Set more rows "
            "aside for calibration, ask for less, or leave the confidence out (no guarantee)."
        )
    ordered = np.sort(scores[rows])
    if not below:
        return float(ordered[k]), len(rows)
    threshold = float(np.nextafter(ordered[len(rows) - 1 - k], np.inf))
    if threshold > 1:
        raise InfeasibleError(
            f"specificity >= {target:g} with confidence {confidence:g}: more than {k} negative subjects have "
            "probability 1, so only a policy that calls nobody positive would do. Ask for less."
        )
    return threshold, len(rows)
