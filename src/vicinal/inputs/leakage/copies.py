"""Copies: rows of different parts that are the same signal, or cut from the same stretch of one signal.

Gain, offset, polarity, shift, a copy once kept at another rate, and added noise of some percent do not hide
them. Landmarks of each row (its highest excursions) are described by what surrounds them; descriptions that
nearly agree are candidates, and only a correlation over all that the two rows share makes a copy.
Knows arrays; must not know packs, labels or splits.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int64
from scipy.ndimage import maximum_filter1d, uniform_filter1d

__all__ = ["Copy", "Search", "find_copies"]

LEAST_CORRELATION = {"whole": 0.95, "stretch": 0.98, "short": 0.995}
"""Over all that two rows share, each channel's mean taken out: what makes them copies when they share (nearly) all
of the shorter one, when they share a stretch, and when they are short."""

LEAST_LIKENESS = (0.95, 0.99)
"""Between two whitened descriptions: what makes a candidate, and what does where rows are short."""

SHORT = 384
"""Rows of fewer positions hold too little that is theirs alone; they are called copies only when all but equal."""

_MOST_DIMS = 384
_MOST_COMPONENTS = 64
_MOST_LANDMARKS = 160_000
_MOST_CANDIDATES = 20_000
_MOST_COMPARED = 4096
_FITTED_ON = 4096
_BLOCK = 4096
_LOADED = 512

Rows = Callable[
    [Int64[np.ndarray, " b"]],
    tuple[Float32[np.ndarray, "b channels positions"], Int64[np.ndarray, " b"]],
]


@dataclass(frozen=True)
class Copy:
    """Two rows that share a stretch.

    Args:    first, second: their indices.  lag: the second's position p is the first's p + lag.
             shared: positions that both hold.  correlation: over these, negative when one is upside down.
             whole: whether the shared stretch is nine tenths of the shorter row, or more.
    """

    first: int
    second: int
    lag: int
    shared: int
    correlation: float
    whole: bool


@dataclass(frozen=True)
class Search:
    """What was found, and how far the search went.

    Args:    copies: strongest first.  n_rows: rows looked at, of all given.
             least_shared: positions that two rows must share to be found for sure.
    """

    copies: tuple[Copy, ...]
    n_rows: int
    least_shared: int


def find_copies(
    rows: Rows,
    lengths: Int64[np.ndarray, " n"],
    parts: Int64[np.ndarray, " n"],
    *,
    n_channels: int,
    seed: int = 0,
) -> Search:
    """Find copies among rows of different parts.

    Args:    rows: returns rows and their lengths by index, as a pack does; a few hundred are asked for at a time.
             lengths: positions of each row that hold signal.  parts: part of each row; below 0 is left out.
             seed: of the draw where there are more rows than can be compared within a minute.
    """
    used = np.flatnonzero(parts >= 0)
    n_positions = int(np.median(lengths[used])) if len(used) else 0
    shape = _Shape.of(n_positions, n_channels)
    if shape is None or len(np.unique(parts[used])) < 2:
        return Search((), 0 if shape is None else len(used), 0)
    most = _MOST_LANDMARKS // shape.usual(n_positions)
    if len(used) > most:
        used = np.sort(np.random.default_rng(seed).choice(used, most, replace=False))
    marks = _landmarks(rows, used, shape)
    short = n_positions < SHORT
    pairs = _candidates(marks, parts, least=LEAST_LIKENESS[short])
    compared = (_compared(rows, marks, pair, shape) for pair in pairs)
    copies = [copy for copy in compared if copy.shared >= shape.segment and _is_enough(copy, short=short)]
    copies.sort(key=lambda copy: (-abs(copy.correlation), copy.first, copy.second))
    return Search(tuple(copies), len(used), min(shape.segment + 2 * shape.radius, n_positions))


def _is_enough(copy: Copy, *, short: bool) -> bool:
    """Of short rows, a stretch that fits is no sign of anything: many beats fit each other."""
    if short and not copy.whole:
        return False
    kind = "short" if short else "whole" if copy.whole else "stretch"
    return abs(copy.correlation) >= LEAST_CORRELATION[kind]


@dataclass(frozen=True)
class _Shape:
    """How landmarks are taken: `segment` positions around each, averaged over `step`, at most one in `radius`."""

    segment: int
    step: int
    radius: int

    @staticmethod
    def of(n_positions: int, n_channels: int) -> "_Shape | None":
        if n_positions < 16:
            return None
        segment = min(max(n_positions // 4, 96), 512, 3 * n_positions // 4)
        step = max(1, -(-segment * n_channels // _MOST_DIMS), segment // 192)
        return _Shape(segment // step * step, step, max(2, segment // 4))

    def usual(self, n_positions: int) -> int:
        """How many landmarks a row of so many positions has, about."""
        peaks = max(1, (n_positions - self.segment) // (2 * self.radius + 1) * 2)
        return peaks + (2 * (n_positions // 25) + 1 if n_positions < SHORT else 0)


@dataclass(frozen=True)
class _Landmarks:
    """m landmarks: whose they are, where, and what surrounds them (m, k), of length one."""

    rows: Int64[np.ndarray, " m"]
    positions: Int64[np.ndarray, " m"]
    described: Float32[np.ndarray, "m k"]


def _landmarks(rows: Rows, used: Int64[np.ndarray, " u"], shape: _Shape) -> _Landmarks:
    owners, positions, segments = [], [], []
    for start in range(0, len(used), _LOADED):
        chunk = used[start : start + _LOADED]
        block, lengths = rows(chunk)
        for row, signal, length in zip(chunk, block, lengths, strict=True):
            where, around = _around(signal[:, :length], shape)
            owners.append(np.full(len(where), row))
            positions.append(where)
            segments.append(around)
    return _Landmarks(np.concatenate(owners), np.concatenate(positions), _whitened(np.concatenate(segments)))


def _around(
    signal: Float32[np.ndarray, "channels time"], shape: _Shape
) -> tuple[Int64[np.ndarray, " m"], Float32[np.ndarray, "m dims"]]:
    """Return the landmarks of one row, and the averaged segment around each: upright, of mean 0 and length 1."""
    half, step = shape.segment // 2, shape.step
    n_channels, n = signal.shape
    if n < shape.segment:
        return np.empty(0, np.int64), np.empty((0, n_channels * (shape.segment // step)), np.float32)
    moved = uniform_filter1d(signal, 3, axis=1) - uniform_filter1d(signal, shape.segment, axis=1)
    height = np.einsum("ct,ct->t", moved, moved)
    inside = slice(half, n - shape.segment + half + 1)
    highest = maximum_filter1d(height, 2 * shape.radius + 1, mode="nearest")
    where = half + np.flatnonzero((height == highest)[inside] & (height > 0)[inside])
    if n < SHORT:
        # Too short for peaks that lie clear of both ends: its middle serves too, and what lies around it.
        near = n // 2 + np.arange(-(n // 25), n // 25 + 1)
        where = np.union1d(where, near[(near >= half) & (near - half + shape.segment <= n)])
    windows = np.lib.stride_tricks.sliding_window_view(signal, shape.segment, axis=1)[:, where - half]
    around = (
        windows.reshape(n_channels, len(where), shape.segment // step, step).mean(axis=3).transpose(1, 0, 2)
    )
    around = around - around.mean(axis=2, keepdims=True)
    strongest = np.abs(moved[:, where]).argmax(axis=0)
    signs = np.sign(moved[strongest, where])
    flat = around.reshape(len(where), n_channels * (shape.segment // step)) * signs[:, None]
    norms = np.linalg.norm(flat, axis=1)
    known = norms > 0
    return where[known].astype(np.int64), (flat[known] / norms[known, None]).astype(np.float32)


def _whitened(segments: Float32[np.ndarray, "m dims"]) -> Float32[np.ndarray, "m k"]:
    """Weigh what sets segments apart as much as what they have in common (a beat, a rhythm), and no noise.

    The strongest principal components, each brought to the same variance: among unrelated recordings the
    inner products then lie around 0, and high frequencies, which another rate would have lost, are left out.
    """
    m, dims = segments.shape
    k = max(1, min(_MOST_COMPONENTS, dims // 2, m // 4))
    some = segments[np.linspace(0, m - 1, min(m, _FITTED_ON)).astype(np.int64)] if m else segments
    if not m:
        return np.empty((0, k), np.float32)
    mean = some.mean(axis=0)
    centred = (some - mean).astype(np.float64)
    variances, axes = np.linalg.eigh(centred.T @ centred)
    variances, axes = variances[::-1], axes[:, ::-1]
    k = min(k, max(1, int((variances > 1e-6 * variances[0]).sum())))
    weights = (axes[:, :k] / np.sqrt(np.maximum(variances[:k], 1e-24))).astype(np.float32)
    found = (segments - mean) @ weights
    return np.asarray(found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12), np.float32)


def _candidates(marks: _Landmarks, parts: np.ndarray, *, least: float) -> Int64[np.ndarray, "p 2"]:
    """Return pairs of landmarks of different parts that look alike: the likest pair of each two rows."""
    part = parts[marks.rows]
    starts = range(0, len(part), _BLOCK)
    found, likeness = [np.empty((0, 2), np.int64)], [np.empty(0, np.float32)]
    for start in starts:
        for other in (one for one in starts if one >= start):
            product = marks.described[start : start + _BLOCK] @ marks.described[other : other + _BLOCK].T
            a, b = np.nonzero(product >= least)
            apart = part[start + a] != part[other + b]
            a, b = a[apart], b[apart]
            found.append(np.stack([start + a, other + b], axis=1))
            likeness.append(product[a, b])
    pairs, alike = np.concatenate(found), np.concatenate(likeness)
    pairs = np.sort(pairs[np.argsort(-alike, kind="stable")], axis=1)
    _, best = np.unique(marks.rows[pairs], axis=0, return_index=True)
    return np.asarray(pairs[np.sort(best)][:_MOST_CANDIDATES], np.int64)


def _compared(rows: Rows, marks: _Landmarks, pair: Int64[np.ndarray, " 2"], shape: _Shape) -> Copy:
    """Correlate two rows over all that they share when their landmarks lie on each other, or a little beside."""
    first, second = marks.rows[pair]
    near = int(marks.positions[pair[0]] - marks.positions[pair[1]])
    x, (n_first, n_second) = rows(np.array([first, second]))
    smooth = uniform_filter1d(x.astype(np.float64), 3, axis=2)
    a, b = smooth[0, :, :n_first], smooth[1, :, :n_second]
    lags = range(near - shape.step, near + shape.step + 1)
    correlation, shared, lag = max(
        ((*_correlation(a, b, lag), lag) for lag in lags), key=lambda found: abs(found[0])
    )
    whole = shared >= 0.9 * min(n_first, n_second)
    return Copy(int(first), int(second), lag, shared, correlation, whole)


def _correlation(
    a: Float64[np.ndarray, "channels s"], b: Float64[np.ndarray, "channels t"], lag: int
) -> tuple[float, int]:
    start, stop = max(0, lag), min(a.shape[1], b.shape[1] + lag)
    shared = stop - start
    if shared < 2:
        return 0.0, 0
    middle = (start + stop) // 2
    start, stop = max(start, middle - _MOST_COMPARED // 2), min(stop, middle + _MOST_COMPARED // 2)
    x, y = a[:, start:stop], b[:, start - lag : stop - lag]
    x, y = x - x.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
    scale = float(np.sqrt((x * x).sum() * (y * y).sum()))
    return (float((x * y).sum()) / scale if scale > 0 else 0.0), shared
