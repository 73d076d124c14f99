"""Convolution along time with fewer multiplications: minimal filtering, as batched matrix products.

A window of r taps costs m * r products for m outputs; this way m + r - 1, here always eight. The input is
evaluated at eight points (B), multiplied with the weights at those points (G), and taken back (A). Windows of 5
need 2.5 times fewer products, for a rounding error two to three times that of the direct sum. A stride is taken
off first: its phases become channels, which is a view. Records go through in groups that stay in the cache.

It knows tensors and taps; not the layers, nor who calls it.
Source: Winograd 1980; Lavin and Gray 2016. Ours: along time, one set of points for all windows,
strides by phases.
"""

from fractions import Fraction
from functools import lru_cache
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float32
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from vicinal.representations.layers.geometry import Taps

__all__ = ["convolve", "saving", "suits"]

POINTS = (
    0,
    1,
    -1,
    2,
    -2,
    Fraction(1, 2),
    Fraction(-1, 2),
)  # and infinity: the least mean error of those tried
N_POINTS = len(POINTS) + 1
MIN_SAVING, MIN_CHANNELS = 1.5, 128  # below these the transforms cost what the products save
MIN_CHANNELS_AVX512 = 256  # where direct convolution runs faster than matrix products do
GROUP_VALUES = 1 << 18  # of the transformed input of one group of records, per point: what the caches hold


def suits(x: Tensor, weight: Tensor, taps: Taps) -> bool:
    """Return whether `convolve` applies to this convolution and is the faster way."""
    return (
        weight.dim() == 3
        and x.dim() == 4
        and x.shape[2] == 1
        and x.dtype == weight.dtype == torch.float32
        and x.device.type == "cpu"
        and not torch.is_autocast_enabled("cpu")
        and not torch.compiler.is_compiling()
        and taps.dilation == 1
        and 2 <= -(-taps.window // taps.stride) <= 5
        and min(x.shape[1] * taps.stride, weight.shape[0]) >= least_channels()
        and saving(taps) >= MIN_SAVING
        and taps.count(x.shape[-1]) > 0
    )


@lru_cache
def least_channels() -> int:
    """Return from how many channels on this pays on this processor."""
    return MIN_CHANNELS_AVX512 if torch.backends.cpu.get_cpu_capability() == "AVX512" else MIN_CHANNELS


def saving(taps: Taps) -> float:
    """Return how many times fewer products this takes than direct convolution."""
    n_taps = -(-taps.window // taps.stride)
    return taps.window * (N_POINTS + 1 - n_taps) / (N_POINTS * taps.stride)


def convolve(
    x: Float32[Tensor, "batch in 1 time"],
    weight: Float32[Tensor, "out in window"],
    bias: Float32[Tensor, " out"] | None,
    taps: Taps,
) -> Float32[Tensor, "batch out 1 new_time"]:
    """Cross-correlate x with the windows along time; the result is channels-last."""
    y: Tensor = _Convolution.apply(  # type: ignore[no-untyped-call]
        x.squeeze(2).transpose(1, 2), weight, bias, taps
    )
    return y.transpose(1, 2).unsqueeze(2)


@lru_cache
def transforms(taps: int, n_points: int = N_POINTS) -> tuple[Tensor, Tensor, Tensor]:
    """Return A (outputs, points), G (points, taps) and B (points, points): y = A ((G w) * (B x)), float32.

    B is the inverse of the transposed Vandermonde matrix of the points; each of its rows is scaled to about 1,
    and the same row of G back.
    """
    powers = [[Fraction(p) ** k for k in range(n_points)] for p in POINTS[: n_points - 1]]
    powers.append([Fraction(k == n_points - 1) for k in range(n_points)])
    b = [list(column) for column in zip(*_inverse(powers), strict=True)]
    scales = [2.0 ** round(torch.tensor(float(max(map(abs, row)))).log2().item()) for row in b]
    scale = torch.tensor(scales, dtype=torch.float64)[:, None]

    def at_points(n: int) -> Tensor:
        infinity = [0.0] * (n - 1) + [1.0]
        return torch.tensor(
            [[float(v) for v in row[:n]] for row in powers[:-1]] + [infinity], dtype=torch.float64
        )

    a = at_points(n_points + 1 - taps).T.float().contiguous()
    g = (at_points(taps) * scale).float()
    exact = torch.tensor([[float(v) for v in row] for row in b], dtype=torch.float64)
    return a, g, (exact / scale).float().contiguous()


def _inverse(matrix: list[list[Fraction]]) -> list[list[Fraction]]:
    """Invert exactly, by Gauss and Jordan."""
    n = len(matrix)
    rows = [[*row, *(Fraction(i == j) for j in range(n))] for i, row in enumerate(matrix)]
    for i in range(n):
        pivot = next(k for k in range(i, n) if rows[k][i])
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [value / rows[i][i] for value in rows[i]]
        for k in range(n):
            if k != i:
                rows[k] = [u - rows[k][i] * v for u, v in zip(rows[k], rows[i], strict=True)]
    return [row[n:] for row in rows]


class _Tiling:
    """How one convolution is cut: tiles of m outputs, groups of records, and the buffers they pass through.

    Buffers are reused by every group, so that they stay in the cache; their zero edges are written once.
    """

    def __init__(self, x: Tensor, weight: Tensor, taps: Taps) -> None:
        self.batch, self.time, self.n_in = x.shape
        self.units, _, self.window = weight.shape
        self.stride, self.left, self.n_out = taps.stride, taps.left, taps.count(self.time)
        self.taps = -(-self.window // self.stride)
        self.a, self.g, self.b = transforms(self.taps)
        self.m = len(self.a)
        self.tiles = -(-self.n_out // self.m)
        self.whole = self.n_out // self.m
        self.wide = self.stride * self.n_in
        self.rows = self.tiles * self.m + self.taps - 1
        self.group = min(self.batch, max(1, GROUP_VALUES // (self.tiles * max(self.wide, self.units))))
        self.room = min(self.time, self.rows * self.stride - self.left)

    def groups(self) -> list[slice]:
        return [slice(i, min(i + self.group, self.batch)) for i in range(0, self.batch, self.group)]

    def weights(self, weight: Tensor) -> Tensor:
        """(out, in, window) -> (points, wide, out)."""
        w = F.pad(weight, (0, self.taps * self.stride - self.window))
        w = w.view(self.units, self.n_in, self.taps, self.stride).permute(2, 3, 1, 0)
        return (self.g @ w.reshape(self.taps, -1)).view(N_POINTS, self.wide, self.units)

    def weights_back(self, u: Tensor) -> Tensor:
        """Adjoint of `weights`."""
        w = (self.g.T @ u.view(N_POINTS, -1)).view(self.taps, self.stride, self.n_in, self.units)
        w = w.permute(3, 2, 0, 1).reshape(self.units, self.n_in, -1)
        return w[..., : self.window].contiguous()

    def padded(self) -> Tensor:
        return torch.zeros(self.group, self.rows * self.stride, self.n_in)

    def windows(self, padded: Tensor) -> Tensor:
        """(points, records, tiles, wide): a view with overlaps."""
        shape = (N_POINTS, len(padded), self.tiles, self.wide)
        row = self.wide
        return padded.as_strided(shape, (row, self.rows * row, self.m * row, 1))

    def inside(self, padded: Tensor) -> Tensor:
        return padded[:, self.left : self.left + self.room]


class _Convolution(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, taps: Taps) -> Tensor:
        x = x.contiguous()
        ctx.save_for_backward(x, weight)
        ctx.taps = taps
        t = _Tiling(x, weight, taps)
        u = t.weights(weight)
        y = x.new_empty(t.batch, t.n_out, t.units)

        padded = t.padded()
        for rows in t.groups():
            product = torch.bmm(_spread(t, x[rows], padded), u).view(N_POINTS, -1)
            _lay_out(t, t.a @ product, y[rows])
            if bias is not None:
                y[rows] += bias
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None, None]:
        x: Tensor
        weight: Tensor
        x, weight = ctx.saved_tensors
        gradient = gradient.contiguous()
        t = _Tiling(x, weight, ctx.taps)
        u = t.weights(weight).transpose(1, 2)
        dx = torch.empty_like(x) if ctx.needs_input_grad[0] else None

        padded = t.padded()
        # Attribution asks for the gradient of the samples alone, at half the cost.
        du = x.new_zeros(N_POINTS, t.wide, t.units) if ctx.needs_input_grad[1] else None
        for rows in t.groups():
            product = _gather(t, gradient[rows])
            if du is not None:
                du.baddbmm_(_spread(t, x[rows], padded).transpose(1, 2), product)
            if dx is not None:
                _overlap_add(t, t.b.T @ torch.bmm(product, u).view(N_POINTS, -1), dx[rows])
        dbias = gradient.sum((0, 1)) if ctx.needs_input_grad[2] else None
        return dx, None if du is None else t.weights_back(du), dbias, None


def _spread(t: _Tiling, x: Tensor, padded: Tensor) -> Tensor:
    """(records, time, in) -> transformed (points, records * tiles, wide)."""
    padded = padded[: len(x)]
    t.inside(padded).copy_(x[:, : t.room])
    return (t.b @ t.windows(padded).reshape(N_POINTS, -1)).view(N_POINTS, -1, t.wide)


def _lay_out(t: _Tiling, tiles: Tensor, y: Tensor) -> None:
    """(m, records * tiles * out) -> y (records, n_out, out)."""
    tiles = tiles.view(t.m, len(y), t.tiles, t.units)
    y[:, : t.whole * t.m].view(len(y), t.whole, t.m, t.units).copy_(
        tiles[:, :, : t.whole].permute(1, 2, 0, 3)
    )
    if t.whole < t.tiles:
        rest = t.n_out - t.whole * t.m
        y[:, t.whole * t.m :].copy_(tiles[:rest, :, t.whole].transpose(0, 1))


def _gather(t: _Tiling, y: Tensor) -> Tensor:
    """Adjoint of `_lay_out` and A: (records, n_out, out) -> (points, records * tiles, out)."""
    tiles = y.new_empty(t.m, len(y), t.tiles, t.units)
    tiles[:, :, : t.whole].copy_(
        y[:, : t.whole * t.m].view(len(y), t.whole, t.m, t.units).permute(2, 0, 1, 3)
    )
    if t.whole < t.tiles:
        rest = t.n_out - t.whole * t.m
        tiles[rest:, :, t.whole] = 0
        tiles[:rest, :, t.whole].copy_(y[:, t.whole * t.m :].transpose(0, 1))
    return (t.a.T @ tiles.view(t.m, -1)).view(N_POINTS, -1, t.units)


def _overlap_add(t: _Tiling, windows: Tensor, dx: Tensor) -> None:
    """Adjoint of `_spread` after B: add overlapping windows up."""
    windows = windows.view(N_POINTS, -1, t.tiles, t.wide)
    padded = dx.new_empty(len(dx), t.rows * t.stride, t.n_in)
    rows = padded.view(len(dx), t.rows, t.wide)
    rows[:, t.tiles * t.m :] = 0
    rows[:, : t.tiles * t.m].view(len(dx), t.tiles, t.m, t.wide).copy_(windows[: t.m].permute(1, 2, 0, 3))
    t.windows(padded)[t.m :].add_(windows[t.m :])
    dx[:, : t.room] = t.inside(padded)
    dx[:, t.room :] = 0  # behind the last window
