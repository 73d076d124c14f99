"""One's own data: a folder of recordings with a label table or class sub-folders, or files of signals in rows.

Finds out how the folder is laid out and hands over to the module of that layout in `inputs/datasets/own`. Must not know
what a label means or how a recording is prepared.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from vicinal.errors import FormatError, PathError
from vicinal.inputs.datasets.catalogue import Catalogue, Recording
from vicinal.inputs.datasets.own.class_folders import by_class_folders
from vicinal.inputs.datasets.own.columns import choose_columns
from vicinal.inputs.datasets.own.labelled_files import by_table
from vicinal.inputs.datasets.own.layout import TABLES, Layout, find_layout
from vicinal.inputs.datasets.own.listing import Listing
from vicinal.inputs.datasets.own.rows import by_rows
from vicinal.inputs.formats import READERS, reading
from vicinal.inputs.labels import read_labels
from vicinal.signal import Events, Signal

__all__ = ["catalogue", "read"]


def catalogue(
    root: Path | None,
    *,
    labels: str | Path | None = None,
    file_column: str | None = None,
    row_column: str | None = None,
    label_column: str | None = None,
    label_columns: tuple[str, ...] = (),
    subject_column: str | None = None,
    split_column: str | None = None,
    events_column: str | None = None,
    events: str | Path | None = None,
    rate_hz: float | None = None,
    units: str | None = None,
    channels: tuple[str, ...] | None = None,
    samples: str | None = None,
) -> Catalogue:
    """Find the recordings of a folder and their labels.

    Args:    root: the folder.
             labels: the label table, relative to `root` or anywhere; by default labels.csv, .tsv or .parquet
             in `root`, and without one every sub-folder is a class.
             file_column, label_column, subject_column, split_column: of the table; found by their usual names
             if not given.  row_column: of the table and of its files, when a file holds several signals.
             label_columns: one for each class, of 0 and 1, instead of `label_column`.
             events_column: of the table, with seconds such as `0.4;1.2` or `0.4 N;1.2 V`.
             events: a table `file,time_s,symbol`; by default events.csv, .tsv or .parquet in `root`.
             rate_hz, units, channels, samples: what files do not state, as in `reading.read`.
    Returns: recordings in the order of the table, or of their names; `skipped` lists files without a label.
    Raises:  PathError: when the folder or a table is missing.
             FormatError: when there is nothing to read, or a table has problems; lists all of them.
    """
    if root is None or not root.is_dir():
        given = "none" if root is None else str(root)
        raise PathError(f"expected a folder of recordings, got {given}. Give the folder with --data PATH.")
    told = {
        "file_column": file_column,
        "row_column": row_column,
        "label_column": label_column,
        "label_columns": tuple(label_columns),
        "subject_column": subject_column,
        "split_column": split_column,
        "events_column": events_column,
    }
    stated = {
        "rate_hz": rate_hz,
        "units": units,
        "channels": None if channels is None else tuple(channels),
        "samples": samples,
    }
    options = {"root": str(root.resolve())} | {
        key: value for key, value in stated.items() if value is not None
    }
    layout = find_layout(
        root,
        labels=None if labels is None else Path(labels),
        events=None if events is None else Path(events),
    )
    if layout.kind == "table":
        return _by_table(root, layout, told, options)
    if layout.kind == "rows":
        return by_rows(root, layout.rows, told=told, options=options)
    return _by_folders(root, told, options)


def read(recording: Recording) -> Signal:
    """Read one recording of the catalogue; it gets the catalogue's id, subject and events.

    Raises:  FormatError: also when an event lies outside the recording.
    """
    if recording.path is None:
        raise PathError(f"recording {recording.id!r} has no file.")
    options = dict(recording.options)
    timed = options.pop("events", None)
    signal = reading.read(recording.path, root=Path(options.pop("root")), **options)
    signal = replace(signal, id=recording.id, subject=recording.subject)
    return signal if timed is None else replace(signal, events=_events(signal, timed))


def _by_table(root: Path, layout: Layout, told: Mapping[str, Any], options: Mapping[str, Any]) -> Catalogue:
    assert layout.labels is not None  # what makes this layout
    table = read_labels(layout.labels)
    listing = Listing(root, but=[path for path in (layout.labels, layout.events) if path is not None])
    columns = choose_columns(table, told, by_file=True)
    events = None if layout.events is None else read_labels(layout.events)
    return by_table(listing, table, columns, options=options, events=events)


def _by_folders(root: Path, told: Mapping[str, Any], options: Mapping[str, Any]) -> Catalogue:
    given = [key for key, value in told.items() if value]
    found = None if given else by_class_folders(Listing(root), options=options)
    if found is None:
        needs = f"{', '.join(given)} need a label table; " if given else ""
        raise FormatError(
            f"{root}: expected a label table ({', '.join(TABLES)}) or one sub-folder of recordings a class, "
            f"got neither. {needs}Set labels to the table; recordings are files named {', '.join(READERS)}."
        )
    return found


def _events(signal: Signal, timed: tuple[tuple[float, str], ...]) -> Events:
    if signal.rate_hz is None:
        raise FormatError(
            f"recording {signal.id!r} has no time axis, so no events. Take them out of the table."
        )
    positions = np.rint([second * signal.rate_hz for second, _ in timed]).astype(np.int64).reshape(-1)
    outside = [second for (second, _), at in zip(timed, positions, strict=True) if at >= signal.n_positions]
    if outside:
        raise FormatError(
            f"recording {signal.id!r}: expected events within its {signal.duration_s:g} s, got "
            f"{len(outside)} beyond (first {outside[0]:g} s). Correct the table of events, or the rate."
        )
    return Events(positions, tuple(symbol for _, symbol in timed))
