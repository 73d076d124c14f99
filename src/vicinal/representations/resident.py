"""Rows that stay on a device: read once, laid out channels-last, and cut there for every batch.

So no signal crosses to the device twice. It knows arrays, tensors and the device's free memory; neither training nor
where rows come from.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, Float64, Int64
from torch import Tensor

__all__ = ["ResidentRows", "free_bytes", "resident"]

Read = Callable[[Int64[np.ndarray, " n"]], tuple[np.ndarray, np.ndarray]]
"""From row numbers to signals and lengths, both as arrays."""

SHARE_OF_FREE = 0.5
"""Of the device's free memory; the rest is for weights and activations."""
READ_BYTES = 1 << 28
"""Of signals read at a time."""


@dataclass(frozen=True)
class ResidentRows:
    """Rows on a device, by their number among those that were read.

    Args:    x: (n, *positions, channels), float32.  lengths: (n,), in memory.  truth: (n, K), in memory.
    """

    x: Float32[Tensor, "n *positions channels"]
    lengths: Int64[np.ndarray, " n"]
    truth: Float64[np.ndarray, "n k"]

    def rows(
        self, indices: Int64[np.ndarray, " b"]
    ) -> tuple[Float32[Tensor, "b channels *positions"], Int64[np.ndarray, " b"]]:
        """Copy the rows at `indices` on the device, in one cut, with their lengths in memory."""
        chosen = torch.from_numpy(np.ascontiguousarray(indices)).to(self.x.device, non_blocking=True)
        return self.x.index_select(0, chosen).movedim(-1, 1), self.lengths[indices]


def resident(
    read: Read,
    indices: Int64[np.ndarray, " n"],
    *,
    truth: Float64[np.ndarray, "n k"],
    shape: tuple[int, ...],
    device: str,
) -> ResidentRows | None:
    """Bring rows to a device, where they fit into half of its free memory.

    Args:    read: signals by number.  indices: of the rows.  truth: of these rows.
             shape: (channels, *positions) of one row.  device: "cpu", "cuda" or "cuda:1".
    Returns: None on a processor, which reads packs where they lie, and where they do not fit.
    """
    n_bytes = 4 * len(indices) * int(np.prod(shape))
    if n_bytes >= SHARE_OF_FREE * free_bytes(device):
        return None
    x = torch.empty((len(indices), *shape[1:], shape[0]), device=device)
    lengths = np.empty(len(indices), dtype=np.int64)
    step = max(1, READ_BYTES // (4 * int(np.prod(shape))))
    for start in range(0, len(indices), step):
        part: Any = slice(start, start + step)
        samples, lengths[part] = read(indices[part])
        # Laid out on the device, which moves axes faster than memory does.
        x[part] = torch.from_numpy(samples).to(device).movedim(1, -1)
    return ResidentRows(x, lengths, truth)


def free_bytes(device: str) -> float:
    """Return how much memory an accelerator has free; none on a processor, where nothing is brought anywhere."""
    return torch.cuda.mem_get_info(torch.device(device))[0] if device.startswith("cuda") else 0
