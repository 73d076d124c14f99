"""`norm batch`, `norm layer` and `norm group g`: values of mean 0 and variance 1, then scaled and shifted.

What they claim about the data: the scale of a channel says nothing by itself. `batch` takes its statistics
over the rows and positions of a batch while training, and running ones in use; `layer` over the channels at each
position; `group` over a g-th of the channels and all positions of one signal.
Shapes: any, and they stay. Parameters: 2 * channels. Cost: a few passes over the values; `batch` in use costs
nothing behind a window, into which it is folded. Sources: Ioffe and Szegedy 2015; Ba et al. 2016; Wu and He 2018.
Ours: positions past the length stay out of all statistics, so that padding never changes a result; statistics are
float32 in any precision.
"""

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn

from vicinal.errors import NetworkError
from vicinal.representations.layers.geometry import Facts, Shape
from vicinal.representations.layers.lengths import past, wide, zero_past_, zero_tails_

__all__ = ["BatchNorm", "GroupNorm", "LayerNorm"]

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
                "per channel; train on more recordings or with larger batches (and drop the last one), or write "
                "'norm layer'."
            )
        if self.training and (lengths is not None or _prefers_own(x)):
            return self._by_own_statistics(x, lengths), lengths
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

    def _by_own_statistics(
        self, x: Float[Tensor, "batch channels *positions"], lengths: Int64[Tensor, " batch"] | None
    ) -> Float[Tensor, "batch channels *positions"]:
        """Normalise by the statistics of the real positions, and count them into the running ones."""
        y, mean, variance, n = _Norm.apply(x, self.weight, self.bias, lengths, self.epsilon)  # type: ignore[no-untyped-call]  # torch does not annotate it
        with torch.no_grad():
            self.running_mean.lerp_(mean, MOMENTUM)
            self.running_var.lerp_(variance * (n / (n - 1).clamp(min=1)), MOMENTUM)
        normed: Tensor = y
        return normed


def _prefers_own(x: Tensor) -> bool:
    # Measured on a processor without AMX, (64, 64, 1, 500) in float32: torch's own training kernel takes 5.3 ms
    # forward where this takes 2.8; backward they are equal. Elsewhere torch's kernel is the better one.
    return x.device.type == "cpu" and x.dtype == torch.float32 and x.dim() == 4 and x.is_contiguous()


class _Norm(torch.autograd.Function):
    """Batch norm whose statistics leave out what lies past the lengths, in as few passes as torch's own.

    Inputs are zero past the lengths, so sums over everything are sums over the real part; only their number
    differs. Differentiates as Ioffe and Szegedy 2015, section 3.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, lengths: Tensor | None, epsilon: float
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        axes = [axis for axis in range(x.dim()) if axis != 1]
        n = torch.tensor(x.numel() // x.shape[1]) if lengths is None else lengths.sum().clamp(min=1)
        mean = x.sum(axes, dtype=wide(x.dtype)) / n
        # sum of x * (x - mean), which is the sum of squares around the mean, in one pass of a fused kernel
        ones = torch.ones_like(mean)
        squares, _ = _sums(x, x, mean, ones - epsilon, epsilon)
        variance = (squares / n).clamp(min=0)
        y = F.batch_norm(x, mean, variance, weight, bias, False, 0.0, epsilon)
        if lengths is not None:
            zero_tails_(y, lengths)
        ctx.save_for_backward(x, weight, mean, variance, n, lengths)
        ctx.epsilon = epsilon
        ctx.mark_non_differentiable(mean, variance, n)
        return y, mean, variance, n

    @staticmethod
    def backward(ctx: Any, gradient: Tensor, *_: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:
        x, weight, mean, variance, n, lengths = ctx.saved_tensors
        inverse = torch.rsqrt(variance + ctx.epsilon)
        of_weight, of_bias = _sums(gradient, x, mean, variance, ctx.epsilon)
        if lengths is not None:  # what flows into the padding does not count; there x is 0
            lost = _tail_sums(gradient, lengths)
            of_bias = of_bias - lost
            of_weight = of_weight + lost * mean * inverse
        scale = weight * inverse
        slope = -scale * inverse * of_weight / n
        shift = -scale * of_bias / n - slope * mean
        zeros, ones = torch.zeros_like(mean), torch.ones_like(mean)
        of_x = F.batch_norm(gradient, zeros, ones, scale, shift, False, 0.0, 0.0)
        of_x.addcmul_(x, slope.to(x.dtype).view(-1, *[1] * (x.dim() - 2)))
        if lengths is not None:
            zero_tails_(of_x, lengths)
        return of_x, of_weight, of_bias, None, None


def _sums(
    gradient: Tensor, x: Tensor, mean: Tensor, variance: Tensor, epsilon: float
) -> tuple[Float[Tensor, " channels"], Float[Tensor, " channels"]]:
    """Return for each channel the sums of gradient * (x - mean) / deviation and of gradient."""
    kernel = torch.ops.aten.native_batch_norm_backward
    _, scaled, plain = kernel(
        gradient, x, None, mean, variance, mean, variance, False, epsilon, [False, True, True]
    )
    return scaled, plain


def _tail_sums(
    gradient: Float[Tensor, "batch channels 1 time"], lengths: Int64[Tensor, " batch"]
) -> Float[Tensor, " channels"]:
    if gradient.device.type != "cpu":
        return (gradient * past(gradient, lengths)).sum((0, 2, 3), dtype=wide(gradient.dtype))
    total = torch.zeros(gradient.shape[1], dtype=wide(gradient.dtype))
    for row, length in enumerate(lengths.tolist()):
        if length < gradient.shape[-1]:
            total += gradient[row, ..., length:].sum((1, 2), dtype=total.dtype)
    return total


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


class GroupNorm(nn.Module):
    """Group norm: statistics over each group of channels and all real positions of one signal.

    Args:    shape: (features,) or (channels, *positions) that reach it.  groups: divides the channels.
    """

    def __init__(self, shape: Shape, *, groups: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(shape[0]))
        self.bias = nn.Parameter(torch.empty(shape[0]))
        self.groups = groups
        positions = len(shape) > 1
        self.facts = Facts(
            shape,
            paths=None if positions else ((),),
            state_values=None if positions else 0,
            no_stream="takes its statistics over the whole signal",
        )

    def initialise(self, generator: torch.Generator) -> None:  # noqa: ARG002  (nothing is drawn)
        """Begin without scale and shift."""
        nn.init.ones_(self.weight)
        nn.init.zeros_(self.bias)

    def forward(
        self, x: Float[Tensor, "batch channels *positions"], lengths: Int64[Tensor, " batch"] | None = None
    ) -> tuple[Float[Tensor, "batch channels *positions"], Int64[Tensor, " batch"] | None]:
        """Return the normed values, zero past the length; zeros there do not count in the statistics."""
        if lengths is None:
            return F.group_norm(x, self.groups, self.weight, self.bias, EPSILON), None
        with torch.autocast(x.device.type, enabled=False):
            grouped = x.to(wide(x.dtype)).reshape(len(x), self.groups, -1, *x.shape[2:])
            n = (lengths.clamp(min=1) * grouped.shape[2] * grouped.shape[3])[:, None, None, None, None]
            mean = grouped.sum((2, 3, 4), keepdim=True) / n
            around = (grouped - mean).masked_fill(past(x, lengths).unsqueeze(1), 0.0)
            variance = around.square().sum((2, 3, 4), keepdim=True) / n
            normed = (around * torch.rsqrt(variance + EPSILON)).flatten(1, 2)
            y = normed * self.weight.view(-1, 1, 1) + self.bias.view(-1, 1, 1)
        return zero_past_(y.to(x.dtype), lengths), lengths
