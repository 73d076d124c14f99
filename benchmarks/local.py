"""`local`, forward: its share of the matrix-product peak, against a loop over positions, and the memory it takes.

    python benchmarks/local.py [--rounds 15]

(128, 64, 1000) -> 64 channels, window 9, stride 4, with a bias, for weights in float32 and in bfloat16; signals lie
channels-last, as the engine lays them out. The loop is what one writes without the layer: for each position a slice of
(batch, channels, time), a matrix product with that position's weights (positions, out, in * window), and a stack at the
end. Both in alternating rounds, the peak (the best 2048-cubed product) between them. Memory is what the largest
resident size of a process of its own grows by, for input, weights and one forward, after one of a hundredth the size.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from vicinal.bench.measuring import peak_gflops
from vicinal.representations.engine import Engine
from vicinal.representations.layers.geometry import Taps
from vicinal.representations.layers.local import Local

BATCH, CHANNELS, TIME, UNITS, WINDOW, STRIDE = 128, 64, 1000, 64, 9, 4


def made(n_time: int, batch: int, precision: torch.dtype) -> tuple[Local, Tensor]:
    layer = Local((CHANNELS, n_time), units=UNITS, taps=(Taps(WINDOW, stride=STRIDE),), bias=True)
    layer.initialise(torch.Generator().manual_seed(0))
    x = torch.randn(batch, n_time, CHANNELS).to(precision)
    layer = Engine().place(
        layer.requires_grad_(False).to(precision)
    )  # so freed memory is kept, for the loop too
    return layer, x.transpose(1, 2).unsqueeze(2)


def loop(x: Tensor, weights: Tensor, bias: Tensor) -> Tensor:
    parts = []
    for position in range(len(weights)):
        window = x[:, :, position * STRIDE : position * STRIDE + WINDOW].reshape(len(x), -1)
        parts.append(torch.addmm(bias[position], window, weights[position].T))
    return torch.stack(parts, dim=-1)


def seconds(step: Callable[[], object]) -> float:
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


def measure(name: str, rounds: int) -> None:
    layer, x = made(TIME, BATCH, getattr(torch, name))
    plain, weights = x.squeeze(2).contiguous(), layer.weight.flatten(2).contiguous()
    assert layer.bias is not None
    bias = layer.bias
    expected, found = loop(plain, weights, bias).float(), layer(x)[0].squeeze(2).float()
    assert (found - expected).abs().max() <= (1e-4 if name == "float32" else 0.02) * expected.abs().max()
    gflop = 2e-9 * BATCH * layer.facts.multiply_adds
    peak, rows = 0.0, []
    for _ in range(rounds):
        peak = max(peak, peak_gflops(name, repeats=1))  # type: ignore[arg-type]
        rows.append((seconds(lambda: loop(plain, weights, bias)), seconds(lambda: layer(x))))
    ours = gflop / statistics.median(row[1] for row in rows)
    theirs = gflop / statistics.median(row[0] for row in rows)
    ratio = statistics.median(a / b for a, b in rows)
    done = subprocess.run(
        [sys.executable, __file__, "--memory", name], capture_output=True, text=True, check=True
    )
    print(
        f"{name}: {ours:.0f} GFLOP/s, {ours / peak:.2f} of {peak:.0f}; loop {theirs / peak:.2f}; "
        f"median ratio {ratio:.2f}; memory {done.stdout.strip()}; load {os.getloadavg()[0]:.1f}",
        flush=True,
    )


def largest_size() -> int:
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.split("VmHWM:")[1].split()[0])


def tell_memory(name: str) -> None:
    small, signals = made(50, 2, getattr(torch, name))
    small(signals)
    before = largest_size()
    layer = Local((CHANNELS, TIME), units=UNITS, taps=(Taps(WINDOW, stride=STRIDE),), bias=True)
    layer = Engine().place(layer.requires_grad_(False).to(getattr(torch, name)))
    x = torch.ones(BATCH, TIME, CHANNELS, dtype=getattr(torch, name)).transpose(1, 2).unsqueeze(2)
    layer.weight.fill_(1.0)
    y, _ = layer(x)
    held = sum(one.numel() * one.element_size() for one in (x, layer.weight, y))
    grown = largest_size() - before
    print(f"{grown / 1e6:.0f} MB, {grown / held:.2f} of input + output + weights")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--memory", help=argparse.SUPPRESS)
    options = parser.parse_args()
    with torch.inference_mode():
        if options.memory:
            tell_memory(options.memory)
        else:
            for kind in ("float32", "bfloat16"):
                measure(kind, options.rounds)
