"""How to share recordings out over the parts of a split, so that every part can be used.

Tries shares from the usual to the generous and looks at what each part would hold. Must not know signals.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from vicinal.errors import ExperimentError
from vicinal.inputs.datasets.catalogue import Catalogue
from vicinal.inputs.splits import Split, make_split

__all__ = ["ProposedShares", "propose_shares"]

_CHOICES = ((0.2, 0.1, 0.1), (0.2, 0.15, 0.15), (0.25, 0.2, 0.2))
_ENOUGH = 10
"""Subjects with an answer in a part, below which a threshold or an interval says little."""


@dataclass(frozen=True)
class ProposedShares:
    """Shares of the rows by part, and what came of trying them.

    Args:    n_train: rows left to train on.  fewest: subjects (recordings, where those are not known) with the
             rarest answer, in the part that has fewest of them.  why: one sentence.
    """

    shares: Mapping[str, float]
    n_train: int
    fewest: int
    why: str


def propose_shares(
    catalogue: Catalogue, truth: Float64[np.ndarray, "n k"], *, classes: tuple[str, ...]
) -> ProposedShares:
    """Propose shares for test, validation and calibration: the first that are enough, else the best.

    Args:    truth: (n, K) of 0 and 1, as `inputs.tasks.truth` gives it.  classes: K names.
    Raises:  ExperimentError: when there are too few subjects or recordings for four parts.
    """
    ids = np.array([one.id for one in catalogue.recordings])
    groups = np.array([one.group for one in catalogue.recordings])
    strata = np.array([";".join(one.labels) for one in catalogue.recordings])
    best: ProposedShares | None = None
    for choice in _CHOICES:
        shares = dict(zip(("test", "validation", "calibration"), choice, strict=True))
        try:
            split = make_split(ids, groups, strata, shares=shares, seed=0)
        except ExperimentError:
            continue
        fewest, words = _rarest(split, groups, truth, classes)
        if best is None or fewest > best.fewest:
            kind = "by subject" if catalogue.has_subjects else "by recording, since the data name no subjects"
            why = kind if fewest >= _ENOUGH else f"{kind}; {words}, so intervals will be wide"
            best = ProposedShares(shares, split.counts["train"], fewest, why)
        if fewest >= _ENOUGH:
            break
    if best is None:
        n = len(np.unique(groups))
        raise ExperimentError(
            f"{catalogue.name}: expected enough subjects or recordings for training, validation, calibration and "
            f"test, got {n}. Add recordings."
        )
    return best


def _rarest(
    split: Split, groups: np.ndarray, truth: Float64[np.ndarray, "n k"], classes: tuple[str, ...]
) -> tuple[int, str]:
    """Return how many groups have the rarest answer (a class, or its absence), and where, in words."""
    counts = [
        (len(np.unique(groups[(split.parts == part) & (truth[:, k] == value)])), f"{part} part {verb} {name}")
        for part in split.counts
        for k, name in enumerate(classes)
        for value, verb in ((1.0, "are"), (0.0, "are not"))
    ]
    fewest, where = min(counts)
    return fewest, f"only {fewest} in the {where}"
