import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from sklearn.exceptions import DataConversionWarning

from vicinal.arrays import fingerprints, read_known_labels, read_labels, read_signals, read_subjects
from vicinal.errors import ContractError


@pytest.mark.parametrize(
    "X",
    [
        [[1, 2, 3], [4, 5, 6]],
        np.arange(1, 7).reshape(2, 3),
        np.arange(1, 7).reshape(2, 3).astype(object),
        pd.DataFrame({"a": [1, 4], "b": [2, 5], "c": [3, 6]}),
        np.asfortranarray(np.arange(1.0, 7).reshape(2, 3)),
    ],
    ids=["lists", "integers", "objects", "data frame", "by columns"],
)
def test_signals_are_read_from_what_holds_numbers(X: object) -> None:
    found = read_signals(X)
    assert found.dtype == np.float32
    assert found.flags.c_contiguous
    np.testing.assert_array_equal(found, [[1, 2, 3], [4, 5, 6]])


@pytest.mark.parametrize("shape", [(2, 3), (2, 1, 3), (2, 1, 3, 4)])
def test_signals_keep_their_shape(shape: tuple[int, ...]) -> None:
    assert read_signals(np.zeros(shape)).shape == shape


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros(3), r"X: expected numbers of shape \(n, time\).*, got \(3,\)\. Reshape your data"),
        (np.zeros((1, 1, 1, 1, 1)), r"got \(1, 1, 1, 1, 1\)"),
        (np.zeros((0, 3)), r"got \(0, 3\)\. Nothing is there"),
        (np.zeros((2, 1, 0)), r"got \(2, 1, 0\)\. Nothing is there"),
        ([[1, 2], [3]], "X: expected numbers .* inhomogeneous"),
        (np.array([["a", "b"]]), r"X: expected numbers .* bytes/strings"),
        (np.ones((2, 2), dtype=complex), "Complex data not supported"),
        (scipy.sparse.eye_array(3), r"got a sparse one\. Give X\.toarray"),
        (np.array([[1.0, 2.0], [np.nan, 1.0]]), r"1 of 2 signals hold NaN or infinity \(first \[1\]\)"),
        (np.array([[1e39, 0.0]]), r"1 of 1 signals hold NaN or infinity"),
        (pd.DataFrame({"a": pd.array([1.0, None], dtype="Float64")}), r"1 of 2 signals hold NaN"),
        (np.ma.array([[1, 2], [3, 4]], mask=[[0, 0], [0, 1]]), r"1 of 2 signals hold NaN .*first \[1\]"),
    ],
)
def test_what_is_no_array_of_signals_is_refused(X: object, message: str) -> None:
    with pytest.raises(ContractError, match=message):
        read_signals(X)


def test_a_refusal_does_not_print_the_data() -> None:
    with pytest.raises(ContractError) as refused:
        read_signals(np.ones((50, 50), dtype=complex))
    assert len(str(refused.value)) < 150


def test_objects_that_are_no_numbers_are_a_type_error() -> None:
    with pytest.raises(TypeError, match="number"):
        read_signals(np.array([[{}, 1.0]], dtype=object))


def test_two_classes_are_binary_and_the_second_is_positive() -> None:
    found = read_labels(["no", "yes", "no"], 3)
    assert (found.task, found.classes.tolist(), found.names) == ("binary", ["no", "yes"], ("yes",))
    np.testing.assert_array_equal(found.truth, [[0], [1], [0]])
    assert found.strata.tolist() == ["0", "1", "0"]


def test_either_of_two_classes_can_be_the_positive_one() -> None:
    found = read_labels(["ill", "well", "ill"], 3, positive="ill")
    assert (found.classes.tolist(), found.names) == (["ill", "well"], ("ill",))
    np.testing.assert_array_equal(found.truth, [[1], [0], [1]])
    np.testing.assert_array_equal(read_known_labels(["well", "ill"], 2, like=found).truth, [[0], [1]])


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (["a", "b", "a"], r"one of two classes, got 'ill' for \['a', 'b'\]. Name one"),
        (["ill", "b", "c"], "more than two"),
        ([[0, 1], [1, 0], [1, 1]], "or with labels, leave it out"),
    ],
)
def test_a_positive_class_that_is_none_is_refused(y: object, message: str) -> None:
    with pytest.raises(ContractError, match=message):
        read_labels(y, 3, positive="ill")


def test_more_classes_are_one_hot() -> None:
    found = read_labels(pd.Series([7, 5, 6, 5]), 4)
    assert (found.task, found.classes.tolist(), found.names) == ("classes", [5, 6, 7], ("5", "6", "7"))
    np.testing.assert_array_equal(found.truth, [[0, 0, 1], [1, 0, 0], [0, 1, 0], [1, 0, 0]])


@pytest.mark.parametrize("kind", ["array", "lists", "sparse", "booleans"])
def test_columns_of_zeros_and_ones_are_labels(kind: str) -> None:
    y = np.array([[0, 1], [1, 1], [1, 0]])
    given = {"array": y, "lists": y.tolist(), "sparse": scipy.sparse.csr_array(y), "booleans": y == 1}[kind]
    found = read_labels(given, 3)
    assert (found.task, found.classes.tolist(), found.names) == ("labels", [0, 1], ("0", "1"))
    np.testing.assert_array_equal(found.truth, y)


def test_labels_of_a_data_frame_have_its_names() -> None:
    found = read_labels(pd.DataFrame({"AF": [0, 1, 1], "LBBB": [1, 0, 1]}), 3)
    assert found.names == ("AF", "LBBB")
    assert found.strata.tolist() == ["01", "10", "11"]


def test_labels_in_one_column_are_read_with_the_warning_of_scikit_learn() -> None:
    with pytest.warns(DataConversionWarning, match="column-vector"):
        assert read_labels(np.array([["a"], ["b"]]), 2).task == "binary"


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "requires y to be passed, but the target y is None"),
        ([0, 1], r"one label for each of 3 signals, got shape \(2,\)"),
        (5, r"one label for each of 3 signals, got shape \(\)"),
        ([0, 0, 0], "at least two classes, got one class, 0"),
        ([0.1, 0.2, 0.3], "values that are no classes: Unknown label type"),
        ([0, 1, np.nan], r"1 are missing \(NaN, None, inf; first \[2\]\)"),
        ([0, 1, np.inf], r"1 are missing"),
        (["a", None, "b"], r"1 are missing .*first \[1\]"),
        (pd.array([0, 1, None], dtype="Int64"), r"1 are missing"),
        ([[1], [1, 2], [3]], "y: expected 3 labels, got lists of different lengths"),
        ([["a", "b"], ["a", "c"], ["b", "b"]], "values that are no classes|Give the class of each signal"),
        ([[1, 2], [2, 1], [1, 1]], r"expected 0 and 1 in a column for each label, got \[1, 2\]"),
        (pd.DataFrame({"AF": [0, 1, 1], "PVC": [0, 0, 0]}), "but PVC never changes"),
        (pd.DataFrame([[0, 1], [1, 0], [1, 1]], columns=["AF", "AF"]), "got AF more than once. Rename"),
        (np.array([1, "b", 1], dtype=object), "labels of one kind, got int and str. Make all of them text"),
    ],
)
def test_what_are_no_labels_is_refused(y: object, message: str) -> None:
    with pytest.raises(ContractError, match=message):
        read_labels(y, 3)


def test_later_labels_need_not_hold_every_class() -> None:
    binary, classes = read_labels([0, 1], 2), read_labels(["a", "b", "c"], 3)
    np.testing.assert_array_equal(read_known_labels([1, 1, 1], 3, like=binary).truth, [[1], [1], [1]])
    np.testing.assert_array_equal(
        read_known_labels(["c", "a"], 2, like=classes).truth, [[0, 0, 1], [1, 0, 0]]
    )
    labels = read_labels([[0, 1], [1, 0]], 2)
    np.testing.assert_array_equal(read_known_labels([[0, 0]], 1, like=labels).truth, [[0, 0]])


@pytest.mark.parametrize(
    ("first", "later", "message"),
    [
        ([0, 1], [0, 2], r"the classes of fit, \[0, 1\], got also \[2\]"),
        ([0, 1], ["0", "1"], "got also"),
        ([0, 1], [[0, 1], [1, 0]], "expected one class for each signal, as in fit"),
        ([[0, 1], [1, 0]], [0, 1], "expected a column of 0 and 1 for each of 2 labels, as in fit"),
        ([[0, 1], [1, 0]], [[0, 1, 1], [1, 0, 0]], "expected 2 columns, as in fit, got 3"),
        ([[0, 1], [1, 0]], [[2, 3], [3, 2]], "expected 0 and 1"),
    ],
)
def test_later_labels_must_be_of_the_same_kind(first: object, later: object, message: str) -> None:
    with pytest.raises(ContractError, match=message):
        read_known_labels(later, 2, like=read_labels(first, 2))


def test_subjects_become_text() -> None:
    assert read_subjects(np.array([3, 1, 3]), 3).tolist() == ["3", "1", "3"]
    assert read_subjects(pd.DataFrame({"patient": [3, 1, 3]}), 3).tolist() == ["3", "1", "3"]


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([1, 2], r"the subject of each of 3 signals, got shape \(2,\)"),
        (["a", None, "b"], "expected a subject for each signal, 1 are missing"),
        ([[1], [1, 2], [3]], "groups: expected 3 subjects, got lists of different lengths"),
    ],
)
def test_subjects_that_are_not_known_are_refused(groups: object, message: str) -> None:
    with pytest.raises(ContractError, match=message):
        read_subjects(groups, 3)


def test_a_signal_is_known_again_and_no_other() -> None:
    x = np.random.default_rng(0).normal(size=(4, 1, 8)).astype(np.float32)
    keys = fingerprints(x)
    assert len(set(keys)) == 4
    assert fingerprints(x[2:]) == keys[2:]
    nearly = x.copy()
    nearly[0, 0, 0] = np.nextafter(nearly[0, 0, 0], np.float32(9))
    assert fingerprints(nearly)[0] != keys[0]
