"""What decisions about one class are worth, over the rows that were decided.

Knows arrays; must not know score tables, nor how the threshold came about.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Float64, Int, Int8

from vicinal.evidence.confusion import balanced_accuracy, cells, f1, kappa, mcc
from vicinal.evidence.metric import Metric, share, summed
from vicinal.evidence.resampling import Scale

__all__ = ["OF_CONFUSION", "of_decisions"]

Scales = dict[str, Scale]
OF_CONFUSION: Scales = {
    "f1": "share",
    "balanced_accuracy": "share",
    "mcc": "correlation",
    "kappa": "correlation",
}
"""Metrics of a whole confusion table, and which values they can take."""

_VALUES = {"f1": f1, "balanced_accuracy": balanced_accuracy, "mcc": mcc, "kappa": kappa}


def of_decisions(
    truth: Float64[np.ndarray, " n"],
    decisions: Int8[np.ndarray, " n"],
    index: Int[np.ndarray, " n"],
    *,
    mark: str = "",
    known: Bool[np.ndarray, " n"] | None = None,
) -> Iterator[Metric]:
    """Yield shares, F1, balanced accuracy, MCC and kappa, and the share referred where there are any.

    Args:    truth: 1, 0 or NaN where not known.  decisions: 1, 0 or -1 (referred).
             index: the cluster of each row.  mark: after each name, such as "[A]".
             known: which rows count; those of known truth when not given.
    """
    known = ~np.isnan(truth) if known is None else known
    decided = known & (decisions >= 0)
    true, called = truth == 1, decisions == 1
    about = (known & true)[:, None]
    shares = {
        "sensitivity": (true, called),
        "specificity": (~true, ~called),
        "ppv": (called, true),
        "npv": (~called, ~true),
        "accuracy": (np.ones(len(truth), bool), true == called),
    }
    for name, (among, hits) in shares.items():
        yield share(f"{name}{mark}", decided & among, hits, index, about)
    counted = cells(true[decided].astype(np.int64), called[decided].astype(np.int64), 2)
    for name, scale in OF_CONFUSION.items():
        yield summed(
            f"{name}{mark}", counted, index[decided], _VALUES[name], among=decided, about=about, scale=scale
        )
    if (decisions[known] < 0).any():
        yield share(f"referred{mark}", known, np.asarray(decisions < 0), index, about)
