import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from vicinal.errors import FormatError
from vicinal.inputs.formats.arrays import from_arrow, is_real, rows_of, signal_of, to_float32
from vicinal.inputs.formats.stated import Stated

STATED = Stated(Path(), rate_hz=10.0, units="mV")


@given(arrays.arrays(np.float64, arrays.array_shapes(max_dims=3), elements=st.floats(width=64)))
def test_float32_or_refused(values):
    if np.isinf(values).any() or (np.abs(values[~np.isnan(values)]) > 3.4e38).any():
        largest = np.nanmax(np.abs(values), initial=0)
        if largest > 3.5e38:
            with pytest.raises(FormatError, match=r"^r: expected finite values"):
                to_float32(values, where="r")
        return
    single = to_float32(values, where="r")
    np.testing.assert_array_equal(single, values.astype(np.float32))
    assert single.dtype == np.float32


@pytest.mark.parametrize("dtype", ["i1", "u8", ">i2", "f2", ">f8"])
def test_real_types_become_float32(dtype):
    assert is_real(np.dtype(dtype))
    assert to_float32(np.array([[1, 2]], dtype), where="r").tolist() == [[1, 2]]


@pytest.mark.parametrize("dtype", ["?", "c8", "O", "S3", "U2", "M8[s]", "f4,i4", "longdouble"])
def test_other_types_do_not(dtype):
    assert not is_real(np.dtype(dtype))


def test_the_result_is_a_copy_in_c_order():
    source = np.asfortranarray(np.zeros((2, 3), np.float32))
    single = to_float32(source, where="r")
    assert single.flags.c_contiguous
    assert single.flags.writeable
    assert not np.shares_memory(single, source)


def test_a_signal_is_named_by_the_file_the_caller_or_numbers():
    array = np.zeros((2, 3))
    stated = Stated(Path(), ("a", "b"), 10.0, "mV")
    assert signal_of(array, path=Path("d/r.npy"), stated=STATED).channels == ("0", "1")
    assert signal_of(array, path=Path("d/r.npy"), stated=stated).channels == ("a", "b")
    named = signal_of(array, path=Path("d/r.npy"), stated=stated, names=("I", "II"), row=7)
    assert (named.channels, named.id, named.source) == (("I", "II"), "r[7]", "d/r.npy, row 7")


def test_rows_are_signals():
    rows = rows_of(
        np.arange(6).reshape(3, 2), path=Path("r.npy"), stated=STATED, columns={"label": ("a", "", "b")}
    )
    assert (rows.n, rows.columns) == (3, {"label": ("a", "", "b")})
    assert [rows.read(row).samples.tolist() for row in range(3)] == [[[0, 1]], [[2, 3]], [[4, 5]]]


@pytest.mark.parametrize("kind", ["int8", "uint16", "int64", "float", "double"])
@pytest.mark.parametrize("values", [[1, 2, 3, 4], [1, None, 3, 4], [None, 2, None, 4]])
@pytest.mark.parametrize("start", [0, 1, 3])
def test_arrow_values_with_and_without_nulls_and_offsets(kind, values, start):
    array = pa.array(values, kind).slice(start)
    expected = np.array([np.nan if value is None else value for value in values[start:]])
    np.testing.assert_array_equal(from_arrow(array), expected)


def test_neither_csv_nor_parquet_needs_pandas(tmp_path):
    (tmp_path / "r.csv").write_text("time,a [mV]\n0,1\n1,\n")
    pq.write_table(pa.table({"time": [0, 1], "a [mV]": [1.0, None]}), tmp_path / "r.parquet")
    program = (
        "import sys; from vicinal.inputs.formats.reading import read; "
        "read(sys.argv[1] + '/r.csv'), read(sys.argv[1] + '/r.parquet'); sys.exit('pandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False).returncode == 0
