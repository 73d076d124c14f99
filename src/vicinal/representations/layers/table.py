"""Which word makes which layer: a stage and its place in a network -> a layer.

It knows the words of the text and the layers, but not what a whole network is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, cast, runtime_checkable

import torch
from torch import Tensor

from vicinal.errors import NetworkError
from vicinal.representations.layers.attention import Attention, Transformer
from vicinal.representations.layers.bottleneck import NARROWER, Bottleneck
from vicinal.representations.layers.conv import Conv
from vicinal.representations.layers.dense import Dense
from vicinal.representations.layers.geometry import Facts, Padding, Shape, Taps, taps_of
from vicinal.representations.layers.inception import N_BRANCHES, Inception
from vicinal.representations.layers.local import Local
from vicinal.representations.layers.minirocket import MiniRocket
from vicinal.representations.layers.norm import BatchNorm, GroupNorm, LayerNorm
from vicinal.representations.layers.pointwise import Dropout, Gelu, Relu
from vicinal.representations.layers.pool import AttentionPool, Flatten, GlobalPool, How, WindowPool
from vicinal.representations.layers.recurrent import Recurrent
from vicinal.representations.layers.residual import Residual
from vicinal.representations.layers.separable import Separable
from vicinal.representations.ppv import N_KERNELS, TAPS
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


def _block(stage: Stage, place: Place) -> Layer:
    _need_positions(stage, place)
    kinds: dict[str, Callable[..., Layer]] = {
        "separable": Separable,
        "residual": Residual,
        "bottleneck": Bottleneck,
    }
    units = _multiple(stage, NARROWER) if stage.kind == "bottleneck" else _units(stage, place)
    return kinds[stage.kind](
        place.shape,
        units=units,
        window=_per_axis(stage, "window", place),
        stride=_per_axis(stage, "stride", place),
        dilation=_per_axis(stage, "dilation", place),
        padding="causal" if "causal" in stage.flags else "same",
    )


def _inception(stage: Stage, place: Place) -> Layer:
    _need_positions(stage, place)
    window = _per_axis(stage, "window", place)
    if min(window) < N_BRANCHES:
        raise NetworkError(f"'{stage}': its shortest window is a quarter of 'window'; write at least 4")
    return Inception(
        place.shape,
        units=_multiple(stage, N_BRANCHES),
        window=window,
        depth=_whole(stage, "depth"),
        padding="causal" if "causal" in stage.flags else "same",
    )


def _recurrent(stage: Stage, place: Place) -> Layer:
    _need_time(stage, place)
    cell = cast(Any, stage.kind)
    return Recurrent(place.shape, units=_units(stage, place), cell=cell, both="both" in stage.flags)


def _attention(stage: Stage, place: Place) -> Layer:
    _need_positions(stage, place)
    sizes = dict(stage.sizes)
    if "causal" in stage.flags:
        _need_time(stage, place)
    heads = _whole(stage, "heads")
    units = _multiple(stage, heads * 2 * place.n_axes)
    window = _per_axis(stage, "window", place) if "window" in sizes else None
    causal = "causal" in stage.flags
    if stage.kind == "attention":
        return Attention(place.shape, units=units, heads=heads, window=window, causal=causal)
    if units != place.shape[0]:
        raise NetworkError(
            f"'{stage}' adds to what reaches it, which has {place.shape[0]} channels; write 'conv {units} window 1' "
            f"before it, or a patch stem such as 'conv {units} window 10 stride 10'"
        )
    return Transformer(place.shape, heads=heads, window=window, causal=causal)


def _minirocket(stage: Stage, place: Place) -> Layer:
    _need_time(stage, place)
    if not place.first:
        raise NetworkError(
            f"'{stage}' passes no gradient, so what stands before it could never learn; make it the first stage"
        )
    if place.shape[1] < TAPS:
        raise NetworkError(f"'{stage}' needs at least {TAPS} positions, {place.shape[1]} reach it")
    return MiniRocket(place.shape, units=_multiple(stage, N_KERNELS))


def _norm(stage: Stage, place: Place) -> Layer:
    if "layer" in stage.flags:
        return LayerNorm(place.shape)
    if not stage.sizes:
        return BatchNorm(place.shape)
    groups = _whole(stage, "group")
    if place.shape[0] % groups:
        raise NetworkError(f"'{stage}': {place.shape[0]} channels cannot be put into {groups} equal groups")
    return GroupNorm(place.shape, groups=groups)


def _dropout(stage: Stage, place: Place) -> Layer:
    return Dropout(place.shape, share=float(cast(float, stage.units)))


def _pool(stage: Stage, place: Place) -> Layer:
    _need_positions(stage, place)
    if not stage.sizes:
        return GlobalPool(place.shape, how=cast(How, stage.kind))
    how = "max" if stage.kind == "max" else "mean"
    return WindowPool(place.shape, how=cast(Any, how), taps=_taps(stage, place))


def _last(stage: Stage, place: Place) -> Layer:
    _need_time(stage, place)
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
    "separable": _block,
    "residual": _block,
    "bottleneck": _block,
    "inception": _inception,
    "lstm": _recurrent,
    "gru": _recurrent,
    "attention": _attention,
    "transformer": _attention,
    "minirocket": _minirocket,
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


def _need_time(stage: Stage, place: Place) -> None:
    _need_positions(stage, place)
    if place.n_axes > 1:
        raise NetworkError(f"'{stage}' is for signals along time; an image has no order of positions")


def _whole(stage: Stage, key: str) -> int:
    size = stage.size(key)
    if not isinstance(size, int):
        raise NetworkError(f"'{stage}': expected one number after '{key}'")
    return size


def _multiple(stage: Stage, of: int) -> int:
    units = int(cast(int, stage.units))
    if units % of:
        raise NetworkError(f"'{stage}' needs units in multiples of {of}; write {units + -units % of}")
    return units


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
    window, stride, dilation = (_per_axis(stage, key, place) for key in ("window", "stride", "dilation"))
    taps = taps_of(window, stride=stride, dilation=dilation, padding=padding)
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
