import io
import zipfile

import numpy as np
import pytest
from tests.inputs.formats.mutants import answers, mutants

from vicinal.errors import FormatError
from vicinal.inputs.formats import npz
from vicinal.inputs.formats.reading import read


def npy(array, **options) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


def archive(path, method=zipfile.ZIP_DEFLATED, **members: bytes):
    with zipfile.ZipFile(path, "w", method) as file:
        for name, data in members.items():
            file.writestr(name.replace("__", "/") + ("" if name.endswith("x") else ".npy"), data)
    return path


def test_one_array_is_one_recording(tmp_path):
    np.savez(tmp_path / "r.npz", x=np.array([[1, 2], [3, 4]], dtype=">i2"))
    signal = read(tmp_path / "r.npz", rate_hz=100, units="mV", channels=["I", "II"])
    assert signal.samples.tolist() == [[1, 2], [3, 4]]


def test_several_signals_with_their_columns(tmp_path):
    x = np.arange(12, dtype=np.float64).reshape(2, 2, 3)
    np.savez_compressed(tmp_path / "r.npz", X=x, y=np.array([0, 1]))
    assert read(tmp_path / "r.npz", row=1, rate_hz=1, units="1").samples.tolist() == x[1].tolist()
    with pytest.raises(FormatError, match=r"holds 2\. Give row, 0 to 1"):
        read(tmp_path / "r.npz", rate_hz=1, units="1")


def test_the_caller_names_the_array_where_there_are_several(tmp_path):
    np.savez(tmp_path / "r.npz", a=np.ones((1, 3)), b=np.zeros((1, 3)))
    with pytest.raises(FormatError, match="expected one array of samples, got a, b"):
        read(tmp_path / "r.npz", rate_hz=1, units="1")
    assert not read(tmp_path / "r.npz", rate_hz=1, units="1", samples="b").samples.any()


OBJECTS = npy(np.array([{}], dtype=object), allow_pickle=True)
BAD = {
    "95-objects": ({"x_": OBJECTS}, "expected real numbers"),
    "103-a name that leads out": (
        {"..__name": npy(np.ones(3))},
        r"expected names such as x\.npy, got '\.\./name\.npy'",
    ),
    "103-another file": ({"code.py.x": b"import os"}, r"expected names such as x\.npy"),
    "104-a bomb": ({"x_": npy(np.zeros(2_000_000))}, "expected at most 1000000 bytes in all"),
    "105-only NaN": ({"x_": npy(np.full((1, 3), np.nan))}, None),
    "106-no dimension": ({"x_": npy(np.float64(3))}, "expected an array of samples, got shape"),
    "complex": ({"x_": npy(np.ones(3, dtype=complex))}, "expected real numbers"),
    "two of one name": (None, "names repeat"),
    "no zip": (b"PK and no more", "expected an archive of arrays"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_archive_is_refused(tmp_path, name, monkeypatch):
    members, message = BAD[name]
    path = tmp_path / "r.npz"
    if name.startswith("104"):
        monkeypatch.setattr(npz, "MAX_BYTES", 1_000_000)
    if isinstance(members, bytes):
        path.write_bytes(members)
    elif members is None:
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("x.npy", npy(np.ones(3)))
            with pytest.warns(UserWarning, match="Duplicate name"):
                file.writestr("x.npy", npy(np.ones(3)))
    else:
        archive(path, **members)
    if message is None:  # what is missing is for the contract to judge
        assert np.isnan(read(path, rate_hz=1, units="1").samples).all()
        return
    with pytest.raises(FormatError, match=message) as caught:
        read(path, rate_hz=1, units="1")
    assert "r.npz" in str(caught.value)


def test_a_member_that_lies_about_its_size_is_refused(tmp_path):
    path = archive(tmp_path / "r.npz", x_=npy(np.ones(3)))
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\x01\x02") + 24  # the size in the central directory
    data[at : at + 4] = (2**31 - 1).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(FormatError, match="claims 2147483647 bytes"):
        read(path, rate_hz=1, units="1")


def survive(tmp_path, n):
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        path = archive(
            tmp_path / "r.npz", method, x_=npy(np.arange(24.0).reshape(4, 6)), y_=npy(np.arange(4))
        )
        for mutant in mutants(path.read_bytes(), n=n // 2, seed=1):
            path.write_bytes(mutant)
            signal = answers(lambda path=path: read(path, rate_hz=1, units="1", row=2), names="r.npz")
            if signal is not None:  # each member has a checksum: whatever comes through is what was written
                assert signal.samples.tolist() == [list(range(12, 18))]


def test_mutants(tmp_path):
    survive(tmp_path, 100)


@pytest.mark.prove
def test_ten_thousand_mutants(tmp_path):
    survive(tmp_path, 10_000)
