"""The choice of a threshold for an aim, on the rows at hand, and of the refer band around it.

A row is positive when its probability >= the threshold; candidates are the rows' distinct probabilities.
Knows arrays and aims; must not know tables, roles or guarantees.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float64
from scipy.special import logit

from vicinal.decisions.aim import Aim
from vicinal.errors import ExperimentError, InfeasibleError

__all__ = ["Refer", "choose_threshold", "refer_band", "shift_prevalence"]

Refer = Mapping[str, float] | Sequence[float]
"""A refer band: {"share": 0.1}, the most uncertain tenth, or (low, high), its edges as probabilities."""

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


def refer_band(
    refer: Refer, probabilities: Float64[np.ndarray, " n"], *, threshold: float
) -> tuple[float, float] | None:
    """Return (low, high): rows with low <= probability < high are referred to a person.

    With {"share": s} the band holds the rows whose probability is nearest to the threshold, as a distance
    between logits: as many as fit into the share s of these rows, ties being all in or all out.

    Returns: None when not one row fits into the share.
    Raises:  ExperimentError: for another form, a share outside 0 to 1, or a band without the threshold.
    """
    if isinstance(refer, Mapping):
        return _band_of_share(_share(refer), probabilities, threshold)
    if len(refer) != 2 or not 0 <= refer[0] <= threshold <= refer[1] <= 1 or refer[0] == refer[1]:
        raise ExperimentError(
            f"refer {list(refer)!r}: expected [low, high] with 0 <= low <= threshold <= high <= 1; the "
            f"threshold is {threshold:.6g}. Give other edges, or a share: {{share = 0.1}}."
        )
    return float(refer[0]), float(refer[1])


def _share(refer: Mapping[str, float]) -> float:
    if set(refer) != {"share"} or not 0 < refer["share"] < 1:
        raise ExperimentError(f"refer {dict(refer)!r}: expected {{share = S}}, 0 < S < 1, or [low, high].")
    return refer["share"]


def _band_of_share(
    share: float, probabilities: Float64[np.ndarray, " n"], threshold: float
) -> tuple[float, float] | None:
    n_referred = int(np.floor(share * len(probabilities) + _SLACK))
    clipped = np.clip(np.append(probabilities, threshold), _CLIP, 1 - _CLIP)
    distance = np.abs(logit(clipped[:-1]) - logit(clipped[-1]))
    limit = np.append(np.sort(distance), np.inf)[n_referred]
    inside = probabilities[distance < limit]
    if not len(inside):
        return None
    low = min(float(inside.min()), threshold)
    high = min(float(np.nextafter(max(inside.max(), threshold), 2)), 1.0)
    return (low, high) if low < high else None
