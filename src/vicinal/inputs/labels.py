"""Label tables: rows of text cells, from CSV, TSV or Parquet, with every problem named by its line.

Cells stay text ("001" is not 1) until a column is asked for as numbers. Columns are kept as their distinct cells
and a number a row, so that ten million rows fit. Must not know recordings or tasks.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
from jaxtyping import Float64, Int32, Int64

from vicinal.errors import FormatError, PathError
from vicinal.inputs.problems import Problems

__all__ = ["Column", "LabelTable", "numbers_of", "plain", "read_labels", "split_labels", "text_column"]

_MAX_BYTES = 4 << 30
_MAX_ROWS = 100_000_000
_MAX_COLUMNS = 4096
_BLOCK = 8 << 20
_BLANKS = " \t\r\n\f\v"
_NUMBER = r"^[+-]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$"
"""A number; a code with leading zeros such as 007 is none."""


@dataclass(frozen=True)
class Column:
    """The cells of one column, blanks trimmed; an empty cell is a missing value.

    Args:    distinct: each text that occurs, once.  codes: (n,) which of them stands in each row.
    """

    distinct: pa.StringArray = field(repr=False)
    codes: Int32[np.ndarray, " n"] = field(repr=False)

    def cell(self, row: int) -> str:
        """Return the text in one row, from 0."""
        return str(self.distinct[int(self.codes[row])].as_py())

    def texts(self) -> list[str]:
        """Return the distinct cells."""
        found: list[str] = self.distinct.to_pylist()
        return found

    def cells(self) -> list[str]:
        """Return the text of every row."""
        texts = self.texts()
        return [texts[code] for code in self.codes]

    def is_empty(self) -> np.ndarray:
        """Return (n,), where the cell is empty."""
        empty: np.ndarray = pc.equal(self.distinct, "").to_numpy(zero_copy_only=False)[self.codes]
        return empty


@dataclass(frozen=True)
class LabelTable:
    """A table of text cells.

    Args:    source: for messages.  columns: by name, all of one length.
             lines: (n,) the line of the file on which each row begins.
    """

    source: str
    columns: Mapping[str, Column]
    lines: Int64[np.ndarray, " n"] = field(repr=False)

    def __len__(self) -> int:
        return len(self.lines)

    def find(self, name: str | None, *, usual: Sequence[str], key: str) -> str | None:
        """Return the column called `name`, or when it is None the one column with a usual name.

        Args:    name: as the user gave it, or None.  usual: names tried, whatever their case, blanks or dashes.
                 key: the option with which the user names the column, for messages.
        Returns: the column's name, or None when none has a usual name.
        Raises:  FormatError: when there is no column `name`, or several have usual names.
        """
        there = f"{self.source} has the columns {', '.join(self.columns)}"
        if name is not None:
            if name not in self.columns:
                raise FormatError(f"{key}: expected the column {name!r}; {there}. Correct {key}.")
            return name
        found = [column for column in self.columns if plain(column) in usual]
        if len(found) > 1:
            raise FormatError(
                f"{key}: expected one column among {', '.join(usual)}; {there}. Set {key} to the one meant."
            )
        return found[0] if found else None

    def require(self, name: str | None, *, usual: Sequence[str], key: str) -> str:
        """Return what `find` finds.

        Raises:  FormatError: also when no column has a usual name.
        """
        column = self.find(name, usual=usual, key=key)
        if column is None:
            raise FormatError(
                f"{self.source}: expected a column named {' or '.join(usual)}, got the columns "
                f"{', '.join(self.columns)}. Set {key} to the one that is meant."
            )
        return column

    def values(self, name: str) -> list[str] | Float64[np.ndarray, " n"]:
        """Return a column as numbers (NaN where empty) when every other cell is one, else as text."""
        column = self.columns[name]
        numbers = numbers_of(column.distinct)
        return column.cells() if numbers is None else numbers[column.codes]


def plain(name: str) -> str:
    """Return a column's name without the differences that mean nothing: case, blanks, dashes."""
    return "_".join(name.casefold().replace("-", " ").replace("_", " ").split())


def numbers_of(distinct: pa.StringArray) -> Float64[np.ndarray, " m"] | None:
    """Return texts as finite numbers, NaN where empty; None when one is neither or all are empty."""
    filled = pc.not_equal(distinct, "")
    if (
        not pc.any(filled).as_py()
        or not pc.all(pc.match_substring_regex(distinct.filter(filled), _NUMBER)).as_py()
    ):
        return None
    nulled = pc.if_else(filled, pc.utf8_ltrim(distinct, characters="+"), pa.scalar(None, pa.string()))
    numbers: np.ndarray = pc.cast(nulled, pa.float64()).to_numpy(zero_copy_only=False)
    return None if np.isinf(numbers).any() else numbers


def text_column(cells: Sequence[str]) -> Column:
    """Return cells as a column, blanks trimmed."""
    return _column(pa.array(cells, pa.string()).dictionary_encode())


def read_labels(path: Path) -> LabelTable:
    """Read a label table: CSV with commas, semicolons or tabs, or Parquet.

    Raises:  PathError: when there is no such file.  FormatError: when it is not a table with rows.
    """
    if not path.is_file():
        raise PathError(f"{path} does not exist or is not a regular file.")
    if path.stat().st_size > _MAX_BYTES:
        raise FormatError(f"{path}: expected at most {_MAX_BYTES:,} bytes, got {path.stat().st_size:,}.")
    table = _read_parquet(path) if path.suffix.lower() == ".parquet" else _read_csv(path)
    if not len(table):
        raise FormatError(f"{path}: expected rows below the header line, got none.")
    return table


def split_labels(cell: str) -> tuple[str, ...]:
    """Return the labels of a cell, which a semicolon or a bar separates: `"AF;LBBB"` is two.

    Raises:  FormatError: for a Python or JSON literal, a number that is not whole, an empty or a repeated label.
             Nothing is evaluated.
    """
    if cell[:1] in ("[", "{", "("):
        raise FormatError(f"label {cell!r}: expected labels separated by ';', got a list in Python or JSON")
    labels = tuple(label.strip() for label in cell.replace("|", ";").split(";"))
    if "" in labels or len(set(labels)) != len(labels):
        raise FormatError(f"label {cell!r}: expected distinct labels separated by ';'")
    if any(label.casefold() in ("nan", "none", "null", "<na>") for label in labels):
        raise FormatError(f"label {cell!r}: it reads like a missing value; leave the cell empty if it is one")
    if any(_is_fraction(label) for label in labels):
        raise FormatError(
            f"label {cell!r}: expected a class, got a number that is not whole; write which class it is"
        )
    return labels


def _is_fraction(label: str) -> bool:
    numbers = numbers_of(pa.array([label]))
    return numbers is not None and not float(numbers[0]).is_integer()


def _read_csv(path: Path) -> LabelTable:
    _check_text(path)
    names, delimiter, n_before = _header(path)
    ragged: list[tuple[int, int]] = []

    def is_ragged(row: pa.csv.InvalidRow) -> str:
        ragged.append((row.number, row.actual_columns))
        return "skip"

    keys = [str(index) for index in range(len(names))]
    kind = pa.dictionary(pa.int32(), pa.string())
    try:
        table = pa.csv.read_csv(
            path,
            # One thread, because only then does a ragged row have a number.
            read_options=pa.csv.ReadOptions(
                column_names=keys, skip_rows=n_before, use_threads=False, block_size=_BLOCK
            ),
            parse_options=pa.csv.ParseOptions(
                delimiter=delimiter,
                newlines_in_values=True,
                ignore_empty_lines=False,
                invalid_row_handler=is_ragged,
            ),
            convert_options=pa.csv.ConvertOptions(
                column_types=dict.fromkeys(keys, kind), strings_can_be_null=False
            ),
        )
    except pa.ArrowException as error:
        raise FormatError(f"{path}: expected UTF-8 text in {len(names)} columns: {error}.") from error
    lines = n_before + 1 + _line_offsets(table, [number - n_before - 1 for number, _ in ragged])
    problems = Problems(str(path))
    problems.add_all(
        len(ragged),
        lambda k: f"line {ragged[k][0]}: expected {len(names)} cells, got {ragged[k][1]}",
    )
    problems.raise_any("Quote cells that hold the separator.")
    columns = {name: _column(table[key]) for name, key in zip(names, keys, strict=True)}
    blank = np.logical_and.reduce([column.is_empty() for column in columns.values()])
    if not blank.any():
        return LabelTable(str(path), columns, lines)
    columns = {name: _used(column.distinct, column.codes[~blank]) for name, column in columns.items()}
    return LabelTable(str(path), columns, lines[~blank])


def _check_text(path: Path) -> None:
    """Refuse what a CSV parser would take in silence: NUL characters, and a quote that never closes."""
    n_quotes, n_lines, suspect = 0, 0, 0
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            if b"\0" in block:
                raise FormatError(f"{path}: expected text, got NUL characters. Save it as UTF-8 text.")
            if not suspect and block.count(b'"') % 2:
                suspect = (
                    n_lines
                    + 1
                    + next((k for k, line in enumerate(block.split(b"\n")) if line.count(b'"') % 2), 0)
                )
            n_quotes += block.count(b'"')
            n_lines += block.count(b"\n")
    if n_quotes % 2:
        raise FormatError(
            f"{path}: line {suspect}: expected a closing quote, the number of quotes is odd. "
            'Close the cell, or write a quote that is meant as "" inside a quoted cell.'
        )


def _header(path: Path) -> tuple[list[str], str, int]:
    """Return the names of the columns, the separator, and how many blank lines stand before them."""
    with path.open("rb") as stream:
        for n_before, raw in enumerate(iter(lambda: stream.readline(_BLOCK), b"")):
            try:
                # The columns of the table that follow must be named as they are; a BOM belongs to the first line.
                line = raw.decode("utf-8-sig").strip("\r\n")
            except UnicodeDecodeError as error:
                raise FormatError(
                    f"{path}: expected UTF-8 text: {error.reason}. Save it as UTF-8."
                ) from error
            if line.strip(_BLANKS + ",;"):
                delimiter = _delimiter(line)
                names = [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter))]
                _check_names(names, path)
                return names, delimiter, n_before + 1
    raise FormatError(f"{path}: expected a header line with column names, the file is empty.")


def _delimiter(line: str) -> str:
    """Return the separator that stands most often outside quotes; a comma when none does."""
    outside = "".join(line.split('"')[::2])
    return max((",", ";", "\t"), key=outside.count)


def _line_offsets(table: pa.Table, ragged: Sequence[int]) -> Int64[np.ndarray, " n"]:
    """Return on which line each row begins, from 0: cells may hold line breaks, and ragged rows were left out."""
    breaks = np.zeros(table.num_rows, dtype=np.int64)
    for column in table.columns:
        encoded = _encoded(column)
        inside = pc.count_substring(encoded.dictionary, "\n").to_numpy(zero_copy_only=False)
        if inside.any():
            breaks += inside[encoded.indices.to_numpy()]
    rows = np.arange(table.num_rows + len(ragged))
    lines: Int64[np.ndarray, " n"] = (
        np.delete(rows, np.array(ragged, dtype=np.int64)) + np.cumsum(breaks) - breaks
    )
    return lines


def _read_parquet(path: Path) -> LabelTable:
    try:
        with pq.ParquetFile(path) as file:
            _check_parquet(file, path)
            names = file.schema_arrow.names
            texts = [name for name in names if pa.types.is_string(file.schema_arrow.field(name).type)]
        # Cells that repeat stay one cell: a dictionary may stand for far more text than the file has bytes.
        with pq.ParquetFile(path, read_dictionary=texts) as file:
            table = file.read()
    except (pa.ArrowException, OSError) as error:
        raise FormatError(f"{path}: expected a Parquet table: {error}.") from error
    columns = {name: _column(_as_text(table[name])) for name in names}
    return LabelTable(str(path), columns, np.arange(1, table.num_rows + 1, dtype=np.int64))


def _check_parquet(file: pq.ParquetFile, path: Path) -> None:
    schema, meta = file.schema_arrow, file.metadata
    _check_names(schema.names, path)
    for name in schema.names:
        kind = schema.field(name).type
        kind = kind.value_type if pa.types.is_dictionary(kind) else kind
        if pa.types.is_nested(kind) or pa.types.is_binary(kind):
            raise FormatError(
                f"{path}: expected plain values in column {name!r}, got {kind}. Write text instead."
            )
    n_bytes = sum(meta.row_group(k).total_byte_size for k in range(meta.num_row_groups))
    if meta.num_rows > _MAX_ROWS or n_bytes > _MAX_BYTES:
        raise FormatError(
            f"{path}: expected at most {_MAX_ROWS:,} rows and {_MAX_BYTES:,} bytes, got {meta.num_rows:,} rows and "
            f"{n_bytes:,} bytes."
        )


def _check_names(names: Sequence[str], path: Path) -> None:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated or "" in names:
        raise FormatError(f"{path}: expected distinct, non-empty column names, got {', '.join(names)}.")
    if len(names) > _MAX_COLUMNS:
        raise FormatError(f"{path}: expected at most {_MAX_COLUMNS} columns, got {len(names)}.")


def _as_text(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a Parquet column as text; whole floats become whole numbers, as pandas makes floats of gaps."""
    kind = values.type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
        values = values if pa.types.is_string(kind) else pc.cast(values, kind)
    if pa.types.is_boolean(kind):
        return pc.if_else(values, "True", "False")
    if pa.types.is_floating(kind):
        values = pc.if_else(pc.is_nan(values), pa.scalar(None, kind), values)
        whole = pc.and_(pc.equal(pc.floor(values), values), pc.less(pc.abs(values), 2.0**53))
        integers = pc.cast(pc.if_else(whole, values, 0.0), pa.int64())
        return pc.if_else(whole, pc.cast(integers, pa.string()), pc.cast(values, pa.string()))
    return values if pa.types.is_dictionary(values.type) else pc.cast(values, pa.string())


def _encoded(values: pa.ChunkedArray | pa.Array) -> pa.DictionaryArray:
    """Return texts as one dictionary array without nulls."""
    if not pa.types.is_dictionary(values.type):
        values = values.dictionary_encode()
    if isinstance(values, pa.ChunkedArray):
        values = values.unify_dictionaries().combine_chunks() if values.num_chunks != 1 else values.chunk(0)
    if isinstance(values, pa.ChunkedArray):  # no chunks at all
        values = pa.array([], pa.string()).dictionary_encode()
    return values


def _column(values: pa.ChunkedArray | pa.Array) -> Column:
    encoded = _encoded(values)
    dictionary, indices = pc.cast(encoded.dictionary, pa.string()), encoded.indices
    if indices.null_count or dictionary.null_count:  # a missing value is an empty cell
        indices = pc.fill_null(indices, len(dictionary))
        dictionary = pa.concat_arrays([pc.fill_null(dictionary, ""), pa.array([""])])
    codes = indices.to_numpy().astype(np.int32, copy=False)
    trimmed = pc.utf8_trim_whitespace(dictionary)
    if trimmed.equals(dictionary) and dictionary.index("").as_py() in (-1, len(dictionary) - 1):
        return _used(dictionary, codes)
    again = trimmed.dictionary_encode()  # two cells may have become one
    return _used(again.dictionary, again.indices.to_numpy().astype(np.int32, copy=False)[codes])


def _used(distinct: pa.StringArray, codes: Int32[np.ndarray, " n"]) -> Column:
    """Leave out distinct texts that stand in no row."""
    used = np.zeros(len(distinct), dtype=bool)
    used[codes] = True
    if used.all():
        return Column(distinct, codes)
    return Column(distinct.filter(pa.array(used)), (np.cumsum(used) - 1).astype(np.int32)[codes])
