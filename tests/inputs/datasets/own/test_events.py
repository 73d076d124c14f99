import numpy as np
import pyarrow as pa
import pytest

from vicinal.errors import FormatError
from vicinal.inputs.datasets.own.events import events_by_name, events_in_column
from vicinal.inputs.labels import LabelTable, text_column
from vicinal.inputs.problems import Problems


def table(**columns):
    n = len(next(iter(columns.values())))
    return LabelTable("t", {name: text_column(cells) for name, cells in columns.items()}, np.arange(2, 2 + n))


def find(names: pa.StringArray):
    return np.array([{"a": 0, "b": 1}.get(name, -1) for name in names.to_pylist()])


def test_one_event_a_row_in_order_of_time():
    found = table(file=("b", "a", "b"), time_s=("1.5", "0", "0.25"), symbol=("V", "N", "N"))
    assert events_by_name(found, find=find) == {0: ((0.0, "N"),), 1: ((0.25, "N"), (1.5, "V"))}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("c", "1", "N"), "line 2: 'c' is no recording here"),
        (("a", "-1", "N"), "line 2: expected seconds from 0, got '-1'"),
        (("a", "soon", "N"), "line 2: expected seconds from 0, got 'soon'"),
        (("a", "1", ""), "line 2: expected a symbol"),
    ],
)
def test_a_wrong_row_is_named(row, message):
    file, time, symbol = row
    with pytest.raises(FormatError, match=message):
        events_by_name(table(file=(file, "b"), time_s=(time, "1"), symbol=(symbol, "N")), find=find)


def test_times_in_a_cell():
    found = table(beats=("0.5;0.25", "1 V; 0.5 N", "", "x"))
    problems = Problems("t")
    events = events_in_column(found, "beats", source_of=np.arange(4), problems=problems)
    assert events == {0: ((0.25, "event"), (0.5, "event")), 1: ((0.5, "N"), (1.0, "V")), 2: ()}
    with pytest.raises(FormatError, match=r"line 5: column beats: expected seconds such as .*, got 'x'"):
        problems.raise_any("")
