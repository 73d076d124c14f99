"""A first look at a folder: how it is laid out, and which column of its label table says what.

What is found is written down by name, so that an experiment needs no second look. Must not read recordings.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vicinal.errors import FormatError, PathError
from vicinal.inputs.datasets.own.columns import SPLIT_NAMES, choose_columns
from vicinal.inputs.datasets.own.guesses import (
    are_bits,
    guess_file,
    guess_labels,
    guess_subject,
    tables_that_fit,
)
from vicinal.inputs.datasets.own.layout import find_layout
from vicinal.inputs.datasets.own.listing import Listing
from vicinal.inputs.datasets.own.row_names import find_row_names
from vicinal.inputs.datasets.own.rows import rows_table
from vicinal.inputs.formats import READERS
from vicinal.inputs.labels import LabelTable, read_labels

__all__ = ["Survey", "survey"]


@dataclass(frozen=True)
class Survey:
    """What a folder is.

    Args:    settings: keys of [inputs] that say so to an experiment; files by their full paths.
             found: sentences for the user.
    """

    settings: Mapping[str, Any]
    found: tuple[str, ...]


def survey(root: Path, told: Mapping[str, Any]) -> Survey:
    """Look at a folder of one's own.

    Args:    told: what the user named: `labels`, `file_column`, `label_column`, `subject_column`; None where not.
    Raises:  PathError: when there is no such folder.
             FormatError: when there are no labels, or it is not clear which column holds them.
    """
    if not root.is_dir():
        raise PathError(f"{root} is not a folder. Give the folder that holds the recordings.")
    labels = None if told.get("labels") is None else Path(str(told["labels"]))
    layout = find_layout(root, labels=labels, events=None)
    if layout.kind == "rows":
        return _of_rows(rows_table(root, layout.rows, samples=told.get("samples")), told)
    path = layout.labels or _table_in(root)
    if path is None:
        return _of_folders(root)
    return _of_table(root, path, told)


def _table_in(root: Path) -> Path | None:
    found = tables_that_fit(root)
    if len(found) > 1:
        named = ", ".join(path.name for path in found)
        raise FormatError(
            f"{root}: {len(found)} tables name recordings: {named}. Say which holds the labels: --labels NAME."
        )
    return found[0] if found else None


def _of_folders(root: Path) -> Survey:
    listing = Listing(root)
    if not len(listing):
        raise FormatError(
            f"{root}: expected recordings, got none. They are files named {', '.join(READERS)}."
        )
    if all(path.parent == listing.root for path in listing.files):
        raise FormatError(
            f"{root}: {len(listing):,} recordings, but no labels: expected a table such as labels.csv, or "
            "one sub-folder for each class. Name the table if it is called otherwise: --labels FILE."
        )
    return Survey({}, (f"{len(listing):,} recordings; each sub-folder is a class",))


def _of_rows(table: LabelTable, told: Mapping[str, Any]) -> Survey:
    """Look at files with one signal a row."""
    settings: dict[str, Any] = {}
    classes = [name for name in table.columns if name.startswith("y[")]
    if classes:
        settings["label_columns"] = classes
    else:
        settings |= _label_settings(table, told, but={*SPLIT_NAMES})
    subject = told.get("subject_column") or guess_subject(
        table, but=set(settings.values()) if not classes else set()
    )
    settings |= {"subject_column": subject} if subject else {}
    settings |= {"split_column": "split"} if "split" in table.columns else {}
    return Survey(settings, (f"{len(table):,} signals in rows of {table.source}", *_said(table, settings)))


def _label_settings(table: LabelTable, told: Mapping[str, Any], *, but: set[str | None]) -> dict[str, Any]:
    label = told.get("label_column")
    labels = (str(label),) if label else guess_labels(table, but=but)
    if not labels or (len(labels) > 1 and not all(are_bits(table, name) for name in labels)):
        may = (
            f"{', '.join(labels)} may be" if labels else f"none of {', '.join(table.columns)} looks like them"
        )
        raise FormatError(
            f"{table.source}: which column holds the labels? {may}. Name it: --label-column NAME."
        )
    return {"label_column": labels[0]} if len(labels) == 1 else {"label_columns": list(labels)}


def _of_table(root: Path, path: Path, told: Mapping[str, Any]) -> Survey:
    table, listing = read_labels(path), Listing(root, but=[path])
    file = told.get("file_column") or guess_file(table, listing)
    by_row = find_row_names(table, listing, file=file, samples=told.get("samples"))
    file, row = by_row or (file, None)
    if file is None:
        raise FormatError(_no_file(table, listing))
    subject = told.get("subject_column") or guess_subject(table, but={file, row})
    settings: dict[str, Any] = {"labels": str(path.resolve()), "file_column": file}
    settings |= {"row_column": row} if row else {}
    settings |= _label_settings(table, told, but={file, row, subject, *SPLIT_NAMES})
    settings |= {"subject_column": subject} if subject else {}
    columns = choose_columns(
        table, {**settings, "label_columns": tuple(settings.get("label_columns", ()))}, by_file=True
    )
    settings |= {"split_column": columns.split} if columns.split else {}
    holds = "files of recordings" if row else "recordings"
    counted = f"{len(listing):,} {holds}, and {len(table):,} rows in {path.name}"
    return Survey(settings, (counted, *_said(table, settings)))


def _said(table: LabelTable, settings: Mapping[str, Any]) -> list[str]:
    said = []
    if "file_column" in settings:
        named = "files" if "row_column" in settings else "recordings"
        said.append(f"column {settings['file_column']} names the {named}")
    if "row_column" in settings:
        said.append(f"column {settings['row_column']} says which of a file's signals")
    if "label_column" in settings:
        said.append(f"column {settings['label_column']} holds the labels")
    else:
        said.append(f"columns {', '.join(settings['label_columns'])} are classes, 0 or 1")
    if "subject_column" in settings:
        n = len([text for text in table.columns[settings["subject_column"]].texts() if text])
        said.append(f"column {settings['subject_column']} says whom ({n:,} subjects)")
    if "split_column" in settings:
        said.append(f"{settings['split_column']} holds a published split")
    return said


def _no_file(table: LabelTable, listing: Listing) -> str:
    shown = f", such as {listing.relative(0)}" if len(listing) else ""
    return (
        f"{table.source}: expected a column that names the recordings, got {', '.join(table.columns)}. The folder "
        f"holds {len(listing):,} recordings{shown}. Name the column: --file-column NAME."
    )
