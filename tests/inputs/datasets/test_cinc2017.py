from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.inputs.formats.wfdb_writer import mat_header

from vicinal.errors import FormatError, PathError
from vicinal.inputs.datasets import cinc2017
from vicinal.inputs.splits import make_split
from vicinal.signal import Signal


def folder(path: Path, table: str, *, name: str = "REFERENCE-v3.csv", n: int = 3) -> Path:
    (path / name).write_text(table)
    for k in range(1, n + 1):
        (path / f"A{k:05d}.hea").write_text(f"A{k:05d} 1 300 4\nA{k:05d}.mat 16+24 1000/mV 16 0 0 0 0 ECG\n")
        (path / f"A{k:05d}.mat").write_bytes(mat_header(1, 4) + np.array([1, -2, 3, 1000], "<i2").tobytes())
    return path


@pytest.mark.parametrize("name", ["REFERENCE-v3.csv", "REFERENCE-v3.plain.csv"])
def test_either_label_table_is_read(tmp_path: Path, name: str) -> None:
    made = cinc2017.catalogue(folder(tmp_path, "A00001,N\r\nA00002,~\r\nA00003,A\r\n\r\n", name=name))
    assert [(one.id, one.labels) for one in made.recordings] == [
        ("A00001", ("N",)),
        ("A00002", ("~",)),
        ("A00003", ("A",)),
    ]
    assert not made.has_subjects
    assert any("one recording per person" in note for note in made.notes)


def test_a_recording_is_in_millivolt(tmp_path: Path) -> None:
    made = cinc2017.catalogue(folder(tmp_path, "A00001,N\n"))
    signal = cinc2017.read(made.recordings[0])
    assert (signal.id, signal.channels, signal.units, signal.rate_hz) == ("A00001", ("ECG",), ("mV",), 300)
    np.testing.assert_allclose(signal.samples, [[0.001, -0.002, 0.003, 1.0]], rtol=1e-6)


def test_labels_without_a_recording_are_skipped_and_listed(tmp_path: Path) -> None:
    made = cinc2017.catalogue(folder(tmp_path, "A00001,N\nA00009,A\n"))
    assert len(made.recordings) == 1
    assert made.skipped == (("A00009", "labelled, but A00009.hea and A00009.mat not in the folder"),)


@pytest.mark.parametrize("line", ["A00002,X", "A00002", "../A00002,N", "A0002,N", "A00002,N,N", "A0000²,N"])
def test_a_wrong_line_is_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(FormatError, match="1 lines are not a name such as A00001"):
        cinc2017.catalogue(folder(tmp_path, f"A00001,N\n{line}\n"))


def test_no_folder_and_no_table_are_said(tmp_path: Path) -> None:
    with pytest.raises(PathError, match="vicinal get cinc2017"):
        cinc2017.catalogue(None)
    with pytest.raises(PathError, match="no label table in"):
        cinc2017.catalogue(tmp_path)


@pytest.mark.slow
def test_the_real_set_has_the_published_counts(real: Callable[[str], Path]) -> None:
    made = cinc2017.catalogue(real("cinc2017"))
    assert len(made.recordings) == 8528
    assert Counter(one.labels[0] for one in made.recordings) == {"N": 5076, "A": 758, "O": 2415, "~": 279}
    assert made.skipped == ()
    groups = Counter(one.group for one in made.recordings)
    assert {name: n for name, n in groups.items() if n > 1} == {
        "=".join(copies): len(copies) for copies in cinc2017.COPIES
    }


@pytest.mark.slow
def test_copies_are_the_same_signal_and_stay_together(real: Callable[[str], Path]) -> None:
    made = cinc2017.catalogue(real("cinc2017"))
    by_id = {one.id: one for one in made.recordings}
    for pair in (("A00227", "A01176"), ("A02656", "A03123")):
        first, second = (cinc2017.read(by_id[name]).samples for name in pair)
        np.testing.assert_array_equal(first, second)
    for first, *others in cinc2017.COPIES:
        assert all(_likeness(cinc2017.read(by_id[first]), cinc2017.read(by_id[one])) > 0.9 for one in others)
    ids = np.array([one.id for one in made.recordings])
    groups = np.array([one.group for one in made.recordings])
    strata = np.array([one.labels[0] for one in made.recordings])
    shares = {"test": 0.2, "validation": 0.1, "calibration": 0.1}
    for seed in range(5):
        split = make_split(ids, groups, strata, shares=shares, seed=seed)
        for copies in cinc2017.COPIES:
            assert len(np.unique(split.parts[np.isin(ids, copies)])) == 1
        positives = int(((split.parts == "test") & (strata == "A")).sum())
        assert abs(positives - 152) <= 2


def _likeness(one: Signal, other: Signal) -> float:
    """The highest correlation of the middle 20 s with the other's, at shifts up to a tenth of a second."""
    a, b = (signal.samples[0, 1500:7500].astype(float) for signal in (one, other))
    a, b = (samples - np.convolve(samples, np.ones(301) / 301, "same") for samples in (a, b))
    return max(float(np.corrcoef(a[30:-30], np.roll(b, lag)[30:-30])[0, 1]) for lag in range(-30, 31))
