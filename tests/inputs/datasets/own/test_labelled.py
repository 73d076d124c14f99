import numpy as np
import pytest

from vicinal.errors import FormatError
from vicinal.inputs.datasets.own.columns import Columns
from vicinal.inputs.datasets.own.labelled import Source, labelled
from vicinal.inputs.labels import LabelTable, text_column
from vicinal.inputs.problems import Problems


def made(source_of, **cells):
    table = LabelTable(
        "t.csv",
        {name: text_column(column) for name, column in cells.items()},
        np.arange(2, 2 + len(source_of)),
    )
    columns = Columns(labels=("label",), subject="who" if "who" in cells else None)
    sources = [Source(f"r{k}", None, {"row": k}) for k in range(max(source_of) + 1)]
    return labelled(
        "data",
        table,
        columns,
        sources=sources,
        source_of=np.array(source_of),
        problems=Problems("t.csv"),
        options={"root": "x"},
    )


def test_rows_become_recordings_in_the_order_of_the_table():
    found = made([2, 0, 1], label=("A", "B", "A;B"), who=("p", "q", "p"))
    assert [(one.id, one.labels, one.group) for one in found.recordings] == [
        ("r2", ("A",), "p"), ("r0", ("B",), "q"), ("r1", ("A", "B"), "p"),
    ]  # fmt: skip
    assert found.recordings[0].options == {"root": "x", "row": 2}


def test_labels_in_another_order_are_the_same_labels():
    assert len(made([0, 0, 1], label=("A;B", "B;A", "A")).recordings) == 2


def test_a_repeated_row_may_lack_its_label():
    found = made([0, 0, 1], label=("", "A", "B"))
    assert [one.id for one in found.recordings] == ["r0", "r1"]
    assert found.skipped == ()


def test_all_problems_come_at_once():
    with pytest.raises(
        FormatError, match=r"(?s)4 problems:.*line 2: label.*'P' and 'p'.*line 5.*line 4: 'r2' stands"
    ):
        made([0, 2, 2, 1], label=("[x]", "A", "B", "A"), who=("p", "P", "P", ""))
