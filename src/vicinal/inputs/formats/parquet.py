"""Read recordings from a Parquet table: one recording whose columns are channels, or one signal a row.

Columns of plain numbers only; `wide.py` says which are samples where each row is a signal. Must not know data sets.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Float32

from vicinal.errors import FormatError
from vicinal.inputs.formats.arrays import MAX_BYTES, from_arrow, rows_of, to_float32
from vicinal.inputs.formats.csv import column_names, rate_of, time_column
from vicinal.inputs.formats.rowfile import RowFile, only_signal
from vicinal.inputs.formats.stated import Stated
from vicinal.inputs.formats.wide import layout_of
from vicinal.signal import Signal

__all__ = ["open_parquet", "read_parquet"]

_MAX_COLUMNS = 1 << 17
_BATCH_VALUES = 1 << 18
_BUFFER = 1 << 16
_GROUP = 256


def read_parquet(path: Path, stated: Stated) -> Signal:
    """Read one recording: one column a channel, `MLII [mV]` or `MLII`, and perhaps a time column.

    Stated `samples` mean a table with one signal a row; it must have one row.

    Raises:  FormatError: when columns are not plain numbers, or rate or unit are neither there nor stated.
    """
    if stated.samples is not None:
        return only_signal(open_parquet(path, stated), path=path)
    with _opened(path) as file:
        names, units = column_names(file.schema_arrow.names, where=str(path))
        time = time_column(names, where=str(path))
        channels = [index for index in range(len(names)) if index != time]
        _check_size(file, len(names), path)
        samples = np.empty((len(channels), file.metadata.num_rows), dtype=np.float32)
        times = []
        fields = file.schema_arrow.names
        for start, stop, batch in _batches(file, fields, path):
            for row, index in enumerate(channels):
                samples[row, start:stop] = _numbers(batch, fields[index], path)
            if time is not None:
                times.append(from_arrow(batch.column(fields[time]).cast(pa.float64())))
    return Signal(
        samples=samples,
        channels=tuple(names[index] for index in channels),
        units=tuple(stated.unit_or(units[index], where=f"{path}, {names[index]}") for index in channels),
        rate_hz=stated.rate_or(
            None if time is None else rate_of(times, units[time], where=str(path)), where=str(path)
        ),
        id=path.stem,
        source=str(path),
    )


def open_parquet(path: Path, stated: Stated) -> RowFile:
    """Read a table with one signal a row, once; nulls and NaN are missing samples.

    Returns: its rows; `columns` are the texts of all columns that hold no samples.
    Raises:  FormatError: when it is not clear which columns are samples, or those are not numbers.
    """
    with _opened(path) as file:
        names = list(file.schema_arrow.names)
        layout = layout_of(names, stated=stated, where=str(path))
        _check_size(file, layout.samples.size, path)
        samples = np.empty((file.metadata.num_rows, layout.samples.size), dtype=np.float32)
        wanted = [names[index] for index in layout.samples.ravel().tolist()]
        # Every column read holds a page and a dictionary: only some are read at a time.
        for first in range(0, len(wanted), _GROUP):
            group = wanted[first : first + _GROUP]
            for start, stop, batch in _batches(file, group, path):
                for at, name in enumerate(group, start=first):
                    samples[start:stop, at] = _numbers(batch, name, path)
        texts = {names[index]: list[str]() for index in layout.others}
        for _, _, batch in _batches(file, list(texts), path) if texts else ():
            for name, column in texts.items():
                column.extend(_texts(batch, name, path))
    return rows_of(
        samples.reshape(len(samples), *layout.samples.shape),
        path=path,
        stated=stated,
        names=layout.channels,
        columns={name: tuple(column) for name, column in texts.items()},
    )


@contextmanager
def _opened(path: Path) -> Iterator[pq.ParquetFile]:
    try:
        with pq.ParquetFile(
            path, pre_buffer=False, buffer_size=_BUFFER, page_checksum_verification=True
        ) as file:
            _check_shape(file, path)
            yield file
    except (pa.ArrowException, OSError, ValueError) as error:
        if isinstance(error, FormatError):
            raise
        # What pyarrow says may go on for a page about its own insides.
        reason = str(error).partition("\n")[0][:200]
        raise FormatError(f"{path}: expected a Parquet table: {reason}.") from error


def _check_shape(file: pq.ParquetFile, path: Path) -> None:
    names, n = file.schema_arrow.names, file.metadata.num_rows
    nested = [field.name for field in file.schema_arrow if pa.types.is_nested(field.type)]
    problems = []
    if n < 1:
        problems.append("expected rows, got none")
    if not 0 < len(names) <= _MAX_COLUMNS:
        problems.append(f"expected 1 to {_MAX_COLUMNS} columns, got {len(names)}")
    if len(set(names)) < len(names) or "" in names:
        problems.append("expected distinct column names, none of them empty")
    if nested:
        problems.append(f"expected plain values, got nested columns {', '.join(nested[:5])}")
    if problems:
        raise FormatError(f"{path}: " + "; ".join(problems) + ".")


def _check_size(file: pq.ParquetFile, n_columns: int, path: Path) -> None:
    # Run lengths and dictionaries let some bytes stand for billions of values: what counts is what is decoded.
    decoded = file.metadata.num_rows * n_columns * 4
    if decoded > MAX_BYTES:
        raise FormatError(f"{path}: expected at most {MAX_BYTES} bytes of samples, got {decoded}.")


def _batches(
    file: pq.ParquetFile, names: Sequence[str], path: Path
) -> Iterator[tuple[int, int, pa.RecordBatch]]:
    """Yield some columns in pieces of bounded size: the first row, the row behind the last, and what they hold."""
    expected, found = file.metadata.num_rows, 0
    size = max(1, _BATCH_VALUES // len(names))
    for batch in file.iter_batches(batch_size=size, columns=list(names), use_threads=False):
        start, found = found, found + batch.num_rows
        if found > expected:
            break
        yield start, found, batch
    if found != expected:
        raise FormatError(f"{path}: expected {expected} rows as the file says, got {found}; it is damaged.")


def _numbers(batch: pa.RecordBatch, name: str, path: Path) -> Float32[np.ndarray, " rows"]:
    column = batch.column(name)
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        raise FormatError(f"{path}: column {name}: expected numbers, got {column.type}.")
    return to_float32(from_arrow(column), where=f"{path}, column {name}")


def _texts(batch: pa.RecordBatch, name: str, path: Path) -> list[str]:
    column = batch.column(name)
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        raise FormatError(f"{path}: column {name}: expected text or numbers, got bytes. Leave it out.")
    return ["" if value is None else str(value) for value in column.to_pylist()]
