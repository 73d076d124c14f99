"""Dynamics: how far each step moves the weights of each stage, against how large they are.

A step that moves weights by a thousandth of their size is usual; a tenth is wild, a millionth is no learning. Every
step is checked for weights that are no numbers, every eighth is measured: a small network takes a step in a
millisecond. Knows parameters; must not know losses or what a stage computes.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["EVERY", "Dynamics", "stage_of"]

EVERY = 8
"""Steps from one measurement to the next."""


class Dynamics:
    """The weights of a network as they were a step ago.

    All weights lie in one vector, so that a step costs a few operations whatever the number of layers.

    Attributes: stages: names of what has weights, in order, such as "0.conv".
    """

    def __init__(self, network: nn.Module) -> None:
        named = [(name, p.detach()) for name, p in network.named_parameters() if p.requires_grad]
        named.sort(key=lambda one: list(_stages(network)).index(stage_of(one[0])))
        self.stages = tuple(_stages(network))
        # Norms do not care for the order of values, so each weight is seen as it lies in memory.
        self._weights = [p.as_strided((p.numel(),), (1,), p.storage_offset()) for _, p in named]
        self._sizes = [
            sum(p.numel() for name, p in named if stage_of(name) == stage) for stage in self.stages
        ]
        self._now = torch.cat(self._weights)
        self._before, self._moved = torch.empty_like(self._now), torch.empty_like(self._now)

    def reset(self) -> None:
        """Take the present weights as those before the next step."""
        torch.cat(self._weights, out=self._now)

    def step(self) -> Float[Tensor, ""]:
        """Look at the weights after a step; return their sum, which is finite when all of them are."""
        self._before, self._now = self._now, self._before
        torch.cat(self._weights, out=self._now)
        return self._now.sum()

    def measure(self) -> Float[Tensor, "2 stages"]:
        """Return for each stage how far the last step moved its weights, and how large they were after it.

        Both as Euclidean norms.
        """
        torch.sub(self._now, self._before, out=self._moved)
        parts = [*torch.split(self._moved, self._sizes), *torch.split(self._now, self._sizes)]
        return torch.stack(torch._foreach_norm(parts)).view(2, -1)

    def not_finite(self) -> list[str]:
        """Return the stages with weights that are no numbers now."""
        parts = torch.split(torch.cat(self._weights), self._sizes)
        return [
            stage for stage, part in zip(self.stages, parts, strict=True) if not bool(part.isfinite().all())
        ]


def stage_of(parameter: str) -> str:
    """Return the stage of a parameter by its name: "3.residual" of "3.residual.first.weight"."""
    parts = parameter.split(".")[:-1] or [parameter]
    return ".".join(parts[:2] if parts[0].isdigit() else parts[:1])


def _stages(network: nn.Module) -> dict[str, None]:
    """Return the stages in order, once each."""
    return {stage_of(name): None for name, p in network.named_parameters() if p.requires_grad}
