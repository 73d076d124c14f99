"""Files that hold several signals, one a row: what they hold, and each of them by number.

What a label table, an array of recordings or an archive of traces has in common. Must not know what the other
columns mean.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vicinal.inputs.formats.stated import Stated
from vicinal.signal import Signal

__all__ = ["ROW_READERS", "RowFile"]


@dataclass(frozen=True)
class RowFile:
    """An opened file with several signals.

    Args:    n: how many.  read: returns signal number `row`, 0 to n - 1; it gets the id "STEM[row]".
             columns: further columns, such as a label or a subject: n text cells by name, "" where empty.
    """

    n: int
    read: Callable[[int], Signal] = field(repr=False)
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)


ROW_READERS: dict[str, Callable[[Path, Stated], RowFile]] = {}
"""Suffix of a file -> function(path, stated) -> RowFile."""
