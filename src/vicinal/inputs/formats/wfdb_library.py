"""The `wfdb` library behind two functions: its arrays and its symbols, and one error class.

The one module that imports it; called only with paths and headers that have been checked.
Must not know signals.
"""

import contextlib
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int32, Int64

from vicinal.errors import FormatError

__all__ = ["digital_samples", "events"]


def digital_samples(header: Path) -> Int32[np.ndarray, "channels time"]:
    """Return the digital values of the record whose header is `header`."""
    with _library(header) as wfdb:
        record = wfdb.rdrecord(str(header.with_suffix("")), physical=False, return_res=32)
        return np.ascontiguousarray(record.d_signal.T, dtype=np.int32)


def events(path: Path) -> tuple[Int64[np.ndarray, " n"], tuple[str, ...]]:
    """Return the positions and the symbols in an annotation file; an unknown symbol is empty."""
    with _library(path) as wfdb:
        found = wfdb.rdann(str(path.with_suffix("")), path.suffix[1:])
        # A code that wfdb does not know becomes NaN or None in its table.
        symbols = tuple(symbol if isinstance(symbol, str) else "" for symbol in found.symbol)
        return np.asarray(found.sample, dtype=np.int64), symbols


@contextlib.contextmanager
def _library(path: Path) -> Iterator[Any]:
    """Yield the library, and turn what it raises for content it cannot make sense of into a FormatError."""
    with warnings.catch_warnings():
        # It calls pandas in ways that newer versions warn about; nobody can act on that here.
        warnings.simplefilter("ignore", DeprecationWarning)
        # Imported on first use: it takes most of a second, and format 16 without events does not need it.
        import wfdb

        try:
            yield wfdb
        except (ValueError, IndexError, KeyError, TypeError, ArithmeticError) as error:
            raise FormatError(f"{path}: the wfdb library cannot read it: {error}.") from error
