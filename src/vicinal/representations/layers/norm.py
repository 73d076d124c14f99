"""`norm batch` and `norm layer`: values brought to mean 0 and variance 1, then scaled and shifted.

What they claim about the data: the scale of a channel says nothing by itself. `batch` takes its statistics
over the rows and positions of a batch while training, and running ones in use (Ioffe and Szegedy 2015);
`layer` over the channels at each position (Ba et al. 2016). Ours leave positions past the length out of all
statistics, so that padding never changes a result. Statistics are float32 whatever the precision.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn

from vicinal.errors import NetworkError
from vicinal.representations.layers.geometry import Facts, Shape
from vicinal.representations.layers.lengths import past, zero_past_

__all__ = ["BatchNorm", "LayerNorm"]

EPSILON = 1e-5
MOMENTUM = 0.1


class BatchNorm(nn.Module):
    """Batch norm over (batch, features) or (batch, channels, height, width).

    Args:    shape: (features,) or (channels, *positions) that reach it.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(shape[0]))
        self.bias = nn.Parameter(torch.empty(shape[0]))
        self.register_buffer("running_mean", torch.empty(shape[0]))
        self.register_buffer("running_var", torch.empty(shape[0]))
        self.epsilon = EPSILON
        self.facts = Facts(shape)

    def initialise(self, generator: torch.Generator) -> None:  # noqa: ARG002  (nothing is drawn)
        """Begin as the identity."""
        nn.init.ones_(self.weight)
        nn.init.zeros_(self.bias)
        nn.init.zeros_(self.running_mean)
        nn.init.ones_(self.running_var)

    def forward(
        self, x: Float[Tensor, "batch channels *positions"], lengths: Int64[Tensor, " batch"] | None = None
    ) -> tuple[Float[Tensor, "batch channels *positions"], Int64[Tensor, " batch"] | None]:
        """Return the normed values; positions past the length neither count nor leave.

        Raises:  NetworkError: when training on a single value per channel, which has no variance.
        """
        if self.training and x.numel() == x.shape[1]:
            raise NetworkError(
                "batch norm got one row without positions while training, where it needs at least 2 values "
                "per channel; train with larger batches (and drop the last one), or write 'norm layer'."
            )
        if self.training and lengths is not None:
            return self._masked(x, lengths), lengths
        y = F.batch_norm(
            x,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training,
            MOMENTUM,
            self.epsilon,
        )
        return zero_past_(y, lengths), lengths

    def _masked(
        self, x: Float[Tensor, "batch channels 1 time"], lengths: Int64[Tensor, " batch"]
    ) -> Float[Tensor, "batch channels 1 time"]:
        """Normalise by the statistics of the real positions, and count them into the running ones."""
        values = x.float()
        n = lengths.sum().clamp(min=1)
        mean = values.sum((0, 2, 3)) / n  # zeros past the length add nothing
        centred = (values - mean[:, None, None]).masked_fill(past(x, lengths), 0.0)
        variance = centred.square().sum((0, 2, 3)) / n
        with torch.no_grad():
            self.running_mean.lerp_(mean, MOMENTUM)
            self.running_var.lerp_(variance * (n / (n - 1).clamp(min=1)), MOMENTUM)
        scale = self.weight * torch.rsqrt(variance + self.epsilon)
        y = torch.addcmul(self.bias[:, None, None], centred, scale[:, None, None])
        return zero_past_(y.to(x.dtype), lengths)


class LayerNorm(nn.Module):
    """Layer norm over the features, or over the channels at each position.

    Args:    shape: (features,) or (channels, *positions) that reach it.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(shape[0]))
        self.bias = nn.Parameter(torch.empty(shape[0]))
        self.facts = Facts(shape)

    def initialise(self, generator: torch.Generator) -> None:  # noqa: ARG002  (nothing is drawn)
        """Begin without scale and shift."""
        nn.init.ones_(self.weight)
        nn.init.zeros_(self.bias)

    def forward(
        self, x: Float[Tensor, "batch channels *positions"], lengths: Int64[Tensor, " batch"] | None = None
    ) -> tuple[Float[Tensor, "batch channels *positions"], Int64[Tensor, " batch"] | None]:
        """Return the normed values, zero past the length."""
        channels_last = x if x.dim() == 2 else x.permute(0, 2, 3, 1)
        y = F.layer_norm(channels_last, self.weight.shape, self.weight, self.bias, EPSILON)
        if x.dim() == 2:
            return y, lengths
        return zero_past_(y.permute(0, 3, 1, 2), lengths), lengths
