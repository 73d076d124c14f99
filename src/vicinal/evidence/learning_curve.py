"""The learning curve: a metric of the same test rows against how many subjects a network learnt from.

Takes score tables with the size of the cohort behind each; must not know how anything was trained.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vicinal.errors import FormatError
from vicinal.evidence.metric import in_words
from vicinal.evidence.metrics import measure
from vicinal.evidence.pairs import differences
from vicinal.evidence.summary import entries
from vicinal.scoretable import ScoreTable

__all__ = ["Cohort", "learning_curve"]


@dataclass(frozen=True)
class Cohort:
    """What one network learnt from, and what it says of the test rows.

    Args:    share: of all training subjects, above 0, at most 1.  n_subjects, n_rows: that it learnt from.
             scores: of the test rows; None where it could not be trained.  left_out: why not.
    """

    share: float
    n_subjects: int
    n_rows: int
    scores: ScoreTable | None = None
    left_out: str = ""


def learning_curve(
    cohorts: Sequence[Cohort],
    *,
    metric: str = "auroc",
    unit: str = "subjects",
    resamples: int = 2000,
    seed: int = 0,
) -> dict[str, Any]:
    """Return a metric against the size of the training cohort, with intervals by test subject.

    The intervals say how well each network is known from these test rows; other draws of the training subjects, or
    other seeds, would move the points too.

    Args:    cohorts: of one kind of network, by rising size, all with the same test rows in the same order.
             metric: of `measure`.  unit: what is counted, "subjects" or "recordings".
             resamples, seed: of the bootstrap, the same subjects for every point.
    Returns: {"metric", "unit", "points": [{"share", "train_subjects", "train_rows", and as an entry of
             `evidence.json`, or "left_out": why}], "gain": the largest cohort minus the one before it, as of
             `differences`, or None with fewer than two points, "sentence"}.
    Raises:  FormatError: when the tables hold different rows.
    """
    points: list[dict[str, Any]] = []
    for one in cohorts:
        point = {"share": one.share, "train_subjects": one.n_subjects, "train_rows": one.n_rows}
        if one.scores is None:
            points.append(point | {"left_out": one.left_out})
            continue
        found = [made for made in measure(one.scores) if made.name == metric]
        points.append(point | entries(one.scores, found, resamples=resamples, seed=seed)[metric])
    known = [one for one in cohorts if one.scores is not None]
    gain = _gain(known[-2:], metric, resamples=resamples, seed=seed)
    return {
        "metric": metric,
        "unit": unit,
        "points": points,
        "gain": gain,
        "sentence": _sentence(known[-2:], gain, metric, unit),
    }


def _gain(pair: Sequence[Cohort], metric: str, *, resamples: int, seed: int) -> dict[str, Any] | None:
    if len(pair) < 2:
        return None
    fewer, more = pair[0].scores, pair[1].scores
    assert fewer is not None and more is not None  # noqa: PT018  # the caller left the others out
    if fewer.ids.tolist() != more.ids.tolist():
        raise FormatError(
            "a learning curve: expected the same test rows, in the same order, behind every point, got others for "
            f"{pair[0].n_subjects:,} and {pair[1].n_subjects:,}. Score the same rows with every network."
        )
    return differences(more, fewer, names=(metric,), resamples=resamples, seed=seed).get(metric)


def _sentence(pair: Sequence[Cohort], gain: dict[str, Any] | None, metric: str, unit: str) -> str:
    if gain is None:
        return ""
    text = (
        f"From {pair[0].n_subjects:,} to {pair[1].n_subjects:,} training {unit}, {in_words(metric)} goes from "
        f"{gain['b']:.3f} to {gain['a']:.3f}: {gain['value']:+.3f}"
    )
    if gain["low"] is None:
        return f"{text}; too few test {unit} for an interval."
    text += f" ({gain['low']:+.3f} to {gain['high']:+.3f})"
    if not gain["clear"]:
        return f"{text}. The interval holds 0: these test rows do not show that more {unit} still help."
    if gain["value"] < 0:
        return f"{text}. More {unit} made it worse; look at the training before gathering more."
    return f"{text}. The curve still rises: more {unit} may raise it further."
