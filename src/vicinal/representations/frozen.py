"""A network cut behind a first stage that never learns: its values are computed once, and the rest is trained on them.

It knows stages, arrays and tensors; neither training nor where rows come from.
"""

import math
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64
from torch import Tensor, nn

from vicinal.representations.layers.minirocket import MiniRocket
from vicinal.representations.layers.table import Layer
from vicinal.representations.network import Network

__all__ = ["Rest", "features", "n_frozen_features", "settle"]

Read = Callable[[Int64[np.ndarray, " n"]], tuple[np.ndarray, np.ndarray]]
"""From row numbers to signals and lengths, both as arrays."""

Place = Callable[[np.ndarray], Any]
"""From an array to a tensor where the network is."""

READ_BYTES = 1 << 28
"""Of signals read at a time: many, since a first stage may compile itself for much work."""
SETTLED_ON = 4096
"""Rows at most: enough for each of the at most 32 x 84 pairs of a dilation and a kernel to take one of its own."""


def n_frozen_features(network: Network) -> int:
    """Return how many features a first stage that never learns gives; 0 when the first stage learns."""
    first = next(network.layers())
    return first.facts.shape[0] if isinstance(first, MiniRocket) else 0


def settle(network: Network, read: Read, train: Int64[np.ndarray, " n"], *, tensor: Place, seed: int) -> None:
    """Let a first stage that never learns fit itself to training rows; nothing to do for other networks.

    Args:    read: signals by number.  train: the training rows, and no others are read.
             tensor: puts an array where the network is.  seed: of which rows, and in which order.
    Raises:  NetworkError: when no row has a position.
    """
    if not n_frozen_features(network):
        return
    chosen = np.random.default_rng(seed).permutation(train)[:SETTLED_ON]
    x, lengths = read(chosen)
    network.settle(tensor(x), tensor(lengths))


def features(
    network: Network, read: Read, indices: Int64[np.ndarray, " n"], *, tensor: Place
) -> Float32[np.ndarray, "n features"]:
    """Return what the frozen first stage gives for these rows, bit for bit as inside the network.

    Raises:  NetworkError: when signals do not fit, or the stage is not settled.
    """
    found = np.empty((len(indices), n_frozen_features(network)), dtype=np.float32)
    batch = max(1, READ_BYTES // (4 * math.prod(network.input_shape)))
    for start in range(0, len(indices), batch):
        x, lengths = read(indices[start : start + batch])
        with torch.inference_mode():
            entered, sizes = network.enter(tensor(x), tensor(lengths))
            values, _ = next(network.layers())(entered, sizes)
        found[start : start + batch] = values.cpu().numpy()
    return found


class Rest(nn.Module):
    """All stages but the first, sharing weights and names with the network."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        for name, holder in list(network.named_children())[1:]:
            self.add_module(name, holder)

    def forward(
        self, x: Float[Tensor, "batch features"], lengths: None = None
    ) -> Float[Tensor, "batch outputs"]:
        """Return the logits, float32, of what the first stage gave."""
        values, rest = x, lengths
        for holder in self.children():
            values, rest = cast(Layer, next(holder.children()))(values, rest)
        return values.float()
