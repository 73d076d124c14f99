"""Metric: one number about a table, the rows it speaks of, and how its interval is found.

Knows arrays and statistics; must not know which metrics there are.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int

from vicinal.evidence.confusion import ratio
from vicinal.evidence.resampling import Scale, Statistic, mean_statistic, sums_statistic

__all__ = ["Metric", "averaged", "in_words", "mean_of_sums", "share", "summed"]

_WORDS = {"auroc": "AUROC", "macro_f1": "mean F1"}

Mask = Bool[np.ndarray, " n"]
About = Bool[np.ndarray, "n m"]
Sums = Float64[np.ndarray, "*resamples c"]


@dataclass(frozen=True)
class Metric:
    """One metric of one table, and how to find its interval.

    Args:    name: key of the evidence.  value: NaN where undefined.
             rows: (n,) the rows it is a statement about.
             about: (n, 1) the positive rows of its class; (n, K) for a mean over classes.
             statistic: of the multiplicities of the table's clusters; None where it is undefined.
             hits: (n,) which of the rows count, where it is a share of them; its interval is Wilson's.
             scale: which values it can take.
             centred: resampling alone makes it larger (calibration errors): its resamples are moved by their
             mean excess over the value, and held above 0.
             left_out: classes that a mean over classes could not include.
             why: it has no value, or no interval, in words.
    """

    name: str
    value: float
    rows: Mask
    about: About
    statistic: Statistic | None = None
    hits: Mask | None = None
    scale: Scale = "any"
    centred: bool = False
    left_out: tuple[str, ...] = ()
    why: str = ""


def in_words(name: str) -> str:
    """Return the name of a metric as it stands in a sentence or on an axis."""
    return _WORDS.get(name, name.replace("auroc", "AUROC").replace("_", " "))


def share(name: str, among: Mask, hits: Mask, index: Int[np.ndarray, " n"], about: About) -> Metric:
    """Return the share of the rows `among` that are hits.

    Args:    index: (n,) the cluster of each row.
    """
    if not among.any():
        return Metric(name, float("nan"), among, about, hits=hits, scale="share")
    rows = np.stack([hits[among], np.ones(int(among.sum()))], axis=1)
    statistic = sums_statistic(rows, index[among], mean_of_sums)
    return Metric(name, float(hits[among].mean()), among, about, statistic, hits, "share")


def summed(
    name: str,
    rows: Float64[np.ndarray, "m c"],
    index: Int[np.ndarray, " m"],
    value: Callable[[Sums], Float64[np.ndarray, "*resamples"]],
    *,
    among: Mask,
    about: About,
    scale: Scale = "any",
    centred: bool = False,
    left_out: tuple[str, ...] = (),
) -> Metric:
    """Return a function of sums over rows.

    Args:    rows: what each row of `among` adds to each sum.  index: the cluster of each of them.
             value: from the sums to the metric.
    """
    if not len(rows):
        return Metric(name, float("nan"), among, about, scale=scale, left_out=left_out)
    at = float(value(rows.sum(axis=0)))
    statistic = None if np.isnan(at) else sums_statistic(rows, index, value)
    return Metric(name, at, among, about, statistic, None, scale, centred, left_out)


def averaged(name: str, metrics: Sequence[Metric], *, about: About, left_out: tuple[str, ...]) -> Metric:
    """Return the mean of the metrics of several classes, those without a value not among them.

    Args:    about: of the whole table, where no metric has a value.  left_out: names of the classes without one.
    """
    defined = [metric for metric in metrics if metric.statistic is not None]
    if not defined:
        rows = np.any([metric.rows for metric in metrics], axis=0)
        return Metric(name, float("nan"), rows, about, left_out=left_out)
    return Metric(
        name,
        float(np.mean([metric.value for metric in defined])),
        np.any([metric.rows for metric in defined], axis=0),
        np.concatenate([metric.about for metric in defined], axis=1),
        mean_statistic([metric.statistic for metric in defined if metric.statistic is not None]),
        scale=defined[0].scale,
        centred=defined[0].centred,
        left_out=left_out,
    )


def mean_of_sums(sums: Sums) -> Float64[np.ndarray, "*resamples"]:
    """Return the first sum over the second, NaN where that is 0."""
    return ratio(sums[..., 0], sums[..., 1])
