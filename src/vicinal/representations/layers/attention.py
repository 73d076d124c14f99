"""`attention` and `transformer`: every position asks all others, or those within a window, what they hold.

What they claim about the data: which positions matter together is decided by what they hold, not by where they
are; a window adds that they are near. Positions enter as rotations (Su et al. 2021), so only distances count.
Shapes: (in, *positions) -> (units, *positions), for signals and images (`causal`: signals).
Parameters: 3 * units * (in + 1) + units * (units + 1), and for `transformer` 8 * units^2 + 9 * units more. Cost:
grows with positions squared, or positions times window. Sources: Vaswani et al. 2017; Xiong et al. 2020 for norms
before each part; Beltagy et al. 2020 for windows. Ours: rotary positions, no dropout inside (write it behind).
"""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from vicinal.representations.layers.geometry import Facts, Padding, Shape, Taps, n_values, taps_of
from vicinal.representations.layers.initial import draw_head_, draw_weights_
from vicinal.representations.layers.lengths import past, wide, zero_past_
from vicinal.representations.layers.norm import LayerNorm

__all__ = ["Attention", "Transformer", "rotate"]

_BASE = 10_000.0
_NEVER = -1e30
"""A score that no softmax lets through; finite, so that a row that may ask nobody gives numbers."""
_HIDDEN = 4
"""Width of the transformer's inner layer, in units."""

Maps = Float[Tensor, "batch in height width"]
Asked = Float[Tensor, "batch heads n size"]
Lengths = Int64[Tensor, " batch"] | None


class Attention(nn.Module):
    """Multi-head self-attention over all positions of (batch, in, height, width).

    Args:    shape: (in, *positions) that reach it.  units: channels that leave it, a multiple of 2 * heads for
             signals, of 4 * heads for images.  heads: that ask side by side.
             window: positions along each axis that one position may ask, itself among them; None: all.
             causal: whether a position may ask only those before it, and itself.
    """

    def __init__(
        self, shape: Shape, *, units: int, heads: int, window: tuple[int, ...] | None, causal: bool
    ) -> None:
        super().__init__()
        self.ask = nn.Linear(shape[0], 3 * units)
        self.answer = nn.Linear(units, units)
        self.heads, self.causal = heads, causal
        padding: Padding = "causal" if causal else "same"
        self.taps = taps_of(window, padding=padding) if window else None
        n, output = n_values(shape[1:]), (units, *shape[1:])
        products = (
            n * (3 * shape[0] + units) * units + 2 * _pairs(shape[1:], self.taps, causal=causal) * units
        )
        streams = self.taps is not None and len(self.taps) == 1
        self.facts = Facts(
            output,
            paths=None if self.taps is None else ((self.taps,),),
            past_only=causal,
            multiply_adds=products,
            state_values=_state_values(units, self.taps[0]) if self.taps and streams else None,
            no_stream="keeps all that came before" if causal else "asks every position of the signal",
            dense_parameters=n_values(output) * (n_values(shape) + 1),
        )

    def initialise(self, generator: torch.Generator) -> None:
        """Draw the weights, small enough that the first softmax is near a mean; biases begin at zero."""
        for part in (self.ask, self.answer):
            draw_head_(part.weight, fan_in=part.in_features, generator=generator)
            nn.init.zeros_(part.bias)

    def forward(
        self, x: Maps, lengths: Lengths = None
    ) -> tuple[Float[Tensor, "batch out height width"], Lengths]:
        """Return what each position was answered; positions past the length are asked nothing."""
        size, tokens = x.shape[2:], x.flatten(2).transpose(1, 2)
        asked = self.ask(tokens).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        query, key, value = rotate(asked[0], size), rotate(asked[1], size), asked[2]
        real = None if lengths is None else ~past(x, lengths).flatten(1)
        if self.taps is None:
            answers = self._all(query, key, value, real)
        elif len(self.taps) == 1:
            answers = _windowed(query, key, value, real, self.taps[0])
        else:
            answers = _within(query, key, value, self.taps, size)
        y = self.answer(answers.transpose(1, 2).flatten(2))
        return zero_past_(y.transpose(1, 2).unflatten(2, size), lengths), lengths

    def _all(self, query: Asked, key: Asked, value: Asked, real: Bool[Tensor, "batch n"] | None) -> Asked:
        if real is None:
            return F.scaled_dot_product_attention(query, key, value, is_causal=self.causal)
        allowed = real[:, None, None, :]
        if self.causal:
            n = query.shape[2]
            allowed = allowed & torch.ones(n, n, dtype=torch.bool, device=query.device).tril()
        return F.scaled_dot_product_attention(query, key, value, attn_mask=_scores(allowed, query.dtype))


class Transformer(nn.Module):
    """One pre-norm block: x + attention(norm(x)), then + dense(gelu(dense(norm(x)))), four times as wide inside.

    Args:    shape: (units, *positions) that reach it.  heads, window, causal: as for Attention.
    """

    def __init__(self, shape: Shape, *, heads: int, window: tuple[int, ...] | None, causal: bool) -> None:
        super().__init__()
        units = shape[0]
        self.attention_norm = LayerNorm(shape)
        self.attention = Attention(shape, units=units, heads=heads, window=window, causal=causal)
        self.dense_norm = LayerNorm(shape)
        self.widen = nn.Linear(units, _HIDDEN * units)
        self.narrow = nn.Linear(_HIDDEN * units, units)
        inner = self.attention.facts
        waiting = 0 if self.attention.taps is None else units * max(self.attention.taps[0].right_of, 0)
        self.facts = Facts(
            shape,
            paths=inner.paths,
            past_only=inner.past_only,
            multiply_adds=inner.multiply_adds + 2 * _HIDDEN * units * n_values(shape),
            state_values=None if inner.state_values is None else inner.state_values + waiting,
            no_stream=inner.no_stream,
            dense_parameters=inner.dense_parameters,
        )

    def initialise(self, generator: torch.Generator) -> None:
        """Draw the weights; the norms begin without scale and shift."""
        self.attention.initialise(generator)
        self.attention_norm.initialise(generator)
        self.dense_norm.initialise(generator)
        draw_weights_(self.widen.weight, fan_in=self.widen.in_features, generator=generator)
        draw_head_(self.narrow.weight, fan_in=self.narrow.in_features, generator=generator)
        nn.init.zeros_(self.widen.bias)
        nn.init.zeros_(self.narrow.bias)

    def forward(self, x: Maps, lengths: Lengths = None) -> tuple[Maps, Lengths]:
        """Return the positions after asking and thinking; lengths stay."""
        asked, _ = self.attention(*self.attention_norm(x, lengths))
        x = x + asked
        normed, _ = self.dense_norm(x, lengths)
        inner = F.gelu(self.widen(normed.movedim(1, -1)))
        return zero_past_(x + self.narrow(inner).movedim(-1, 1), lengths), lengths


def rotate(asked: Asked, size: Sequence[int]) -> Asked:
    """Turn pairs of values by angles that grow with the position: products then depend on distances alone.

    Args:    asked: n = height * width positions.  size: (height, width); height 1 for signals, whose pairs all
             turn with time; half of an image's turn with the row, half with the column.
    """
    height, width = size
    n_pairs = asked.shape[-1] // 2
    columns = torch.arange(width, device=asked.device, dtype=torch.float32).repeat(height)
    if height == 1:
        angles = columns[:, None] * _rates(n_pairs, asked.device)
    else:
        rows = torch.arange(height, device=asked.device, dtype=torch.float32).repeat_interleave(width)
        rates = _rates(n_pairs // 2, asked.device)
        angles = torch.cat([rows[:, None] * rates, columns[:, None] * rates], dim=1)
    first, second = asked.to(wide(asked.dtype)).chunk(2, dim=-1)
    cosine, sine = angles.cos(), angles.sin()
    turned = torch.cat([first * cosine - second * sine, first * sine + second * cosine], dim=-1)
    return turned.to(asked.dtype)


def _rates(n: int, device: torch.device) -> Float[Tensor, " n"]:
    return _BASE ** (-torch.arange(n, device=device, dtype=torch.float32) / n)


def _windowed(
    query: Asked, key: Asked, value: Asked, real: Bool[Tensor, "batch n"] | None, taps: Taps
) -> Asked:
    """Let each position ask those within its window, in blocks of a window's length of asking positions."""
    n_rows, _, n, _ = query.shape
    block = min(max(taps.window, 16), n)
    missing = -n % block
    span = block + taps.window - 1
    pads = (0, 0, taps.left, taps.right + missing)
    keys = F.pad(key, pads).unfold(2, span, block).transpose(3, 4)
    values = F.pad(value, pads).unfold(2, span, block).transpose(3, 4)
    blocks = F.pad(query, (0, 0, 0, missing)).reshape(*query.shape[:2], -1, block, query.shape[3])
    if real is None:
        real = torch.ones(1, n, dtype=torch.bool, device=query.device)
    there = F.pad(real, (taps.left, taps.right + missing)).unfold(1, span, block)
    ahead = torch.arange(span, device=query.device) - torch.arange(block, device=query.device)[:, None]
    band = (ahead >= 0) & (ahead < taps.window)
    allowed = there[:, None, :, None, :] & band
    answers = F.scaled_dot_product_attention(
        blocks, keys, values, attn_mask=_scores(allowed, query.dtype).expand(n_rows, -1, -1, -1, -1)
    )
    return answers.flatten(2, 3)[:, :, :n]


def _within(query: Asked, key: Asked, value: Asked, taps: tuple[Taps, ...], size: Sequence[int]) -> Asked:
    """Let each pixel ask those within its window; what lies outside the image is asked nothing."""
    keys, values = _windows(key, taps, size), _windows(value, taps, size)
    inside = _windows(torch.ones(1, 1, n_values(tuple(size)), 1, device=query.device), taps, size)[..., 0] > 0
    scores = torch.einsum("bhns,bhnks->bhnk", query, keys) * query.shape[-1] ** -0.5
    shares = scores.to(wide(scores.dtype)).masked_fill(~inside, _NEVER).softmax(dim=-1)
    return torch.einsum("bhnk,bhnks->bhns", shares.to(values.dtype), values)


def _windows(
    asked: Asked, taps: tuple[Taps, ...], size: Sequence[int]
) -> Float[Tensor, "batch heads n window size"]:
    """Return for each pixel what lies within its window, zeros beyond the image."""
    down, across = taps
    image = asked.reshape(*asked.shape[:2], *size, asked.shape[-1])
    image = F.pad(image, (0, 0, across.left, across.right, down.left, down.right))
    windows = image.unfold(2, down.window, 1).unfold(3, across.window, 1)
    return windows.movedim(4, -1).flatten(4, 5).flatten(2, 3)


def _scores(allowed: Bool[Tensor, "*any"], dtype: torch.dtype) -> Float[Tensor, "*any"]:
    return torch.zeros(allowed.shape, dtype=dtype, device=allowed.device).masked_fill(~allowed, _NEVER)


def _pairs(size: tuple[int, ...], taps: tuple[Taps, ...] | None, *, causal: bool) -> int:
    """Return how many pairs of positions ask each other, borders counted as they are."""
    if taps is None:
        n = n_values(size)
        return n * (n + 1) // 2 if causal else n * n
    return math.prod(_pairs_along(n, one) for n, one in zip(size, taps, strict=True))


def _pairs_along(n: int, taps: Taps) -> int:
    return sum(min(n - 1, p + taps.right) - max(0, p - taps.left) + 1 for p in range(n))


def _state_values(units: int, taps: Taps) -> int:
    """Return what a stream keeps: keys and values of the window, and the questions that wait for its end."""
    return 2 * units * (taps.window - 1) + units * taps.right
