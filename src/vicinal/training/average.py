"""Average: a moving average of a network's weights, often better than the last weights themselves.

Knows tensors; must not know losses or data.
"""

import copy
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn

__all__ = ["Average"]

Network = TypeVar("Network", bound=nn.Module)


class Average(Generic[Network]):
    """Exponential moving average of all weights and buffers of a network.

    The decay grows with the steps, min(decay, (1 + n) / (10 + n)), so that a short run is not held back by
    its random start.

    Args:    network: what is averaged.  decay: share of the old average that a step keeps, 0 to 1.
    """

    def __init__(self, network: Network, *, decay: float) -> None:
        self.network = copy.deepcopy(network).requires_grad_(False)
        self._decay = decay
        self._n_updates = 0

    @property
    def n_updates(self) -> int:
        """Steps that it has followed, on which the decay depends."""
        return self._n_updates

    def restore(self, weights: dict[str, Tensor], *, n_updates: int) -> None:
        """Go on as the average that had these weights after `n_updates` steps."""
        self.network.load_state_dict(weights)
        self._n_updates = n_updates

    @torch.no_grad()
    def update(self, network: Network) -> None:
        """Move the average towards the network's present weights; counters are copied."""
        self._n_updates += 1
        decay = min(self._decay, (1 + self._n_updates) / (10 + self._n_updates))
        own, new = _tensors(self.network), _tensors(network)
        floating = [(a, b) for a, b in zip(own, new, strict=True) if a.is_floating_point()]
        torch._foreach_lerp_([a for a, _ in floating], [b for _, b in floating], 1 - decay)
        for a, b in zip(own, new, strict=True):
            if not a.is_floating_point():
                a.copy_(b)


def _tensors(network: nn.Module) -> list[Tensor]:
    return [tensor.detach() for tensor in network.state_dict(keep_vars=True).values()]
