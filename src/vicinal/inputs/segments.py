"""Segments: stretches of long recordings as batches, with the class of each event at the output that answers it.

Every event of the training rows comes once in an epoch, in a segment that holds all the network can see of its
surroundings; only the ends of a recording cut that short, as they do in scoring. Where a recording is cut is drawn
anew each epoch. Everything depends on the seed, the epoch and the step alone. Must not know networks or torch.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from jaxtyping import Float32, Int64

from vicinal.errors import ExperimentError
from vicinal.inputs.augment import AugmentStep, augment, parse_augment
from vicinal.inputs.batches import Batch
from vicinal.inputs.targets import Targets

__all__ = ["EventRows", "Segments", "Sight"]

_MOVING = ("shift", "time_stretch")
"""Augmentations after which an event no longer lies where it lay."""


class EventRows(Protocol):
    """What segments need of a pack."""

    @property
    def classes(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def lengths(self) -> Int64[np.ndarray, " n"]: ...  # noqa: D102
    def piece(self, index: int, start: int, stop: int) -> Float32[np.ndarray, "channels piece"]: ...  # noqa: D102
    def targets(self, indices: Int64[np.ndarray, " b"]) -> Targets: ...  # noqa: D102


class Sight(Protocol):
    """What an output of a network sees: output j sees positions j * stride - left to j * stride + right."""

    @property
    def stride(self) -> int: ...  # noqa: D102
    @property
    def left(self) -> int: ...  # noqa: D102
    @property
    def right(self) -> int: ...  # noqa: D102
    def count(self, n: int) -> int:
        """Return how many outputs there are for n positions."""

    def read(self, positions: Int64[np.ndarray, " m"], n: int) -> Int64[np.ndarray, " m"]:
        """Return the output that each of these positions, of n, reads."""


@dataclass(frozen=True)
class _Cut:
    """A segment of one row.

    Args:    row: of the pack.  start, stop: positions of the row.  first, last: its events lie from `first` up to
             `last`.
    """

    row: int
    start: int
    stop: int
    first: int
    last: int


class Segments:
    """Seeded batches of segments of some rows of a pack.

    Args:    pack: with events.  indices: (m,) the rows to use.  width: positions of a segment; a shorter row is
             one segment.  sight: of the network.  batch, seed, augment, drop_last, rate_hz: as of `Batches`.
             n_signal: channels, from the first, that augmentation touches: those that come from samples.
    Raises:  ExperimentError: when there are no events of a class, a segment is shorter than what an output sees, or
             an augmentation would move events.
    """

    def __init__(
        self,
        pack: EventRows,
        indices: Int64[np.ndarray, " m"],
        *,
        width: int,
        sight: Sight,
        batch: int,
        seed: int,
        augment: Sequence[Mapping[str, object] | AugmentStep] = (),
        drop_last: bool = True,
        rate_hz: float | None = None,
        n_signal: int | None = None,
    ) -> None:
        self._steps = parse_augment(augment)
        targets = pack.targets(np.asarray(indices, dtype=np.int64))
        known = targets.classes >= 0
        core = width - sight.left - sight.right - 2 * (sight.stride // 2)
        problems = []
        if not known.any():
            problems.append("these rows hold no event of a class; take others, or map the symbols")
        if core < 1 and (pack.lengths[indices] > width).any():
            rate = f" ({(width - core + 1) / rate_hz:.2f} s)" if rate_hz else ""
            problems.append(
                f"a segment has {width} positions, and an output sees as many as {width - core}; training.segment_s "
                f"must be at least {width - core + 1} positions{rate}"
            )
        moving = [step.kind for step in self._steps if step.kind in _MOVING]
        if moving:
            problems.append(f"{', '.join(moving)} moves what the events point at; leave it out of augment")
        if problems:
            raise ExperimentError("training on events: " + "; ".join(problems) + ".")
        self._pack, self._sight, self._width, self._core = pack, sight, width, max(core, 1)
        self._seed, self._rate_hz, self._n_signal = seed, rate_hz, n_signal
        # By row and position, so that the events of a segment are found by bisection.
        order = np.lexsort((targets.positions[known], targets.rows[known]))
        self._rows, self._positions, self._classes = (
            array[known][order] for array in (targets.rows, targets.positions, targets.classes)
        )
        self._indices = np.unique(self._rows)
        self._drop_last, self._batch = drop_last, min(batch, self.n_rows)

    @property
    def n_rows(self) -> int:
        """Segments in each epoch."""
        return sum(self._n_cuts(int(self._pack.lengths[row])) for row in self._indices)

    @property
    def n_steps(self) -> int:
        """Batches in each epoch."""
        full, rest = divmod(self.n_rows, self._batch)
        return full + (rest > 0 and not self._drop_last)

    def epoch(self, k: int, *, first: int = 0) -> Iterator[Batch]:
        """Yield the batches of epoch `k` from number `first` on; the same batches for the same seed and `k`.

        Returns: batches whose `y` is (b, K, outputs): how many events of each class an output answers.
        """
        rng = np.random.default_rng([self._seed, k])
        cuts = [cut for row in self._indices for cut in self._cuts(int(row), rng)]
        order = rng.permutation(len(cuts))
        for step in range(first, self.n_steps):
            chosen = [cuts[i] for i in order[step * self._batch : (step + 1) * self._batch]]
            x, lengths = self._samples(chosen)
            if self._steps:
                # Intervals between events are no signal: what changes a signal leaves them as they are.
                n = x.shape[1] if self._n_signal is None else self._n_signal
                own = np.random.default_rng([self._seed, k, step + 1])
                x[:, :n] = augment(x[:, :n], lengths, self._steps, own, rate_hz=self._rate_hz)
            full = bool((lengths == x.shape[2]).all())
            yield Batch(x=x, lengths=None if full else lengths, y=self._truth(chosen))

    def _n_cuts(self, length: int) -> int:
        # One more than fit, so that the first may begin anywhere.
        return 1 if length <= self._width else -(-length // self._core) + 1

    def _cuts(self, row: int, rng: np.random.Generator) -> Iterator[_Cut]:
        length, before = int(self._pack.lengths[row]), self._sight.left + self._sight.stride // 2
        if length <= self._width:
            yield _Cut(row, 0, length, 0, length)
            return
        phase = int(rng.integers(self._core))
        for number in range(self._n_cuts(length)):
            first = number * self._core - phase
            start = min(max(first - before, 0), length - self._width)
            yield _Cut(row, start, start + self._width, first, first + self._core)

    def _samples(
        self, cuts: Sequence[_Cut]
    ) -> tuple[Float32[np.ndarray, "b channels width"], Int64[np.ndarray, " b"]]:
        pieces = [self._pack.piece(cut.row, cut.start, cut.stop) for cut in cuts]
        x = np.zeros((len(cuts), pieces[0].shape[0], self._width), dtype=np.float32)
        for one, piece in zip(x, pieces, strict=True):
            one[:, : piece.shape[1]] = piece
        return x, np.array([piece.shape[1] for piece in pieces], dtype=np.int64)

    def _truth(self, cuts: Sequence[_Cut]) -> Float32[np.ndarray, "b classes outputs"]:
        y = np.zeros((len(cuts), len(self._pack.classes), self._sight.count(self._width)), dtype=np.float32)
        for one, cut in zip(y, cuts, strict=True):
            low, high = np.searchsorted(self._rows, [cut.row, cut.row + 1])
            inside = low + np.searchsorted(self._positions[low:high], [cut.first, cut.last])
            positions = self._positions[inside[0] : inside[1]] - cut.start
            outputs = self._sight.read(positions, cut.stop - cut.start)
            np.add.at(one, (self._classes[inside[0] : inside[1]], outputs), 1)
        return y
