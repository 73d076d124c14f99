"""Records of several segments; every one is written by hand, and the good ones are compared with the library."""

import warnings

import numpy as np
import pytest
from tests.inputs.formats.wfdb_writer import packed, record

from vicinal.errors import FormatError, PathError
from vicinal.inputs.formats import wfdb
from vicinal.inputs.formats.reading import read

NAN = np.nan


def master(folder, text, name="r"):
    path = folder / f"{name}.hea"
    path.write_text(text)
    return path


def part(folder, name, signals, *, rate=250, gain=10, units="mV", n=None):
    """A segment with `signals` by name, in format 16."""
    values = np.array(list(signals.values())).T
    lines = [f"{name}.dat 16 {gain}/{units} 16 0 0 0 0 {signal}" for signal in signals]
    record(
        folder,
        lines,
        n=len(values) if n is None else n,
        name=name,
        rate=rate,
        files={f"{name}.dat": packed("16", values.reshape(-1))},
    )


def layout(folder, *names):
    (folder / "r_layout.hea").write_text(
        f"r_layout {len(names)} 250 0\n" + "".join(f"~ 0 200/mV 16 0 0 0 0 {name}\n" for name in names)
    )


def by_the_library(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import wfdb as library

        return library.rdrecord(str(path.with_suffix(""))).p_signal.T.astype(np.float32)


def fixed(folder):
    part(folder, "r1", {"I": [10, 20], "II": [0, 0]})
    part(folder, "r2", {"I": [40, -32768, 60], "II": [1, 2, 3]}, gain=20)
    return master(folder, "r/2 2 250 5\nr1 2\nr2 3\n")


def variable(folder):
    layout(folder, "I", "II", "V")
    part(folder, "r1", {"II": [10, 20]})
    part(folder, "r2", {"V": [1], "I": [50]}, gain=100)
    return master(folder, "r/5 3 250 8\nr_layout 0\nr1 2\n~ 3\nr2 1\nr1 2\n")


def test_segments_of_a_fixed_layout_follow_one_another_each_with_its_gain(tmp_path):
    header = fixed(tmp_path)
    signal = read(header)
    np.testing.assert_allclose(signal.samples, [[1, 2, 2, NAN, 3], [0, 0, 0.05, 0.1, 0.15]], rtol=1e-6)
    np.testing.assert_array_equal(signal.samples, by_the_library(header))
    assert (signal.channels, signal.units, signal.id) == (("I", "II"), ("mV", "mV"), "r")


def test_signals_of_a_variable_layout_are_found_by_name_and_what_is_absent_is_missing(tmp_path):
    header = variable(tmp_path)
    signal = read(header)
    expected = [[NAN] * 5 + [0.5] + [NAN] * 2, [1, 2] + [NAN] * 4 + [1, 2], [NAN] * 5 + [0.01] + [NAN] * 2]
    np.testing.assert_allclose(signal.samples, expected, rtol=1e-6)
    np.testing.assert_array_equal(signal.samples, by_the_library(header))
    np.testing.assert_array_equal(read(header, channels=["V", "II"]).samples, signal.samples[[2, 1]])


def test_a_gap_may_begin_or_end_a_record_of_fixed_layout(tmp_path):
    part(tmp_path, "r1", {"I": [10]})
    header = master(tmp_path, "r/3 1 250 4\n~ 1\nr1 1\n~ 2\n")
    np.testing.assert_array_equal(read(header).samples, [[NAN, 1, NAN, NAN]])


def test_events_of_the_whole_lie_beside_its_header(tmp_path):
    header = fixed(tmp_path)
    (tmp_path / "r.atr").write_bytes(b"\x04\x04\0\0")
    assert read(header).events.positions.tolist() == [4]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("r/2 2 250 5\nr 2\nr2 3\n", "segment r: expected a record of signals", id="50-itself"),
        pytest.param("r/16 2 250 5\n" + "r1 2\n" * 15, "16 segment lines, got 15", id="51-fewer"),
        pytest.param("r/1000000000 2 250 5\nr1 2\n", "number of segments: .*1000000000", id="52-many"),
        pytest.param("r/2 2 500 5\nr1 2\nr2 3\n", "r1: expected a rate of 500 Hz, got 250", id="53-rate"),
        pytest.param("r/2 2 250 6\nr1 2\nr2 3\n", "segments of 6 samples together, got 5", id="sum"),
        pytest.param("r/2 2 250 5\nr1 3\nr2 2\n", "r1: expected 3 samples a signal, got 2", id="length"),
        pytest.param("r/2 1 250 5\nr1 2\nr2 3\n", r"r1: expected 1 signals", id="signals"),
        pytest.param("r/2 2 250 5\n../r1 2\nr2 3\n", "name of a record, got ../r1", id="folder"),
        pytest.param("r/2 2 250 5\nhttp://h/r1 2\nr2 3\n", "name of a record, got http", id="network"),
        pytest.param("r/2 2 250 5\nr1 2\nr2 x\n", "segment 1: .* got x", id="text"),
        pytest.param("r/2 2 250 2\nr1 2\nr2 0\n", "segment 1: .* got 0", id="no-samples"),
        pytest.param("r/1 2 250 5\n~ 5\n", "all of them are gaps", id="gaps-alone"),
        pytest.param("r/1 2 250 0\nr_layout 0\n", "expected segments with samples", id="layout-alone"),
        pytest.param("r/2 9 250 5\nr_layout 0\n~ 5\n", "expected 9 signals at 250 Hz, got 2", id="layout-n"),
    ],
)
def test_segments_that_cannot_belong_together_are_refused(tmp_path, text, message):
    fixed(tmp_path)
    layout(tmp_path, "I", "II")
    with pytest.raises(FormatError, match=message) as caught:
        read(master(tmp_path, text))
    assert "r.hea" in str(caught.value)


@pytest.mark.parametrize(
    ("signals", "more", "message"),
    [
        pytest.param({"I": [1], "X": [1]}, {}, "distinct signals of the layout, got I, X", id="unknown"),
        pytest.param({"I": [1]}, {"units": "uV"}, "1 samples a frame in mV, got 1 in uV", id="unit"),
        pytest.param({"I": [1]}, {"n": 2}, "expected 1 signals of 2 samples", id="file"),
    ],
)
def test_a_segment_must_fit_its_layout(tmp_path, signals, more, message):
    layout(tmp_path, "I", "II")
    part(tmp_path, "r1", signals, **more)
    with pytest.raises(FormatError, match=message):
        read(master(tmp_path, "r/2 2 250 1\nr_layout 0\nr1 1\n"))


def test_a_segment_that_is_not_there_or_leads_out_is_not_opened(tmp_path):
    (tmp_path / "in").mkdir()
    header = master(tmp_path / "in", "r/1 1 250 1\nr1 1\n")
    with pytest.raises(PathError, match=r"r\.hea: segment r1: .*is not in"):
        read(header)
    part(tmp_path, "r1", {"I": [1]})
    (tmp_path / "in" / "r1.hea").symlink_to(tmp_path / "r1.hea")
    with pytest.raises(PathError, match="leads outside"):
        read(header)


def test_a_segment_is_read_once_however_often_it_is_named_and_its_size_is_bounded(tmp_path, monkeypatch):
    part(tmp_path, "r1", {"I": [1, 2]})
    header = master(tmp_path, "r/1000 1 250 2000\n" + "r1 2\n" * 1000)
    assert read(header).samples.shape == (1, 2000)
    monkeypatch.setattr(wfdb, "_MAX_SAMPLES", 1999)
    with pytest.raises(FormatError, match=r"1 channels of 2000 samples need .* Choose fewer channels"):
        read(header)
