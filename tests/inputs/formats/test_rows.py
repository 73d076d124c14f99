import numpy as np
import pytest

from vicinal.errors import FormatError
from vicinal.inputs.formats import READERS
from vicinal.inputs.formats.reading import read
from vicinal.inputs.formats.rows import ROW_READERS, open_rows
from vicinal.inputs.formats.stated import Stated


def test_suffixes_are_lower_case_and_have_a_reader_of_one_recording():
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in ROW_READERS)
    assert set(ROW_READERS) <= set(READERS)


@pytest.mark.parametrize("suffix", sorted(ROW_READERS))
def test_every_reader_of_rows_refuses_an_empty_and_a_random_file(tmp_path, suffix):
    path = tmp_path / f"r{suffix}"
    for content in (b"", np.random.default_rng(0).bytes(500)):
        path.write_bytes(content)
        with pytest.raises(FormatError, match="r"):
            read(path, row=0, rate_hz=100.0, units="mV")


def test_an_unchanged_file_is_opened_once_and_a_changed_one_again(tmp_path):
    path, stated = tmp_path / "r.npy", Stated(tmp_path, rate_hz=1.0, units="1")
    np.save(path, np.zeros((2, 3)))
    first = open_rows(path, stated)
    assert open_rows(path, Stated(tmp_path, rate_hz=1.0, units="1", row=1)) is first
    assert open_rows(path, Stated(tmp_path, rate_hz=2.0, units="1")) is not first
    np.save(tmp_path / "new.npy", np.ones((2, 3)))
    (tmp_path / "new.npy").replace(path)
    assert open_rows(path, stated).read(0).samples.tolist() == [[1, 1, 1]]


def test_a_row_that_is_not_there_is_refused(tmp_path):
    np.save(tmp_path / "r.npy", np.zeros((2, 3)))
    with pytest.raises(FormatError, match=r"r\.npy: expected a row from 0 to 1, got 2"):
        read(tmp_path / "r.npy", row=2, rate_hz=1.0, units="1")


def test_a_file_that_holds_one_signal_has_no_rows(tmp_path):
    (tmp_path / "r.hea").write_text("r 1 250 1")
    with pytest.raises(FormatError, match=r"r\.hea: expected a file with one signal a row .* Leave row out"):
        read(tmp_path / "r.hea", row=0)
    with pytest.raises(FormatError, match=r"samples are named in .* only\. Leave samples out"):
        read(tmp_path / "r.hea", samples="a:b")
