"""Curve: a number that changed over many steps, kept as a few means and drawn in one line of text.

Pure; must not know what the number says.
"""

import itertools
import math
from collections.abc import Sequence

__all__ = ["Curve", "sparkline"]

_BARS = "▁▂▃▄▅▆▇█"


class Curve:
    """Means of equally many values in a row, as many as it takes to keep no more than `most` of them.

    Values that are no numbers are left out.
    """

    def __init__(self, most: int = 64) -> None:
        self._most = most - most % 2
        self._means: list[float] = []
        self._per, self._n, self._sum = 1, 0, 0.0

    def add(self, value: float | None) -> None:
        """Add the next value."""
        if value is None or not math.isfinite(value):
            return
        self._n += 1
        self._sum += value
        if self._n < self._per:
            return
        self._means.append(self._sum / self._n)
        self._n, self._sum = 0, 0.0
        if len(self._means) == self._most:
            pairs = zip(self._means[::2], self._means[1::2], strict=True)
            self._means = [(a + b) / 2 for a, b in pairs]
            self._per *= 2

    @property
    def values(self) -> list[float]:
        """The means so far, the last one of those not yet complete."""
        return [*self._means, *([self._sum / self._n] if self._n else [])]


def sparkline(values: Sequence[float], *, width: int = 32) -> str:
    """Draw numbers as bars between their lowest and highest; nothing where there are fewer than two.

    Args:    width: characters at most; the means of neighbours are drawn where there are more numbers.
    """
    if len(values) < 2:
        return ""
    n = min(width, len(values))
    edges = [round(k * len(values) / n) for k in range(n + 1)]
    means = [math.fsum(values[a:b]) / (b - a) for a, b in itertools.pairwise(edges)]
    low, high = min(means), max(means)
    scale = (len(_BARS) - 1) / (high - low) if high > low else 0.0
    return "".join(_BARS[round((mean - low) * scale)] for mean in means)
