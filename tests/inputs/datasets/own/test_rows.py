import numpy as np
import pytest

from vicinal.errors import FormatError
from vicinal.inputs.datasets.folder import catalogue, read


def arrays(folder, **named):
    for name, values in named.items():
        np.save(folder / f"{name}.npy", values)
    return folder


X = np.arange(24, dtype=np.float32).reshape(4, 2, 3)


def test_arrays_give_a_recording_a_row(tmp_path):
    found = catalogue(
        arrays(tmp_path, X=X, y=["a", "b", "a", "b"], groups=[7, 7, 8, 9]), rate_hz=2.0, units="mV"
    )
    assert [(one.id, one.labels, one.subject) for one in found.recordings] == [
        ("X[0]", ("a",), "7"), ("X[1]", ("b",), "7"), ("X[2]", ("a",), "8"), ("X[3]", ("b",), "9"),
    ]  # fmt: skip
    signal = read(found.recordings[2])
    np.testing.assert_array_equal(signal.samples, X[2])
    assert (signal.id, signal.subject, signal.rate_hz, signal.units) == ("X[2]", "8", 2, ("mV", "mV"))


def test_one_column_of_y_for_each_class(tmp_path):
    found = catalogue(arrays(tmp_path, X=X[:, 0], y=np.array([[1, 0], [0, 0], [1, 1], [0, 1]])))
    assert found.classes == ("y[0]", "y[1]")
    assert [one.labels for one in found.recordings] == [("y[0]",), (), ("y[0]", "y[1]"), ("y[1]",)]
    assert not found.has_subjects


def test_whole_floats_are_classes_and_nan_is_no_label(tmp_path):
    found = catalogue(arrays(tmp_path, X=X, y=[1.0, 0.0, np.nan, 1.0]))
    assert [one.labels[0] for one in found.recordings] == ["1", "0", "1"]
    assert found.skipped[0][0] == "X[2]"


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([0, 1, 0], r"y.npy: expected 4 numbers or texts, one for each signal of X, got int64 \(3,\)"),
        (np.zeros((4, 2, 2)), r"got float64 \(4, 2, 2\)"),
        (np.array([0, 1j, 0, 1]), "got complex128"),
        (np.array([[0, 2], [0, 1], [1, 1], [0, 0]]), r"line 1: column y\[1\]: expected 0 or 1, got '2'"),
        ([0.5, 1, 0, 1], "line 1: label '0.5': .* not whole"),
    ],
)
def test_a_wrong_y_is_refused(tmp_path, y, message):
    with pytest.raises(FormatError, match=message):
        catalogue(arrays(tmp_path, X=X, y=y))


def test_objects_are_never_unpickled_and_x_alone_is_not_enough(tmp_path):
    with pytest.raises(FormatError, match=r"expected a label for each signal: .* or y.npy beside X.npy"):
        catalogue(arrays(tmp_path, X=X))
    np.save(tmp_path / "y.npy", np.array([None] * 4, dtype=object), allow_pickle=True)
    with pytest.raises(FormatError, match=r"y.npy: expected an array of numbers or text, never objects"):
        catalogue(tmp_path)


def test_a_wide_table_holds_signals_and_what_is_known_of_them(tmp_path):
    (tmp_path / "all.csv").write_text("label,who,age,t0,t1,t2\na,p,61,1,2,3\nb,q,62,4,5,6\n")
    found = catalogue(tmp_path, subject_column="who", rate_hz=1.0, units="1")
    assert [(one.id, one.labels, one.subject, one.columns) for one in found.recordings] == [
        ("all[0]", ("a",), "p", {"age": 61.0}), ("all[1]", ("b",), "q", {"age": 62.0}),
    ]  # fmt: skip
    assert read(found.recordings[1]).samples.tolist() == [[4, 5, 6]]


def test_train_and_test_files_are_a_published_split(tmp_path):
    (tmp_path / "A_TRAIN.tsv").write_text("1\t0.5\t1.5\n-1\t1.5\t2.5\n")
    (tmp_path / "A_TEST.tsv").write_text("1\t3.5\t4.5\n")
    found = catalogue(tmp_path, rate_hz=1.0, units="1")
    assert found.officials == {"split": ("test", "train", "train")}
    assert [one.id for one in found.recordings] == ["A_TEST[0]", "A_TRAIN[0]", "A_TRAIN[1]"]
    assert [one.labels[0] for one in found.recordings] == ["1", "1", "-1"]
    assert read(found.recordings[2]).samples.tolist() == [[1.5, 2.5]]


def test_files_with_other_columns_are_refused(tmp_path):
    (tmp_path / "A_TRAIN.csv").write_text("label,x0,x1\n1,0,1\n")
    (tmp_path / "A_TEST.csv").write_text("class,x0,x1\n1,0,1\n")
    with pytest.raises(FormatError, match=r"A_TRAIN.csv: expected the columns class as before, got label"):
        catalogue(tmp_path)
