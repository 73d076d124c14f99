"""`lstm` and `gru`: one position after the other, with a memory; `both` adds a second one from the end.

What they claim about the data: what matters at a position depends on all that came before it, through a state of
fixed size, by the same rule everywhere.
Shapes: (in, time) -> (units, time), and (2 * units, time) for `both`; an image has no order of positions.
Parameters: 4 (lstm) or 3 (gru) times units * (in + units + 2), twice for `both`. Cost: 4 or 3 times
units * (in + units) multiply-adds at each position, one after the other. Sources: Hochreiter and Schmidhuber 1997;
Cho et al. 2014. Ours: the recurrence itself is torch's, in float32 in any precision, since rounding adds up along
it; a second direction begins at the length of each row.
"""

import math
from typing import Literal

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from vicinal.representations.layers.geometry import Facts, Shape, n_values
from vicinal.representations.layers.lengths import zero_past_

__all__ = ["Recurrent"]

_GATES = {"lstm": 4, "gru": 3}
_STATES = {"lstm": 2, "gru": 1}


class Recurrent(nn.Module):
    """A recurrent layer over (batch, in, 1, time); the outputs of all positions leave it.

    Args:    shape: (in, time) that reach it.  units: of each direction.  cell: which one.
             both: whether a second one runs from the end to the start; its outputs follow the first one's.
    """

    def __init__(self, shape: Shape, *, units: int, cell: Literal["lstm", "gru"], both: bool) -> None:
        super().__init__()
        kind = nn.LSTM if cell == "lstm" else nn.GRU
        self.cells = kind(shape[0], units, batch_first=True, bidirectional=both)
        directions = 1 + both
        output = (units * directions, shape[1])
        self.facts = Facts(
            output,
            paths=None,
            past_only=not both,
            multiply_adds=directions * _GATES[cell] * units * (shape[0] + units) * shape[1],
            state_values=None if both else _STATES[cell] * units,
            no_stream="reads the signal from its end",
            dense_parameters=n_values(output) * (n_values(shape) + 1),
        )

    def initialise(self, generator: torch.Generator) -> None:
        """Draw all weights and biases uniformly within 1 / sqrt(units), as torch does."""
        bound = 1.0 / math.sqrt(self.cells.hidden_size)
        with torch.no_grad():
            for parameter in self.cells.parameters():
                parameter.uniform_(-bound, bound, generator=generator)

    def forward(
        self, x: Float[Tensor, "batch in 1 time"], lengths: Int64[Tensor, " batch"] | None = None
    ) -> tuple[Float[Tensor, "batch out 1 time"], Int64[Tensor, " batch"] | None]:
        """Return the outputs at each position, zero past the length; a second direction begins at the length."""
        with torch.autocast(x.device.type, enabled=False):
            steps = x.squeeze(2).transpose(1, 2).to(next(self.cells.parameters()).dtype)
            if lengths is None:
                y, _ = self.cells(steps)
            else:
                n = lengths.clamp(min=1).cpu()
                packed = pack_padded_sequence(steps, n, batch_first=True, enforce_sorted=False)
                y, _ = pad_packed_sequence(
                    self.cells(packed)[0], batch_first=True, total_length=steps.shape[1]
                )
        return zero_past_(y.transpose(1, 2).unsqueeze(2), lengths), lengths
