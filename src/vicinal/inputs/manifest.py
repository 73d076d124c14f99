"""Manifest: one line a row of a pack, as Parquet, of which only the columns that are asked for are read.

Knows what a column is called and how it is stored; must not know contracts or how rows come about.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Float64, Int64

from vicinal.errors import FormatError
from vicinal.inputs.datasets.catalogue import Recording
from vicinal.inputs.row import Row
from vicinal.signal import Events

__all__ = ["Manifest", "manifest_bytes"]

_POSITIONS, _SYMBOLS = "event_positions", "event_symbols"


def manifest_bytes(
    recordings: Sequence[Recording],
    rows: Sequence[Row],
    *,
    offsets: Int64[np.ndarray, " n"],
    sources: Sequence[str],
    classes: Sequence[str],
    truth: Float64[np.ndarray, "n k"],
    officials: Mapping[str, Sequence[str]],
    has_subjects: bool,
) -> bytes:
    """Return the manifest of a pack as a Parquet file.

    Args:    recordings, rows: n, in the order of the rows.  offsets: values before each row.
             sources: file names.  truth: (n, K), a column for each of `classes`.
             officials: published splits by name, the part of each row.
    """
    data: dict[str, Any] = {"id": _text(one.id for one in recordings)}
    if has_subjects:
        data["subject"] = _text(one.subject or "" for one in recordings)
    data["group"] = _text(one.group for one in recordings)
    data["labels"] = _text(";".join(one.labels) for one in recordings)
    if any(row.events is not None for row in rows):
        data |= _event_columns([row.events for row in rows])
    data["source"] = _text(sources)
    data["offset"] = pa.array(offsets, pa.int64())
    data["length"] = pa.array([row.length for row in rows], pa.int64())
    data["n_flat"] = pa.array([row.n_flat for row in rows], pa.int64())
    data["sha256"] = _text(row.sha256 for row in rows)
    data |= {f"official:{name}": _text(parts) for name, parts in officials.items()}
    for k, name in enumerate(classes):
        data[f"truth:{name}"] = pa.array(truth[:, k], from_pandas=True)
    # The prefix keeps a label table's own column, such as "length", apart from ours.
    for name in dict.fromkeys(name for one in recordings for name in one.columns):
        data[f"column:{name}"] = _further([one.columns.get(name) for one in recordings])
    buffer = io.BytesIO()
    pq.write_table(pa.table(data), buffer)
    return buffer.getvalue()


@dataclass(frozen=True)
class Manifest:
    """The manifest of a pack, read column by column.

    Raises:  FormatError: from every method, when the file is not a manifest or lacks the column.
    """

    path: Path

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of all columns."""
        return tuple(self._read(None).names)

    def under(self, prefix: str) -> list[str]:
        """Return the rest of the names that begin with `prefix`."""
        return [name.removeprefix(prefix) for name in self.names if name.startswith(prefix)]

    def texts(self, name: str) -> np.ndarray:
        """Return a column of text: (n,); what is missing is empty."""
        return np.array([value or "" for value in self._column(name).to_pylist()], dtype=str)

    def whole_numbers(self, name: str) -> Int64[np.ndarray, " n"]:
        """Return a column of whole numbers: (n,)."""
        return np.array(self._column(name).to_numpy(), dtype=np.int64)

    def numbers(self, name: str) -> Float64[np.ndarray, " n"]:
        """Return a column of numbers: (n,), NaN where missing."""
        return np.array(self._column(name).to_numpy(), dtype=np.float64)

    def further(self, name: str) -> np.ndarray:
        """Return a further column: (n,), text or numbers as it is stored."""
        kind = self._column(f"column:{name}").type
        return self.texts(f"column:{name}") if pa.types.is_string(kind) else self.numbers(f"column:{name}")

    def events(self) -> "EventColumns | None":
        """Return the events of all rows, or None when no recording has annotations."""
        if _POSITIONS not in self.names:
            return None
        positions, symbols = self._column(_POSITIONS), self._column(_SYMBOLS)
        n = np.array(positions.combine_chunks().value_lengths().to_numpy(zero_copy_only=False))
        return EventColumns(
            known=~np.isnan(n),
            ends=np.cumsum(np.nan_to_num(n)).astype(np.int64),
            positions=np.array(positions.combine_chunks().flatten().to_numpy(), dtype=np.int64),
            symbols=np.array(symbols.combine_chunks().flatten().to_pylist(), dtype=str),
        )

    def _column(self, name: str) -> Any:
        try:
            return self._read([name])[name]
        except KeyError as error:
            raise FormatError(
                f"{self.path}: the manifest has no column {name!r}. Pack the data again."
            ) from error

    def _read(self, columns: list[str] | None) -> Any:
        try:
            with pq.ParquetFile(self.path) as file:
                return file.schema_arrow if columns is None else file.read(columns=columns)
        except (OSError, pa.ArrowException) as error:
            raise FormatError(
                f"{self.path} is not the manifest of a pack: {error}. Pack the data again."
            ) from error


@dataclass(frozen=True)
class EventColumns:
    """The events of all rows, one after another.

    Args:    known: (n,), whether the row has annotations.  ends: (n,), events up to and with each row.
             positions, symbols: (m,), of all events.
    """

    known: np.ndarray
    ends: Int64[np.ndarray, " n"]
    positions: Int64[np.ndarray, " m"]
    symbols: np.ndarray

    def of(self, index: int) -> Events | None:
        """Return the events of one row, or None when it has no annotations."""
        if not self.known[index]:
            return None
        inside = slice(int(self.ends[index - 1]) if index > 0 else 0, int(self.ends[index]))
        return Events(self.positions[inside], tuple(self.symbols[inside].tolist()))


def _text(values: Any) -> pa.Array:
    return pa.array(list(values), pa.string())


def _event_columns(events: list[Events | None]) -> dict[str, pa.Array]:
    positions = [None if one is None else one.positions for one in events]
    symbols = [None if one is None else one.symbols for one in events]
    return {
        _POSITIONS: pa.array(positions, pa.list_(pa.int64())),
        _SYMBOLS: pa.array(symbols, pa.list_(pa.string())),
    }


def _further(values: list[str | float | None]) -> pa.Array:
    if any(isinstance(value, str) for value in values):
        return pa.array([None if value is None else str(value) for value in values], pa.string())
    return pa.array(values, pa.float64())
