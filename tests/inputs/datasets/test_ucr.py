from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from vicinal.errors import ExperimentError, FormatError, PathError
from vicinal.inputs.datasets import ucr
from vicinal.inputs.datasets.catalogue import Recording

TRAIN = "-1\t0.5\t1.5\t2.5\n1\t4\t5\t6\n"
TEST = "1.0000000e+00\t7\t8\t9\n-1\t1\tNaN\t3\n1\t0\t0\t0\n"


def archive(path: Path, *, name: str = "Two", train: str = TRAIN, test: str = TEST, suffix: str = "") -> Path:
    (path / name).mkdir()
    (path / name / f"{name}_TRAIN.tsv").write_text(train)
    (path / name / f"{name}_TEST{suffix}.tsv").write_text(test)
    return path


@pytest.mark.parametrize("suffix", ["", "_from_rda"])
def test_both_published_files_are_listed_in_order(tmp_path: Path, suffix: str) -> None:
    made = ucr.catalogue(archive(tmp_path, suffix=suffix), name="Two")
    assert made.classes == ("-1", "1")
    assert made.officials == {"official": ("train", "train", "test", "test", "test")}
    assert [(one.id, one.labels) for one in made.recordings] == [
        ("Two-train-00000", ("-1",)),
        ("Two-train-00001", ("1",)),
        ("Two-test-00000", ("1",)),
        ("Two-test-00001", ("-1",)),
        ("Two-test-00002", ("1",)),
    ]
    assert not made.has_subjects


def test_classes_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    rows = "".join(f"{k}\t1\t2\n" for k in (10, 2, 1))
    assert ucr.catalogue(archive(tmp_path, train=rows, test=rows), name="Two").classes == ("1", "2", "10")


def test_a_series_is_one_channel_without_a_unit(tmp_path: Path) -> None:
    made = ucr.catalogue(archive(tmp_path), name="Two", rate_hz=125)
    signal = ucr.read(made.recordings[3])
    assert (signal.id, signal.channels, signal.units, signal.rate_hz) == (
        "Two-test-00001", ("series",), ("1",), 125,
    )  # fmt: skip
    np.testing.assert_array_equal(signal.samples, [[1, np.nan, 3]])
    assert ucr.read(ucr.catalogue(tmp_path, name="Two").recordings[0]).rate_hz == 1


def test_a_file_that_lost_rows_is_said(tmp_path: Path) -> None:
    last = ucr.catalogue(archive(tmp_path), name="Two").recordings[-1]
    (tmp_path / "Two/Two_TEST.tsv").write_text(TEST.splitlines()[0] + "\n")
    with pytest.raises(FormatError, match="expected a row 2, got 1 rows"):
        ucr.read(last)


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    archive(tmp_path, name="ECG200")
    with pytest.raises(PathError, match=r"no data set 'ECG20' in .*, did you mean 'ECG200'\?"):
        ucr.catalogue(tmp_path, name="ECG20")
    with pytest.raises(PathError, match=r"no data set '\.\./x'"):
        ucr.catalogue(tmp_path, name="../x")
    (tmp_path / "ECG200/ECG200_TEST.tsv").unlink()
    with pytest.raises(PathError, match=r"no file ECG200_TEST\.tsv"):
        ucr.catalogue(tmp_path, name="ECG200")
    with pytest.raises(PathError, match="expected the folder of the archive"):
        ucr.catalogue(None)
    with pytest.raises(PathError, match="names no file"):
        ucr.read(Recording("x", None, None, "x", ()))
    with pytest.raises(ExperimentError, match="rate_hz: expected a number above 0, got 0"):
        ucr.catalogue(tmp_path, rate_hz=0)


def test_a_label_is_a_number(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"Two_TRAIN\.tsv, row 1: expected a number as label, got 'x'"):
        ucr.catalogue(archive(tmp_path, train="1\t2\t3\nx\t4\t5\n"), name="Two")


@pytest.mark.parametrize(
    ("name", "n_train", "n_test", "n_positions", "n_classes"),
    [("ECG5000", 500, 4500, 140, 5), ("ECG200", 100, 100, 96, 2)],
)
def test_the_real_sets_have_the_published_sizes(
    real: Callable[[str], Path], name: str, n_train: int, n_test: int, n_positions: int, n_classes: int
) -> None:
    made = ucr.catalogue(real("ucr"), name=name)
    assert Counter(made.officials["official"]) == {"train": n_train, "test": n_test}
    assert len(made.classes) == n_classes
    for recording in (made.recordings[0], made.recordings[-1]):
        assert ucr.read(recording).samples.shape == (1, n_positions)
