"""Best: the weights that did best on validation rows so far.

Knows networks and one number; must not know metrics or data.
"""

import math
from collections.abc import Mapping

import numpy as np
from jaxtyping import Float32
from torch import nn

__all__ = ["Best"]

Weights = dict[str, Float32[np.ndarray, "..."]]


class Best:
    """The weights with the best validation metric; those of the first epoch among equals.

    Args:    select: the metric; `loss` is best when low, every other when high.
    Attributes: value: larger is better; NaN while the metric was never a number.
                weights: float32 arrays by name.  epoch: theirs, counted from 1; 0 before any.
    """

    def __init__(self, select: str) -> None:
        self._select = select
        self.value = math.nan
        self.weights: Weights = {}
        self.epoch = 0

    def offer(self, epoch: int, metrics: Mapping[str, float], network: nn.Module) -> bool:
        """Keep the weights of a network if they are the best so far; return whether they are."""
        value = -metrics[self._select] if self._select == "loss" else metrics[self._select]
        better = not math.isnan(value) and (math.isnan(self.value) or value > self.value)
        # Without any number to go by, the last weights are kept; the monitor says so.
        if better or math.isnan(self.value):
            self.value, self.epoch, self.weights = value, epoch, _arrays(network)
        return better

    def restore(self, weights: Weights, *, epoch: int, value: float) -> None:
        """Go on as the one that kept these weights."""
        self.weights, self.epoch, self.value = weights, epoch, value


def _arrays(network: nn.Module) -> Weights:
    return {
        name: np.array(tensor.detach().cpu().numpy(), dtype=np.float32, order="C")
        for name, tensor in network.state_dict().items()
    }
