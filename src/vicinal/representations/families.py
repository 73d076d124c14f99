"""Families: one bias each, as a network text with a width that is left open.

A family looks at the input shape alone, so that every family meets the same signals with as many stages and windows as
they have room for; `matching.py` chooses the width. Knows network texts; must not know how many weights they have.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from vicinal.errors import NetworkError
from vicinal.representations.presets import NETWORKS
from vicinal.representations.text import nearest

__all__ = ["FAMILIES", "Family", "family_of", "text_at"]

Shape = tuple[int, ...]
"""(channels, *positions)."""

_WINDOW = {1: 7, 2: 3}
"""Of a windowed stage, by the number of axes: it and its stride of 2 are those of every windowed family."""
_LONG_WINDOW = {1: 20, 2: 4}
"""Of an inception module, whose other windows are a half and a quarter of it."""
_MOST_STAGES = 5
_FEWEST_LEFT = 4
"""Positions that the last windowed stage leaves, where the signal has as many."""
_MOST_STEPS = 100
"""Of a recurrence: beyond, what lies far back is forgotten, and every step costs time."""
_MOST_PATCHES = {1: 64, 2: 16}
"""Along each axis: attention costs the square of their number."""
_LEAST_PATCH = {1: 4, 2: 2}
_HEADS = {1: 2, 2: 1}


@dataclass(frozen=True)
class Family:
    """Networks that differ in width alone.

    Args:    claim: what they hold to be true of the data.  text: from width and input shape to a network text.
             step: widths are multiples of it.  axes: of positions it can read, 1 along time and 2 for images.
             has_width: whether there is a width to choose.
    """

    claim: str
    text: Callable[[int, Shape], str]
    step: int = 1
    axes: tuple[int, ...] = (1, 2)
    has_width: bool = True


def family_of(name: str, shape: Shape) -> Family:
    """Return the family of that name.

    Raises:  NetworkError: when there is none, or it cannot read such signals.
    """
    if name not in FAMILIES:
        raise NetworkError(f"'{name}': no such family of networks, {nearest(name, FAMILIES)}")
    family = FAMILIES[name]
    if len(shape) - 1 not in family.axes:
        raise NetworkError(
            f"{name}: it reads signals along time, and these are images of {'x'.join(map(str, shape[1:]))} "
            "positions, which have no order. Leave it out."
        )
    return family


def text_at(name: str, width: int, shape: Shape) -> str:
    """Return the network text of a family at a width.

    Args:    width: units of its stages; a multiple of the family's step.  shape: (channels, *positions).
    Raises:  NetworkError: when there is no such family, it cannot read such signals, or the width is no multiple.
    """
    family = family_of(name, shape)
    if width < 1 or width % family.step:
        raise NetworkError(f"{name}: expected a width in multiples of {family.step}, got {width}.")
    return family.text(width, shape)


def _n_stages(shape: Shape) -> int:
    """Return how many strides of 2 leave enough positions along the shortest axis; at least 2."""
    room = int(math.log2(max(min(shape[1:]) / _FEWEST_LEFT, 1)))
    return max(2, min(_MOST_STAGES, room))


def _stack(kind: str, first: str, head: str) -> Callable[[int, Shape], str]:
    def text(width: int, shape: Shape) -> str:
        window = _WINDOW[len(shape) - 1]
        stages = [first, *[kind] * (_n_stages(shape) - 1)]
        body = [f"{one} stride 2 | norm | relu".format(width=width, window=window) for one in stages]
        return " | ".join([*body, head, "dense classes"])

    return text


def _dense(width: int, shape: Shape) -> str:
    del shape
    return f"dense {width} | norm | relu | dense {width} | norm | relu | dense classes"


def _inception(width: int, shape: Shape) -> str:
    module = f"inception {width} window {_LONG_WINDOW[len(shape) - 1]} | max window 2 stride 2 same"
    return " | ".join([*[module] * _n_stages(shape), "mean", "dense classes"])


def _lstm(width: int, shape: Shape) -> str:
    patch = math.ceil(shape[1] / _MOST_STEPS)
    stem = f"conv {width} window {patch} stride {patch} same | " if patch > 1 else ""
    return f"{stem}lstm {width} both * 2 | mean-max | dense classes"


def _patches(width: int, shape: Shape) -> str:
    axes = len(shape) - 1
    sizes = [max(_LEAST_PATCH[axes], math.ceil(n / _MOST_PATCHES[axes])) for n in shape[1:]]
    size = "x".join(map(str, sizes))
    return f"conv {width} window {size} stride {size} same"


def _attention(width: int, shape: Shape) -> str:
    block = f"attention {width} heads {_HEADS[len(shape) - 1]} | norm layer | relu"
    return f"{_patches(width, shape)} | {block} | {block} | mean | dense classes"


def _transformer(width: int, shape: Shape) -> str:
    blocks = f"transformer {width} heads {_HEADS[len(shape) - 1]} * 2 | norm layer"
    return f"{_patches(width, shape)} | {blocks} | mean | dense classes"


def _minirocket(width: int, shape: Shape) -> str:
    del width, shape
    return NETWORKS["minirocket"]


_CONV = "conv {width} window {window} same"
_LOCAL = "local {width} window {window} same"

FAMILIES: dict[str, Family] = {
    "dense": Family("nothing: every unit sees the whole signal", _dense),
    "local": Family("nearby points matter together", _stack(_LOCAL, _LOCAL, "flatten")),
    "conv-flat": Family(
        "... and a pattern means the same wherever it turns up, but where it did counts",
        _stack(_CONV, _CONV, "flatten"),
    ),
    "conv": Family("... and where it turned up does not count", _stack(_CONV, _CONV, "mean")),
    "separable": Family(
        "as conv, and patterns along positions and mixtures of channels can be learnt apart",
        _stack("separable {width} window {window}", _CONV, "mean"),
    ),
    "inception": Family("as conv, with patterns of several lengths side by side", _inception, step=4),
    "lstm": Family("what came before is remembered in order", _lstm, axes=(1,)),
    "attention": Family("which places matter together is decided by what they hold", _attention, step=4),
    "transformer": Family("as attention, with shortcuts and a wide layer", _transformer, step=4),
    "minirocket": Family(
        "random windows are enough, where only the head learns", _minirocket, axes=(1,), has_width=False
    ),
}
"""Every family by name. The first four are the ladder: each adds one claim to the one before it."""
