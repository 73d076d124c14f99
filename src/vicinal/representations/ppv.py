"""How often fixed kernels answer above their biases: the work of `minirocket`, as fast as a processor allows.

The 84 kernels of length 9 have the weight 2 three times and -1 six times, so an answer is minus the sum of nine
shifts of the signal, plus three times three of them (Dempster et al. 2021, section 3.1): additions only, shared
by kernels that share shifts. What remains is to count. There are three ways, with the same counts since they add in the
same order. In NumPy, in blocks that stay in a processor's cache: its comparison writes bytes eight times as fast as
torch's, and a word sums eight of them at once. In C++ (ppv.cpp), where a compiler is there and the work is worth the
second that it takes: adding and counting then are one loop, and threads share the rows. In torch, on other devices.

Knows signals, kernels and biases as arrays; not layers, nor where biases come from.
"""

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from ctypes import CDLL, c_int64, c_void_p
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float32, Int64
from torch import Tensor

from vicinal.representations import native

__all__ = ["KERNELS", "N_KERNELS", "TAPS", "Dilation", "answers", "choose_dilations", "proportions", "shares"]

SOURCE = "ppv"
TAPS = 9
KERNELS = tuple(combinations(range(TAPS), 3))
"""Which three of the nine taps weigh 2; the others weigh -1."""

N_KERNELS = len(KERNELS)
MOST_DILATIONS = 32
BLOCK = 8192
"""Positions of a block: with up to seven kernels and some biases at once they stay in the second-level cache."""
RUNS = (28, 49, 84)
"""Kernels counted at once: those whose first tap is the first, the second, or another."""
LONGEST = 35
MOST_WORDS = 255
"""Bytes of 0 or 1 are summed eight at a time in words; so many of them cannot overflow a byte."""
DEVICE_VALUES = 1 << 26
"""Answers that another device holds at once."""
COMPILED_FROM = 4_000_000_000
"""Comparisons from which compiling (some 0.8 s) pays: it saves about 0.2 ns for each."""
ROWS_OF_A_TASK = 8
"""That a thread counts before it takes the next."""

Samples = Float32[np.ndarray, "rows channels time"]


@dataclass(frozen=True)
class Dilation:
    """One dilation of all kernels.

    Args:    index: from 0; even kernels of even dilations, and odd kernels of odd ones, see zeros at the ends,
             the others count only where the whole window lies in the signal.
             step: positions from tap to tap.  n_biases: of each kernel.  first: number of the first feature.
    """

    index: int
    step: int
    n_biases: int
    first: int

    @property
    def side(self) -> int:
        """Positions that the window reaches to each side."""
        return self.step * (TAPS // 2)

    @property
    def features(self) -> slice:
        """Which features are of this dilation: kernel after kernel, bias after bias."""
        return slice(self.first, self.first + N_KERNELS * self.n_biases)

    @property
    def combinations(self) -> slice:
        """Which of all pairs of a dilation and a kernel are of this dilation."""
        return slice(self.index * N_KERNELS, (self.index + 1) * N_KERNELS)

    def inside(self, kernel: int, n: int) -> int:
        """Return how many positions at each end of n this kernel leaves out.

        Where no window lies inside all positions count: ours; the source takes signals of one length only.
        """
        return self.side if (self.index + kernel) % 2 and n > 2 * self.side else 0


def choose_dilations(n_positions: int, n_features: int) -> tuple[Dilation, ...]:
    """Spread the features of each kernel over dilations, evenly in their logarithm up to the signal's length.

    Args:    n_positions: of a whole signal, at least 9.  n_features: a multiple of 84.
    Source:  Dempster et al. 2021, section 3.1: at most 32 dilations, 2^0 to 2^log2((n - 1) / 8).
    """
    n_each = n_features // N_KERNELS
    n_exponents = min(n_each, MOST_DILATIONS)
    exponents = np.linspace(0, math.log2((n_positions - 1) / (TAPS - 1)), n_exponents)
    steps, counts = np.unique((2.0**exponents).astype(np.int64), return_counts=True)
    counts = (counts * (n_each / n_exponents)).astype(np.int64)
    for index in range(n_each - int(counts.sum())):
        counts[index % len(counts)] += 1
    firsts = np.concatenate([[0], np.cumsum(counts)[:-1]]) * N_KERNELS
    return tuple(
        Dilation(index, int(step), int(count), int(first))
        for index, (step, count, first) in enumerate(zip(steps, counts, firsts, strict=True))
    )


def shares(n: int) -> np.ndarray:
    """Return n numbers spread over 0 to 1: the fractional parts of multiples of the golden ratio, float32."""
    return np.array([(k * ((np.sqrt(5) + 1) / 2)) % 1 for k in range(1, n + 1)], dtype=np.float32)


def answers(
    row: Float32[np.ndarray, "channels time"], dilation: Dilation, kernel: int
) -> Float32[np.ndarray, " time"]:
    """Return what one kernel answers at each position of one signal, the sum of its channels.

    Args:    row: the channels that it sees, without padding.
    """
    taps = _shifts(_summed_and_padded(row[None], np.ones((1, len(row)), dtype=bool), dilation), dilation)
    first, second, third = KERNELS[kernel]
    alpha = _minus_all(taps[0, 0])
    found: Float32[np.ndarray, " time"] = (
        alpha + 3 * taps[0, 0, first] + 3 * taps[0, 0, second] + 3 * taps[0, 0, third]
    )
    return found


def proportions(
    x: Float32[Tensor, "rows channels time"],
    lengths: Int64[Tensor, " rows"] | None,
    *,
    dilations: tuple[Dilation, ...],
    channels: Bool[Tensor, "combinations channels"],
    biases: Float32[Tensor, " features"],
) -> Float32[Tensor, "rows features"]:
    """Return for each feature the proportion of positions whose answer is above its bias.

    Args:    x: zero past the lengths.  lengths: real positions of each row; None: all.
             channels: those that each pair of a dilation and a kernel sums.  biases: finite.
    Returns: from 0 to 1, 0 for a row of length 0; a row never depends on the others.
    """
    if x.device.type != "cpu":
        most = max(dilation.n_biases for dilation in dilations)
        size = max(1, DEVICE_VALUES // (N_KERNELS * (most + TAPS) * x.shape[-1]))
        return _in_torch(x, lengths, dilations, channels, biases, size=size)
    counter = _Counter(x.detach().numpy(), dilations, channels.numpy(), biases.detach().numpy())
    sizes = None if lengths is None else lengths.numpy()
    library = _library_if_worth(x.shape[0] * x.shape[-1] * len(biases))
    if library is None:
        return torch.from_numpy(counter.proportions(sizes))
    return torch.from_numpy(counter.compiled(library, sizes, n_threads=torch.get_num_threads()))


class _Counter:
    """Counts in NumPy, on one core: threads would wait for each other between its many short calls."""

    def __init__(
        self, x: Samples, dilations: tuple[Dilation, ...], channels: np.ndarray, biases: np.ndarray
    ) -> None:
        self.x, self.dilations, self.channels, self.biases = x, dilations, channels, biases
        self.found = np.zeros((len(x), len(biases)), dtype=np.float32)

    def proportions(self, lengths: np.ndarray | None) -> np.ndarray:
        for task in self._tasks(lengths):
            self._count(*task)
        return self.found

    def compiled(self, library: CDLL, lengths: np.ndarray | None, *, n_threads: int) -> np.ndarray:
        """Count in C++: each thread takes some rows, and counts on its own."""
        x, biases = (np.ascontiguousarray(values, dtype=np.float32) for values in (self.x, self.biases))
        n = np.full(len(x), x.shape[-1]) if lengths is None else lengths
        n = np.ascontiguousarray(n, dtype=np.int64)
        channels = np.ascontiguousarray(self.channels, dtype=np.uint8)
        facts = [(one.index, one.step, one.n_biases, one.first) for one in self.dilations]
        dilations = np.array(facts, dtype=np.int64)

        def count(start: int) -> None:
            rows = slice(start, start + ROWS_OF_A_TASK)
            library.count_above(
                _pointer(x[rows]), *map(c_int64, x[rows].shape), _pointer(n[rows]),
                _pointer(dilations), c_int64(len(dilations)), _pointer(channels),
                _pointer(biases), c_int64(len(biases)), _pointer(self.found[rows]),
            )  # fmt: skip

        starts = range(0, len(x), ROWS_OF_A_TASK)
        with ThreadPoolExecutor(max(1, min(n_threads, len(starts)))) as pool:
            list(pool.map(count, starts))
        return self.found

    def _tasks(self, lengths: np.ndarray | None) -> Iterator[tuple[Dilation, np.ndarray, int]]:
        """Yield dilations with rows of one length, as many as make a block; empty rows stay zero."""
        for n in [self.x.shape[-1]] if lengths is None else np.unique(lengths[lengths > 0]).tolist():
            rows = np.arange(len(self.x)) if lengths is None else np.flatnonzero(lengths == n)
            for dilation in self.dilations:
                size = max(1, BLOCK // (n * max(1, dilation.n_biases // 4)))
                for start in range(0, len(rows), size):
                    yield dilation, rows[start : start + size], n

    def _count(self, dilation: Dilation, rows: np.ndarray, n: int) -> None:
        shape = (len(rows), N_KERNELS, dilation.n_biases)
        tally = _Tally(shape, n)
        biases = self.biases[dilation.features].reshape(N_KERNELS, dilation.n_biases, 1)
        for kernels, values in self._answers(dilation, rows, n):
            for parity in (0, 1):
                chosen = kernels[parity::2]
                if len(chosen):
                    edge = dilation.inside(chosen[0], n)
                    tally.add(values[:, parity::2], biases[chosen.start : chosen.stop : 2], chosen, edge)
        positions = np.array([n - 2 * dilation.inside(kernel, n) for kernel in range(2)] * (N_KERNELS // 2))
        part = tally.total() / positions[:, None].astype(np.float32)
        self.found[rows, dilation.features] = part.reshape(len(rows), -1)

    def _answers(
        self, dilation: Dilation, rows: np.ndarray, n: int
    ) -> Iterator[tuple[range, Float32[np.ndarray, "rows kernels time"]]]:
        """Yield runs of kernels with their answers."""
        x = self.x[rows, :, :n]
        if x.shape[1] == 1:
            yield from _of_one_channel(_summed_and_padded(x, np.ones((1, 1), dtype=bool), dilation), dilation)
        else:
            yield from _of_chosen_channels(x, self.channels[dilation.combinations], dilation)


class _Tally:
    """Counts for one dilation and one block of rows, kept as sums of words of eight bytes."""

    def __init__(self, shape: tuple[int, int, int], n: int) -> None:
        self.n = n
        self.n_sums = -(-n // (8 * MOST_WORDS))
        self.n_words = -(-n // (8 * self.n_sums))
        self.sums = np.empty((*shape, self.n_sums), dtype=np.uint64)
        # One for each width of what is left out at the ends: outside of it, the bytes stay 0.
        self.above: dict[int, np.ndarray] = {}

    def add(self, values: np.ndarray, biases: np.ndarray, kernels: range, edge: int) -> None:
        if edge not in self.above:
            n_rows, _, n_biases, n_sums = self.sums.shape
            self.above[edge] = np.zeros(
                (n_rows, (LONGEST + 1) // 2, n_biases, n_sums * self.n_words * 8), dtype=bool
            )
        above = self.above[edge][:, : len(kernels)]
        inner = slice(edge, self.n - edge)
        np.greater(values[:, :, None, inner], biases, out=above[..., inner])
        words = above.view(np.uint64).reshape(*above.shape[:3], self.n_sums, self.n_words)
        np.add.reduce(words, axis=-1, out=self.sums[:, kernels.start : kernels.stop : 2])

    def total(self) -> np.ndarray:
        counts: np.ndarray = self.sums.view(np.uint8).sum(axis=-1, dtype=np.float32)
        return counts


def _of_one_channel(padded: np.ndarray, dilation: Dilation) -> Iterator[tuple[range, np.ndarray]]:
    """Kernels that share two of their three taps share what those add."""
    taps = _shifts(padded, dilation)[:, 0]
    alpha = _minus_all(taps)
    thrice = _shifts(3 * padded, dilation)[:, 0]
    one, two = np.empty_like(alpha), np.empty_like(alpha)
    values = np.empty((len(alpha), LONGEST, alpha.shape[-1]), dtype=np.float32)
    start = stop = 0
    for first in range(TAPS - 2):
        np.add(alpha, thrice[:, first], out=one)
        for second in range(first + 1, TAPS - 1):
            np.add(one, thrice[:, second], out=two)
            third = thrice[:, second + 1 :]
            np.add(two[:, None], third, out=values[:, stop - start : stop - start + third.shape[1]])
            stop += third.shape[1]
        if stop in RUNS:
            yield range(start, stop), values[:, : stop - start]
            start = stop


def _of_chosen_channels(
    x: Samples, channels: np.ndarray, dilation: Dilation
) -> Iterator[tuple[range, np.ndarray]]:
    """Each kernel sums channels of its own."""
    for start, stop in pairwise((0, *RUNS)):
        kernels = range(start, stop)
        padded = _summed_and_padded(x, channels[start:stop], dilation)
        taps = _shifts(padded, dilation)
        values = _minus_all(taps)
        thrice = _shifts(np.multiply(padded, 3, out=padded), dilation)
        for place, kernel in enumerate(kernels):
            for tap in KERNELS[kernel]:
                values[:, place] += thrice[:, place, tap]
        yield kernels, values


def _summed_and_padded(
    x: Samples, channels: Bool[np.ndarray, "kernels channels"], dilation: Dilation
) -> Float32[np.ndarray, "rows kernels padded"]:
    """Return for each kernel the sum of its channels, in their order, with zeros at both ends."""
    side = dilation.side
    padded = np.zeros((len(x), len(channels), x.shape[-1] + 2 * side), dtype=np.float32)
    inner = padded[..., side : padded.shape[-1] - side]
    for place, chosen in enumerate(channels):
        first, *others = np.flatnonzero(chosen)
        inner[:, place] = x[:, first]
        for channel in others:
            inner[:, place] += x[:, channel]
    return padded


def _shifts(
    padded: Float32[np.ndarray, "rows kernels padded"], dilation: Dilation
) -> Float32[np.ndarray, "rows kernels taps time"]:
    """Return what each tap reads at each position: a view."""
    windows = np.lib.stride_tricks.sliding_window_view(padded, padded.shape[-1] - 2 * dilation.side, axis=-1)
    return windows[..., :: dilation.step, :]


def _minus_all(taps: Float32[np.ndarray, "... taps time"]) -> Float32[np.ndarray, "... time"]:
    """Return minus the sum of all taps: the middle one first, then the others from left to right."""
    total = -taps[..., TAPS // 2, :]
    for tap in (*range(TAPS // 2), *range(TAPS // 2 + 1, TAPS)):
        total -= taps[..., tap, :]
    return total


def _library_if_worth(n_comparisons: int) -> CDLL | None:
    """Return the compiled loops; once they are there, work of any size goes through them."""
    if n_comparisons >= COMPILED_FROM or native.is_loaded(SOURCE):
        return native.library(SOURCE)
    return None


def _pointer(array: np.ndarray) -> c_void_p:
    return c_void_p(array.ctypes.data)


def _in_torch(
    x: Tensor,
    lengths: Tensor | None,
    dilations: tuple[Dilation, ...],
    channels: Tensor,
    biases: Tensor,
    *,
    size: int,
) -> Tensor:
    """Count in torch, `size` rows at a time."""
    found = torch.empty((len(x), len(biases)), dtype=torch.float32, device=x.device)
    with torch.no_grad(), torch.autocast(x.device.type, enabled=False):
        if lengths is None:
            lengths = torch.full((len(x),), x.shape[-1], device=x.device)
        for start in range(0, len(x), size):
            rows = slice(start, start + size)
            for dilation in dilations:
                chosen = channels[dilation.combinations]
                found[rows, dilation.features] = _proportions_in_torch(
                    x[rows], lengths[rows], dilation, chosen, biases[dilation.features]
                )
    return found


def _proportions_in_torch(
    x: Tensor, lengths: Tensor, dilation: Dilation, channels: Tensor, biases: Tensor
) -> Tensor:
    n_time, device = x.shape[-1], x.device
    summed = x if x.shape[1] == 1 else _summed_in_torch(x, channels)
    shifts = F.pad(summed, (dilation.side, dilation.side)).unfold(-1, n_time, dilation.step)
    alpha = -shifts[:, :, TAPS // 2]
    for tap in (*range(TAPS // 2), *range(TAPS // 2 + 1, TAPS)):
        alpha -= shifts[:, :, tap]
    # What a kernel leaves out lies infinitely far below every bias; with one channel, by the kernel's parity alone.
    kernels = torch.arange(N_KERNELS, device=device)
    n_parts = 2 if summed.shape[1] == 1 else N_KERNELS
    odd = (torch.arange(n_parts, device=device) + dilation.index) % 2
    edges = odd * dilation.side * (lengths[:, None] > 2 * dilation.side)  # (rows, parts)
    places = torch.arange(n_time, device=device)
    counts = (places >= edges[..., None]) & (places < (lengths[:, None] - edges)[..., None])
    alpha = alpha.expand(-1, n_parts, -1).masked_fill(~counts, -torch.inf)
    part = kernels % n_parts
    taps = torch.tensor(KERNELS, device=device) + (0 if n_parts == 2 else TAPS * kernels[:, None])
    thrice = (3 * shifts).flatten(1, 2)
    values = alpha[:, part] + thrice[:, taps[:, 0]] + thrice[:, taps[:, 1]] + thrice[:, taps[:, 2]]
    above = [(values > bias[:, None]).sum(-1) for bias in biases.view(N_KERNELS, -1).T]
    positions = (lengths[:, None] - 2 * edges).clamp(min=1)[:, part]
    return (torch.stack(above, -1) / positions[..., None]).flatten(1)


def _summed_in_torch(x: Tensor, channels: Tensor) -> Tensor:
    summed = torch.zeros((len(x), N_KERNELS, x.shape[-1]), dtype=x.dtype, device=x.device)
    for channel in range(x.shape[1]):  # in their order: a matrix product may add in another
        summed += torch.where(channels[:, channel, None], x[:, channel, None], 0.0)
    return summed
