"""The choice of a threshold for an aim, on the rows at hand, and of the refer band around it.

A row is positive when its probability >= the threshold; candidates are the rows' distinct probabilities.
Knows arrays and aims; must not know tables, roles or guarantees.
"""

import re
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float64, Int64
from scipy.special import logit

from vicinal.decisions.aim import Aim
from vicinal.errors import ExperimentError, InfeasibleError

__all__ = ["Refer", "choose_threshold", "parse_refer", "prevalence_weights", "refer_band", "shift_prevalence"]

Refer = Mapping[str, float] | Sequence[float]
"""A refer band: {"share": 0.1}, the most uncertain tenth; {"risk": 0.01}, as many as it takes to leave one decision
in a hundred wrong; or (low, high), its edges as probabilities."""

_SLACK = 1e-12  # So that 19 of 20 meets 0.95 whatever the last bit says.
_CLIP = 1e-15  # Logits of probabilities 0 and 1 stay finite, so that distances can be ranked.


def shift_prevalence(
    probabilities: Float64[np.ndarray, "*shape"], *, source: float, field: float
) -> Float64[np.ndarray, "*shape"]:
    """Move probabilities from one prevalence to another: odds' = odds * [q / (1 - q)] / [p / (1 - p)].

    Args:    probabilities: calibrated at prevalence `source`.  source, field: p and q, 0 to 1, both excluded.
    Source:  Saerens, Latinne, Decaestecker 2002; assumes that only the prevalence differs.
    """
    ratio = field / (1 - field) * (1 - source) / source
    return np.asarray(probabilities * ratio / (probabilities * ratio + (1 - probabilities)))


def choose_threshold(
    aim: Aim,
    truth: Float64[np.ndarray, " n"],
    probabilities: Float64[np.ndarray, " n"],
    *,
    prevalence: float | None,
) -> float:
    """Return the threshold that meets the aim on these rows.

    sensitivity, npv: the highest candidate that meets it.
    specificity, ppv, alarms: the lowest candidate that meets it.
    f1: the candidate of largest F1, the highest of equals.
    cost: alarm / (alarm + miss), where both decisions cost the same in expectation; nothing is searched.

    Args:    truth: 0 or 1.  probabilities: calibrated.
             prevalence: that of the field where it differs from these rows'; it moves PPV, NPV, alarms, F1
             and the probabilities that a cost is weighed with. The threshold is for unmoved probabilities.
    Raises:  InfeasibleError: when no candidate meets the aim, or a class that the aim needs is absent.
    """
    n_positive, n_negative = int((truth == 1).sum()), int((truth == 0).sum())
    if aim.kind == "cost" and prevalence is None:
        return aim.alarm / (aim.alarm + aim.miss)
    if not n_positive or not n_negative:
        raise InfeasibleError(
            f"{aim} needs positive and negative rows of known truth, got {n_positive} and {n_negative}"
        )
    rows_prevalence = n_positive / (n_positive + n_negative)
    if aim.kind == "cost":
        wanted = np.array(aim.alarm / (aim.alarm + aim.miss))
        return float(shift_prevalence(wanted, source=prevalence or rows_prevalence, field=rows_prevalence))
    candidates = np.unique(probabilities)
    sensitivity = 1 - np.searchsorted(np.sort(probabilities[truth == 1]), candidates) / n_positive
    specificity = np.searchsorted(np.sort(probabilities[truth == 0]), candidates) / n_negative
    q = rows_prevalence if prevalence is None else prevalence
    found, false_alarms = q * sensitivity, (1 - q) * (1 - specificity)
    if aim.kind == "f1":
        f1 = 2 * found / (q + found + false_alarms)
        return float(candidates[np.flatnonzero(f1 >= f1.max() - _SLACK)[-1]])
    if aim.kind == "alarms":
        reached = -(found + false_alarms)
    elif aim.kind == "ppv":
        reached = found / (found + false_alarms)
    elif aim.kind == "npv":
        left = 1 - found - false_alarms
        # At the lowest candidate nobody is negative, so nobody is wrongly so.
        reached = np.divide((1 - q) * specificity, left, out=np.ones_like(left), where=left > _SLACK)
    else:
        reached = sensitivity if aim.kind == "sensitivity" else specificity
    target = -aim.target if aim.kind == "alarms" else aim.target
    meets = np.flatnonzero(reached >= target - _SLACK)
    if not len(meets):
        best = f"{-1000 * reached.max():.4g} per 1000" if aim.kind == "alarms" else f"{reached.max():.4g}"
        raise InfeasibleError(
            f"no threshold meets {aim} on these {len(truth)} rows; the nearest gives {best}"
        )
    return float(candidates[meets[-1] if aim.kind in ("sensitivity", "npv") else meets[0]])


def prevalence_weights(truth: Float64[np.ndarray, " n"], *, field: float) -> Float64[np.ndarray, " n"]:
    """Return what each row counts for where the field's prevalence is not that of the rows; 1 on average.

    Args:    truth: 1, 0, or NaN where not known, which counts for nothing.  field: 0 to 1, both excluded.
    Raises:  InfeasibleError: when a class is absent, as no weight can bring it back.
    """
    n_positive, n_negative = int((truth == 1).sum()), int((truth == 0).sum())
    if not n_positive or not n_negative:
        raise InfeasibleError(
            f"a stated prevalence needs positive and negative rows of known truth, got {n_positive} and {n_negative}"
        )
    n = n_positive + n_negative
    return np.select([truth == 1, truth == 0], [field * n / n_positive, (1 - field) * n / n_negative], 0.0)


def parse_refer(text: str) -> Refer:
    """Parse a refer band in words: `share=0.1`, `risk=0.01`, or its edges `0.3,0.6`.

    Raises:  ExperimentError: for other words.
    """
    number = r"\s*(\d*\.?\d+(?:e-?\d+)?)\s*"
    if found := re.fullmatch(rf"\s*(share|risk)\s*={number}", text):
        return {found[1]: float(found[2])}
    if found := re.fullmatch(f"{number},{number}", text):
        return float(found[1]), float(found[2])
    raise ExperimentError(
        f"refer {text!r}: expected share=0.1, risk=0.01, or the edges of the band, 0.3,0.6."
    )


def refer_band(
    refer: Refer,
    probabilities: Float64[np.ndarray, " n"],
    *,
    threshold: float,
    wrong: Float64[np.ndarray, " n"] | None = None,
    weights: Float64[np.ndarray, " n"] | None = None,
) -> tuple[float, float] | None:
    """Return (low, high): rows with low <= probability < high are referred to a person.

    With {"share": s} (a workload) the band holds the rows whose probability is nearest to the threshold, as a
    distance between logits: as many as fit into the share s, ties being all in or all out. With {"risk": r} it
    is the smallest such band that leaves at most the share r of the decided rows wrong.

    Args:    wrong: (n,) 1 where the decision is wrong without a band, 0 where it is right, NaN where the truth
             is not known; for a risk.  weights: what each row counts for; all the same when not given.
    Returns: None when not one row fits into the share, or the risk is met without a band.
    Raises:  ExperimentError: for another form, a share or risk outside 0 to 1, or a band without the threshold.
             InfeasibleError: when only a band that holds every row would meet the risk.
    """
    if not isinstance(refer, Mapping):
        if len(refer) != 2 or not 0 <= refer[0] <= threshold <= refer[1] <= 1 or refer[0] == refer[1]:
            raise ExperimentError(
                f"refer {list(refer)!r}: expected [low, high] with 0 <= low <= threshold <= high <= 1; the "
                f"threshold is {threshold:.6g}. Give other edges, or a share: {{share = 0.1}}."
            )
        return float(refer[0]), float(refer[1])
    kind, limit = _limit(refer)
    counts = np.ones(len(probabilities)) if weights is None else weights
    clipped = np.clip(np.append(probabilities, threshold), _CLIP, 1 - _CLIP)
    distance = np.abs(logit(clipped[:-1]) - logit(clipped[-1]))
    _, index = np.unique(distance, return_inverse=True)
    if kind == "share":
        held = np.cumsum(np.bincount(index, weights=counts))
        n_levels = int((held <= limit * counts.sum() + _SLACK).sum())
    else:
        n_levels = _levels_for_risk(limit, index, wrong, counts)
    inside = probabilities[index < n_levels]
    if kind == "risk" and len(inside) and inside.max() == 1:
        raise InfeasibleError(
            f"no refer band leaves at most {limit:g} of the decisions wrong: rows of probability 1 would have to be "
            "in it. Allow more risk, or calibrate so that nothing is certain"
        )
    if not len(inside):
        return None
    low = min(float(inside.min()), threshold)
    high = min(float(np.nextafter(max(inside.max(), threshold), 2)), 1.0)
    return (low, high) if low < high else None


def _limit(refer: Mapping[str, float]) -> tuple[str, float]:
    kinds = [kind for kind in ("share", "risk") if set(refer) == {kind}]
    if not kinds or not 0 < refer[kinds[0]] < 1:
        raise ExperimentError(
            f"refer {dict(refer)!r}: expected {{share = S}} or {{risk = R}}, between 0 and 1, or [low, high]."
        )
    return kinds[0], float(refer[kinds[0]])


def _levels_for_risk(
    risk: float,
    index: Int64[np.ndarray, " n"],
    wrong: Float64[np.ndarray, " n"] | None,
    weights: Float64[np.ndarray, " n"],
) -> int:
    """Return how many levels of distance must be referred, the nearest first, so that the rest meets the risk."""
    known = np.zeros(len(index), bool) if wrong is None else ~np.isnan(wrong)
    if wrong is None or not known.any():
        raise InfeasibleError("a refer band for a risk needs rows of known truth, got none")
    n_levels = int(index.max()) + 1
    decided = np.bincount(index[known], weights=weights[known], minlength=n_levels)
    errors = np.bincount(index[known], weights=(weights * wrong)[known], minlength=n_levels)
    # What is left when the k nearest levels are referred, k = 0 ... n_levels - 1, summed from the far end.
    left, wrongly = np.cumsum(decided[::-1])[::-1], np.cumsum(errors[::-1])[::-1]
    meets = np.flatnonzero((left > 0) & (wrongly <= risk * left + _SLACK))
    if not len(meets):
        best = np.min(wrongly[left > 0] / left[left > 0])
        raise InfeasibleError(
            f"no refer band leaves at most {risk:g} of the decisions wrong on these {int(known.sum())} rows; the "
            f"nearest leaves {best:.4g}. Allow more risk, or state a share: {{share = 0.1}}"
        )
    return int(meets[0])
