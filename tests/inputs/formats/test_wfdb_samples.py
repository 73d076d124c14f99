"""Skew, frames, offsets, blocks and memory; all by way of `read`, on records written by hand."""

import tracemalloc

import numpy as np
import pytest
from tests.inputs.formats.wfdb_writer import mat_header, packed, record, sound

from vicinal.errors import FormatError
from vicinal.inputs.formats import wfdb_samples
from vicinal.inputs.formats.reading import read

NAN = np.nan


def samples(header, **stated):
    return read(header, **stated).samples.tolist()


def test_a_late_signal_is_moved_back_and_has_no_end(tmp_path):
    data = {"r.dat": packed("16", [1, 10, 2, 20, 3, 30, 4, 40])}
    # The checksum and the first value are those of the file, before the signal is moved.
    header = record(tmp_path, ["r.dat 16 1 16 0 1 10 0 a", "r.dat 16:3 1 16 0 10 100 0 b"], files=data)
    np.testing.assert_array_equal(samples(header), [[1, 2, 3, 4], [40, NAN, NAN, NAN]])


def test_several_samples_a_frame_make_a_faster_signal(tmp_path):
    data = {"r.dat": packed("16", [1, 2, 10, 20, 3, 4, 30, 40])}
    header = record(tmp_path, ["r.dat 16x2 1 0 0 0 0 0 a", "r.dat 16x2:1 1 0 0 0 0 0 b"], n=2, files=data)
    signal = read(header)
    np.testing.assert_array_equal(signal.samples, [[1, 2, 3, 4], [30, 40, NAN, NAN]])
    assert signal.rate_hz == 500


def test_signals_of_different_rates_need_a_choice(tmp_path):
    data = {"r.dat": packed("16", [1, 2, 10, 3, 4, 30])}
    header = record(tmp_path, ["r.dat 16x2 1 0 0 0 0 0 a", "r.dat 16 1 0 0 0 0 0 b"], n=2, files=data)
    with pytest.raises(FormatError, match=r"channels of one rate, got samples a frame of a x2, b x1"):
        read(header)
    assert (samples(header, channels=["a"]), read(header, channels=["a"]).rate_hz) == ([[1, 2, 3, 4]], 500)
    assert (samples(header, channels=["b"]), read(header, channels=["b"]).rate_hz) == ([[10, 30]], 250)


def test_signals_may_lie_in_several_files_of_several_formats(tmp_path):
    sound(tmp_path / "c.flac", [[7], [8]], bits=16)
    files = {"a.dat": bytes(5) + packed("212", [1, 2]), "b.dat": packed("8", [4, -1])}
    header = record(
        tmp_path, ["a.dat 212+5 1", "b.dat 8 1 0 0 100", "c.flac 516 1 0 0 7 15"], n=2, files=files
    )
    assert samples(header) == [[1, 2], [104, 103], [7, 8]]
    assert samples(header, channels=["2", "0"]) == [[7, 8], [1, 2]]


def test_the_offset_of_a_compressed_file_counts_samples(tmp_path):
    sound(tmp_path / "c.flac", np.arange(20).reshape(10, 2), bits=16)
    header = record(tmp_path, ["c.flac 516x2+2 1", "c.flac 516x2+2 1"])
    assert samples(header) == [[4, 6, 8, 10, 12, 14, 16, 18], [5, 7, 9, 11, 13, 15, 17, 19]]


def test_a_mat_file_says_the_same_as_the_header(tmp_path):
    lines = ["A.mat 16+24 1000/mV 16 0 0 0 0 ECG", "A.mat 16+24 1000/mV 16 0 0 0 0 V1"]
    values = packed("16", [1000, 0, 2000, 0, 3000, 0])
    header = record(tmp_path, lines, n=3, name="A", files={"A.mat": mat_header(2, 3) + values})
    assert samples(header) == [[1, 2, 3], [0, 0, 0]]
    (tmp_path / "A.mat").write_bytes(mat_header(3, 2) + values)
    with pytest.raises(FormatError, match="expected a matrix of 2 x 3, it says 3 x 2"):
        read(header)


@pytest.mark.parametrize("storage", ["8", "16", "212", "310", "311"])
def test_the_size_of_a_block_changes_nothing(tmp_path, monkeypatch, storage):
    values = np.random.default_rng(0).integers(-99, 99, 50 * 7)
    lines = [f"r.dat {storage}x{k}:{k} 3.5 0 2 9 0 0 c{k}" for k in (1, 2, 4)]
    header = record(tmp_path, lines, n=50, files={"r.dat": packed(storage, values)})
    whole = [samples(header, channels=[f"c{k}"]) for k in (1, 2, 4)]
    monkeypatch.setattr(wfdb_samples, "_BLOCK", 60)
    for k, expected in zip((1, 2, 4), whole, strict=True):
        np.testing.assert_array_equal(samples(header, channels=[f"c{k}"]), expected)


def test_differences_that_leave_32_bits_are_refused(tmp_path):
    header = record(tmp_path, ["r.dat 8 1 0 0 2147483647"], files={"r.dat": packed("8", [0, 1])})
    with pytest.raises(FormatError, match="expected values of 32 bits"):
        read(header)


def test_a_flac_file_must_hold_what_the_header_says(tmp_path):
    sound(tmp_path / "c.flac", np.zeros((10, 2)), bits=16)
    for lines, n, message in (
        (["c.flac 516 1"], 10, "expected 1 signals of 10 samples, got 2 of 10"),
        (["c.flac 516 1"] * 2, 11, "expected 2 signals of 11 samples, got 2 of 10"),
        (["c.flac 508 1"] * 2, 10, "expected at most 8 bits, got 16"),
        (["c.flac 516x2 1", "c.flac 516 1"], 5, "FLAC and holds signals with different numbers"),
        (["c.flac 516+11 1"] * 2, "", "expected 2 signals of 11 samples, got 2 of 10"),
    ):
        with pytest.raises(FormatError, match=message):
            read(record(tmp_path, lines, n=n))


@pytest.mark.parametrize("storage", ["16", "212", "311", "8", "32", "516"])
def test_memory_is_that_of_the_result_and_a_block(tmp_path, storage):
    n = 2_000_000
    if storage == "516":
        sound(tmp_path / "r.dat", np.zeros((n, 3)), bits=16)
    else:
        block = packed(storage, [1, -1, 0] * 2)
        (tmp_path / "r.dat").write_bytes(block * (n // 2))
    header = record(tmp_path, [f"r.dat {storage} 200"] * 3, n=n)
    read(record(tmp_path, ["s.dat 16 1"], name="s", files={"s.dat": bytes(8)}))  # imports are not counted
    tracemalloc.start()
    result = read(header).samples
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < result.nbytes + (24 << 20)
