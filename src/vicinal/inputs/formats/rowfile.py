"""RowFile: an opened file that holds several signals, one a row.

What a label table, an array of recordings and an archive of traces have in common. Must not know what the other
columns mean.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vicinal.errors import FormatError
from vicinal.signal import Signal

__all__ = ["RowFile", "only_signal", "several"]


@dataclass(frozen=True)
class RowFile:
    """An opened file with several signals.

    Opening parses once, or maps the file; reading a row then costs no more than that row. What the caller has to
    state (rate, unit, channels) is asked for when a row is read, so that a file can be looked at without it.

    Args:    n: how many, at least 1.
             read: returns signal number `row`, 0 to n - 1; it gets the id "STEM[row]".
             columns: further columns, such as a label or a subject: n text cells by name, "" where empty.
    """

    n: int
    read: Callable[[int], Signal] = field(repr=False)
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)


def only_signal(rows: RowFile, *, path: Path) -> Signal:
    """Return the signal of a file that holds a single one.

    Raises:  FormatError: when it holds several.
    """
    if rows.n > 1:
        raise several(rows.n, path=path)
    return rows.read(0)


def several(n: int, *, path: Path) -> FormatError:
    """Return the error for a file with `n` signals that was read as one."""
    return FormatError(f"{path}: expected one signal, the file holds {n}. Give row, 0 to {n - 1}.")
