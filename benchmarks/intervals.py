"""How long intervals by subject take: 10,000 resamples of AUROC over 50,000 rows of 5,000 subjects.

    python benchmarks/intervals.py

Prints wall and processor seconds of five rounds and of their fastest. The aim is 2 s on 2 cores.
"""

import os
import time

import numpy as np

from vicinal.evidence.resampling import auroc_statistic, bootstrap

ROWS, SUBJECTS, RESAMPLES, ROUNDS = 50_000, 5_000, 10_000, 5


def main() -> None:
    """Measure and print."""
    rng = np.random.default_rng(0)
    subjects = rng.integers(0, SUBJECTS, ROWS)
    truth = (rng.random(ROWS) < 0.2).astype(np.float64)
    statistic = auroc_statistic(truth, rng.normal(truth, 1), subjects)
    found = []
    for _ in range(ROUNDS):
        wall, processor = time.perf_counter(), time.process_time()
        bootstrap({"auroc": statistic}, n_subjects=SUBJECTS, resamples=RESAMPLES, seed=0)
        found.append((time.perf_counter() - wall, time.process_time() - processor))
        print(f"{found[-1][0]:.2f} s wall, {found[-1][1]:.2f} s of processor")
    wall, processor = min(found)
    print(f"fastest: {wall:.2f} s wall, {processor:.2f} s of processor, load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
