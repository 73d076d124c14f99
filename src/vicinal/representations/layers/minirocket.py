"""`minirocket`: fixed windows at many dilations; a feature is how often an answer lies above a bias.

What it claims about the data: short shapes, at any of many speeds, matter by how often they occur, not by where.
Shapes: (channels, time), time from 9 -> (units,), values from 0 to 1, units in multiples of the 84 kernels.
Parameters: none; the biases are quantiles of what the kernels answer on training rows, set once by `settle`. Cost: 84
windows of 9 for each of at most 32 dilations and each channel that a kernel sums, and a comparison for each unit and
position. Source: Dempster et al. 2021, MiniRocket, for one channel and for several. Ours: rows may differ in length;
how many channels a kernel sums is spread evenly in its logarithm instead of drawn, and biases come from rows taken in
turn; values are float32 in any precision, since a bias lies between answers that bfloat16 cannot tell apart.
"""

import math

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from vicinal.errors import NetworkError
from vicinal.representations.layers.geometry import Facts, Shape
from vicinal.representations.ppv import (
    N_KERNELS,
    TAPS,
    answers,
    choose_dilations,
    proportions,
    shares,
)

__all__ = ["MiniRocket"]

MOST_CHANNELS = 9
"""That one kernel sums, as in the source."""


class MiniRocket(nn.Module):
    """Proportions of positive values of fixed kernels over (batch, channels, 1, time).

    Args:    shape: (channels, time) that reach it, time from 9.  units: features, a multiple of 84.
    """

    biases: Tensor
    channels: Tensor
    settled: Tensor

    def __init__(self, shape: Shape, *, units: int) -> None:
        super().__init__()
        self.dilations = choose_dilations(shape[1], units)
        self.n_summed = _n_summed(shape[0], len(self.dilations) * N_KERNELS)
        # A model file holds float32 alone: 1 where a kernel sums a channel, and 1 once biases are set.
        self.register_buffer("channels", torch.empty(len(self.n_summed), shape[0]))
        self.register_buffer("biases", torch.empty(units))
        self.register_buffer("settled", torch.empty(1))
        self.facts = Facts(
            (units,),
            paths=None,
            multiply_adds=TAPS * shape[1] * sum(self.n_summed),
            state_values=None,
            no_stream="counts windows that see zeros behind the end of a whole signal",
        )

    def initialise(self, generator: torch.Generator) -> None:
        """Draw which channels each kernel sums; the biases wait for `settle`."""
        n_channels = self.channels.shape[1]
        with torch.no_grad():
            self.channels.zero_()
            for row, n in zip(self.channels, self.n_summed, strict=True):
                row[torch.randperm(n_channels, generator=generator)[:n]] = 1.0
            self.biases.zero_()
            self.settled.zero_()

    @property
    def is_settled(self) -> bool:
        """Whether the biases were set."""
        return bool(self.settled.item())

    @torch.no_grad()
    def settle(
        self, x: Float[Tensor, "batch channels 1 time"], lengths: Int64[Tensor, " batch"] | None = None
    ) -> None:
        """Set the biases to quantiles of answers on these rows, which must be training rows, in random order.

        Each pair of a dilation and a kernel takes the next row; rows of length 0 are passed over.

        Raises:  NetworkError: when no row has a position, or an answer is not finite.
        """
        rows = x[:, :, 0].float().cpu().numpy()
        sizes = np.full(len(rows), rows.shape[-1]) if lengths is None else lengths.cpu().numpy()
        usable = np.flatnonzero(sizes > 0)
        if not len(usable):
            raise NetworkError(
                "minirocket: expected training rows with at least one position to settle on, got none; give "
                "signals that are longer than 0."
            )
        chosen = self.channels.cpu().numpy() > 0
        quantiles, biases = shares(len(self.biases)), np.empty(len(self.biases), dtype=np.float32)
        for dilation in self.dilations:
            for kernel in range(N_KERNELS):
                pair = dilation.index * N_KERNELS + kernel
                row = usable[pair % len(usable)]
                found = answers(rows[row][chosen[pair], : sizes[row]], dilation, kernel)
                first = dilation.first + kernel * dilation.n_biases
                features = slice(first, first + dilation.n_biases)
                biases[features] = np.quantile(found, quantiles[features])
        if not np.isfinite(biases).all():
            raise NetworkError(
                "minirocket: answers on the training rows are not finite; look for missing or extreme values."
            )
        self.biases.copy_(torch.from_numpy(biases))
        self.settled.fill_(1.0)

    def forward(
        self, x: Float[Tensor, "batch channels 1 time"], lengths: Int64[Tensor, " batch"] | None = None
    ) -> tuple[Float[Tensor, "batch features"], None]:
        """Return the features, without gradient; a row of length 0 gives zeros; no lengths are left.

        Raises:  NetworkError: before `settle`.
        """
        if not self.is_settled:
            raise NetworkError(
                "minirocket: expected biases from training rows, got a network that has seen none; train it "
                "(vicinal run), or call network.settle(x, lengths) with training rows before it scores."
            )
        return self._proportions(x[:, :, 0].detach().float().contiguous(), lengths).to(x.dtype), None

    # A compiler would trace the loops of NumPy into many thousand operations.
    @torch.compiler.disable  # type: ignore[untyped-decorator]  # torch does not annotate it
    def _proportions(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        channels, biases = self.channels > 0, self.biases.float()
        return proportions(x, lengths, dilations=self.dilations, channels=channels, biases=biases)


def _n_summed(n_channels: int, n_pairs: int) -> list[int]:
    """Return how many channels each pair of a dilation and a kernel sums: 1 to 9, evenly in their logarithm."""
    exponent = math.log2(min(n_channels, MOST_CHANNELS) + 1)
    return [int(2.0 ** (share * exponent)) for share in shares(n_pairs).astype(np.float64)]
