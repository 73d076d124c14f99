"""Label tables: rows of text cells, from CSV, TSV or Parquet, with every problem named by its line.

Cells stay text ("001" is not 1) until a column is asked for as numbers. Must not know recordings or tasks.
"""

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from vicinal.errors import FormatError, PathError

__all__ = ["LabelTable", "problems_in", "read_labels", "split_labels"]

_MAX_SHOWN = 20


@dataclass(frozen=True)
class LabelTable:
    """A table of text cells, blanks trimmed; an empty cell is a missing value.

    Args:    source: for messages.  columns: cells by column name, all of one length.
             lines: the line of the file on which each row stands.
    """

    source: str
    columns: dict[str, tuple[str, ...]]
    lines: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.lines)

    def find(self, name: str | None, *, usual: Sequence[str], key: str) -> str | None:
        """Return the column called `name`, or when it is None the one column with a usual name.

        Args:    name: as the user gave it, or None.  usual: names tried, whatever their case.
                 key: the option with which the user names the column, for messages.
        Returns: the column's name, or None when none has a usual name.
        Raises:  FormatError: when there is no column `name`, or several have usual names.
        """
        there = f"{self.source} has the columns {', '.join(self.columns)}"
        if name is not None:
            if name not in self.columns:
                raise FormatError(f"{key}: expected the column {name!r}; {there}. Correct {key}.")
            return name
        found = [column for column in self.columns if column.casefold() in usual]
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

    def values(self, name: str) -> tuple[str, ...] | tuple[float, ...]:
        """Return a column as numbers (NaN where empty) when every other cell is one, else as text."""
        cells = self.columns[name]
        numbers = tuple(_number(cell) for cell in cells)
        if any(number is None for number in numbers) or not any(cells):
            return cells
        return tuple(number for number in numbers if number is not None)


def read_labels(path: Path) -> LabelTable:
    """Read a label table: CSV with commas, semicolons or tabs, or Parquet.

    Raises:  PathError: when there is no such file.  FormatError: when it is not a table with rows.
    """
    if not path.is_file():
        raise PathError(f"{path} does not exist or is not a regular file.")
    table = _read_parquet(path) if path.suffix.lower() == ".parquet" else _read_csv(path)
    if not len(table):
        raise FormatError(f"{path}: expected rows below the header line, got none.")
    return table


def split_labels(cell: str) -> tuple[str, ...]:
    """Return the labels of a cell, which a semicolon separates: `"AF;LBBB"` is two.

    Raises:  FormatError: for a Python or JSON literal, an empty or a repeated label. Nothing is evaluated.
    """
    if cell[:1] in ("[", "{", "("):
        raise FormatError(f"label {cell!r}: expected labels separated by ';', got a list in Python or JSON")
    labels = tuple(label.strip() for label in cell.split(";"))
    if "" in labels or len(set(labels)) != len(labels):
        raise FormatError(f"label {cell!r}: expected distinct labels separated by ';'")
    if any(label.casefold() in ("nan", "none", "null", "<na>") for label in labels):
        raise FormatError(f"label {cell!r}: it reads like a missing value; leave the cell empty if it is one")
    return labels


def problems_in(where: str, problems: Sequence[str], *, advice: str) -> FormatError:
    """Return one error that lists the problems, the first twenty of them in full."""
    shown = "\n".join(f"  {problem}" for problem in problems[:_MAX_SHOWN])
    further = f"\n  and {len(problems) - _MAX_SHOWN} more" if len(problems) > _MAX_SHOWN else ""
    return FormatError(f"{where}: {len(problems)} problems:\n{shown}{further}\n{advice}")


def _read_csv(path: Path) -> LabelTable:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError(f"{path}: expected UTF-8 text: {error.reason}. Save it as UTF-8.") from error
    if "\0" in text:
        raise FormatError(f"{path}: expected text, got NUL characters. Save it as UTF-8 text.")
    first = text.split("\n", 1)[0]
    delimiter = next((sign for sign in ("\t", ";") if sign in first and "," not in first), ",")
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter, strict=True)
    try:
        rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if any(row)]
    except csv.Error as error:
        raise FormatError(f"{path}: line {reader.line_num}: {error}.") from error
    if not rows:
        raise FormatError(f"{path}: expected a header line with column names, the file is empty.")
    (_, names), body = rows[0], rows[1:]
    _check_names(names, path)
    ragged = [
        f"line {line}: expected {len(names)} cells, got {len(row)}"
        for line, row in body
        if len(row) != len(names)
    ]
    if ragged:
        raise problems_in(str(path), ragged, advice="Quote cells that hold the separator.")
    columns = {name: tuple(row[index] for _, row in body) for index, name in enumerate(names)}
    return LabelTable(str(path), columns, tuple(line for line, _ in body))


def _read_parquet(path: Path) -> LabelTable:
    try:
        table = pq.read_table(path)
    except pa.ArrowException as error:
        raise FormatError(f"{path}: expected a Parquet table: {error}.") from error
    _check_names(table.column_names, path)
    columns = {}
    for name in table.column_names:
        kind = table.schema.field(name).type
        if pa.types.is_nested(kind) or pa.types.is_binary(kind):
            raise FormatError(
                f"{path}: expected plain values in column {name!r}, got {kind}. Write text instead."
            )
        columns[name] = tuple(_text(value) for value in table[name].to_pylist())
    return LabelTable(str(path), columns, tuple(range(1, table.num_rows + 1)))


def _check_names(names: Sequence[str], path: Path) -> None:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated or "" in names:
        raise FormatError(f"{path}: expected distinct, non-empty column names, got {', '.join(names)}.")


def _text(value: object) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # pandas turns whole numbers into floats when a value is missing
    return str(value).strip()


def _number(cell: str) -> float | None:
    """Return the cell as a number; None when it is text, or a code with leading zeros such as 007."""
    if not cell:
        return math.nan
    digits = cell.lstrip("+-")
    if not cell.isascii() or "_" in cell or (len(digits) > 1 and digits[0] == "0" and digits[1].isdecimal()):
        return None
    try:
        number = float(cell)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
