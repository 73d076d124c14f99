"""Reading takes at most three times the decoded float32 samples and 64 MiB, in every format."""

import io
import json
import subprocess
import sys
import wave

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from PIL import Image

pytestmark = pytest.mark.slow

RNG = np.random.default_rng(0)
N = 2_000_000
VALUES = RNG.integers(-2000, 2000, N, dtype=np.int16)


def csv(path):
    with path.open("w") as file:
        file.write("II [mV],V1 [mV]\n")
        file.write("\n".join(f"{a},{b}" for a, b in VALUES.reshape(-1, 2).tolist()) + "\n")


def wide(path):
    pd.DataFrame(VALUES.reshape(-1, 4000)).add_prefix("x").to_csv(path, index=False)


def timed(path):
    columns = {"time": np.arange(N) / 500, "II [mV]": VALUES.astype(np.float32)}
    (pa.csv.write_csv if path.suffix == ".csv" else pq.write_table)(pa.table(columns), path)


def ts(path):
    lines = (",".join(map(str, row)) + "\n" for row in VALUES.reshape(-1, 4000).tolist())
    path.write_text("@univariate true\n@classLabel false\n@data\n" + "".join(lines))


def wav(path):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(VALUES.tobytes())


def wfdb(path):
    path.write_text(f"r 2 360 {N // 2}\nr.dat 16 200/mV 12 0\nr.dat 16 200/mV 12 0\n")
    path.with_suffix(".dat").write_bytes(VALUES.astype("<i2").tobytes())


def edf(path):
    import edfio

    signals = [
        edfio.EdfSignal(row.astype(float), 400, label=f"c{k}", physical_dimension="uV")
        for k, row in enumerate(VALUES.reshape(2, -1))
    ]
    edfio.Edf(signals).write(path)


def hdf5(path):
    with h5py.File(path, "w") as file:
        file.create_dataset("x", data=VALUES.reshape(2, -1), compression="gzip")


def png(path):
    pixels = RNG.integers(0, 256, (1400, 1400), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    path.write_bytes(stream.getvalue())


MAKERS = {
    "r.csv": csv,
    "wide.csv": wide,
    "timed.csv": timed,
    "timed.parquet": timed,
    "wide.parquet": lambda path: pd.DataFrame(VALUES.reshape(-1, 4000)).add_prefix("x").to_parquet(path),
    "wide.ts": ts,
    "r.parquet": lambda path: pd.DataFrame(VALUES.reshape(-1, 2), columns=["II", "V1"]).to_parquet(path),
    "r.npy": lambda path: np.save(path, VALUES.reshape(2, -1).astype(np.float64)),
    "r.npz": lambda path: np.savez_compressed(path, x=VALUES.reshape(2, -1)),
    "r.h5": hdf5,
    "r.wav": wav,
    "r.png": png,
    "r.edf": edf,
    "r.hea": wfdb,
}
PROGRAM = """
import json, resource, sys
from vicinal.inputs.formats.reading import read
path, small, options = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
read(small, **options)  # what the libraries take to load is not the reader's
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
signal = read(path, **options)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
n_bytes = signal.samples.nbytes
if options.get("row") is not None:  # a table is opened whole, once
    n_bytes *= 500
print(json.dumps([(peak - before) * 1024, n_bytes]))
"""


@pytest.mark.parametrize("name", MAKERS)
def test_memory_is_bounded(tmp_path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder, n in (("large", N), ("small", 8000)):
        (tmp_path / folder).mkdir()
        monkeypatch.setattr(sys.modules[__name__], "VALUES", VALUES[:n])
        monkeypatch.setattr(sys.modules[__name__], "N", n)
        MAKERS[name](tmp_path / folder / name)
    options: dict[str, object] = (
        {} if name in ("r.png", "r.edf", "r.hea", "r.wav") else {"rate_hz": 100.0, "units": "mV"}
    )
    if name == "r.csv":
        options = {"rate_hz": 100.0}
    if name.startswith("timed"):
        options = {}
    if name.startswith("wide"):
        options["row"] = 0
    arguments = [str(tmp_path / "large" / name), str(tmp_path / "small" / name), json.dumps(options)]
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, check=True
    )
    used, decoded = json.loads(result.stdout)
    assert decoded >= 7_500_000
    assert used <= 3 * decoded + (64 << 20)
