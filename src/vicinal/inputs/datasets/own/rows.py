"""Files with one signal a row and what is known of each: wide tables, UCR files, arrays X with y and groups.

The signals come through `inputs/formats/rows.py`; here lies only which column or array says what. Must not parse
signals.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vicinal.errors import FormatError
from vicinal.inputs.datasets.catalogue import Catalogue
from vicinal.inputs.datasets.own.columns import choose_columns
from vicinal.inputs.datasets.own.labelled import Source, labelled
from vicinal.inputs.formats.rows import open_rows
from vicinal.inputs.formats.stated import Stated
from vicinal.inputs.labels import LabelTable, text_column
from vicinal.inputs.problems import Problems

__all__ = ["by_rows", "rows_table"]

_BESIDE = ("y", "groups")
"""Arrays that may lie beside X."""

Files = Sequence[tuple[Path, str | None]]
"""Files with one signal a row, and the part of a published split that each is."""


def by_rows(root: Path, files: Files, *, told: Mapping[str, Any], options: Mapping[str, Any]) -> Catalogue:
    """Return the catalogue of files with one signal a row.

    Args:    told: columns as the user names them, see `own.columns`.  options: what the reader needs.
    Raises:  FormatError: when the files hold no labels, or lists every problem with them.
    """
    table = rows_table(root, files, samples=options.get("samples"))
    classes = tuple(name for name in table.columns if name.startswith("y["))
    if classes and not (told.get("label_column") or told.get("label_columns")):
        told = {**told, "label_columns": classes}
    sources = [
        Source(f"{path.stem}[{row}]", path, {"row": row})
        for path, n in zip(
            [path for path, _ in files], _counts(root, files, options.get("samples")), strict=True
        )
        for row in range(n)
    ]
    return labelled(
        root.resolve().name,
        table,
        choose_columns(table, told, by_file=False),
        sources=sources,
        source_of=np.arange(len(sources)),
        problems=Problems(table.source),
        options=options,
    )


def rows_table(root: Path, files: Files, *, samples: str | None) -> LabelTable:
    """Return what the files say of each of their signals, all files one after another.

    Args:    samples: which columns or array hold the samples, as in `reading.read`.
    Raises:  FormatError: when a file is not what it claims to be, or the files differ in their columns.
    """
    tables = [dict(_columns(root, path, samples)) for path, _ in files]
    names = list(tables[0])
    for (path, _), table in zip(files, tables, strict=True):
        if list(table) != names:
            raise FormatError(
                f"{path}: expected the columns {', '.join(names)} as before, got {', '.join(table)}."
            )
    if not names:
        raise FormatError(
            f"{files[0][0]}: expected a label for each signal: a column beside the samples, or y.npy beside X.npy."
        )
    columns = {name: text_column([cell for table in tables for cell in table[name]]) for name in names}
    counts = _counts(root, files, samples)
    if all(part is not None for _, part in files):
        parts = [str(part) for (_, part), n in zip(files, counts, strict=True) for _ in range(n)]
        columns.setdefault("split", text_column(parts))
    # Rows count from 1, header lines left out: a row is a signal, whatever file it stands in.
    lines = np.concatenate([np.arange(1, n + 1) for n in counts])
    return LabelTable(", ".join(path.name for path, _ in files), columns, lines)


def _counts(root: Path, files: Files, samples: str | None) -> list[int]:
    return [open_rows(path, Stated(root.resolve(), samples=samples)).n for path, _ in files]


def _columns(root: Path, path: Path, samples: str | None) -> Mapping[str, Sequence[str]]:
    rows = open_rows(path, Stated(root.resolve(), samples=samples))
    if path.stem != "X" or path.suffix.lower() != ".npy":
        return rows.columns
    found: dict[str, Sequence[str]] = {}
    for name in _BESIDE:
        beside = path.with_name(f"{name}.npy")
        if beside.is_file():
            found |= _beside(beside, rows.n)
    return found


def _beside(path: Path, n: int) -> dict[str, Sequence[str]]:
    """Return an array of n values as texts, or one of (n, K) zeros and ones as K columns `y[0]`, `y[1]`, ..."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:  # what numpy raises for objects and for damage
        raise FormatError(f"{path}: expected an array of numbers or text, never objects: {error}.") from error
    if array.ndim not in (1, 2) or len(array) != n or array.dtype.kind not in "biufU":
        raise FormatError(
            f"{path}: expected {n} numbers or texts, one for each signal of X, got {array.dtype} {array.shape}."
        )
    if array.ndim == 1:
        return {path.stem: [_text(value) for value in array.tolist()]}
    return {
        f"{path.stem}[{k}]": [_text(value) for value in column.tolist()] for k, column in enumerate(array.T)
    }


def _text(value: object) -> str:
    if isinstance(value, float):
        return "" if np.isnan(value) else str(int(value)) if value.is_integer() else str(value)
    return str(value).strip()
