"""How a network runs fast on the machine at hand: memory layout, precision, compilation.

The one place that looks at the processor. Layers do not know of it, and it does not know what the network
computes: whatever it chooses, scores are those of `network.eval()` up to rounding in the chosen precision.

    engine = choose()                          # or choose(precision="float32")
    network = engine.place(network)            # moves the weights and lays them out
    with engine.autocast():                    # forward and loss; backward() stays outside
        logits = network(engine.tensor(x), engine.tensor(lengths))
    score = engine.scorer(network, batch=128)  # numpy in, numpy out
"""

import ctypes
import importlib.util
import os
import platform
import shutil
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, Protocol, TypeVar, overload

import numpy as np
import torch
from jaxtyping import Float32, Int64
from torch import Tensor, nn

from vicinal.errors import ExperimentError
from vicinal.representations.folding import folded

__all__ = ["Engine", "Precision", "Score", "choose", "has_fast_bfloat16"]

Precision = Literal["float32", "bfloat16"]
Samples = Float32[np.ndarray, "rows channels *positions"]
Lengths = Int64[np.ndarray, " rows"]
Logits = Float32[np.ndarray, "rows *outputs"]
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
KEPT_BYTES = 1 << 30
Network = TypeVar("Network", bound=nn.Module)


def has_fast_bfloat16(device: str = "cpu") -> bool:
    """Return whether matrix products in bfloat16 are faster than in float32 on this device."""
    if device.startswith("cuda"):
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()


class Score(Protocol):
    """From arrays to logits, (rows, outputs), float32."""

    def __call__(self, x: Samples, lengths: Lengths | None = None) -> Logits:
        """Score signals (rows, channels, *positions) whose real positions are `lengths`; None: all of them."""


@dataclass(frozen=True)
class Engine:
    """What was chosen for this machine.

    Attributes: device: "cpu", "cuda" or "cuda:1".  precision: of matrix products; losses, the statistics of
                norms, heads and optimiser state are float32 in both.  compiled: whether scorers compile the
                network before its first batch (the same scores to rounding; it takes seconds to minutes), on a
                GPU into CUDA graphs.  why_not_compiled: what is missing for that, where it would have been chosen.
    """

    device: str = "cpu"
    precision: Precision = "float32"
    compiled: bool = False
    why_not_compiled: str = ""

    def place(self, network: Network) -> Network:
        """Move the network to the device, in place; weights stay float32 in their public shapes."""
        _keep_memory()
        return network.to(self.device)

    def autocast(self) -> AbstractContextManager[None]:
        """Return the context for forward and loss in the chosen precision; nothing in float32."""
        kind = torch.device(self.device).type
        context: AbstractContextManager[None] = torch.autocast(
            kind, dtype=torch.bfloat16, enabled=self.precision == "bfloat16"
        )
        return context

    @overload
    def tensor(self, array: np.ndarray | Tensor) -> Tensor: ...
    @overload
    def tensor(self, array: None) -> None: ...
    def tensor(self, array: np.ndarray | Tensor | None) -> Tensor | None:
        """Return the array on the device, signals laid out channels-last; None stays None, a tensor there is taken."""
        if array is None:
            return None
        if isinstance(array, np.ndarray):
            # Rows of a mapped file, which scikit-learn hands to its processes, are copied: torch warns of them.
            tensor = torch.from_numpy(array if array.flags.writeable else array.copy())
        else:
            tensor = array
        tensor = tensor.to(self.device, non_blocking=True)
        return tensor.movedim(1, -1).contiguous().movedim(-1, 1) if tensor.dim() > 2 else tensor

    def scorer(self, network: nn.Module, *, batch: int) -> Score:
        """Return a function from arrays to logits, float32, on a frozen copy of the network.

        The last batch is padded to `batch` rows, so the score of a row never depends on its batch-mates.
        Batch norms are folded into the convolutions before them.

        Args:    network: called as `network(x, lengths)`; later changes to its weights are not seen.
                 batch: rows computed at a time, > 0.
        Raises:  ExperimentError: when `batch` is not positive.
        """
        if batch < 1:
            raise ExperimentError(
                f"scorer: expected batch >= 1, got {batch}; give the rows to compute at a time."
            )
        frozen = self.place(folded(network, getattr(torch, self.precision)))
        run = _compiled(frozen, self.device) if self.compiled else frozen

        def score(x: Samples, lengths: Lengths | None = None) -> Logits:
            starts = range(0, max(len(x), 1), batch)
            parts = [
                self._score_batch(
                    run, x[i : i + batch], None if lengths is None else lengths[i : i + batch], batch
                )
                for i in starts
            ]
            return np.concatenate(parts)

        return score

    def _score_batch(
        self, network: Callable[..., Tensor], x: Samples, lengths: Lengths | None, batch: int
    ) -> Logits:
        with torch.inference_mode(), self.autocast():
            logits = network(self.tensor(_padded(x, batch)), self.tensor(_padded(lengths, batch)))
        scores: Float32[np.ndarray, rows * outputs] = logits.float().cpu().numpy()[: len(x)]
        return scores


def choose(
    precision: Precision | Literal["auto"] = "auto", device: str = "cpu", compiled: bool | None = None
) -> Engine:
    """Choose how networks run on this machine.

    Args:    precision: "auto" takes bfloat16 where the device multiplies it faster, else float32.
             device: "cpu", "cuda" or "cuda:<number>".
             compiled: compile scorers; needs a compiler, and pays where products are so fast that the rest
             shows. None does so on a GPU where what it takes is there; a processor compiles only when told to.
    Raises:  ExperimentError: an unknown precision, or a device that is not there.
    """
    problems = []
    if precision not in ("auto", "float32", "bfloat16"):
        problems.append(f"precision: expected auto, float32 or bfloat16, got '{precision}'")
    if not _is_there(device):
        problems.append(
            f"device: expected cpu or a CUDA device of this machine, got '{device}' where PyTorch sees "
            f"{torch.cuda.device_count()} of them"
        )
    if problems:
        raise ExperimentError("; ".join(problems) + ". Leave both out to take what suits this machine.")
    if precision == "auto":
        precision = "bfloat16" if has_fast_bfloat16(device) else "float32"
    missing = _missing_for_graphs() if compiled is None and device.startswith("cuda") else ""
    if compiled is None:
        compiled = device.startswith("cuda") and not missing
    return Engine(device=device, precision=precision, compiled=compiled, why_not_compiled=missing)


def _missing_for_graphs() -> str:
    """Return what compiling for a GPU lacks on this machine; nothing when all is there."""
    if importlib.util.find_spec("triton") is None:
        return "there is no Triton, which makes the kernels"
    if not any(map(shutil.which, filter(None, (os.environ.get("CC"), "cc", "gcc", "clang")))):
        return "there is no C compiler (CC, cc, gcc or clang), which Triton calls"
    return ""


def _compiled(network: nn.Module, device: str) -> Callable[..., Tensor]:
    """Return the network compiled, or itself from the call on that shows that this cannot be done here.

    On a GPU into CUDA graphs, so that a batch is one launch instead of one for each layer.
    """
    mode = "reduce-overhead" if device.startswith("cuda") else None
    ways: list[Callable[..., Tensor]] = [network, torch.compile(network, mode=mode, dynamic=False)]

    def run(x: Tensor, lengths: Tensor | None) -> Tensor:
        try:
            return ways[-1](x, lengths)
        except RuntimeError as error:  # the root of what a compiler, or torch around it, raises
            if len(ways) == 1:
                raise
            ways.pop()
            reason = str(error).strip().partition("\n")[0]
            warnings.warn(
                f"compiling does not work here ({reason}); scoring goes on without it, as with compiled=False.",
                stacklevel=2,
            )
            return ways[-1](x, lengths)

    return run


@lru_cache
def _keep_memory() -> None:
    """Let glibc keep freed memory: by default each activation is given back and faulted in again, page by page."""
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        libc.mallopt(M_MMAP_THRESHOLD, KEPT_BYTES)
        libc.mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)


def _is_there(device: str) -> bool:
    kind, _, index = device.partition(":")
    if kind == "cuda":
        return (index or "0").isdecimal() and int(index or "0") < torch.cuda.device_count()
    return device == "cpu"


def _padded(array: Any, n_rows: int) -> Any:
    """Return the array, None included, with zero rows added up to `n_rows`."""
    if array is None or len(array) == n_rows:
        return array
    return np.concatenate([array, np.zeros((n_rows - len(array), *array.shape[1:]), dtype=array.dtype)])
