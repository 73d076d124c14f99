"""The optimiser: AdamW, whose decay leaves norms and biases alone, and its state in and out of a checkpoint.

Knows parameters; must not know losses or data.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from vicinal.training.config import TrainingConfig

__all__ = ["make_optimiser", "moments", "restore_moments"]


def make_optimiser(network: nn.Module, config: TrainingConfig) -> torch.optim.AdamW:
    """Return AdamW over the weights of a network that learn, in one fused pass."""
    named = [(name, p) for name, p in network.named_parameters() if p.requires_grad]
    # Norms and biases are vectors; the biases of local layers have positions too, so the name counts as well.
    plain = [p for name, p in named if p.ndim <= 1 or name.endswith("bias")]
    decayed = [p for name, p in named if not (p.ndim <= 1 or name.endswith("bias"))]
    groups = [
        {"params": decayed, "weight_decay": config.weight_decay},
        {"params": plain, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW([g for g in groups if g["params"]], lr=config.learning_rate, fused=True)


def moments(optimiser: torch.optim.Optimizer, parameters: Sequence[Tensor]) -> dict[str, np.ndarray]:
    """Return what the optimiser remembers of each parameter, named by its place: "0.exp_avg"."""
    return {
        f"{k}.{name}": value.cpu().numpy()
        for k, p in enumerate(parameters)
        for name, value in optimiser.state[p].items()
    }


def restore_moments(
    optimiser: torch.optim.Optimizer, parameters: Sequence[Tensor], kept: Mapping[str, np.ndarray]
) -> None:
    """Go on as the optimiser that remembered what `moments` returned."""
    for k, p in enumerate(parameters):
        found = {
            name.removeprefix(f"{k}."): value for name, value in kept.items() if name.startswith(f"{k}.")
        }
        optimiser.state[p] = {name: _like(p, torch.from_numpy(value)) for name, value in found.items()}


def _like(parameter: Tensor, value: Tensor) -> Tensor:
    """Return a moment of the optimiser as it was laid out in memory; its count of steps is a single number."""
    if value.shape != parameter.shape or not value.ndim:
        return value.to(parameter.device, copy=True)
    return torch.empty_like(parameter, dtype=value.dtype).detach().copy_(value)
