import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.inputs.formats.mutants import answers, mutants

from vicinal.errors import FormatError
from vicinal.inputs.formats import parquet
from vicinal.inputs.formats.reading import read


def test_columns_are_channels(tmp_path):
    frame = pd.DataFrame({"time [ms]": [0, 10, 20], "II [mV]": [1.0, None, 3.0], "V1 [uV]": [4, 5, 6]})
    frame.to_parquet(tmp_path / "r.parquet")
    signal = read(tmp_path / "r.parquet")
    assert (signal.channels, signal.units, signal.rate_hz) == (("II", "V1"), ("mV", "uV"), 100.0)
    np.testing.assert_array_equal(signal.samples, [[1, np.nan, 3], [4, 5, 6]])


def test_one_signal_a_row_with_its_further_columns(tmp_path):
    frame = pd.DataFrame(
        {"patient": ["a", None], "I_0": [1, 2], "I_1": [3, 4], "II_0": [5, 6], "II_1": [7, 8]}
    )
    frame.to_parquet(tmp_path / "r.parquet")
    signal = read(tmp_path / "r.parquet", row=1, rate_hz=100, units="mV")
    assert signal.samples.tolist() == [[2, 4], [6, 8]]
    assert (signal.channels, signal.id) == (("I", "II"), "r[1]")


def test_batches_equal_what_pandas_reads(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "_BATCH_VALUES", 700)
    values = np.random.default_rng(0).normal(size=(60, 140)).astype(np.float32)
    pd.DataFrame(values).add_prefix("x").to_parquet(tmp_path / "r.parquet")
    found = [read(tmp_path / "r.parquet", row=row, rate_hz=1, units="1").samples[0] for row in range(60)]
    np.testing.assert_array_equal(np.stack(found), values)


BAD = {
    "147-run lengths that decode to terabytes": (
        lambda path: pq.write_table(
            pa.table(
                {
                    f"x{k}": pa.DictionaryArray.from_arrays(pa.array(np.zeros(300_000, np.int32)), [1.0])
                    for k in range(3)
                }
            ),
            path,
        ),
        "expected at most 1000000 bytes of samples, got 3600000",
    ),
    "148-nested column": (
        lambda path: pq.write_table(pa.table({"x0": [[1.0], [2.0]], "x1": [1.0, 2.0]}), path),
        "expected plain values, got nested columns x0",
    ),
    "text in a channel": (
        lambda path: pq.write_table(pa.table({"x0": ["a"], "x1": [1.0]}), path),
        "column x0: expected numbers",
    ),
    "infinity": (
        lambda path: pq.write_table(pa.table({"x0": [np.inf], "x1": [1.0]}), path),
        "column x0: expected finite",
    ),
    "no rows": (
        lambda path: pq.write_table(pa.table({"x0": pa.array([], pa.float64())}), path),
        "expected rows, got none",
    ),
    "not Parquet": (lambda path: path.write_bytes(b"PAR1 and no more"), "expected a Parquet table"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_table_is_refused(tmp_path, name, monkeypatch):
    write, message = BAD[name]
    if name.startswith("147"):
        monkeypatch.setattr(parquet, "MAX_BYTES", 1_000_000)
    write(tmp_path / "r.parquet")
    with pytest.raises(FormatError, match=message) as caught:
        read(tmp_path / "r.parquet", rate_hz=1, units="1", row=0)
    assert "r.parquet" in str(caught.value)


def good(tmp_path):
    frame = pd.DataFrame({"y": ["a", "b"] * 5} | {f"x{k}": np.arange(10.0) + k for k in range(6)})
    frame.to_parquet(tmp_path / "r.parquet", compression=None)
    return (tmp_path / "r.parquet").read_bytes()


def survive(tmp_path, n):
    data = good(tmp_path)
    for mutant in mutants(data, n=n, seed=0):
        (tmp_path / "r.parquet").write_bytes(mutant)
        answers(
            lambda: read(tmp_path / "r.parquet", rate_hz=1, units="1", row=3),
            names="r.parquet",
            extra_bytes=1 << 30,
        )


def test_mutants(tmp_path):
    survive(tmp_path, 100)


@pytest.mark.prove
def test_ten_thousand_mutants(tmp_path):
    survive(tmp_path, 10_000)
