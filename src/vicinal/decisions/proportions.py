"""A proportion with an interval that knows that rows of one subject are alike.

Knows arrays only; must not know what is counted.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool
from scipy.special import stdtrit

__all__ = ["Proportion", "wilson"]


@dataclass(frozen=True)
class Proportion:
    """A share of rows with its interval; NaN, NaN, NaN when there are no rows.

    Args:    value, low, high: 0 to 1.  n: rows.  n_clusters: subjects, or rows where subjects are not known.
    """

    value: float
    low: float
    high: float
    n: int
    n_clusters: int

    def to_dict(self) -> dict[str, Any]:
        """Return the proportion as JSON values."""
        return {"value": self.value, "low": self.low, "high": self.high, "n": self.n}


def wilson(hits: Bool[np.ndarray, " n"], clusters: np.ndarray, *, level: float = 0.95) -> Proportion:
    """Return the share of hits with a cluster-adjusted Wilson interval.

    Wilson's interval (1927) with the effective number of rows n / deff, and Student's t with C - 1 degrees of
    freedom in place of the normal quantile. deff is the ratio of the between-cluster variance of the share
    (linearised, C / (C - 1) * sum (y_c - p m_c)^2 / n^2) to the binomial one, held between 1 (rows as good as
    independent) and sum m_c^2 / n (rows of a cluster all equal); the latter is taken when all rows agree, as
    then nothing can be learned about it. After Korn and Graubard 1998 and Dean and Pagano 2015.

    Args:    hits: (n,).  clusters: (n,) what is independent of each other.  level: 0 to 1.
    """
    n = len(hits)
    if not n:
        return Proportion(float("nan"), float("nan"), float("nan"), 0, 0)
    _, index = np.unique(clusters, return_inverse=True)
    sizes = np.bincount(index)
    n_clusters, share = len(sizes), float(hits.mean())
    largest = float((sizes**2).sum() / n)
    if 0 < share < 1 and n_clusters > 1:
        residuals = np.bincount(index, weights=hits) - share * sizes
        between = n_clusters / (n_clusters - 1) * (residuals**2).sum() / n**2
        effect = min(max(between / (share * (1 - share) / n), 1.0), largest)
    else:
        effect = largest
    n_effective = n / effect
    z = float(stdtrit(max(n_clusters - 1, 1), (1 + level) / 2))
    centre = share + z**2 / (2 * n_effective)
    reach = z * np.sqrt(share * (1 - share) / n_effective + z**2 / (4 * n_effective**2))
    scale = 1 + z**2 / n_effective
    low, high = (centre - reach) / scale, (centre + reach) / scale
    # At shares of 0 and 1 rounding must not leave the value outside its own interval.
    return Proportion(
        share, min(max(float(low), 0.0), share), max(min(float(high), 1.0), share), n, n_clusters
    )
