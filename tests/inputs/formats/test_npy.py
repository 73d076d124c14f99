import struct

import numpy as np
import pytest
from tests.inputs.formats.mutants import answers, mutants

from vicinal.errors import FormatError
from vicinal.inputs.formats.npy import open_npy
from vicinal.inputs.formats.reading import read
from vicinal.inputs.formats.stated import Stated


def write(folder, array, **options):
    path = folder / "r.npy"
    np.save(path, array, **options)
    return path


def header(text, *, data=b""):
    raw = text.encode().ljust(118 - 10) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(raw)) + raw + data


@pytest.mark.parametrize(
    "array",
    [
        np.array([[1, 2, 3], [4, 5, 6]], dtype=np.int16),
        np.asfortranarray(np.array([[1, 2, 3], [4, 5, 6]], dtype=np.float64)),
        np.array([[1, 2, 3], [4, 5, 6]], dtype=">f4"),
    ],
    ids=["int16", "99-fortran", "100-big-endian"],
)
def test_any_real_array_is_read(tmp_path, array):
    signal = read(write(tmp_path, array), rate_hz=10.0, units="mV", channels=["a", "b"])
    assert signal.samples.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert signal.samples.dtype == np.float32
    assert (signal.channels, signal.units, signal.rate_hz) == (("a", "b"), ("mV", "mV"), 10)


def test_one_dimension_is_one_channel(tmp_path):
    assert read(write(tmp_path, np.arange(3.0)), rate_hz=10.0, units="1").channels == ("0",)


def test_105_missing_samples_are_left_to_the_contract(tmp_path):
    assert np.isnan(read(write(tmp_path, np.full(3, np.nan)), rate_hz=10.0, units="1").samples).all()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(np.array([{}], dtype=object), "array of object", id="95-object"),
        pytest.param(np.zeros(3, dtype="f4,i4"), "got an array of", id="101-structured"),
        pytest.param(np.zeros(3, dtype=complex), "array of complex128", id="102-complex"),
        pytest.param(np.array(1.0), r"shape \(\)", id="106-0d"),
        pytest.param(
            np.zeros((2, 3, 4)), r"expected one signal, the file holds 2\. Give row, 0 to 1", id="3d"
        ),
        pytest.param(np.zeros((2, 3, 4, 5)), r"shape \(2, 3, 4, 5\)", id="4d"),
        pytest.param(np.zeros(3, np.longdouble), "at most 8 bytes", id="16-bytes"),
        pytest.param(np.zeros((2, 0)), r"shape \(2, 0\)", id="empty"),
        pytest.param(np.array([np.inf]), "finite values", id="inf"),
        pytest.param(np.array([1e39]), "finite values", id="beyond-float32"),
    ],
)
def test_an_array_that_is_no_signal_is_refused(tmp_path, content, message):
    with pytest.raises(FormatError, match=message):
        read(write(tmp_path, content), rate_hz=1.0, units="1")


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        pytest.param(b"", "expected a .npy file", id="empty"),
        pytest.param(b"PK\x03\x04", "expected a .npy file", id="zip"),
        pytest.param(
            header("{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776,)}"),
            "4398046511104 bytes",
            id="97",
        ),
        pytest.param(
            header("{'descr': '<f4', 'fortran_order': False, 'shape': (-3,)}"),
            "lengths of at least 0",
            id="98",
        ),
        pytest.param(header("__import__('os').abort()"), "expected a .npy file", id="code"),
        pytest.param(
            header("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", data=b"1234"),
            "8 bytes",
            id="cut",
        ),
        pytest.param(
            b"\x93NUMPY\x02\x00" + struct.pack("<I", 1 << 20) + b" " * (1 << 20), "npy file", id="96-header"
        ),
        pytest.param(b"\x93NUMPY\x09\x00", "version|npy file", id="version"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path, raw, message):
    (tmp_path / "r.npy").write_bytes(raw)
    with pytest.raises(FormatError, match=message):
        read(tmp_path / "r.npy", rate_hz=1.0, units="1")


def test_a_transposed_array_is_named(tmp_path):
    with pytest.raises(FormatError, match=r"expected 2 channels as stated, got 5\. It looks transposed"):
        read(write(tmp_path, np.zeros((5, 2))), rate_hz=1.0, units="1", channels=["a", "b"])


def test_rate_and_unit_are_never_guessed(tmp_path):
    path = write(tmp_path, np.zeros(3))
    with pytest.raises(FormatError, match="Give rate_hz"):
        read(path, units="1")
    with pytest.raises(FormatError, match="State it: --units"):
        read(path, rate_hz=1.0)


def test_each_row_of_an_array_is_a_recording(tmp_path):
    array = np.arange(24.0).reshape(2, 3, 4)
    path = write(tmp_path, array)
    signal = read(path, row=1, rate_hz=10.0, units="mV", channels=["a", "b", "c"])
    np.testing.assert_array_equal(signal.samples, array[1])
    assert (signal.id, signal.channels) == ("r[1]", ("a", "b", "c"))
    np.testing.assert_array_equal(
        read(write(tmp_path, array[0]), row=2, rate_hz=1.0, units="1").samples, [[8, 9, 10, 11]]
    )
    np.testing.assert_array_equal(read(write(tmp_path, array[:1]), rate_hz=1.0, units="1").samples, array[0])


def test_rows_of_an_array_are_two_or_three_dimensional(tmp_path):
    with pytest.raises(FormatError, match=r"\(n, channels, time\) or \(n, time\), .* got shape \(3,\)"):
        read(write(tmp_path, np.zeros(3)), row=0, rate_hz=1.0, units="1")


def test_a_row_that_is_not_finite_is_named(tmp_path):
    path = write(tmp_path, np.array([[1.0, 2.0], [np.inf, 1.0]]))
    assert read(path, row=0, rate_hz=1.0, units="1").samples.tolist() == [[1, 2]]
    with pytest.raises(FormatError, match=r"r\.npy, row 1: expected finite values"):
        read(path, row=1, rate_hz=1.0, units="1")


def test_mapping_an_array_parses_no_row(tmp_path):
    rows = open_npy(write(tmp_path, np.full((3, 2), np.inf)), Stated(tmp_path))
    assert (rows.n, rows.columns) == (3, {})


def survive(folder, n):
    np.save(folder / "good.npy", np.arange(24.0).reshape(2, 12))
    good = (folder / "good.npy").read_bytes()
    for mutant in mutants(good, n=n, seed=23, header=128):
        (folder / "r.npy").write_bytes(mutant)

        def misread(signal, mutant=mutant):
            n_bytes = len(mutant) - 10 - int.from_bytes(mutant[8:10], "little")
            return None if n_bytes % signal.samples.size == 0 else "the count"

        answers(lambda: read(folder / "r.npy", rate_hz=1, units="1"), names="r.npy", misread=misread)


def test_mutants(tmp_path):
    survive(tmp_path, 150)


@pytest.mark.prove
def test_ten_thousand_mutants(tmp_path):
    survive(tmp_path, 10_000)
