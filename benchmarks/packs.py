"""How fast packs are written, opened and read, and how much memory that takes. See README.md here.

python benchmarks/packs.py batches          random batches against a per-item Dataset and a DataLoader
python benchmarks/packs.py write            all of mitdb and cinc2017, where they are found
python benchmarks/packs.py large [GB]       a pack of 4 GB: memory of all processes, then opening it
"""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from vicinal.execution import n_processors
from vicinal.inputs.contract import Contract
from vicinal.inputs.datasets import DATASETS
from vicinal.inputs.datasets.catalogue import Catalogue, Recording
from vicinal.inputs.datasets.store import find
from vicinal.inputs.pack import Pack
from vicinal.inputs.packing import write_pack
from vicinal.inputs.storage import Storage
from vicinal.signal import Signal

LEADS = tuple(f"lead{k}" for k in range(12))
SHAPE = Contract(channels=LEADS, rate_hz=100, duration_s=10, units="mV")
BATCH, N_BATCHES, ROUNDS = 128, 40, 9


def noise(one: Recording) -> Signal:
    n = 1000 if one.seed is None or one.seed >= 0 else 700
    samples = np.random.default_rng(abs(one.seed or 0)).standard_normal((12, n), dtype=np.float32)
    return Signal(samples=samples, channels=LEADS, units=("mV",) * 12, rate_hz=100.0, id=one.id)


def two_leads(one: Recording) -> Signal:
    """All 48 records have two leads, under different names."""
    return replace(DATASETS["mitdb"].read(one), channels=("lead0", "lead1"))


def made(folder: Path, n: int, *, varied: bool = False, **options: object) -> Pack:
    rows = tuple(
        Recording(
            id=str(k), path=None, subject=None, group=str(k), labels=(), seed=-k if varied and k % 2 else k
        )
        for k in range(n)
    )
    catalogue = Catalogue(name="noise", classes=("N",), recordings=rows, has_subjects=False)
    truth = (np.arange(n) % 2).astype(np.float64)[:, None]
    return write_pack(
        folder, catalogue=catalogue, read=noise, contract=SHAPE, classes=("N",), truth=truth,
        n_processes=n_processors(), **options,
    )  # type: ignore[arg-type]  # fmt: skip


def batches(folder: Path) -> None:
    import torch
    from torch.utils.data import DataLoader, Dataset

    n = BATCH * N_BATCHES
    pack = made(folder / "pack", n)
    others = {
        "the same, rows of different lengths": made(folder / "varied", n, varied=True),
        "the same, int16": made(folder / "half", n, storage=Storage(dtype="int16")),
    }
    (folder / "files").mkdir()
    for k, row in enumerate(pack.rows(np.arange(n))[0]):
        np.save(folder / "files" / f"{k}.npy", row)

    class OfMap(Dataset):
        def __len__(self) -> int:
            return n

        def __getitem__(self, k: int) -> tuple[torch.Tensor, float]:
            values = pack.values[k * 12_000 : (k + 1) * 12_000]
            return torch.from_numpy(values.reshape(12, 1000).copy()), float(pack.truth[k, 0])

    class OfFiles(OfMap):
        def __getitem__(self, k: int) -> tuple[torch.Tensor, float]:
            return torch.from_numpy(np.load(folder / "files" / f"{k}.npy")), float(pack.truth[k, 0])

    def loaded(data: Dataset, n_workers: int) -> Callable[[], None]:
        def go() -> None:
            for _ in DataLoader(data, batch_size=BATCH, shuffle=True, num_workers=n_workers):
                pass

        return go

    def cut(source: Pack) -> Callable[[], None]:
        def go() -> None:
            order = np.random.default_rng(0).permutation(n)
            for start in range(0, n, BATCH):
                rows = order[start : start + BATCH]
                x, _ = source.rows(rows)
                torch.from_numpy(x), torch.from_numpy(source.truth[rows])

        return go

    ways = {"pack": cut(pack), **{name: cut(one) for name, one in others.items()}}
    ways |= {f"DataLoader, {k} workers, same memory map": loaded(OfMap(), k) for k in (0, 2)}
    ways |= {f"DataLoader, {k} workers, a .npy file each": loaded(OfFiles(), k) for k in (0, 2)}
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, go in ways.items():
            start = time.perf_counter()
            go()
            times[name].append((time.perf_counter() - start) / N_BATCHES * 1000)
    for name, found in times.items():
        ratios = [a / b for a, b in zip(found, times["pack"], strict=True)]
        print(f"{name:45} {statistics.median(found):7.2f} ms a batch, x {statistics.median(ratios):.1f}")


def write(folder: Path) -> None:
    contracts = {
        "mitdb": Contract(channels=("lead0", "lead1"), rate_hz=360, duration_s=1806, units="mV"),
        "cinc2017": Contract(
            channels=("ECG",), rate_hz=100, duration_s=30, min_duration_s=5, units="mV",
            steps=(
                {"step": "resample"}, {"step": "high_pass", "cutoff_hz": 0.5},
                {"step": "scale", "by": "recording"}, {"step": "crop", "where": "centre"},
            ),
        ),
    }  # type: ignore[dict-item]  # fmt: skip
    for name, contract in contracts.items():
        catalogue = DATASETS[name].catalogue(find(name, None))
        read = two_leads if name == "mitdb" else DATASETS[name].read
        for dtype in ("float32", "int16"):
            target = folder / f"{name}-{dtype}"
            start, before = time.perf_counter(), os.times()
            pack = write_pack(
                target, catalogue=catalogue, read=read, contract=contract, classes=("x",),
                truth=np.zeros((len(catalogue.recordings), 1)), n_processes=n_processors(),
                storage=Storage(dtype=dtype, max_error=0.002),
            )  # type: ignore[arg-type]  # fmt: skip
            seconds, after = time.perf_counter() - start, os.times()
            cpu = sum(after[:4]) - sum(before[:4])
            size = sum(path.stat().st_size for path in target.iterdir()) / 2**20
            print(
                f"{name} {dtype}: {len(pack)} rows, {size:.0f} MiB, {seconds:.1f} s, {cpu:.1f} s of processor"
            )
            print(f"  opened in {opened_ms(target):.1f} ms")


def opened_ms(folder: Path) -> float:
    """Return the median over processes that have imported the package and open one pack."""
    program = (
        "import sys, time, pathlib; from vicinal.inputs.pack import Pack; s = time.perf_counter(); "
        "Pack.open(pathlib.Path(sys.argv[1])); print(1000 * (time.perf_counter() - s))"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", program, str(folder)], capture_output=True, text=True, check=True
        )
        for _ in range(5)
    ]
    return statistics.median(float(run.stdout) for run in runs)


def memory(pid: int) -> dict[str, tuple[int, int]]:
    """Return RSS and PSS in KiB of a process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    found = {}
    for one in (str(pid), *children):
        try:
            text = Path(f"/proc/{one}/smaps_rollup").read_text()
        except OSError:
            continue
        sizes = {line.split(":")[0]: int(line.split()[1]) for line in text.splitlines()[1:]}
        found[one] = (sizes["Rss"], sizes["Pss"])
    return found


def large(folder: Path, gigabytes: float) -> None:
    most = {"RSS of one": 0, "sum of RSS": 0, "sum of PSS": 0}
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.1):
            found = memory(os.getpid()).values()
            most["RSS of one"] = max(most["RSS of one"], *(rss for rss, _ in found))
            most["sum of RSS"] = max(most["sum of RSS"], sum(rss for rss, _ in found))
            most["sum of PSS"] = max(most["sum of PSS"], sum(pss for _, pss in found))

    watcher = threading.Thread(target=watch)
    watcher.start()
    start = time.perf_counter()
    pack = made(folder / "large", round(gigabytes * 1e9 / 48_000))
    ended.set()
    watcher.join()
    size = (folder / "large/samples.bin").stat().st_size / 1e9
    print(f"{len(pack)} rows, {size:.2f} GB in {time.perf_counter() - start:.0f} s, {n_processors()} workers")
    print(", ".join(f"{name} {value / 1024:.0f} MiB" for name, value in most.items()))
    print(f"opened in {opened_ms(folder / 'large'):.1f} ms")
    start = time.perf_counter()
    pack.verify()
    seconds, most_now = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"verified in {seconds:.0f} s, at most {most_now / 1024:.0f} MiB so far")


if __name__ == "__main__":
    what = sys.argv[1] if len(sys.argv) > 1 else ""
    if what not in ("batches", "write", "large"):
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as where:
        print("load", *(f"{one:.1f}" for one in os.getloadavg()))
        if what == "large":
            large(Path(where), float(sys.argv[2]) if len(sys.argv) > 2 else 4.0)
        else:
            {"batches": batches, "write": write}[what](Path(where))
        print("load", *(f"{one:.1f}" for one in os.getloadavg()))
