"""What watching training costs: a step with loss and gradient norm alone against one with all that the monitor keeps.

    python benchmarks/watching.py

Alternating rounds on the same learner; the median of the per-round ratios counts. The baseline takes the step and reads
loss and gradient norm, as any loop does; the other one is timed with update ratios, the check of the weights, looks at
dead units, and a record to a file. The machine's load is printed: a busy machine makes either look slower.
"""

import contextlib
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from vicinal.inputs.batches import Batch
from vicinal.representations.engine import choose
from vicinal.representations.network import build
from vicinal.training import dead_units, dynamics
from vicinal.training.config import TrainingConfig
from vicinal.training.learner import Learner
from vicinal.training.loss import make_loss
from vicinal.training.monitor import Looked, Monitor
from vicinal.workflow.history import History

ROUNDS = 7
CINC = (
    "conv 32 window 11 stride 3 same | norm | relu | residual 32 window 5 stride 2 | residual 64 window 5 stride 2 | "
    "residual 64 window 5 | residual 128 window 5 stride 2 | residual 128 window 5 * 2 | mean-max | dropout 0.3 | "
    "dense classes"
)
FOUNDING = "local 1 window 20 stride 10 | relu | local 1 window 5 | relu | flatten | dense classes"
CASES = {
    "cinc2017-af, 64 x 1 x 3000": (CINC, (1, 3000), 64),
    "resnet1d, 64 x 12 x 1000": ("resnet1d", (12, 1000), 64),
    "founding, 64 x 1 x 100": (FOUNDING, (1, 100), 64),
}


def shares(text: str, shape: tuple[int, ...], batch: int, history: Path) -> tuple[float, list[float]]:
    engine, config = choose(), TrainingConfig(epochs=1)
    learner = Learner(build(text, input_shape=shape, n_outputs=1, seed=0), config=config, engine=engine)
    moved, dead = dynamics.Dynamics(learner.network), dead_units.DeadUnits(learner.network)
    rng, loss = np.random.default_rng(0), make_loss("binary")
    rows = Batch(
        rng.standard_normal((batch, *shape)).astype(np.float32), None,
        (rng.random((batch, 1)) < 0.5).astype(np.float32),
    )  # fmt: skip
    step = 0

    def plain() -> None:
        learner.gradient(rows, loss).tolist()
        learner.update(1e-4)

    def watched() -> None:
        nonlocal step
        with dead.looking() if step % dead_units.EVERY == 0 else contextlib.nullcontext():
            figures = learner.gradient(rows, loss)
        figures.tolist()
        learner.update(1e-4)
        weights = moved.step()
        moves = moved.measure() if step % dynamics.EVERY == 0 else None
        value, norm = figures.tolist()
        weights.item()
        step += 1
        looked = None
        if moves is not None:
            ratios = {name: a / b for name, a, b in zip(moved.stages, *moves.tolist(), strict=True)}
            looked = Looked(ratios, dead.share)
        monitor.step(
            step=step,
            total=None,
            loss=value,
            gradient_norm=norm,
            learning_rate=1e-4,
            rows_per_s=1.0,
            looked=looked,
        )

    with History(history, n_kept=0) as kept:
        monitor = Monitor(kept.add)
        for _ in range(2 * dynamics.EVERY):
            plain()
            watched()
        once = timed(plain, dynamics.EVERY)
        # As many steps as take half a second, and a whole number of looks.
        n = dead_units.EVERY * max(1, round(0.5 / (once * dead_units.EVERY)))
        found = []
        for _ in range(ROUNDS):
            base = timed(plain, n)
            found.append(timed(watched, n) / base - 1)
    return once, found


def timed(call, n: int) -> float:
    start = time.perf_counter()
    for _ in range(n):
        call()
    return (time.perf_counter() - start) / n


def main() -> None:
    chosen = sys.argv[1:] or list(CASES)
    print(f"threads {torch.get_num_threads()}, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        for name in chosen:
            once, found = shares(*CASES[name], Path(folder) / "history.jsonl")
            quartiles = statistics.quantiles(found, n=4)
            print(
                f"{name}: step {1e3 * once:.2f} ms, watching costs {statistics.median(found):.2%} "
                f"({quartiles[0]:.2%} to {quartiles[2]:.2%})"
            )


if __name__ == "__main__":
    main()
