"""Initial weights, drawn from a generator of our own: making a network never touches a global seed."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["draw_head_", "draw_weights_"]


def draw_weights_(
    weight: Float[Tensor, "..."], *, fan_in: int, generator: torch.Generator
) -> Float[Tensor, "..."]:
    """Draw from a normal distribution of variance 2 / fan_in, which keeps the scale through relu.

    Source: He et al. 2015, "Delving deep into rectifiers".
    """
    with torch.no_grad():
        return weight.normal_(0.0, math.sqrt(2.0 / fan_in), generator=generator)


def draw_head_(
    weight: Float[Tensor, "..."], *, fan_in: int, generator: torch.Generator
) -> Float[Tensor, "..."]:
    """Draw uniformly within 1 / sqrt(fan_in): logits begin small, so that the first loss is near chance."""
    bound = 1.0 / math.sqrt(fan_in)
    with torch.no_grad():
        return weight.uniform_(-bound, bound, generator=generator)
