"""MiniRocket's transform, ours against aeon's, on the same array, in alternating rounds on the same cores.

    python -m venv /tmp/aeon && /tmp/aeon/bin/pip install -r benchmarks/peers/requirements-aeon.txt
    python benchmarks/peers/minirocket.py --peer /tmp/aeon/bin/python [--rows 8528] [--length 4500] [--rounds 5]

aeon runs in a process and an environment of its own, which waits while ours computes, and the other way round. Fitting
and compiling (both compile at first use) come before the clock; the seconds ours needs for that are printed. Signals
are random: what is counted does not change how long counting takes.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

N_FEATURES = 9996
N_FITTED = 256


def answer_as_aeon(path: str, n_threads: int) -> None:
    """In aeon's environment: fit, then time one transform for each line that comes."""
    from aeon.transformations.collection.convolution_based import MiniRocket

    x = np.load(path)
    transform = MiniRocket(n_kernels=N_FEATURES, n_jobs=n_threads, random_state=0)
    transform.fit(x[:N_FITTED])
    transform.transform(x[:8])
    print("ready", flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        shape = transform.transform(x).shape
        print(time.perf_counter() - start, *shape, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--peer", required=True, help="python of an environment with aeon")
    parser.add_argument("--rows", type=int, default=8528)
    parser.add_argument("--length", type=int, default=4500)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.npy"
        x = np.random.default_rng(0).normal(size=(options.rows, 1, options.length)).astype(np.float32)
        np.save(path, x)
        command = [options.peer, __file__, "--as-aeon", str(path), str(options.threads)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as peer:
            _compare(x, peer, options)
            assert peer.stdin
            peer.stdin.close()


def _compare(x: np.ndarray, peer: "subprocess.Popen[str]", options: argparse.Namespace) -> None:
    import torch

    from vicinal.representations.layers.minirocket import MiniRocket

    assert peer.stdin
    assert peer.stdout
    torch.set_num_threads(options.threads)
    layer = MiniRocket(x.shape[1:], units=N_FEATURES)
    layer.initialise(torch.Generator().manual_seed(0))
    signals = torch.from_numpy(x).unsqueeze(2)
    assert peer.stdout.readline() == "ready\n"
    start = time.perf_counter()
    layer.settle(signals[:N_FITTED])
    settled = time.perf_counter()
    with torch.inference_mode():
        first, _ = layer(signals)  # it compiles what is worth it for so many rows
        rest = time.perf_counter() - settled
        ratios = []
        for number in range(1, options.rounds + 1):
            start_ours = time.perf_counter()
            found, _ = layer(signals)
            ours = time.perf_counter() - start_ours
            assert torch.equal(found, first)
            peer.stdin.write("go\n")
            peer.stdin.flush()
            seconds, n_rows, n_features = peer.stdout.readline().split()
            assert (int(n_rows), int(n_features)) == found.shape
            ratios.append(float(seconds) / ours)
            load = os.getloadavg()[0]
            both = f"ours {ours:.1f} s, aeon {float(seconds):.1f} s"
            print(f"round {number}: {both}, ratio {ratios[-1]:.2f}, load {load:.1f}", flush=True)
    print(
        f"{options.rows:,} x {options.length:,}, {N_FEATURES:,} features, at most {options.threads} threads:"
    )
    print(f"median ratio {statistics.median(ratios):.2f} (above 1 in favour of ours)")
    print(f"settling {settled - start:.1f} s; the first transform, which compiles, {rest:.1f} s")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--as-aeon"]:
        answer_as_aeon(sys.argv[2], int(sys.argv[3]))
    else:
        main()
