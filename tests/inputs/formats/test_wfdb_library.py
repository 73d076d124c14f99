"""Records of one signal `a`, and annotation files, written by hand for the formats the library decodes."""

import sys

import numpy as np
import pytest

from vicinal.errors import FormatError
from vicinal.inputs.formats.reading import read
from vicinal.inputs.formats.wfdb_library import digital_samples, events


def record(folder, storage, data, *, n_samples):
    (folder / "r.dat").write_bytes(data)
    path = folder / "r.hea"
    path.write_text(f"r 1 360 {n_samples}\nr.dat {storage} 200/mV\n")
    return path


@pytest.mark.parametrize(
    ("storage", "data", "expected"),
    [
        pytest.param("80", b"\x80\x81\x00", [0, 1, -128], id="80-offset-binary"),
        pytest.param("61", b"\x01\x02\xff\xfe", [258, -2], id="61-high-byte-first"),
        pytest.param("24", b"\x01\0\0\xff\xff\xff", [1, -1], id="24-three-bytes"),
        pytest.param("32", b"\0\0\1\0\xff\xff\xff\xff", [65536, -1], id="32-not-cut-to-16"),
        # Low byte of the first, both high nibbles (the second's above), low byte of the second.
        pytest.param("212", b"\x01\xf0\xff\x00\x18\x00", [1, -1, -2048, 256], id="212-pairs"),
    ],
)
def test_digital_values_are_those_of_the_bytes(tmp_path, storage, data, expected):
    path = record(tmp_path, storage, data, n_samples=len(expected))
    assert digital_samples(path).tolist() == [expected]


def test_signals_that_take_turns_in_the_file_are_rows_one_after_another_in_memory(tmp_path):
    path = record(tmp_path, "80", b"\x81\x7f\x82\x7e", n_samples=2)
    path.write_text("r 2 360 2\n" + "r.dat 80 200/mV\n" * 2)
    samples = digital_samples(path)
    assert samples.tolist() == [[1, 2], [-1, -2]]
    assert (samples.dtype, samples.flags.c_contiguous) == (np.int32, True)


def test_events_have_positions_and_symbols_and_an_unknown_one_is_empty(tmp_path):
    path = tmp_path / "r.atr"
    path.write_bytes(b"\x02\xc4\x01\x04\0\0")  # code 49 after 2 samples, code 1 after 1 more
    positions, symbols = events(path)
    assert (positions.tolist(), positions.dtype, symbols) == ([2, 3], np.int64, ("", "N"))


def test_what_the_library_cannot_make_sense_of_is_a_format_error(tmp_path):
    with pytest.raises(FormatError, match=r"r\.hea: the wfdb library cannot read it: "):
        digital_samples(record(tmp_path, "80", b"\x80", n_samples=3))
    (tmp_path / "r.atr").write_bytes(b"\x01")
    with pytest.raises(FormatError, match=r"r\.atr: the wfdb library cannot read it: "):
        events(tmp_path / "r.atr")


def test_format_16_without_events_is_read_where_the_library_cannot_be_imported(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "wfdb", None)
    plain = record(tmp_path, "16", b"\xc8\0\x38\xff", n_samples=2)  # 200 and -200, at 200 a mV
    assert read(plain).samples.tolist() == [[1, -1]]
    with pytest.raises(ModuleNotFoundError, match="wfdb"):
        digital_samples(plain)
