"""Minimal filtering compiled: `winograd.py` in one pass over each part of a signal that fits a cache, in C++.

An option that chooses itself where a C++ compiler is there; without one, the other ways give the same results to
rounding. Windows of up to 5 taps a stride cost 1.9 to 2.5 times fewer products at eight points. Longer ones are cut
into pieces of 4 at seven points, four outputs a tile: the next piece then sees the next tile, so that all pieces share
one transform and one sum. The gradient of the input is such a convolution too, with the windows turned round.
Values are float32; or bfloat16, where sums and products still are float32: no more than rounding is lost.

It knows tensors and taps; not the layers, nor who calls it. The loops are in filtering.cpp.
"""

import ctypes
import os
from ctypes import CDLL, c_int64, c_void_p
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float, Float32
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.utils.weak import WeakTensorKeyDictionary

from vicinal.representations import native
from vicinal.representations.layers.geometry import Taps
from vicinal.representations.winograd import N_POINTS, transforms

__all__ = ["convolve", "suits"]

SOURCE, FLAGS = "filtering", ("-ffp-contract=fast", "-pthread")
LONGEST = 5
"""Taps of one piece at eight points."""
PIECE = 4
"""Taps of each piece of a longer window, and outputs of its tiles."""
MIN_SAVING = 1.5
MIN_PRODUCTS = 1 << 25
"""Multiply-adds of one call, a third of a millisecond: below, compiling (about two seconds) would not come back."""

MIN_PIECES_BFLOAT16 = 4
"""Of windows in bfloat16: shorter ones are faster in its own products, and the gradient of longer ones is not."""

_kept: Any = WeakTensorKeyDictionary()
"""Transformed windows of weights that do not learn, with the version they had."""


@dataclass(frozen=True)
class _Cut:
    """How a window is cut: pieces of so many taps, and the points at which they are multiplied."""

    pieces: int
    taps: int
    n_points: int

    @property
    def n_outputs(self) -> int:
        return self.n_points + 1 - self.taps


@dataclass(frozen=True)
class _Side:
    """Where values lie along time: record after record, the first row of each beginning at `offset`, in values."""

    record: int
    row: int
    offset: int


@dataclass(frozen=True)
class _Windows:
    """Windows at their points, (panels, points, pieces * row, panel)."""

    u: Tensor
    cut: _Cut


def suits(x: Tensor, weight: Tensor, taps: Taps) -> bool:
    """Return whether `convolve` applies to this convolution and is the faster way; compiles when it first may be."""
    if not (
        weight.dim() == 3
        and x.dim() == 4
        and x.shape[2] == 1
        and x.device.type == "cpu"
        and _is_the_way_in(x, weight, _cut(-(-taps.window // taps.stride)).pieces)
        and not torch.compiler.is_compiling()
        and taps.dilation == 1
        and saving(taps) >= MIN_SAVING
        and min(taps.left, taps.right) >= 0
        and len(x) * taps.count(x.shape[-1]) * weight.numel() >= MIN_PRODUCTS
        and x.shape[1] % 16 == len(weight) % 16 == 0
    ):
        return False
    made = _library()
    return made is not None and x.shape[1] % made.panel() == len(weight) % made.panel() == 0


def _is_the_way_in(x: Tensor, weight: Tensor, pieces: int) -> bool:
    """Return whether this is the faster way in the precision in which the convolution would run."""
    if torch.is_autocast_enabled("cpu"):
        is_half = x.dtype == torch.bfloat16 == torch.get_autocast_dtype("cpu")
        return is_half and pieces >= MIN_PIECES_BFLOAT16 and not _has_tiles()
    return x.dtype == weight.dtype == torch.float32


@lru_cache
def _has_tiles() -> bool:
    """Return whether the processor multiplies bfloat16 in tiles (AMX), many times the rate of float32."""
    return torch.cpu._is_amx_tile_supported()


def saving(taps: Taps) -> float:
    """Return how many times fewer products this takes than direct convolution."""
    cut = _cut(-(-taps.window // taps.stride))
    return 0.0 if cut.taps < 2 else taps.window * cut.n_outputs / (cut.n_points * cut.pieces * taps.stride)


def convolve(
    x: Float[Tensor, "batch in 1 time"],
    weight: Float[Tensor, "out in window"],
    bias: Float[Tensor, " out"] | None,
    taps: Taps,
) -> Float[Tensor, "batch out 1 new_time"]:
    """Cross-correlate x with the windows along time; the result is channels-last."""
    y: Tensor = _Convolution.apply(  # type: ignore[no-untyped-call]
        x.squeeze(2).transpose(1, 2), weight, bias, taps
    )
    return y.transpose(1, 2).unsqueeze(2)


class _Convolution(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, taps: Taps) -> Tensor:
        x = x.contiguous()
        ctx.save_for_backward(x, weight)
        ctx.taps = taps
        batch, time, n_in = x.shape
        y = x.new_empty(batch, taps.count(time), len(weight))
        signal = _Side(time * n_in, taps.stride * n_in, -taps.left * n_in)
        answer = _Side(y.shape[1] * len(weight), len(weight), 0)
        bias = None if bias is None else bias.float()
        _filter(x, signal, _forth(weight, taps.stride), y, answer, n_rows=y.shape[1], bias=bias)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None, None]:
        x: Tensor
        weight: Tensor
        x, weight = ctx.saved_tensors
        taps: Taps = ctx.taps
        gradient = gradient.contiguous()
        dx = _gradient_of_x(x, gradient, weight, taps) if ctx.needs_input_grad[0] else None
        dweight = _gradient_of_weight(x, gradient, weight, taps) if ctx.needs_input_grad[1] else None
        dbias = gradient.sum((0, 1), dtype=torch.float32) if ctx.needs_input_grad[2] else None
        return dx, dweight, dbias, None


def _gradient_of_x(x: Tensor, gradient: Tensor, weight: Tensor, taps: Taps) -> Tensor:
    """Filter the gradient with the windows turned round; `stride` positions of x are one row of the result."""
    _, time, n_in = x.shape
    n_out, units, stride = gradient.shape[1], len(weight), taps.stride
    windows = _back(weight, stride)
    n_taps = -(-taps.window // stride)
    dx = torch.empty_like(x)
    answer = _Side(n_out * units, units, -(n_taps - 1) * units)
    signal = _Side(time * n_in, stride * n_in, -taps.left * n_in)
    _filter(gradient, answer, windows, dx, signal, n_rows=-(-(time + taps.left) // stride))
    return dx


def _gradient_of_weight(x: Tensor, gradient: Tensor, weight: Tensor, taps: Taps) -> Tensor:
    """Add up tiles of the signal times tiles of the gradient at the points, and take the sum back to taps."""
    made = _library()
    assert made is not None
    (units, n_in, window), stride = weight.shape, taps.stride
    n_taps = -(-window // stride)
    cut, panel, threads = _cut(n_taps), made.panel(), torch.get_num_threads()
    a, g, b = transforms(cut.taps, cut.n_points)
    row, n_panels = stride * n_in, units // panel
    du = torch.empty(threads, n_panels, cut.n_points, cut.pieces, row, panel)
    signal = _Side(x.shape[1] * n_in, row, -taps.left * n_in)
    answer = _Side(gradient.shape[1] * units, units, 0)
    _call(
        made.filter_back,
        (x, gradient, du, a, b),
        cut,
        signal,
        answer,
        batch=len(x),
        units=units,
        n_rows=gradient.shape[1],
        dtype=x.dtype,
    )
    with torch.autocast("cpu", enabled=False):
        w = torch.tensordot(g.T, du.sum(0), dims=([1], [1]))  # (taps of a piece, panels, pieces, row, panel)
    w = w.permute(2, 0, 3, 1, 4).reshape(cut.pieces * cut.taps, stride, n_in, units)[:n_taps]
    dweight: Tensor = w.permute(3, 2, 0, 1).reshape(units, n_in, n_taps * stride)[..., :window].contiguous()
    return dweight


def _cut(n_taps: int) -> _Cut:
    return _Cut(1, n_taps, N_POINTS) if n_taps <= LONGEST else _Cut(-(-n_taps // PIECE), PIECE, 2 * PIECE - 1)


def _forth(weight: Tensor, stride: int) -> _Windows:
    """Return the transformed windows; kept for as long as the weights are there and do not learn."""
    if weight.requires_grad or weight.is_inference():
        return _transformed(_by_taps(weight, stride))
    found = _kept.get(weight)
    if found is None or found[:2] != (weight._version, stride):
        found = (weight._version, stride, _transformed(_by_taps(weight, stride)))
        _kept[weight] = found
    windows: _Windows = found[2]
    return windows


def _back(weight: Tensor, stride: int) -> _Windows:
    """Return the transformed windows of the gradient: turned round, from units to `stride` positions of channels."""
    return _transformed(_by_taps(weight, stride).flip(0).transpose(1, 2))


def _by_taps(weight: Tensor, stride: int) -> Tensor:
    """(out, in, window) -> (taps, stride * in, out), zero behind the window."""
    units, n_in, window = weight.shape
    n_taps = -(-window // stride)
    w = F.pad(weight.detach().float(), (0, n_taps * stride - window)).view(units, n_in, n_taps, stride)
    return w.permute(2, 3, 1, 0).reshape(n_taps, stride * n_in, units)


def _transformed(w: Float32[Tensor, "taps row units"]) -> _Windows:
    made = _library()
    assert made is not None
    n_taps, row, units = w.shape
    cut = _cut(n_taps)
    # Zeros in front of a piece or behind it cost the same; behind, the left pad need not change.
    whole = w.new_zeros(cut.pieces * cut.taps, row, units)
    whole[:n_taps] = w
    _, g, _ = transforms(cut.taps, cut.n_points)
    panel = made.panel()
    u = w.new_empty(units // panel, cut.n_points, cut.pieces * row, panel)
    sizes = (cut.pieces, cut.taps, row, units, cut.n_points, torch.get_num_threads())
    made.transform_weights(*map(_pointer, (whole, g, u)), (c_int64 * len(sizes))(*sizes), _openmp())
    return _Windows(u, cut)


def _filter(
    x: Tensor,
    x_side: _Side,
    windows: _Windows,
    y: Tensor,
    y_side: _Side,
    *,
    n_rows: int,
    bias: Tensor | None = None,
) -> None:
    """Filter x into the first `n_rows` rows of y, all of it."""
    made = _library()
    assert made is not None
    a, _, b = transforms(windows.cut.taps, windows.cut.n_points)
    panels, _, _, panel = windows.u.shape
    tensors = (x, windows.u, bias, y, a, b)
    _call(
        made.filter,
        tensors,
        windows.cut,
        x_side,
        y_side,
        batch=len(x),
        units=panels * panel,
        n_rows=n_rows,
        dtype=x.dtype,
    )


def _call(
    function: Any,
    tensors: tuple[Tensor | None, ...],
    cut: _Cut,
    signal: _Side,
    answer: _Side,
    *,
    batch: int,
    units: int,
    n_rows: int,
    dtype: torch.dtype,
) -> None:
    sizes = (
        batch, -(-n_rows // cut.n_outputs), cut.pieces, units, cut.n_points, cut.n_outputs, torch.get_num_threads(),
        signal.record, signal.row, signal.offset, answer.record, answer.row, answer.offset, dtype == torch.bfloat16,
    )  # fmt: skip
    known = function(*map(_pointer, tensors), (c_int64 * len(sizes))(*sizes), _openmp())
    assert known


def _pointer(tensor: Tensor | None) -> c_void_p:
    return c_void_p(None if tensor is None else tensor.data_ptr())


@lru_cache
def _openmp() -> c_void_p:
    """Return the entry of the OpenMP library that torch has loaded, or null."""
    if os.name != "posix":
        return c_void_p(None)
    entry = getattr(CDLL(None), "GOMP_parallel", None)
    return c_void_p(None) if entry is None else ctypes.cast(entry, c_void_p)


def _library() -> CDLL | None:
    return native.library(SOURCE, *FLAGS)
