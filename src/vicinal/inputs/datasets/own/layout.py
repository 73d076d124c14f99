"""How a folder of one's own is laid out: a label table, class sub-folders, arrays, or signals a row.

Looks at names and at the first lines of tables; must not read recordings or decide what a label means.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from vicinal.errors import FormatError
from vicinal.inputs.datasets.own.listing import Listing
from vicinal.inputs.datasets.own.parts import part_called
from vicinal.inputs.formats.rows import ROW_READERS

__all__ = ["EVENT_TABLES", "TABLES", "Layout", "find_layout"]

TABLES = ("labels.csv", "labels.tsv", "labels.parquet")
EVENT_TABLES = ("events.csv", "events.tsv", "events.parquet")
ARRAYS = ("X.npy", "X.npz")


@dataclass(frozen=True)
class Layout:
    """What was found.

    Args:    kind: "table" (a label table names files), "rows" (files with one signal a row), or "folders".
             labels: the label table.  events: the table of events, or None.
             rows: files with one signal a row, and the part of a published split that each is.
    """

    kind: Literal["table", "rows", "folders"]
    labels: Path | None = None
    events: Path | None = None
    rows: tuple[tuple[Path, str | None], ...] = field(default=())


def find_layout(root: Path, *, labels: Path | None, events: Path | None) -> Layout:
    """Return the layout of `root`, an existing folder.

    Args:    labels, events: files as the user names them, relative to `root` or anywhere.
    Raises:  FormatError: when more than one file would do.
    """
    found = _named(root, events) or _only(root, EVENT_TABLES, "events")
    if labels is not None:
        return Layout("table", _named(root, labels), found)
    table, arrays = _only(root, TABLES, "labels"), _only(root, ARRAYS, "labels")
    if table is not None:
        return Layout("table", table, found)
    rows = ((arrays, None),) if arrays is not None else _rows(root)
    return Layout("rows", rows=rows) if rows else Layout("folders", None, found)


def _rows(root: Path) -> tuple[tuple[Path, str | None], ...]:
    """Return the only recording there, or files called NAME_TRAIN and NAME_TEST; none when there are others."""
    listing = Listing(root)
    files = [path for path in listing.files if path.suffix.lower() in ROW_READERS]
    for suffix in ROW_READERS:
        parts = [
            (path, part_called(path.stem.rpartition("_")[2]))
            for path in files
            if path.suffix.lower() == suffix
        ]
        beginnings = {(path.parent, path.stem.rpartition("_")[0]) for path, _ in parts}
        found = [part for _, part in parts]
        if len(beginnings) == 1 and {"train", "test"} <= set(found) and len(set(found)) == len(found):
            return tuple(sorted(parts, key=lambda one: found.index(one[1])))
    if len(listing) == 1 and files and files[0].parent == listing.root:
        return ((files[0], None),)
    return ()


def _named(root: Path, name: Path | None) -> Path | None:
    return None if name is None else root / name if (root / name).is_file() else name


def _only(root: Path, names: tuple[str, ...], key: str) -> Path | None:
    there = [name for name in names if (root / name).is_file()]
    if len(there) > 1:
        raise FormatError(
            f"{root}: expected one of {', '.join(there)}, got {len(there)}. Set {key} to the one meant."
        )
    return root / there[0] if there else None
