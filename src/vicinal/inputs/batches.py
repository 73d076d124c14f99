"""Batches: rows of a pack in a seeded order, augmented, ready for a network.

Order and augmentation depend on the seed, the epoch and the step alone, so any step can be made again.
Knows packs and NumPy; must not know networks or torch.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from jaxtyping import Float32, Float64, Int64

from vicinal.errors import ExperimentError
from vicinal.inputs.augment import AugmentStep, augment, parse_augment

__all__ = ["ArrayRows", "Batch", "Batches", "Rows"]


class Rows(Protocol):
    """What batches need of a pack: its truth, and rows by index, as arrays or as tensors on a device."""

    @property
    def truth(self) -> Float64[np.ndarray, "n k"]:
        """(n, K), 1, 0 or NaN."""

    def rows(
        self, indices: Int64[np.ndarray, " b"]
    ) -> tuple[Float32[Any, "b channels *positions"], Int64[np.ndarray, " b"]]:
        """Return rows and their lengths, which are always an array."""


@dataclass(frozen=True)
class ArrayRows:
    """Rows that are in memory already.

    Args:    x: (n, channels, *positions), zero beyond each length.  lengths: (n,).  truth: (n, K).
    """

    x: Float32[np.ndarray, "n channels *positions"]
    lengths: Int64[np.ndarray, " n"]
    truth: Float64[np.ndarray, "n k"]

    def rows(
        self, indices: Int64[np.ndarray, " b"]
    ) -> tuple[Float32[np.ndarray, "b channels *positions"], Int64[np.ndarray, " b"]]:
        """Copy the rows at `indices`, with their lengths."""
        return self.x[indices], self.lengths[indices]


@dataclass(frozen=True)
class Batch:
    """What one step of training or scoring reads.

    Args:    x: (b, channels, *positions), a tensor where rows lie on a device.  lengths: (b,), or None when every
             row is full.  y: (b, K), of events (b, K, outputs).
    """

    x: Float32[Any, "b channels *positions"]
    lengths: Int64[np.ndarray, " b"] | None
    y: Float32[np.ndarray, "b k *outputs"]


class Batches:
    """Seeded batches of some rows of a pack.

    Args:    pack: where rows come from.  indices: (m,) the rows to use.  batch: rows a batch, at least 1;
             where there are fewer rows, all of them are one batch.  seed: of order and augmentation.
             augment: steps such as {"kind": "gain", "low": 0.8, "high": 1.25}.  drop_last: leave out the last
             batch of an epoch when it is not full, as training with batch norm wants.
             rate_hz: of the prepared signals, for augmentations stated in seconds or hertz.
    Raises:  ExperimentError: when there are no rows, or a number or an augmentation is wrong.
    """

    def __init__(
        self,
        pack: Rows,
        indices: Int64[np.ndarray, " m"],
        *,
        batch: int,
        seed: int,
        augment: Sequence[Mapping[str, object] | AugmentStep] = (),
        drop_last: bool = True,
        rate_hz: float | None = None,
    ) -> None:
        if len(indices) == 0:
            raise ExperimentError("batches: there are no rows. Give this part of the split a larger share.")
        if batch < 1 or seed < 0:
            raise ExperimentError(
                f"batches: batch must be at least 1 and seed at least 0, got {batch} and {seed}."
            )
        self._pack, self._indices, self._seed = pack, np.asarray(indices, dtype=np.int64), seed
        self._batch, self._drop_last = min(batch, len(indices)), drop_last
        self._steps, self._rate_hz = parse_augment(augment), rate_hz

    @property
    def n_rows(self) -> int:
        """Rows there are, before any are dropped from the end of an epoch."""
        return len(self._indices)

    @property
    def n_steps(self) -> int:
        """Batches in each epoch."""
        full, rest = divmod(self.n_rows, self._batch)
        return full + (rest > 0 and not self._drop_last)

    def epoch(self, k: int, *, first: int = 0) -> Iterator[Batch]:
        """Yield the batches of epoch `k` from number `first` on; the same batches for the same seed and `k`."""
        order = np.random.default_rng([self._seed, k]).permutation(self._indices)
        for step in range(first, self.n_steps):
            rows = order[step * self._batch : (step + 1) * self._batch]
            x, lengths = self._pack.rows(rows)
            if self._steps:
                rng = np.random.default_rng([self._seed, k, step + 1])
                x = augment(x, lengths, self._steps, rng, rate_hz=self._rate_hz)
            yield _batch(x, lengths, self._pack.truth[rows])


def _batch(
    x: Float32[Any, "b channels *positions"],
    lengths: Int64[np.ndarray, " b"],
    truth: Float64[np.ndarray, "b k"],
) -> Batch:
    full = bool((lengths == np.prod(x.shape[2:])).all())
    return Batch(x=x, lengths=None if full else lengths, y=truth.astype(np.float32))
