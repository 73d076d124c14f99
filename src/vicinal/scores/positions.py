"""Positions: the answers of a network along time at the events of a recording, however long that is.

A recording goes through in overlapping chunks on a fixed grid; each chunk holds all that its answers see, so they
are those of the whole recording at once, to rounding, and the same bits whichever way the recording comes. Knows
networks and samples; must not know packs, files or labels.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float32, Float64, Int64

from vicinal.representations.engine import Engine, Score
from vicinal.representations.network import Network
from vicinal.representations.sight import Sight, at_length, sight_of

__all__ = ["Positions", "make_positions"]

Read = Callable[[int, int], Float32[np.ndarray, "channels piece"]]
"""From start and stop to these positions of a recording."""

_CORE = 8192
"""Positions of a chunk that are answered, the margins aside; rounded up to whole strides."""

_BATCH = 4
"""Chunks computed at a time."""


@dataclass(frozen=True)
class Positions:
    """What answers at positions.

    Args:    sight: of the network.  n_core: answers a chunk gives.  n_before: answers before those in all chunks but
             the first, whose inputs are only seen.  width: positions of a chunk.  shape: (channels, positions) of the
             network's whole input.  compute: scores chunks.
    """

    sight: Sight
    n_core: int
    n_before: int
    width: int
    shape: tuple[int, ...]
    compute: Score = field(repr=False)

    def logits(
        self, read: Read, length: int, positions: Int64[np.ndarray, " m"]
    ) -> Float64[np.ndarray, "m outputs"]:
        """Return the logits at each of these positions; only chunks with any of them are computed.

        Args:    read: samples of the recording.  length: its positions, all of which can be read.
                 positions: each from 0 to length - 1.
        """
        outputs = self.sight.read(positions, length)
        chunk_of = outputs // self.n_core
        parts = []
        chunks = np.unique(chunk_of)
        for at in range(0, len(chunks), _BATCH):
            chosen = chunks[at : at + _BATCH]
            firsts = np.maximum(chosen * self.n_core - self.n_before, 0)
            x, lengths = self._chunks(read, length, firsts * self.sight.stride)
            logits = self.compute(x, lengths)
            inside = np.flatnonzero(np.isin(chunk_of, chosen))
            place = np.searchsorted(chosen, chunk_of[inside])
            parts.append((inside, logits[place, :, outputs[inside] - firsts[place]]))
        n_outputs = parts[0][1].shape[1] if parts else 0
        found = np.empty((len(positions), n_outputs))
        for inside, values in parts:
            found[inside] = values
        return found

    def _chunks(
        self, read: Read, length: int, starts: Int64[np.ndarray, " b"]
    ) -> tuple[Float32[np.ndarray, "b channels width"], Int64[np.ndarray, " b"]]:
        lengths = np.minimum(starts + self.width, length) - starts
        x = np.zeros((len(starts), self.shape[0], self.width), dtype=np.float32)
        for one, start, n in zip(x, starts.tolist(), lengths.tolist(), strict=True):
            one[:, :n] = read(start, start + n)
        return x, lengths


def make_positions(network: Network, *, shape: tuple[int, ...], engine: Engine) -> Positions:
    """Return what answers at positions of recordings, with the weights that the network has now.

    Args:    network: for inputs of any length.  shape: (channels, positions) of the longest recording.
    Raises:  NetworkError: as `sight_of`.
    """
    sight = sight_of(network)
    n_core = -(-min(_CORE, shape[1]) // sight.stride)
    n_before = -(-max(sight.left, 0) // sight.stride)
    width = (n_before + n_core) * sight.stride + max(sight.right, 0)
    chunked = at_length(network, width)
    return Positions(sight, n_core, n_before, width, shape, engine.scorer(chunked, batch=_BATCH))
