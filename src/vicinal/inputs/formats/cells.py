"""Text tables, block by block: cells become numbers and texts in bounded memory, and every fault has its line.

Columns cost nothing, so that a table with a hundred thousand of them is read as fast as one with two: the bytes
are cut at separators by numpy and parsed by pyarrow as one column. Must not know what a column means.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.csv
from jaxtyping import Bool, Float64, Int64, UInt8

from vicinal.errors import FormatError
from vicinal.inputs.formats.arrays import MAX_BYTES, from_arrow

__all__ = ["Block", "Head", "head_of", "parse_numbers", "read_blocks"]

_BLOCK = 1 << 20
_MAX_LINE = 4 << 20
_MAX_COLUMNS = 1 << 19
_MISSING = ["", "NaN", "nan", "NA"]
_NUMBER = re.compile(
    rb"\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*|[+-]?(nan|inf)", re.IGNORECASE
)
_MARK = b"\xef\xbb\xbf"
_NEWLINE, _QUOTE, _ZERO = b'\n"0'


@dataclass(frozen=True)
class Head:
    """The first line of a table: its cells, their separator, and whether they are names instead of data."""

    cells: tuple[str, ...]
    separator: str
    is_header: bool


@dataclass(frozen=True)
class Block:
    """Some lines of a table.

    Args:    numbers: finite and within float32, or NaN where the cell is empty; 0 in text columns.
             texts: the cells of each text column.
    """

    numbers: Float64[np.ndarray, "lines columns"]
    texts: tuple[list[str], ...]


def head_of(path: Path) -> Head:
    """Read the first line. It is a header if a cell is text, or if the cells count from 0 (`0,1,2`, as pandas writes).

    Raises:  FormatError: when the file is too large, not UTF-8 text, or begins with an empty or an endless line.
    """
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise FormatError(f"{path}: expected at most {MAX_BYTES} bytes, got {size}.")
    with path.open("rb") as stream:
        line = stream.readline(_MAX_LINE).removeprefix(_MARK)
    if b"\0" in line or line.startswith(b"\x1f\x8b"):
        raise FormatError(
            f"{path}: expected UTF-8 text, got binary or UTF-16 content. Save it as UTF-8 text."
        )
    if len(line) >= _MAX_LINE:
        raise FormatError(f"{path}: expected lines of at most {_MAX_LINE} bytes, the first is longer.")
    try:
        text = line.decode().strip("\r\n ")
    except UnicodeDecodeError as error:
        raise FormatError(f"{path}: expected UTF-8 text in the first line: {error.reason}.") from error
    if not text.strip():
        raise FormatError(f"{path}: expected a header line or numbers, the file begins with an empty line.")
    # Semicolons come from programs that write decimal commas; such cells then fail as numbers, clearly.
    separator = next((sign for sign in ("\t", ";") if sign in text), ",")
    cells = tuple(cell.strip() for cell in _split(text, separator, path))
    if len(cells) > _MAX_COLUMNS:
        raise FormatError(f"{path}: expected at most {_MAX_COLUMNS} columns, got {len(cells)}.")
    counts = [*map(str, range(len(cells)))]
    counted = len(cells) > 2 and (
        list(cells) == counts or (cells[0] == "" and list(cells[1:]) == counts[:-1])
    )
    return Head(cells, separator, counted or not all(_is_number(cell) for cell in cells))


def read_blocks(
    path: Path, head: Head, *, names: Sequence[str], texts: Sequence[int] = ()
) -> Iterator[Block]:
    """Yield the lines below the header; empty lines are left out, but in a table of one column a sample is missing.

    Args:    names: of the columns, for messages.  texts: numbers of the columns that are text, not numbers.
    Raises:  FormatError: when lines differ in length, or a cell is not a number, finite and within float32.
    """
    n_values = n_lines = 0
    with path.open("rb") as stream:
        if stream.read(len(_MARK)) != _MARK:
            stream.seek(0)
        line = 1
        if head.is_header:
            stream.readline()
            line = 2
        for lines in _whole_lines(stream, path, one_column=len(names) == 1):
            n = lines.count(b"\n")
            block = _block(lines, range(line, line + n), path, head.separator, names, texts)
            line += n
            n_lines += len(block.numbers)
            n_values += block.numbers.size
            if n_values * 4 > MAX_BYTES:
                raise FormatError(f"{path}: expected at most {MAX_BYTES} bytes of samples, got more.")
            if len(block.numbers):
                yield block
    if n_lines == 0:
        raise FormatError(f"{path}: expected samples below the header line, got none.")


def parse_numbers(cells: bytes, *, n: int) -> Float64[np.ndarray, " n"] | None:
    """Return the numbers of `n` lines with one cell each, NaN for an empty one; None if one is not a number."""
    try:
        table = pa.csv.read_csv(
            pa.py_buffer(cells),
            read_options=pa.csv.ReadOptions(
                column_names=["value"], use_threads=False, block_size=max(len(cells), 1)
            ),
            parse_options=pa.csv.ParseOptions(delimiter="\x1f", ignore_empty_lines=False),
            convert_options=pa.csv.ConvertOptions(column_types={"value": pa.float64()}, null_values=_MISSING),
        )
    except pa.ArrowException:
        return None
    values: Float64[np.ndarray, " n"] = from_arrow(table.column(0).combine_chunks())
    return values if len(values) == n else None


def _whole_lines(stream: BinaryIO, path: Path, *, one_column: bool) -> Iterator[bytes]:
    """Yield the rest of the stream in blocks that end with a line."""
    kept = b""
    while data := stream.read(_BLOCK):
        rest = stream.readline(_MAX_LINE)
        if len(rest) >= _MAX_LINE or len(kept) >= _MAX_LINE:
            raise FormatError(f"{path}: expected lines of at most {_MAX_LINE} bytes, got a longer one.")
        data = kept + data + rest
        if b"\0" in data:
            raise FormatError(f"{path}: expected UTF-8 text, got binary content. Save it as UTF-8 text.")
        if not one_column:
            yield data.removesuffix(b"\n") + b"\n"
            continue
        # An empty line is a missing sample here, but not at the very end: kept until a sample follows.
        whole = data.rstrip(b"\r\n")
        kept = data[len(whole) :]
        if whole:
            kept = kept.removeprefix(b"\r").removeprefix(b"\n")
            yield whole + b"\n"


def _block(
    lines: bytes, at: Sequence[int], path: Path, separator: str, names: Sequence[str], texts: Sequence[int]
) -> Block:
    data = np.frombuffer(lines, dtype=np.uint8).copy()
    newline, cut = data == _NEWLINE, data == ord(separator)
    if _QUOTE in lines:
        inside = np.cumsum(data == _QUOTE, dtype=np.uint8) % 2 == 1
        if (inside & newline).any():
            bad = int(np.count_nonzero(newline[: int(np.argmax(inside & newline))]))
            raise FormatError(f"{path}: line {at[bad]}: expected a quoted cell to end on its line.")
        cut &= ~inside
    ends = _ends(newline, cut, n=len(names))
    if ends is None:
        return _without_empty_lines(lines, at, path, separator, names, texts)
    found = tuple(_texts(data, ends, column, at, path, names) for column in texts)
    data[ends.ravel()] = _NEWLINE
    numbers = parse_numbers(data.tobytes(), n=ends.size)
    if numbers is None:
        raise _no_number(data.tobytes(), at, path, names)
    grid = numbers.reshape(ends.shape)
    if np.fmax.reduce(np.abs(numbers), initial=0.0) > np.finfo(np.float32).max:
        row, column = np.argwhere(np.abs(grid) > np.finfo(np.float32).max)[0].tolist()
        raise FormatError(
            f"{path}: line {at[row]}, column {names[column]}: expected a finite number below 3.4e38, "
            f"got {'infinity' if np.isinf(grid[row, column]) else grid[row, column]}."
        )
    return Block(grid, found)


def _ends(
    newline: Bool[np.ndarray, " bytes"],
    cut: Bool[np.ndarray, " bytes"],
    *,
    n: int,
) -> Int64[np.ndarray, "lines n"] | None:
    """Return where each cell ends, or None when a line does not have `n` cells."""
    ends = np.flatnonzero(newline | cut)
    if len(ends) % n:
        return None
    grid = ends.reshape(-1, n)
    regular = newline[grid[:, -1]].all() and not newline[grid[:, :-1]].any()
    return grid if regular else None


def _without_empty_lines(
    lines: bytes, at: Sequence[int], path: Path, separator: str, names: Sequence[str], texts: Sequence[int]
) -> Block:
    """Read the block again without its empty lines, or name the first line with too few or too many cells."""
    full, kept = [], []
    for number, text in zip(at, lines.removesuffix(b"\n").split(b"\n"), strict=True):
        if not text.strip(b"\r "):
            continue
        try:
            n = len(_split(text.decode(), separator, path))
        except UnicodeDecodeError as error:
            raise FormatError(f"{path}: line {number}: expected UTF-8 text: {error.reason}.") from error
        if n != len(names):
            raise FormatError(f"{path}: line {number}: expected {len(names)} cells, got {n}.")
        full.append(text)
        kept.append(number)
    if not full:
        return Block(np.empty((0, len(names))), tuple([] for _ in texts))
    if len(kept) == len(at):
        raise FormatError(f"{path}: line {at[0]} or below: expected {len(names)} cells a line.")
    return _block(b"\n".join(full) + b"\n", kept, path, separator, names, texts)


def _texts(
    data: UInt8[np.ndarray, " bytes"],
    ends: Int64[np.ndarray, "lines n"],
    column: int,
    at: Sequence[int],
    path: Path,
    names: Sequence[str],
) -> list[str]:
    """Take the cells of a text column out, leaving zeros in their place."""
    starts = (ends[:, column - 1] if column else np.concatenate([[-1], ends[:-1, -1]])) + 1
    texts = []
    for row, (start, end) in enumerate(zip(starts.tolist(), ends[:, column].tolist(), strict=True)):
        try:
            text = data[start:end].tobytes().decode().strip()
        except UnicodeDecodeError as error:
            raise FormatError(
                f"{path}: line {at[row]}, column {names[column]}: expected UTF-8 text: {error.reason}."
            ) from error
        if len(text) > 1 and text[0] == text[-1] == '"':
            text = text[1:-1].replace('""', '"')
        texts.append(text)
        data[start:end] = _ZERO
    return texts


def _no_number(cells: bytes, at: Sequence[int], path: Path, names: Sequence[str]) -> FormatError:
    for index, cell in enumerate(cells.removesuffix(b"\n").split(b"\n")):
        plain = cell.strip(b"\r").strip(b'"')
        if plain.decode(errors="replace") not in _MISSING and not _NUMBER.fullmatch(plain):
            row, column = divmod(index, len(names))
            return FormatError(
                f"{path}: line {at[row]}, column {names[column]}: expected a number or an empty cell, "
                f"got {plain[:24].decode(errors='replace')!r}."
            )
    return FormatError(f"{path}: line {at[0]} or below: expected a number or nothing in every cell.")


def _split(text: str, separator: str, path: Path) -> list[str]:
    try:
        return next(csv.reader([text], delimiter=separator, strict=True), [])
    except csv.Error as error:
        raise FormatError(f"{path}: expected cells separated by {separator!r}: {error}.") from error


def _is_number(cell: str) -> bool:
    return cell in _MISSING or _NUMBER.fullmatch(cell.encode()) is not None
