"""Best: the weights that did best on validation rows so far.

Knows networks and one number; must not know metrics or data.
"""

import math
from collections.abc import Mapping

import numpy as np
from jaxtyping import Float32
from torch import nn

from vicinal.training.config import BEST_WHEN_LOW

__all__ = ["Best", "weights_of"]

Weights = dict[str, Float32[np.ndarray, "..."]]


class Best:
    """The weights with the best validation metric; those of the first epoch among equals.

    Args:    select: the metric.
    Attributes: value: larger is better; NaN while the metric was never a number.
                weights: float32 arrays by name.  epoch: theirs, counted from 1; 0 before any.
                n_since: how many validations in a row were not better; 0 while the metric was never a number.
    """

    def __init__(self, select: str) -> None:
        self._select = select
        self.value = math.nan
        self.weights: Weights = {}
        self.epoch = self.n_since = 0

    def offer(self, epoch: int, metrics: Mapping[str, float], network: nn.Module) -> bool:
        """Keep the weights of a network if they are the best so far; return whether they are."""
        value = -metrics[self._select] if self._select in BEST_WHEN_LOW else metrics[self._select]
        better = not math.isnan(value) and (math.isnan(self.value) or value > self.value)
        # Without any number to go by, the last weights are kept; the monitor says so.
        if better or math.isnan(self.value):
            self.value, self.epoch, self.weights = value, epoch, weights_of(network)
            self.n_since = 0
        else:
            self.n_since += 1
        return better

    def restore(self, weights: Weights, *, epoch: int, value: float, n_since: int) -> None:
        """Go on as the one that kept these weights."""
        self.weights, self.epoch, self.value, self.n_since = weights, epoch, value, n_since


def weights_of(network: nn.Module) -> Weights:
    """Return all weights and buffers of a network, copied, by name."""
    return {
        name: np.array(tensor.detach().cpu().numpy(), dtype=np.float32, order="C")
        for name, tensor in network.state_dict().items()
    }
