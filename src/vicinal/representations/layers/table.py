"""Which word makes which layer: a stage and its place in a network -> a layer.

It knows the words of the text and the layers, but not what a whole network is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, cast, runtime_checkable

import torch
from torch import Tensor

from vicinal.errors import NetworkError
from vicinal.representations.layers.conv import Conv
from vicinal.representations.layers.dense import Dense
from vicinal.representations.layers.geometry import Facts, Padding, Shape, Taps
from vicinal.representations.layers.local import Local
from vicinal.representations.layers.norm import BatchNorm, LayerNorm
from vicinal.representations.layers.pointwise import Dropout, Gelu, Relu
from vicinal.representations.layers.pool import AttentionPool, Flatten, GlobalPool, How, WindowPool
from vicinal.representations.layers.residual import Residual
from vicinal.representations.text import Size, Stage

__all__ = ["LAYERS", "Layer", "Place", "make_layer"]


@runtime_checkable
class Layer(Protocol):
    """The contract of every layer; each is an nn.Module too.

    `facts` holds for the shape it was made for. `forward` takes (batch, channels, height, width), with
    height 1 for 1-D signals, or (batch, features), and zeroes whatever lies past the length.
    """

    facts: Facts

    def initialise(self, generator: torch.Generator) -> None:
        """Set every parameter and buffer, drawing from the generator."""

    def __call__(self, x: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Run `forward`."""


@dataclass(frozen=True)
class Place:
    """Where a layer stands.

    Args:    shape: what reaches it.  n_outputs: what `classes` means.
             first, last: of the network.  before_norm: whether a norm follows directly.
    """

    shape: Shape
    n_outputs: int
    first: bool
    last: bool
    before_norm: bool

    @property
    def n_axes(self) -> int:
        """Number of position axes; 0 once there are only features."""
        return len(self.shape) - 1


def make_layer(stage: Stage, place: Place) -> Layer:
    """Make the layer of one stage, its values not yet set.

    Raises:  NetworkError: when it does not fit the shape that reaches it; the message does not say where.
    """
    return LAYERS[stage.kind](stage, place)


def _dense(stage: Stage, place: Place) -> Layer:
    if place.last and place.n_axes and not place.first:
        raise NetworkError(
            f"'{stage}' ends the network with {_positions(place.shape)} positions; put 'mean', 'max' or "
            f"'flatten' before it for one answer per signal, or write 'conv {stage.units} window 1' for one "
            f"per position"
        )
    return Dense(place.shape, units=_units(stage, place), first=place.first, head=place.last)


def _local(stage: Stage, place: Place) -> Layer:
    taps = _taps(stage, place)
    return Local(place.shape, units=_units(stage, place), taps=taps, bias=not place.before_norm)


def _conv(stage: Stage, place: Place) -> Layer:
    taps = _taps(stage, place)
    bias = not place.before_norm
    return Conv(place.shape, units=_units(stage, place), taps=taps, bias=bias, head=place.last)


def _residual(stage: Stage, place: Place) -> Layer:
    _need_positions(stage, place)
    return Residual(
        place.shape,
        units=_units(stage, place),
        window=_per_axis(stage, "window", place),
        stride=_per_axis(stage, "stride", place),
        dilation=_per_axis(stage, "dilation", place),
        padding="causal" if "causal" in stage.flags else "same",
    )


def _norm(stage: Stage, place: Place) -> Layer:
    return LayerNorm(place.shape) if "layer" in stage.flags else BatchNorm(place.shape)


def _dropout(stage: Stage, place: Place) -> Layer:
    return Dropout(place.shape, share=float(cast(float, stage.units)))


def _pool(stage: Stage, place: Place) -> Layer:
    _need_positions(stage, place)
    if not stage.sizes:
        return GlobalPool(place.shape, how=cast(How, stage.kind))
    how = "max" if stage.kind == "max" else "mean"
    return WindowPool(place.shape, how=cast(Any, how), taps=_taps(stage, place))


def _last(stage: Stage, place: Place) -> Layer:
    if place.n_axes > 1:
        raise NetworkError("'last' is for signals along time; write 'mean', 'max' or 'flatten' for an image")
    return _pool(stage, place)


def _attention_pool(stage: Stage, place: Place) -> Layer:
    _need_positions(stage, place)
    return AttentionPool(place.shape)


def _flatten(stage: Stage, place: Place) -> Layer:
    _need_positions(stage, place)
    return Flatten(place.shape)


LAYERS: dict[str, Callable[[Stage, Place], Layer]] = {
    "dense": _dense,
    "local": _local,
    "conv": _conv,
    "residual": _residual,
    "norm": _norm,
    "relu": lambda _, place: Relu(place.shape),
    "gelu": lambda _, place: Gelu(place.shape),
    "dropout": _dropout,
    "mean": _pool,
    "max": _pool,
    "mean-max": _pool,
    "last": _last,
    "attention-pool": _attention_pool,
    "flatten": _flatten,
}


def _units(stage: Stage, place: Place) -> int:
    return place.n_outputs if stage.units == "classes" else int(cast(int, stage.units))


def _need_positions(stage: Stage, place: Place) -> None:
    if not place.n_axes:
        raise NetworkError(
            f"'{stage.kind}' needs positions, but only {place.shape[0]} features reach it; move it before "
            f"the stage that took the positions away"
        )


def _per_axis(stage: Stage, key: str, place: Place) -> tuple[int, ...]:
    size: Size = stage.size(key)
    if isinstance(size, int):
        return (size,) * place.n_axes
    if len(size) != place.n_axes:
        raise NetworkError(
            f"{key} {size[0]}x{size[1]} has two axes, the signal that reaches it has {place.n_axes}; "
            f"write one number"
        )
    return size


def _taps(stage: Stage, place: Place) -> tuple[Taps, ...]:
    _need_positions(stage, place)
    padding: Padding = "same" if "same" in stage.flags else "causal" if "causal" in stage.flags else "valid"
    windows, strides = _per_axis(stage, "window", place), _per_axis(stage, "stride", place)
    dilations = _per_axis(stage, "dilation", place)
    sizes = zip(windows, strides, dilations, strict=True)
    taps = tuple(Taps.padded(w, stride=s, dilation=d, padding=padding) for w, s, d in sizes)
    for one, n in zip(taps, place.shape[1:], strict=True):
        if one.count(n) < 1:
            spread = f" (dilation {one.dilation}: {one.reach} positions)" if one.dilation > 1 else ""
            raise NetworkError(
                f"window {one.window}{spread} is longer than the {n} positions that reach it; "
                f"shorten it, use smaller strides before it, or write 'same'"
            )
    return taps


def _positions(shape: Shape) -> str:
    return "x".join(str(n) for n in shape[1:])
