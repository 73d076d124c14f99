import numpy as np
import pytest

from vicinal.errors import FormatError, PathError
from vicinal.inputs.formats import READERS
from vicinal.inputs.formats.reading import read


@pytest.mark.parametrize("suffix", sorted(READERS))
def test_every_reader_refuses_a_missing_an_empty_and_a_random_file(tmp_path, suffix):
    path = tmp_path / f"r{suffix}"
    with pytest.raises(PathError, match="does not exist"):
        read(path)
    for content in (b"", np.random.default_rng(0).bytes(500)):
        path.write_bytes(content)
        with pytest.raises((FormatError, PathError), match="r"):
            read(path, rate_hz=100.0, units="mV")


def test_a_file_without_a_reader_names_those_there_are(tmp_path):
    (tmp_path / "r.xyz").write_text("x")
    with pytest.raises(FormatError, match=r"expected a file named .hea, .*, got .xyz"):
        read(tmp_path / "r.xyz")
    with pytest.raises(PathError, match="not a regular file"):
        read(tmp_path)


def test_what_is_stated_is_checked_at_once(tmp_path):
    with pytest.raises(FormatError, match=r"rate_hz above 0, got nan; expected distinct channels"):
        read(tmp_path / "r.npy", rate_hz=float("nan"), channels=["a", "a"])


def test_a_path_may_be_text_and_relative(tmp_path, monkeypatch):
    np.save(tmp_path / "r.npy", np.zeros(3))
    monkeypatch.chdir(tmp_path)
    assert read("r.npy", rate_hz=1.0, units="1").id == "r"
