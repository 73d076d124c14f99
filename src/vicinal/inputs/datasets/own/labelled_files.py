"""A label table that names files: which recording of the folder each row stands for.

Knows tables and listings; must not open a recording.
"""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from jaxtyping import Int64

from vicinal.errors import PathError
from vicinal.files import inside
from vicinal.inputs.datasets.catalogue import Catalogue
from vicinal.inputs.datasets.own.columns import Columns
from vicinal.inputs.datasets.own.events import events_by_name, events_in_column
from vicinal.inputs.datasets.own.labelled import Source, labelled
from vicinal.inputs.datasets.own.listing import Listing
from vicinal.inputs.datasets.own.row_names import sources_by_row
from vicinal.inputs.formats import READERS
from vicinal.inputs.labels import LabelTable
from vicinal.inputs.problems import Problems

__all__ = ["by_table"]

_MOST_CHECKED = 100
"""Names that are not in the listing and are looked up one by one; when all fail, the others need no look."""


def by_table(
    listing: Listing,
    table: LabelTable,
    columns: Columns,
    *,
    options: Mapping[str, Any],
    events: LabelTable | None,
) -> Catalogue:
    """Return the catalogue of a folder whose label table names its files.

    Args:    events: a table of events by file, or None.
    Raises:  FormatError: lists every problem of the tables.
    """
    problems = Problems(table.source)
    paths, path_of = _paths(listing, table, columns, problems)
    used = np.unique(path_of[path_of >= 0])
    if columns.row is None:
        sources, source_of = _whole_files(table, columns, paths, path_of), path_of
    else:
        sources, source_of = sources_by_row(
            table, columns.row, paths=paths, path_of=path_of, options=options, problems=problems
        )
    told = None
    if events is not None and columns.row is not None:
        problems.add("events: a table of events names files, not the signals in them; give events_column")
    elif events is not None:
        told = events_by_name(events, find=lambda cells: _numbers(listing, paths, cells))
    elif columns.events is not None:
        told = events_in_column(table, columns.events, source_of=source_of, problems=problems)
    named = {paths[number].resolve() for number in used.tolist()}
    unnamed = [k for k, path in enumerate(listing.files) if path.resolve() not in named]
    reason = f"no row in {Path(table.source).name}"
    return labelled(
        listing.root.resolve().name,
        table,
        columns,
        sources=sources,
        source_of=source_of,
        problems=problems,
        options=options,
        events=told,
        skipped=tuple((listing.relative(k), reason) for k in unnamed),
    )


def _whole_files(
    table: LabelTable, columns: Columns, paths: list[Path], path_of: Int64[np.ndarray, " n"]
) -> list[Source]:
    """Return one source for each file, called as the first row that names it."""
    names = table.columns[str(columns.file)]
    sources = [Source("", path) for path in paths]
    for number, row in zip(*(found.tolist() for found in np.unique(path_of, return_index=True)), strict=True):
        if number >= 0:
            sources[number] = Source(names.cell(row), paths[number])
    return sources


def _paths(
    listing: Listing, table: LabelTable, columns: Columns, problems: Problems
) -> tuple[list[Path], Int64[np.ndarray, " n"]]:
    """Return files, and for each row which of them it names, -1 where none."""
    names = table.columns[str(columns.file)]
    if listing.find(pa.array([columns.file], pa.string()))[0] >= 0:
        problems.add(
            f"line 1: expected names of columns, {columns.file!r} is a recording; write a line above it"
        )
    paths = list(listing.files)
    found = _numbers(listing, paths, names.distinct)
    numbers = found[names.codes]

    def describe(row: int) -> str:
        name = names.cell(row)
        why = listing.reject(name) if name else "expected a file, the cell is empty"
        return f"line {table.lines[row]}: {why}"

    problems.add_rows(np.flatnonzero(numbers < 0), describe)
    return paths, numbers


def _numbers(listing: Listing, paths: list[Path], names: pa.StringArray) -> Int64[np.ndarray, " n"]:
    """Return for each name its place in `paths`, -1 where there is none; a file behind a linked folder joins it."""
    found = listing.find(names)
    n_failed = 0
    for place in np.flatnonzero(found < 0).tolist():
        path = _linked(listing.root, str(names[place].as_py()))
        if path is not None:
            found[place] = paths.index(path) if path in paths else len(paths)
            paths += [] if path in paths else [path]
        elif (n_failed := n_failed + 1) >= _MOST_CHECKED:
            break
    return found


def _linked(root: Path, name: str) -> Path | None:
    """Return a recording below `root` that only a link, or a name such as `a/../b.csv`, leads to."""
    for ending in ("", *READERS) if name else ():
        with contextlib.suppress(PathError, OSError):
            path = inside(root, name + ending)
            return path if path.suffix.lower() in READERS else None
    return None
