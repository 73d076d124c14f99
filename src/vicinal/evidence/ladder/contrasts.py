"""Contrasts: every network against every other on the same test rows, held to one error over all of them.

Takes samples; must not know networks.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64

from vicinal.evidence.ladder.estimate import Estimate, between, estimate
from vicinal.evidence.ladder.sample import Sample

__all__ = ["Contrast", "compared", "contrasts", "holm"]


@dataclass(frozen=True)
class Contrast:
    """Network a minus network b.

    Args:    difference: with its own 95 % interval.
             p: after Holm's correction over all contrasts of the comparison; clear below 0.05.
    """

    a: str
    b: str
    difference: Estimate
    p: float

    @property
    def is_clear(self) -> bool:
        """Whether the two differ, with an error of 5 % over all contrasts together."""
        return self.p < 0.05

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "a": self.a,
            "b": self.b,
            **self.difference.to_dict(),
            "p_holm": self.p,
            "clear": self.is_clear,
        }


def contrasts(
    samples: Mapping[str, Sample], pairs: Sequence[tuple[str, str]] | None = None
) -> list[Contrast]:
    """Compare networks pair by pair.

    Args:    samples: by name, all with the same test subjects.  pairs: which; None: all.
    """
    chosen = list(itertools.combinations(samples, 2)) if pairs is None else list(pairs)
    return compared([(a, b, samples[a], samples[b]) for a, b in chosen])


def compared(pairs: Sequence[tuple[str, str, Sample, Sample]]) -> list[Contrast]:
    """Compare samples pair by pair, with one correction over all of them.

    Args:    pairs: a and b, and the sample of each, with the same test subjects.
    """
    found = [estimate(between(one, other), scale="difference") for _, _, one, other in pairs]
    corrected = holm(np.array([one.p for one in found]))
    return [
        Contrast(a, b, one, float(p)) for (a, b, _, _), one, p in zip(pairs, found, corrected, strict=True)
    ]


def holm(p: Float64[np.ndarray, " m"]) -> Float64[np.ndarray, " m"]:
    """Return p values after Holm's step-down correction (1979); NaN stays NaN and counts as one of them."""
    order = np.argsort(p)  # NaN last
    steps = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(steps, 1)
    return corrected
