import numpy as np
import pytest

from vicinal.errors import FormatError
from vicinal.inputs.datasets.own.columns import Columns, choose_columns, facts_of
from vicinal.inputs.labels import LabelTable, text_column


def table(**columns):
    return LabelTable("t", {name: text_column(cells) for name, cells in columns.items()}, np.arange(2, 4))


def test_columns_are_found_by_their_usual_names():
    found = table(
        Record=("a", "b"), Class=("x", "y"), patient_ID=("1", "2"), split=("train", "test"), age=("1", "2")
    )
    columns = choose_columns(found, {}, by_file=True)
    assert columns == Columns(labels=("Class",), file="Record", subject="patient_ID", split="split")
    assert facts_of(found, columns) == (["age"], [])


def test_columns_are_those_that_were_told():
    found = table(a=("x", "y"), b=("0", "1"), c=("1", "1"), d=("0.5", ""), fold=("1", "2"))
    told = {"file_column": "a", "label_columns": ("b", "c"), "events_column": "d"}
    columns = choose_columns(found, told, by_file=True)
    assert columns == Columns(labels=("b", "c"), are_classes=True, file="a", events="d")
    assert facts_of(found, columns) == ([], ["fold"])


def test_a_split_column_holds_words_for_parts():
    assert choose_columns(table(y=("a", "b"), set=("1", "2")), {}, by_file=False).split is None
    assert (
        choose_columns(table(y=("a", "b"), set=("1", "2")), {"split_column": "set"}, by_file=False).split
        == "set"
    )


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"label_column": "x"}, "label_column: expected the column 'x'"),
        ({"label_columns": ("y", "x")}, "label_columns: expected the column 'x'"),
        ({"label_column": "y", "label_columns": ("y",)}, "expected label_column or label_columns, got both"),
        ({"split_column": "x"}, "split_column: expected the column 'x'"),
        ({"events_column": "x"}, "events_column: expected the column 'x'"),
        ({"subject_column": "x"}, "subject_column: expected the column 'x'"),
    ],
)
def test_what_is_not_there_is_refused(told, message):
    with pytest.raises(FormatError, match=message):
        choose_columns(table(y=("a", "b")), told, by_file=False)
