"""A label table that names signals inside files which hold several: by file, and by a column that both have.

The layout of CODE-15 (Ribeiro et al. 2021, doi:10.5281/zenodo.4916206): `exams.csv` says `trace_file` and `exam_id`,
and every file has an `exam_id` for each of its signals. Must not parse signals or know what a label means.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int64

from vicinal.errors import VicinalError, did_you_mean
from vicinal.inputs.datasets.own.labelled import Source
from vicinal.inputs.datasets.own.listing import Listing
from vicinal.inputs.formats.rows import ROW_READERS, open_rows
from vicinal.inputs.formats.stated import Stated
from vicinal.inputs.labels import LabelTable, plain
from vicinal.inputs.problems import Problems

__all__ = ["find_row_names", "sources_by_row"]


def find_row_names(
    table: LabelTable, listing: Listing, *, file: str | None = None, samples: str | None = None
) -> tuple[str, str] | None:
    """Return the column that names files with several signals, and the one that says which signal it is.

    Args:    file: the first of them, when it is known.  samples: as in `reading.read`.
    Returns: None when no column names such files again and again, or their first has no column of the table's, or
             several.
    """
    for name in table.columns if file is None else (file,):
        column = table.columns[name]
        found = listing.find(column.distinct)
        if (found < 0).any() or len(found) == len(table):
            continue
        first = listing.files[int(found[0])]
        if first.suffix.lower() not in ROW_READERS:
            continue
        try:
            there = open_rows(first, Stated(listing.root, samples=samples)).columns
        except VicinalError:
            continue
        shared = [one for one in table.columns if one in there and one != name]
        ids = [one for one in shared if plain(one).endswith("id") or len(shared) == 1]
        if len(ids) == 1:
            return name, ids[0]
    return None


def sources_by_row(
    table: LabelTable,
    name: str,
    *,
    paths: list[Path],
    path_of: Int64[np.ndarray, " n"],
    options: Mapping[str, Any],
    problems: Problems,
) -> tuple[list[Source], Int64[np.ndarray, " n"]]:
    """Return a source for each signal that a row of the table names, called FILE[NAME], and for each row which.

    Sources are in the order of the files and of the signals in them, so that each file is read from front to back.

    Args:    name: of the column that table and files share.  paths: files.
             path_of: (n,) the file that each row names, -1 where that is a problem already counted.
             options: what the files' reader needs.
    """
    stated = Stated(Path(str(options["root"])), samples=options.get("samples"))
    column = table.columns[name]
    texts = column.texts()
    source_of = np.full(len(table), -1, dtype=np.int64)
    sources: list[Source] = []
    for number in np.unique(path_of[path_of >= 0]).tolist():
        path, rows = paths[number], np.flatnonzero(path_of == number)
        try:
            there = open_rows(path, stated).columns
        except VicinalError as error:
            problems.add_rows(rows[:1], lambda row, error=error: f"line {table.lines[row]}: {error}")  # type: ignore[misc]
            continue
        if name not in there:
            problems.add(
                f"{path.name}: expected a column {name!r} as in the table{did_you_mean(name, list(there))}"
            )
            continue
        signal_of = _signals(there[name])
        signals = np.array([signal_of.get(text, -1) for text in texts])[column.codes[rows]]
        _complain(table, name, path, rows[signals < 0], signal_of, problems)
        used, place = np.unique(signals[signals >= 0], return_inverse=True)
        source_of[rows[signals >= 0]] = len(sources) + place
        sources += [
            Source(f"{path.stem}[{there[name][signal]}]", path, {"row": signal}) for signal in used.tolist()
        ]
    return sources, source_of


def _signals(cells: tuple[str, ...]) -> dict[str, int]:
    """Return which signal each name stands for; -2 for a name that several bear."""
    found: dict[str, int] = {}
    for signal, cell in enumerate(cells):
        found[cell] = -2 if cell in found else signal
    return found


def _complain(
    table: LabelTable,
    name: str,
    path: Path,
    rows: np.ndarray,
    signal_of: Mapping[str, int],
    problems: Problems,
) -> None:
    column = table.columns[name]

    def describe(row: int) -> str:
        cell = column.cell(row)
        why = "several signals of that name" if cell in signal_of else "no signal of that name"
        return f"line {table.lines[row]}: {name} {cell!r}: {path.name} holds {why}"

    problems.add_rows(rows, describe)
