import struct

import numpy as np
import pytest

from vicinal.errors import FormatError
from vicinal.inputs.formats.reading import read


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
        pytest.param(np.zeros((2, 3, 4)), r"shape \(2, 3, 4\)", id="3d"),
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
        pytest.param(header("{'descr': '<f4', 'fortran_order': False, 'shape': (-3,)}"), "shape", id="98"),
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
    with pytest.raises(FormatError, match="Give units"):
        read(path, rate_hz=1.0)
