"""Networks of tsai against the same ones here: whole training steps and inference, on the same arrays, in turn.

    python -m venv /tmp/tsai && /tmp/tsai/bin/pip install -r benchmarks/peers/requirements-tsai.txt
    python benchmarks/peers/networks.py --peer /tmp/tsai/bin/python [--batch 64] [--rounds 5] [--precision auto]

tsai runs in a process and an environment of its own, which waits while ours computes, and the other way round. A step
is forward, cross-entropy, backward and AdamW (torch's own for both, fused here); the first of each does not count. Ours
is the same network as text, as near as the text can say it: parameters are printed. xresnet1d18 stands for residual
networks of two windows: ours have no norm on the way around, and no mean before it.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

CHANNELS, TIME, CLASSES = 12, 1000, 5
STEM = """
conv 32 window 3 stride 2 same | norm | relu
conv 32 window 3 same | norm | relu
conv 64 window 3 same | norm | relu
max window 3 stride 2 same
"""
BOTTLENECKS = """
bottleneck 256 window 3 * 3
bottleneck 512 window 3 stride 2 * 4
bottleneck 1024 window 3 stride 2 * {}
bottleneck 2048 window 3 stride 2 * 3
mean | dense classes
"""
OURS = {
    "InceptionTime": "inception1d",
    "xresnet1d18": STEM
    + """
residual 64 window 3 * 2
residual 128 window 3 stride 2 * 2
residual 256 window 3 stride 2 * 2
residual 512 window 3 stride 2 * 2
mean | dense classes
""",
    "xresnet1d50": STEM + BOTTLENECKS.format(6),
    "xresnet1d101": STEM + BOTTLENECKS.format(23),
}
KINDS = ("train", "infer")


def answer_as_tsai(path: str, n_threads: int) -> None:
    """In tsai's environment: for each line `network kind`, time one step; a network's first step comes unasked."""
    import warnings

    import torch

    # fastai imports torchvision, whose operators do not load beside a torch for processors alone. Nothing calls them.
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name in ("nms", "qnms") if not torch.backends.cuda.is_built() else ():
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    warnings.simplefilter("ignore")
    from tsai.models.InceptionTime import InceptionTime
    from tsai.models.XResNet1d import xresnet1d18, xresnet1d50, xresnet1d101

    torch.set_num_threads(n_threads)
    torch.manual_seed(0)
    made = {one.__name__: one for one in (InceptionTime, xresnet1d18, xresnet1d50, xresnet1d101)}
    x = torch.from_numpy(np.load(path))
    y = torch.arange(len(x)) % CLASSES
    steps: dict[str, Callable[[], None]] = {}
    sizes: dict[str, int] = {}

    def make(name: str) -> None:
        network = made[name](CHANNELS, CLASSES)
        sizes[name] = sum(p.numel() for p in network.parameters())
        optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3)

        def train() -> None:
            network.train()
            optimiser.zero_grad()
            torch.nn.functional.cross_entropy(network(x), y).backward()
            optimiser.step()

        def infer() -> None:
            network.eval()
            with torch.inference_mode():
                network(x).numpy()

        steps[f"{name} train"], steps[f"{name} infer"] = train, infer
        train(), infer()

    print("ready", flush=True)
    for line in sys.stdin:
        name, kind = line.split()
        if name not in sizes:
            make(name)
        start = time.perf_counter()
        steps[f"{name} {kind}"]()
        print(time.perf_counter() - start, sizes[name], flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--peer", required=True, help="python of an environment with tsai")
    parser.add_argument("--networks", nargs="*", default=list(OURS), choices=list(OURS))
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--precision", default="auto", choices=["auto", "float32", "bfloat16"])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.npy"
        x = np.random.default_rng(0).standard_normal((options.batch, CHANNELS, TIME), dtype=np.float32)
        np.save(path, x)
        command = [options.peer, __file__, "--as-tsai", str(path), str(options.threads)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as peer:
            assert peer.stdin
            assert peer.stdout
            while (line := peer.stdout.readline()) != "ready\n":  # what it says while it is imported
                assert line, "tsai's process ended; is it installed in that environment?"
            for name in options.networks:
                _compare(name, x, peer, options)
            peer.stdin.close()


def _compare(name: str, x: np.ndarray, peer: "subprocess.Popen[str]", options: argparse.Namespace) -> None:
    steps, n_parameters, precision = _ours(name, x, options)
    pairs: dict[str, list[tuple[float, float]]] = {kind: [] for kind in KINDS}
    size = 0
    for _ in range(options.rounds):
        for kind in KINDS:
            assert peer.stdin
            assert peer.stdout
            peer.stdin.write(f"{name} {kind}\n")
            peer.stdin.flush()
            theirs, size = peer.stdout.readline().split()  # type: ignore[assignment]
            start = time.perf_counter()
            steps[kind]()
            pairs[kind].append((float(theirs), time.perf_counter() - start))
    print(f"{name}, batch {len(x)}, {precision}: {n_parameters:,} parameters, tsai's {int(size):,}")
    for kind, found in pairs.items():
        ratios = [a / b for a, b in found]
        theirs, ours = (len(x) / statistics.median(column) for column in zip(*found, strict=True))
        print(
            f"  {kind}: {ours:.0f} a second, tsai {theirs:.0f}; median ratio {statistics.median(ratios):.2f} "
            f"({min(ratios):.2f} to {max(ratios):.2f}), load {os.getloadavg()[0]:.1f}",
            flush=True,
        )


def _ours(
    name: str, x: np.ndarray, options: argparse.Namespace
) -> tuple[dict[str, Callable[[], object]], int, str]:
    import torch

    from vicinal.representations.engine import choose
    from vicinal.representations.network import build

    torch.set_num_threads(options.threads)
    engine = choose(options.precision)
    network = engine.place(build(OURS[name], input_shape=(CHANNELS, TIME), n_outputs=CLASSES, seed=0))
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3, fused=True)
    y = torch.arange(len(x)) % CLASSES

    def train() -> None:
        network.train()
        optimiser.zero_grad()
        with engine.autocast():
            loss = torch.nn.functional.cross_entropy(network(engine.tensor(x)), y)
        loss.backward()
        optimiser.step()

    train()
    score = engine.scorer(network, batch=len(x))
    score(x)
    n_parameters = sum(p.numel() for p in network.parameters())
    return {"train": train, "infer": lambda: score(x)}, n_parameters, engine.precision


if __name__ == "__main__":
    if sys.argv[1:2] == ["--as-tsai"]:
        answer_as_tsai(sys.argv[2], int(sys.argv[3]))
    else:
        main()
