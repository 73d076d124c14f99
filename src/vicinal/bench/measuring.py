"""How fast the engine trains and scores here, against the same network written with plain layers.

The baseline is what ECG and time-series libraries do: `nn.Conv1d`, `nn.BatchNorm1d`, float32, batch first. Both run
in turn and the median of the per-round ratios counts, so that a busy machine slows both. It only measures: nothing
here chooses anything.
"""

import os
import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from vicinal.bench.feeding import overhead
from vicinal.bench.plain import plain
from vicinal.errors import ExperimentError, NetworkError
from vicinal.representations.engine import Engine, Precision, choose, has_fast_bfloat16
from vicinal.representations.network import Network, build
from vicinal.representations.resident import resident

__all__ = ["bench", "peak_gflops"]

Pair = tuple[Callable[[], object], Callable[[], object]]

PEAK_SIZE, SLOW_SIZE = 2048, 256
PARITY = 1e-3  # of the largest logit: float32 sums in another order agree far better than this
PARITY_GPU = 3e-2  # where convolutions round what they multiply to 10 bits, as torch has them do by default


def bench(
    presets: Sequence[str] = ("resnet1d",),
    *,
    batch: int = 128,
    rounds: int = 7,
    input_shape: tuple[int, int] = (12, 1000),
    n_outputs: int = 5,
    device: str = "cpu",
    precision: Precision | Literal["auto"] = "auto",
    peak_size: int = PEAK_SIZE,
    progress: Callable[[int, int, str], object] | None = None,
) -> dict[str, object]:
    """Measure presets, or network texts, in alternating rounds: plain, engine, plain, engine, ...

    Args:    batch: rows of a step.  rounds: of each kind, after one that does not count.
             input_shape: (channels, time).  device, precision: as for `choose`.
             peak_size: side of the matrices whose product is the ceiling.
             progress: called with (done, total, what is measured next).
    Returns: {preset: {"train_ratio", "infer_ratio", "train_gflops", "infer_gflops", "train_share", "infer_share",
             "overhead_share"}, "peak_gflops": {"float32", "bfloat16"}, "load": mean over the last minute before,
             "device", "precision", "compiled", "why_not_compiled"}.
             A ratio above 1 is in the engine's favour. FLOP = 2 x multiply-adds of the
             direct convolutions, a training step counts 3 x; an algorithm that needs fewer can take a share of the
             peak above 1. `overhead_share`: what data and loop take of a step of training on a pack, augmented.
    Raises:  ExperimentError: no rounds or no rows, an unknown precision, or a device that is not there.
             NetworkError: a network that has no plain counterpart here, or whose plain counterpart answers
             differently.
    """
    if batch < 2 or rounds < 1:
        raise ExperimentError(f"bench: expected batch >= 2 and rounds >= 1, got {batch} and {rounds}.")
    engine = choose(precision, device)
    tell = progress or (lambda *_: None)
    n_parts = 1 + 3 * len(presets)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    results: dict[str, object] = {}
    tell(0, n_parts, "the peak of matrix products")
    peak = {kind: peak_gflops(kind, size=peak_size, device=engine.device) for kind in ("float32", "bfloat16")}
    for i, preset in enumerate(presets):
        network = build(preset, input_shape=input_shape, n_outputs=n_outputs, seed=0)
        x = np.random.default_rng(0).standard_normal((batch, *input_shape), dtype=np.float32)
        tell(3 * i + 1, n_parts, f"{preset}: training")
        train = _alternate(*_training(network, x, engine=engine), rounds=rounds, engine=engine)
        tell(3 * i + 2, n_parts, f"{preset}: inference")
        infer = _alternate(*_inference(network, x, engine=engine), rounds=rounds, engine=engine)
        tell(3 * i + 3, n_parts, f"{preset}: data and loop")
        beside = overhead(network, batch=batch, n_steps=rounds, engine=engine)
        gflop = 2e-9 * batch * sum(layer.facts.multiply_adds for layer in network.layers())
        results[preset] = {
            "train_ratio": train[0],
            "infer_ratio": infer[0],
            "train_gflops": 3 * gflop / train[1],
            "infer_gflops": gflop / infer[1],
            "train_share": 3 * gflop / train[1] / peak[engine.precision],
            "infer_share": gflop / infer[1] / peak[engine.precision],
            "overhead_share": beside,
        }
    facts = {
        "load": load,
        "device": engine.device,
        "precision": engine.precision,
        "compiled": engine.compiled,
        "why_not_compiled": engine.why_not_compiled,
    }
    return results | {"peak_gflops": peak} | facts


def peak_gflops(
    precision: Precision, *, size: int = PEAK_SIZE, device: str = "cpu", repeats: int = 3
) -> float:
    """Return the best rate of a (size, size) matrix product, in GFLOP/s."""
    if precision == "bfloat16" and not has_fast_bfloat16(device):
        size = min(size, SLOW_SIZE)  # without units for it, the full product takes most of a minute
    matrix = torch.randn(size, size, device=device).to(getattr(torch, precision))
    engine = Engine(device=device, precision=precision)
    seconds = min(_seconds(lambda: matrix @ matrix, engine) for _ in range(repeats + 1))
    return 2e-9 * size**3 / seconds


def _training(network: Network, x: Float[np.ndarray, "batch channels time"], *, engine: Engine) -> Pair:
    """Return one training step of the plain network and one of the engine's."""
    classes = torch.from_numpy(np.arange(len(x)) % network.n_outputs).to(engine.device)
    everything = np.arange(len(x))
    held = resident(
        lambda rows: (x[rows], np.full(len(rows), x.shape[2])),
        everything,
        truth=np.zeros((len(x), 1)),
        shape=x.shape[1:],
        device=engine.device,
    )
    usual = plain(network).to(engine.device)
    ours = engine.place(network)
    usual_optimiser = torch.optim.AdamW(usual.parameters(), lr=1e-3)
    our_optimiser = torch.optim.AdamW(ours.parameters(), lr=1e-3, fused=True)

    def usual_step() -> None:
        usual_optimiser.zero_grad()
        # Brought to the device for each step, as loaders of libraries do; on a processor it is there.
        _backward(F.cross_entropy(usual(torch.from_numpy(x).to(engine.device)), classes))
        usual_optimiser.step()

    def our_step() -> None:
        our_optimiser.zero_grad()
        with engine.autocast():
            samples = x if held is None else held.rows(everything)[0]
            loss = F.cross_entropy(ours(engine.tensor(samples)), classes)
        _backward(loss)
        our_optimiser.step()

    return usual_step, our_step


def _backward(loss: Tensor) -> None:
    loss.backward()  # type: ignore[no-untyped-call]


def _inference(network: Network, x: Float[np.ndarray, "batch channels time"], *, engine: Engine) -> Pair:
    """Return the scoring of one batch by the plain network and by the engine, after comparing what they answer."""
    network.eval()
    usual = plain(network).to(engine.device).eval()
    score = engine.scorer(network, batch=len(x))

    def usual_scores() -> np.ndarray:
        with torch.inference_mode():
            logits: np.ndarray = usual(torch.from_numpy(x).to(engine.device)).cpu().numpy()
        return logits

    expected = usual_scores()
    error = float(np.abs(score(x) - expected).max() / np.abs(expected).max())
    if engine.precision == "float32" and not error < (PARITY if engine.device == "cpu" else PARITY_GPU):
        raise NetworkError(
            f"bench: expected the same logits from the plain network, got a difference of {error:.1e}."
        )
    return usual_scores, lambda: score(x)


def _alternate(
    usual: Callable[[], object], ours: Callable[[], object], *, rounds: int, engine: Engine
) -> tuple[float, float]:
    """Return the median of (usual seconds / our seconds) over the rounds, and the median of our seconds."""
    usual(), ours()  # memory, caches and compilation are not what is measured
    pairs = [(_seconds(usual, engine), _seconds(ours, engine)) for _ in range(rounds)]
    return median(a / b for a, b in pairs), median(b for _, b in pairs)


def _seconds(step: Callable[[], object], engine: Engine) -> float:
    start = time.perf_counter()
    step()
    if engine.device.startswith("cuda"):
        torch.cuda.synchronize(engine.device)
    return time.perf_counter() - start
