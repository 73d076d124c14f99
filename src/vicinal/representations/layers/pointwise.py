"""`relu`, `gelu` and `dropout`: value by value, without weights.

What they claim about the data: nothing; they let stages in a row do more than one could.
Shapes: any, and they stay. Parameters: none. Cost: one pass over the values. Sources: Nair and Hinton 2010;
Hendrycks and Gimpel 2016; Srivastava et al. 2014. Ours: zero stays zero, so positions past the length need no care.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn

from vicinal.representations.layers.geometry import Facts, Shape

__all__ = ["Dropout", "Gelu", "Relu"]

Values = Float[Tensor, "batch channels *positions"]
Lengths = Int64[Tensor, " batch"] | None


class Relu(nn.Module):
    """max(x, 0). Source: Nair and Hinton 2010."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.facts = Facts(shape)

    def initialise(self, generator: torch.Generator) -> None:
        """Nothing to draw."""

    def forward(self, x: Values, lengths: Lengths = None) -> tuple[Values, Lengths]:
        """Return x where positive, else zero."""
        return F.relu(x), lengths


class Gelu(nn.Module):
    """x times the normal distribution function of x. Source: Hendrycks and Gimpel 2016."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.facts = Facts(shape)

    def initialise(self, generator: torch.Generator) -> None:
        """Nothing to draw."""

    def forward(self, x: Values, lengths: Lengths = None) -> tuple[Values, Lengths]:
        """Return the gated values."""
        return F.gelu(x), lengths


class Dropout(nn.Module):
    """While training, each value becomes zero with probability `share`. Source: Srivastava et al. 2014.

    It draws from torch's own generator of the device: the only layer that is random when it runs.
    """

    def __init__(self, shape: Shape, *, share: float) -> None:
        super().__init__()
        self.share = share
        self.facts = Facts(shape)

    def initialise(self, generator: torch.Generator) -> None:
        """Nothing to draw."""

    def forward(self, x: Values, lengths: Lengths = None) -> tuple[Values, Lengths]:
        """Return x, thinned out while training and scaled by 1 / (1 - share)."""
        return F.dropout(x, self.share, self.training), lengths
