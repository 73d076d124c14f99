"""Events of recordings, such as beats: from a table with one event a row, or from a column of times.

Times are seconds from the beginning of the recording. Must not know rates or files.
"""

from collections.abc import Callable, Mapping

import numpy as np
import pyarrow as pa
from jaxtyping import Int64

from vicinal.inputs.datasets.own.columns import FILE_NAMES
from vicinal.inputs.labels import LabelTable, numbers_of
from vicinal.inputs.problems import Problems

__all__ = ["Timed", "events_by_name", "events_in_column"]

Timed = tuple[tuple[float, str], ...]
"""Events of one recording: (second, symbol), in order of time."""

TIME_NAMES = ("time_s", "time", "onset_s", "onset", "seconds")
SYMBOL_NAMES = ("symbol", "event", "beat", "annotation", "label", "class")
_PLAIN = "event"
"""The symbol of events that have none of their own."""


def events_by_name(
    table: LabelTable, *, find: Callable[[pa.StringArray], Int64[np.ndarray, " m"]]
) -> Mapping[int, Timed]:
    """Return the events of each recording from a table such as `file,time_s,symbol`.

    Args:    find: returns the number of the recording that each name stands for, -1 where there is none.
    Raises:  FormatError: lists every row without a recording, a time from 0 or a symbol.
    """
    problems = Problems(table.source)
    names = table.columns[table.require(None, usual=FILE_NAMES, key="file")]
    times = table.columns[table.require(None, usual=TIME_NAMES, key="time_s")]
    symbols = table.columns[table.require(None, usual=SYMBOL_NAMES, key="symbol")]
    number = find(names.distinct)[names.codes]
    seconds = _seconds(times.distinct)[times.codes]
    problems.add_rows(
        np.flatnonzero(number < 0),
        lambda row: f"line {table.lines[row]}: {names.cell(row)!r} is no recording here",
    )
    problems.add_rows(
        np.flatnonzero(np.isnan(seconds)),
        lambda row: f"line {table.lines[row]}: expected seconds from 0, got {times.cell(row)!r}",
    )
    problems.add_rows(
        np.flatnonzero(symbols.is_empty()),
        lambda row: f"line {table.lines[row]}: expected a symbol, the cell is empty",
    )
    problems.raise_any("Correct the table of events.")
    order = np.lexsort((seconds, number))
    texts = symbols.texts()
    ends = np.flatnonzero(np.diff(number[order])) + 1
    return {
        int(number[rows[0]]): tuple((float(seconds[row]), texts[symbols.codes[row]]) for row in rows)
        for rows in np.split(order, ends)
    }


def events_in_column(
    table: LabelTable, name: str, *, source_of: Int64[np.ndarray, " n"], problems: Problems
) -> Mapping[int, Timed]:
    """Return the events of each recording from cells such as `0.4;1.2`, or `0.4 N;1.2 V`."""
    column, found = table.columns[name], dict[int, Timed]()
    parsed = [_events(text) for text in column.texts()]
    wrong = np.array([events is None for events in parsed])
    problems.add_rows(
        np.flatnonzero(wrong[column.codes]),
        lambda row: (
            f"line {table.lines[row]}: column {name}: expected seconds such as 0.4;1.2 or 0.4 N;1.2 V, got "
            f"{column.cell(row)[:40]!r}"
        ),
    )
    for row in np.flatnonzero(source_of >= 0):
        events = parsed[column.codes[row]]
        if events is not None:
            found.setdefault(int(source_of[row]), events)
    return found


def _events(text: str) -> Timed | None:
    cells = [cell.split() for cell in text.split(";")] if text else []
    if any(len(cell) not in (1, 2) for cell in cells):
        return None
    seconds = _seconds(pa.array([cell[0] for cell in cells], pa.string()))
    if np.isnan(seconds).any():
        return None
    events = zip(seconds.tolist(), (cell[1] if len(cell) == 2 else _PLAIN for cell in cells), strict=True)
    return tuple(sorted(events))


def _seconds(texts: pa.StringArray) -> np.ndarray:
    """Return each text as seconds, NaN where it is no number from 0."""
    numbers = [numbers_of(texts[k : k + 1]) for k in range(len(texts))]
    found = np.array([np.nan if one is None else one[0] for one in numbers], dtype=np.float64)
    return np.where(found >= 0, found, np.nan)
