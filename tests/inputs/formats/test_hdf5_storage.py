import zlib

import h5py
import numpy as np
import pytest

from vicinal.inputs.formats.hdf5_storage import MAX_CHUNK, Chunks, storage_problem


@pytest.fixture
def file(tmp_path):
    with h5py.File(tmp_path / "r.h5", "w") as opened:
        yield opened


def problem(data):
    data.file.flush()
    return storage_problem(data, size=1 << 40) or Chunks(data).problem()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"chunks": (2, 3)},
        {"chunks": (2, 3), "compression": "gzip"},
        {"chunks": (2, 3), "compression": "gzip", "shuffle": True, "fletcher32": True},
        {"chunks": (2, 3), "fletcher32": True},
        {"maxshape": (None, 7), "compression": "gzip"},
    ],
)
def test_what_h5py_writes_is_sound(file, options):
    assert problem(file.create_dataset("x", data=np.arange(35.0).reshape(5, 7), **options)) == ""


def test_140_a_chunk_that_unpacks_to_more_is_not_read(file):
    data = file.create_dataset("x", shape=(2, 64), dtype="f8", chunks=(1, 64), compression="gzip")
    data.id.write_direct_chunk((0, 0), zlib.compress(bytes(512)))
    data.id.write_direct_chunk((1, 0), zlib.compress(bytes(64 << 20)))
    assert Chunks(data).problem(0) == ""
    assert problem(data) == "the chunk at (1, 0) does not unpack to 512 bytes"


@pytest.mark.parametrize("packed", [zlib.compress(bytes(511)), zlib.compress(bytes(512))[:-5], b"no stream"])
def test_a_chunk_that_does_not_unpack_is_not_read(file, packed):
    data = file.create_dataset("x", shape=(1, 64), dtype="f8", chunks=(1, 64), compression="gzip")
    data.id.write_direct_chunk((0, 0), packed)
    assert problem(data) == "the chunk at (0, 0) does not unpack to 512 bytes"


def test_a_chunk_of_another_size_is_not_read(file):
    data = file.create_dataset("x", shape=(1, 64), dtype="f8", chunks=(1, 64))
    data.id.write_direct_chunk((0, 0), bytes(500))
    assert problem(data) == "the chunk at (0, 0) has 500 bytes instead of 512"


def test_an_empty_data_set_holds_nothing(file):
    assert problem(file.create_dataset("x", data=h5py.Empty("f4"))) == "it holds nothing"


def test_what_was_never_written_is_no_signal(file):
    assert problem(file.create_dataset("x", (2, 3), "f4")) == "24 bytes are claimed and 0 stored"
    chunked = file.create_dataset("y", (2, 3), "f4", chunks=(1, 3))
    chunked[0] = 1
    assert problem(chunked) == "the chunk at (1, 0) was never written"


def test_large_chunks_and_other_filters_are_not_opened(file):
    large = file.create_dataset("x", (1, MAX_CHUNK // 4), "f8", chunks=(1, MAX_CHUNK // 4))
    assert problem(large).startswith("its chunks are larger than 16777216 bytes")
    other = file.create_dataset("y", data=np.zeros((4, 4)), compression="lzf")
    assert problem(other).startswith("it is packed by an unknown filter")


def test_filters_in_another_order_are_not_opened(file):
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_chunk((1, 4))
    properties.set_deflate(1)
    properties.set_shuffle()
    space = h5py.h5s.create_simple((1, 4))
    data = h5py.Dataset(h5py.h5d.create(file.id, b"x", h5py.h5t.NATIVE_DOUBLE, space, properties))
    assert problem(data) == "its filters stand in an order that no program writes"
