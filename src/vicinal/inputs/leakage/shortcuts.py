"""Shortcuts: what gives the label away without the signal: a device or site, or the order of the files.

A network that can hear the device learns the device. Knows arrays of texts and numbers; must not know packs.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from jaxtyping import Bool, Float64
from scipy.stats import rankdata

from vicinal.inputs.leakage.finding import Finding

__all__ = ["LEAST_AREA", "LEAST_DEVIATIONS", "giveaway_columns", "in_label_order", "order_statistic"]

LEAST_AREA = 0.8
LEAST_DEVIATIONS = 4.0
"""A column is named when, on groups that its rates were not counted on, it alone reaches this area under the ROC
and lies so many standard deviations (of the Mann-Whitney statistic without any association) above one half."""

LEAST_ORDER = 6.0
"""Labels lie in order when they have so many standard deviations fewer runs than in a shuffled order."""

_MOST_VALUES = 50
_ROWS_A_VALUE = 5


def giveaway_columns(
    columns: Mapping[str, np.ndarray],
    truth: Float64[np.ndarray, "n k"],
    classes: Sequence[str],
    *,
    groups: np.ndarray,
    train: Bool[np.ndarray, " n"],
    used: Bool[np.ndarray, " n"],
    expected: Sequence[str] = (),
) -> Iterator[Finding]:
    """Find columns of few values (device, site) that tell a class by themselves.

    The share of positives at each value is counted on training rows and ranks the other rows, one row a group.

    Args:    columns: (n,) each, texts or numbers.  truth: (n, K), 1, 0 or NaN.  train, used: rows.
             expected: columns that repeat the label in other words, and so are no device.
    """
    first = np.zeros(len(groups), dtype=bool)
    first[np.unique(groups, return_index=True)[1]] = True
    for name, column in columns.items():
        values = _few_values(column, used)
        if values is None or name in expected:
            continue
        for k, known_as in enumerate(classes):
            known = used & first & ~np.isnan(truth[:, k])
            fitted, held = known & train, known & ~train
            area, deviations = _area(values, truth[:, k], fitted, held)
            if area >= LEAST_AREA and deviations >= LEAST_DEVIATIONS:
                yield Finding(
                    "column_gives_label_away",
                    "warning",
                    f"The column {name!r} alone tells {known_as} with an AUROC of {area:.2f} on the {held.sum()} "
                    "groups outside training. If it says how or where was recorded (a device, a site), a network "
                    f"may learn that instead: test with leave_one_out = {name!r}.",
                )


def in_label_order(ids: np.ndarray, labels: np.ndarray, *, groups: np.ndarray) -> Iterator[Finding]:
    """Find labels that follow the order of the rows, or of their names: one label a group, counted in runs.

    Args:    ids, labels, groups: (n,) texts, in the order of the data set.
    """
    _, first = np.unique(groups, return_index=True)
    by_name = sorted(first.tolist(), key=lambda row: _natural(str(ids[row])))
    for order, words in ((np.sort(first), "rows"), (np.array(by_name), "names of the rows")):
        deviations, runs = order_statistic(labels[order])
        if deviations <= -LEAST_ORDER:
            yield Finding(
                "label_ordered",
                "warning",
                f"Labels follow the order of the {words}: {runs} runs of equal labels among {len(order)} groups, "
                f"{-deviations:.0f} standard deviations fewer than in a shuffled order. Whatever takes rows in "
                "order (a split by position, windows across rows, an unshuffled batch) sees the label in it.",
            )
            return


def order_statistic(labels: np.ndarray) -> tuple[float, int]:
    """Return how many standard deviations the number of runs lies above that of a shuffled order, and the runs.

    Source: Wald and Wolfowitz 1940 for two kinds; Barton and David 1957 for more.
    """
    n = len(labels)
    _, codes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    runs = 1 + int((codes[1:] != codes[:-1]).sum()) if n else 0
    squares, cubes = float((counts.astype(float) ** 2).sum()), float((counts.astype(float) ** 3).sum())
    if n < 3:
        return 0.0, runs
    mean = (n * (n + 1) - squares) / n
    variance = (squares * (squares + n * (n + 1)) - 2 * n * cubes - n**3) / (n**2 * (n - 1))
    return ((runs - mean) / variance**0.5 if variance > 1e-9 else 0.0), runs


def _few_values(column: np.ndarray, used: Bool[np.ndarray, " n"]) -> np.ndarray | None:
    """Return the column as codes when its values repeat, as those of a device do and those of an age do not."""
    texts = np.asarray(column).astype(str)
    names, codes = np.unique(texts, return_inverse=True)
    n_values = len(np.unique(codes[used]))
    few = 2 <= n_values <= min(_MOST_VALUES, int(used.sum()) // _ROWS_A_VALUE)
    return codes if few and len(names) else None


def _area(
    codes: np.ndarray, truth: np.ndarray, fitted: Bool[np.ndarray, " n"], held: Bool[np.ndarray, " n"]
) -> tuple[float, float]:
    """Return the area under the ROC on held rows, and how many null deviations it lies above one half."""
    n_positive, n_negative = int((truth[held] == 1).sum()), int((truth[held] == 0).sum())
    if not fitted.any() or min(n_positive, n_negative) < 3:
        return 0.5, 0.0
    share = float(truth[fitted].mean())
    n_values = int(codes.max()) + 1
    count = np.bincount(codes[fitted], minlength=n_values)
    positive = np.bincount(codes[fitted], weights=truth[fitted], minlength=n_values)
    ranks = rankdata(((positive + share) / (count + 1))[codes[held]])
    above = ranks[truth[held] == 1].sum() - n_positive * (n_positive + 1) / 2
    area = float(above / (n_positive * n_negative))
    deviation = ((n_positive + n_negative + 1) / (12 * n_positive * n_negative)) ** 0.5
    return area, (area - 0.5) / deviation


def _natural(text: str) -> list[tuple[int, str]]:
    """Order "r2" before "r10"."""
    return [(int(one), "") if one.isdecimal() else (-1, one) for one in re.split(r"(\d+)", text)]
