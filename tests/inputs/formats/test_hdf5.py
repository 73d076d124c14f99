import subprocess
import sys
import zlib

import h5py
import numpy as np
import pytest
from tests.inputs.formats.mutants import answers, mutants

from vicinal.errors import FormatError
from vicinal.inputs.formats import hdf5
from vicinal.inputs.formats.hdf5 import CODE15_LEADS
from vicinal.inputs.formats.reading import read


def test_the_code15_layout(tmp_path):
    tracings = np.random.default_rng(0).normal(size=(3, 50, 12)).astype(np.float32)
    with h5py.File(tmp_path / "exams.hdf5", "w") as file:
        file["tracings"] = tracings
        file["exam_id"] = np.array([11, 22, 33])
    signal = read(tmp_path / "exams.hdf5", row=1, rate_hz=400, units="mV")
    np.testing.assert_array_equal(signal.samples, tracings[1].T)
    assert (signal.channels, signal.id) == (CODE15_LEADS, "exams[1]")
    opened = hdf5.open_hdf5(tmp_path / "exams.hdf5", hdf5.Stated(tmp_path))
    assert opened.columns == {"exam_id": ("11", "22", "33")}


def test_one_array_is_one_recording(tmp_path):
    with h5py.File(tmp_path / "r.h5", "w") as file:
        file.create_dataset("x", data=np.arange(6.0).reshape(2, 3), compression="gzip", chunks=(1, 3))
    assert read(tmp_path / "r.h5", rate_hz=1, units="1").samples.tolist() == [[0, 1, 2], [3, 4, 5]]


def external_link(file, tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["x"] = np.ones((1, 3))
    file["x"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/x")


def virtual(file, tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["x"] = np.ones((1, 3))
    layout = h5py.VirtualLayout(shape=(1, 3), dtype="f8")
    layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "x", shape=(1, 3))
    file.create_virtual_dataset("x", layout)


def external_storage(file, tmp_path):
    (tmp_path / "secret").write_bytes(bytes(24))
    file.create_dataset("x", shape=(1, 3), dtype="f8", external=[(str(tmp_path / "secret"), 0, 24)])


def bomb(file, _):
    file.create_dataset("x", shape=(1, 2**40), dtype="f8", chunks=(1, 2**20), compression="gzip")


def endless_group(file, _):
    file.create_group("x")["again"] = file["/"]


def references(file, _):
    file.create_dataset("x", data=np.array([file["/"].ref], dtype=h5py.ref_dtype))


BAD = {
    "138-link to another file": (external_link, "it is a link to elsewhere"),
    "139-virtual data set": (virtual, "its values lie in other files"),
    "139-external storage": (external_storage, "its values lie in other files"),
    "140-compression bomb": (bomb, "8796093022208 bytes are claimed and 0 stored"),
    "141-group that holds itself": (endless_group, "it is not an array"),
    "141-references": (references, "expected real numbers"),
    "empty": (lambda *_: None, "expected one array of samples, got none"),
    "two arrays": (lambda file, _: file.update({"a": np.ones((1, 2)), "b": np.ones((1, 2))}), "got a, b"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused(tmp_path, name):
    make, message = BAD[name]
    with h5py.File(tmp_path / "r.h5", "w") as file:
        make(file, tmp_path)
    with pytest.raises(FormatError, match=message) as caught:
        read(tmp_path / "r.h5", rate_hz=1, units="1")
    assert "r.h5" in str(caught.value)


def test_bytes_that_are_no_hdf5_are_refused(tmp_path):
    (tmp_path / "r.h5").write_bytes(b"\x89PNG and so on")
    with pytest.raises(FormatError, match="expected an HDF5 file"):
        read(tmp_path / "r.h5", rate_hz=1, units="1")


def test_reading_loads_h5py_only_when_it_is_needed() -> None:
    program = "import sys, vicinal.inputs.formats.reading; sys.exit('h5py' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_an_opened_file_reads_rows_from_where_it_was_opened(tmp_path):
    with h5py.File(tmp_path / "r.h5", "w") as file:
        file.create_dataset("x", data=np.arange(6.0).reshape(2, 3), compression="gzip", chunks=(2, 3))
    rows = hdf5.open_hdf5(tmp_path / "r.h5", hdf5.Stated(tmp_path, rate_hz=1.0, units="1"))
    (tmp_path / "r.h5").unlink()
    assert [rows.read(row).samples.tolist() for row in range(2)] == [[[0, 1, 2]], [[3, 4, 5]]]


def test_140_a_chunk_that_unpacks_to_more_than_it_says_is_not_read(tmp_path):
    with h5py.File(tmp_path / "r.h5", "w") as file:
        data = file.create_dataset("x", shape=(2, 64), dtype="f8", chunks=(1, 64), compression="gzip")
        data.id.write_direct_chunk((0, 0), zlib.compress(bytes(512)))
        data.id.write_direct_chunk((1, 0), zlib.compress(bytes(64 << 20)))
    assert not read(tmp_path / "r.h5", rate_hz=1, units="1", row=0).samples.any()
    for row in (1, None):
        with pytest.raises(FormatError, match=r"r\.h5, x: .* the chunk at \(1, 0\) does not unpack to 512"):
            read(tmp_path / "r.h5", rate_hz=1, units="1", row=row)


def survive(tmp_path, n):
    samples = np.arange(4 * 6 * 2.0).reshape(4, 6, 2)
    options = {"chunks": (2, 6, 2), "compression": "gzip", "fletcher32": True}

    def misread(signal):
        return None if np.array_equal(signal.samples, samples[2].T) else f"got {signal.samples}"

    # The newer layout has checksums all over: what comes through is what was written. The older has not.
    for version, oracle in (("latest", misread), ("earliest", lambda _: None)):
        with h5py.File(tmp_path / "good.h5", "w", libver=version) as file:
            file.create_dataset("tracings", data=samples, **options)
        data = (tmp_path / "good.h5").read_bytes()
        for mutant in mutants(data, n=n // 2, seed=3, header=1500):
            (tmp_path / "r.h5").write_bytes(mutant)
            answers(
                lambda: read(tmp_path / "r.h5", rate_hz=1, units="1", row=2),
                names="r.h5",
                misread=oracle,
                extra_bytes=1 << 30,
            )


def test_mutants(tmp_path):
    survive(tmp_path, 100)


@pytest.mark.prove
def test_ten_thousand_mutants(tmp_path):
    survive(tmp_path, 10_000)
