"""Blocks: a recording on its way to the network, computed a block at a time and only where somebody reads.

So two days of samples need no more memory than a minute. Blocks lie on a fixed grid, and what is computed of
one depends on its neighbourhood alone: a value has the same bits whatever else is read, and a stream can do
the same. Arrays in, arrays out; must not know contracts or files.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64

from vicinal.inputs.filters import apply_window, n_resampled, reach, resample
from vicinal.inputs.mel import log_mel

__all__ = ["Blocks", "filtered", "framed", "moments", "pointwise", "recorded", "resampled"]

Samples = Float64[np.ndarray, "channels time"]
Mask = Bool[np.ndarray, "channels time"]

_VALUES = 2**18
"""Values of a block, over all channels: 2 MiB."""

_KEPT = 4
"""Blocks that stay in memory, as a window usually needs a block and its two neighbours."""


@dataclass(frozen=True)
class Blocks:
    """What enters or leaves a step.

    Args:    n_channels: of the samples.  n: positions.  size: positions of a block, the last one is shorter.
             compute: (start, stop) of a block -> its samples (channels, stop - start).
             valid: (start, stop), any -> where there was a value (channels, stop - start).
    """

    n_channels: int
    n: int
    size: int
    compute: Callable[[int, int], Samples]
    valid: Callable[[int, int], Mask]
    _kept: dict[int, Samples] = field(default_factory=dict, repr=False)

    def samples(self, start: int, stop: int) -> Samples:
        """Return the samples of positions `start` to `stop`, which are not to be written to."""
        parts = [
            self._block(k)[:, max(start - k * self.size, 0) : stop - k * self.size]
            for k in range(start // self.size, -(-stop // self.size))
        ]
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)

    def spans(self, start: int, stop: int) -> Iterator[tuple[int, int]]:
        """Yield the (start, stop) of each block, as far as it lies between these two."""
        for first in range(start // self.size * self.size, stop, self.size):
            yield max(first, start), min(first + self.size, stop)

    def _block(self, k: int) -> Samples:
        if k not in self._kept:
            if len(self._kept) == _KEPT:
                del self._kept[next(iter(self._kept))]
            start = k * self.size
            self._kept[k] = self.compute(start, min(start + self.size, self.n))
        return self._kept[k]


def recorded(samples: Float[np.ndarray, "all time"], *, rows: list[int], factors: list[float]) -> Blocks:
    """Return rows of a recording times their factors, missing samples interpolated along a straight line.

    Args:    samples: (channels, time), NaN where missing; each of the rows holds a value.
    """
    n = samples.shape[1]

    def compute(start: int, stop: int) -> Samples:
        block = samples[rows, start:stop].astype(np.float64)
        for values, row, factor in zip(block, rows, factors, strict=True):
            if factor != 1.0:
                values *= factor
            known = np.isfinite(values)
            if not known.all():
                _interpolate(values, known, samples[row], start=start, factor=factor)
        return block

    def valid(start: int, stop: int) -> Mask:
        found: Mask = np.isfinite(samples[rows, start:stop])
        return found

    return Blocks(len(rows), n, _size(len(rows)), compute, valid)


def filtered(source: Blocks, taps: Float64[np.ndarray, " taps"]) -> Blocks:
    """Return `source` under an odd number of symmetric taps, without delay."""
    half = len(taps) // 2

    def compute(start: int, stop: int) -> Samples:
        first, last = max(start - half, 0), min(stop + half, source.n)
        # Beyond a cut the window sees what is not there; those positions are left out again.
        return apply_window(source.samples(first, last), taps)[:, start - first : stop - first]

    return Blocks(source.n_channels, source.n, source.size, compute, source.valid)


def resampled(source: Blocks, ratio: Fraction) -> Blocks:
    """Return `source` at `ratio` times its rate; position j stands for position j / ratio of it."""
    up, down = ratio.numerator, ratio.denominator
    n = n_resampled(source.n, ratio)
    # Blocks and cuts begin where a new position falls on an old one.
    size = up * max(1, _VALUES // (source.n_channels * max(up, down)))
    margin = -(-reach(ratio) // down) * down

    def compute(start: int, stop: int) -> Samples:
        first = max(start // up * down - margin, 0)
        last = min(-(-stop * down // up) + margin, source.n)
        skipped = start - first // down * up
        return resample(source.samples(first, last), ratio)[:, skipped : skipped + stop - start]

    def valid(start: int, stop: int) -> Mask:
        first = max(start * down // up - 2, 0)
        mask = source.valid(first, min(stop * down // up + 2, source.n))
        if mask.all():
            return np.ones((source.n_channels, stop - start), dtype=bool)
        nearest = np.rint(np.arange(start, stop) / float(ratio)).astype(np.int64)
        found = mask[:, np.minimum(nearest, source.n - 1) - first]
        rows, places = np.nonzero(~mask)
        marked = np.minimum(np.rint((places + first) * float(ratio)).astype(np.int64), n - 1) - start
        inside = (marked >= 0) & (marked < stop - start)
        found[rows[inside], marked[inside]] = False
        return found

    return Blocks(source.n_channels, n, size, compute, valid)


def framed(source: Blocks, filters: Float64[np.ndarray, "n_mels n_bins"], *, width: int, hop: int) -> Blocks:
    """Return the log-mel energies of frames of `width` samples around every `hop`-th position."""
    n, n_mels, left = -(-source.n // hop), len(filters), width // 2

    def span(start: int, stop: int) -> tuple[int, int]:
        return max(start * hop - left, 0), min((stop - 1) * hop - left + width, source.n)

    def compute(start: int, stop: int) -> Samples:
        first, last = span(start, stop)
        first = first // hop * hop
        frames = log_mel(source.samples(first, last), filters, window=width, hop=hop)
        return frames[:, start - first // hop : stop - first // hop]

    def valid(start: int, stop: int) -> Mask:
        first, last = span(start, stop)
        lost = np.pad(np.cumsum(~source.valid(first, last), axis=1), ((0, 0), (1, 0)))
        begins = np.arange(start, stop) * hop - left
        ends = np.clip(begins + width, 0, last) - first
        whole = lost[:, ends] == lost[:, np.maximum(begins, first) - first]
        return np.repeat(whole, n_mels, axis=0)

    size = max(1, _VALUES // (source.n_channels * max(hop, n_mels)))
    return Blocks(source.n_channels * n_mels, n, size, compute, valid)


def pointwise(source: Blocks, change: Callable[[Samples], Samples]) -> Blocks:
    """Return `source` with each sample changed by itself."""

    def compute(start: int, stop: int) -> Samples:
        return change(source.samples(start, stop))

    return replace(source, compute=compute, _kept={})


def moments(
    source: Blocks,
) -> tuple[Float64[np.ndarray, "channels 1"], Float64[np.ndarray, "channels 1"]]:
    """Return mean and standard deviation of each channel over its valid positions; over all where none is.

    The deviation of a channel that never changes, but for rounding, is infinite: divided by it, it is zero.
    """
    found = [_Moments() for _ in range(source.n_channels)]
    for start, stop in source.spans(0, source.n):
        block, known = source.samples(start, stop), source.valid(start, stop)
        for one, values, mask in zip(found, block, known, strict=True):
            one.add(values if mask.all() else values[mask])
    for row, one in enumerate(found):
        for start, stop in source.spans(0, source.n) if one.n == 0 else ():
            one.add(source.samples(start, stop)[row])
    means = np.array([[one.mean] for one in found])
    spreads = [math.sqrt(one.squares / one.n) for one in found]
    largest = [one.largest for one in found]
    kept = [s if s > 1e-9 * top else math.inf for s, top in zip(spreads, largest, strict=True)]
    return means, np.array(kept)[:, None]


@dataclass
class _Moments:
    """Count, mean, sum of squares about the mean, and largest size; Chan et al. 1983 for joining two."""

    n: int = 0
    mean: float = 0.0
    squares: float = 0.0
    largest: float = 0.0

    def add(self, values: Float64[np.ndarray, " m"]) -> None:
        m = values.size
        if m == 0:
            return
        mean = float(values.mean())
        apart, total = mean - self.mean, self.n + m
        self.squares += float(np.square(values - mean).sum()) + apart**2 * self.n * m / total
        self.mean += apart * m / total
        self.largest = max(self.largest, float(np.abs(values).max()))
        self.n = total


def _size(n_channels: int) -> int:
    return max(1, _VALUES // n_channels)


def _interpolate(
    values: Float64[np.ndarray, " block"],
    known: Bool[np.ndarray, " block"],
    row: Float[np.ndarray, " time"],
    *,
    start: int,
    factor: float,
) -> None:
    """Fill what is not known, in place, from the nearest known samples on either side, wherever they are."""
    before, after = _last_known(row, start), _first_known(row, start + len(values))
    places = np.concatenate([before, start + np.flatnonzero(known), after])
    ends = [row[place].astype(np.float64) * factor for place in (before, after)]
    heights = np.concatenate([ends[0], values[known], ends[1]])
    values[~known] = np.interp(start + np.flatnonzero(~known), places, heights)


def _last_known(row: Float[np.ndarray, " time"], stop: int) -> Int64[np.ndarray, " found"]:
    """Return the last known position before `stop`, if there is one."""
    for end in range(stop, 0, -_VALUES):
        first = max(end - _VALUES, 0)
        known = np.flatnonzero(np.isfinite(row[first:end]))
        if known.size:
            return first + known[-1:]
    return np.empty(0, dtype=np.int64)


def _first_known(row: Float[np.ndarray, " time"], start: int) -> Int64[np.ndarray, " found"]:
    """Return the first known position from `start` on, if there is one."""
    for first in range(start, len(row), _VALUES):
        known = np.flatnonzero(np.isfinite(row[first : first + _VALUES]))
        if known.size:
            return first + known[:1]
    return np.empty(0, dtype=np.int64)
