"""How a folder of one's own is laid out: a label table, class sub-folders, arrays, or signals a row.

Looks at names and at the first lines of tables; must not read recordings or decide what a label means.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vicinal.errors import FormatError

__all__ = ["EVENT_TABLES", "TABLES", "Layout", "find_layout"]

TABLES = ("labels.csv", "labels.tsv", "labels.parquet")
EVENT_TABLES = ("events.csv", "events.tsv", "events.parquet")
ARRAYS = ("X.npy", "X.npz")


@dataclass(frozen=True)
class Layout:
    """What was found.

    Args:    kind: "table" (a label table names files), "arrays" (X, y and perhaps groups), or "folders".
             labels: the label table, or the file with X.  events: the table of events, or None.
    """

    kind: Literal["table", "arrays", "folders"]
    labels: Path | None = None
    events: Path | None = None


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
    if arrays is not None:
        return Layout("arrays", arrays)
    return Layout("folders", None, found)


def _named(root: Path, name: Path | None) -> Path | None:
    return None if name is None else root / name if (root / name).is_file() else name


def _only(root: Path, names: tuple[str, ...], key: str) -> Path | None:
    there = [name for name in names if (root / name).is_file()]
    if len(there) > 1:
        raise FormatError(
            f"{root}: expected one of {', '.join(there)}, got {len(there)}. Set {key} to the one meant."
        )
    return root / there[0] if there else None
