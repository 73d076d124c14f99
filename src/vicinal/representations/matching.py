"""Matching: the width at which a family has as many parameters, or multiply-adds, as another network.

A search over counts of the plain text; nothing is trained. Knows families and inspection.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from vicinal.errors import NetworkError
from vicinal.representations.families import Shape, family_of, text_at
from vicinal.representations.inspection import inspect

__all__ = ["By", "Matched", "match"]

By = Literal["parameters", "multiply-adds"]

_LARGEST = 1 << 16


@dataclass(frozen=True)
class Matched:
    """A network of a family, and how closely it matches.

    Args:    width: of its stages, or None where it has none.  count, target: of what was matched.
    """

    text: str
    width: int | None
    count: int
    target: int
    by: By

    @property
    def ratio(self) -> float:
        """The count as a multiple of the target."""
        return self.count / self.target


def match(name: str, *, input_shape: Shape, n_outputs: int, target: int, by: By) -> Matched:
    """Return the network of a family whose count is nearest to the target, as a ratio.

    Args:    input_shape: (channels, *positions).  n_outputs: what `classes` stands for.  target: at least 1.
    Raises:  NetworkError: when there is no such family, or it does not fit the shape.
    """
    family = family_of(name, input_shape)
    step = family.step

    def count(width: int) -> int:
        return _count(text_at(name, width, input_shape), input_shape, n_outputs, by)

    def made(width: int | None, n: int) -> Matched:
        return Matched(text_at(name, width or step, input_shape), width, n, target, by)

    low, at_low = 1, float(count(step))
    if not family.has_width:
        return made(None, int(at_low))
    high, at_high = low, at_low
    while at_high < target and high * step < _LARGEST:
        low, at_low = high, at_high
        high *= 2
        at_high = _or_infinite(count, high * step)
    while high - low > 1:
        middle = (low + high) // 2
        at_middle = _or_infinite(count, middle * step)
        if at_middle < target:
            low, at_low = middle, at_middle
        else:
            high, at_high = middle, at_middle
    nearest = min(((low, at_low), (high, at_high)), key=lambda one: abs(math.log(one[1] / target)))
    return made(nearest[0] * step, int(nearest[1]))


def _count(text: str, shape: Shape, n_outputs: int, by: By) -> int:
    found = inspect(text, input_shape=shape, rate_hz=None, n_outputs=n_outputs)
    return max(found.parameters if by == "parameters" else found.multiply_adds, 1)


def _or_infinite(count: Callable[[int], int], width: int) -> float:
    """Return the count, or infinity where there would be more weights than can be built."""
    try:
        return float(count(width))
    except NetworkError:
        return math.inf
