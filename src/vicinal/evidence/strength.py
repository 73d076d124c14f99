"""AUROC against the strength of a disturbance, on the same test rows.

Is handed a function that scores the rows after a change of their samples; must not know networks or packs.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Float32

from vicinal.evidence.disturbances import DISTURBANCES, possible
from vicinal.evidence.metrics import measure
from vicinal.evidence.summary import entries
from vicinal.scoretable import ScoreTable

__all__ = ["Change", "against_strength"]

Samples = Float32[np.ndarray, "rows channels time"]
Change = Callable[[Samples], Samples]


def against_strength(
    score: Callable[[Change], ScoreTable],
    names: Sequence[str],
    *,
    rate_hz: float,
    n_channels: int,
    resamples: int = 2000,
    seed: int = 0,
) -> dict[str, dict[str, Any]]:
    """Return the AUROC of undisturbed rows and at each strength of each disturbance, with intervals by subject.

    Args:    score: the same rows, changed batch by batch.  names: of `DISTURBANCES`.
             rate_hz, n_channels: of the samples.  seed: of the noise and of the bootstrap.
    Returns: {name: {"unit", "undisturbed": entry, "points": [{"strength", ...entry}]}}, of several classes the mean
             AUROC; or {"unit", "left_out": why} where a disturbance has no meaning for such signals.
    """
    undisturbed = _auroc(score(lambda samples: samples), resamples=resamples, seed=seed)
    found: dict[str, dict[str, Any]] = {}
    for name in names:
        kind = DISTURBANCES[name]
        why = possible(kind, rate_hz=rate_hz, n_channels=n_channels)
        if why:
            found[name] = {"unit": kind.unit, "left_out": why}
            continue
        points = []
        for k, strength in enumerate(kind.strengths):
            # The same noise for every model and run with this seed.
            rng = np.random.default_rng([seed, sorted(DISTURBANCES).index(name), k])
            change = partial(_changed, name, strength, rate_hz, rng)
            points.append({"strength": strength, **_auroc(score(change), resamples=resamples, seed=seed)})
        found[name] = {"unit": kind.unit, "undisturbed": undisturbed, "points": points}
    return found


def _changed(
    name: str, strength: float, rate_hz: float, rng: np.random.Generator, samples: Samples
) -> Samples:
    return DISTURBANCES[name].apply(samples, strength, rate_hz, rng)


def _auroc(table: ScoreTable, *, resamples: int, seed: int) -> dict[str, Any]:
    metrics = [one for one in measure(table) if one.name == "auroc"]
    return entries(table, metrics, resamples=resamples, seed=seed)["auroc"]
