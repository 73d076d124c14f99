"""How to share recordings out over the parts of a split, so that every part can be used.

A split that comes with the data is kept unless it separates what belongs together. Tries shares from the usual to the
generous and looks at what each part would hold. Must not know signals.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from jaxtyping import Float64

from vicinal.errors import ExperimentError
from vicinal.inputs.datasets.catalogue import Catalogue
from vicinal.inputs.splits import Split, make_split, with_drawn_parts

__all__ = ["ProposedShares", "propose_shares"]

_CHOICES = (
    {"test": 0.2, "validation": 0.1, "calibration": 0.1},
    {"test": 0.2, "validation": 0.15, "calibration": 0.15},
    {"test": 0.25, "validation": 0.2, "calibration": 0.2},
)
_ENOUGH = 10
"""Subjects with an answer in a part, below which a threshold or an interval says little."""


@dataclass(frozen=True)
class ProposedShares:
    """Shares of the rows by part, and what came of trying them.

    Args:    shares: of the rows; with `official`, of its training rows.  n_train: rows left to train on.
             fewest: subjects (recordings, where those are not known) with the rarest answer, in the part that has
             fewest of them.  why: one sentence.  official: the published split that is kept, or None.
    """

    shares: Mapping[str, float]
    n_train: int
    fewest: int
    why: str
    official: str | None = None

    @property
    def lines(self) -> list[str]:
        """Lines of `[inputs.split]`."""
        named = [] if self.official is None else [f"official = {json.dumps(self.official)}"]
        return named + [f"{part} = {share}" for part, share in self.shares.items()]


def propose_shares(
    catalogue: Catalogue, truth: Float64[np.ndarray, "n k"], *, classes: tuple[str, ...]
) -> ProposedShares:
    """Propose the published split with shares for what it lacks, or shares for test, validation and calibration.

    Of the shares tried, the first that are enough, else the best.

    Args:    truth: (n, K) of 0 and 1, as `inputs.tasks.truth` gives it.  classes: K names.
    Raises:  ExperimentError: when there are too few subjects or recordings for four parts.
    """
    ids = np.array([one.id for one in catalogue.recordings])
    groups = np.array([one.group for one in catalogue.recordings])
    strata = np.array([";".join(one.labels) for one in catalogue.recordings])
    judge = partial(_rarest, groups=groups, truth=truth, classes=classes)
    drawn = "by subject" if catalogue.has_subjects else "by recording, since the data name no subjects"
    for name, published in catalogue.officials.items():
        split = Split(ids, np.array(published))
        n_torn = _torn(groups, split)
        if n_torn:
            who = "subjects" if catalogue.has_subjects else "recordings"
            drawn += f"; not {name!r}, which comes with the data but has {n_torn} {who} in more than one part"
            continue
        lacking = tuple(part for part in ("validation", "calibration") if part not in split.counts)
        kind = f"{name!r}, which comes with the data" + (
            f"; {' and '.join(lacking)} drawn" if lacking else ""
        )
        complete = partial(with_drawn_parts, split, groups, strata, seed=0)
        kept = _first_enough(lacking, complete, judge, kind)
        if kept is not None:
            return replace(kept, official=name)
    make = partial(make_split, ids, groups, strata, seed=0)
    proposed = _first_enough(("test", "validation", "calibration"), make, judge, drawn)
    if proposed is None:
        n = len(np.unique(groups))
        raise ExperimentError(
            f"{catalogue.name}: expected enough subjects or recordings for training, validation, calibration and "
            f"test, got {n}. Add recordings."
        )
    return proposed


def _first_enough(
    parts: tuple[str, ...],
    make: Callable[..., Split],
    judge: Callable[[Split], tuple[int, str]],
    kind: str,
) -> ProposedShares | None:
    """Try shares of `parts`; None when no choice can be made."""
    best: ProposedShares | None = None
    for choice in _CHOICES:
        shares = {part: choice[part] for part in parts}
        try:
            split = make(shares=shares)
        except ExperimentError:
            continue
        fewest, words = judge(split)
        if best is None or fewest > best.fewest:
            why = kind if fewest >= _ENOUGH else f"{kind}; {words}, so intervals will be wide"
            best = ProposedShares(shares, split.counts["train"], fewest, why)
        if fewest >= _ENOUGH:
            break
    return best


def _torn(groups: np.ndarray, split: Split) -> int:
    """Return how many groups have rows in more than one part."""
    used = split.parts != "unused"
    pairs = np.unique(np.stack([groups[used], split.parts[used]]), axis=1)
    return int((np.unique(pairs[0], return_counts=True)[1] > 1).sum())


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
