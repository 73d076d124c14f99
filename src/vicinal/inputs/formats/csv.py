"""Read a recording from a CSV or TSV file: one file a recording, one column a channel, one row a position.

Names and units come from the header line (`MLII [mV]` or `MLII (mV)`), the rate from a time column, or both
from the caller. Must not know data sets.
"""

import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
from jaxtyping import Float32, Float64

from vicinal.errors import FormatError
from vicinal.inputs.formats.stated import Stated
from vicinal.signal import Signal

__all__ = ["read_csv"]

_MAX_BYTES = 4 << 30
_MAX_CHANNELS = 4096
_MISSING = ["", "NaN", "nan", "NA"]
_TIME_NAMES = ("time", "time_s", "t", "seconds", "timestamp")
_UNIT = re.compile(r"(?P<name>.*?)\s*[\[(](?P<unit>[^\[\]()]+)[\])]")


def read_csv(path: Path, stated: Stated) -> Signal:
    """Read one recording; empty cells and NaN are missing samples.

    Raises:  FormatError: when cells are not numbers, rows differ in length, names repeat, or rate or unit are
             neither in the file nor stated.
    """
    names, units, table = _table(path, stated)
    time = [index for index, name in enumerate(names) if name.casefold() in _TIME_NAMES]
    if len(time) > 1:
        raise FormatError(
            f"{path}: expected one time column, got {', '.join(names[index] for index in time)}."
        )
    found = _rate(_column(table, time[0], path), units[time[0]], path) if time else None
    rows = [index for index in range(len(names)) if index not in time]
    if not rows:
        raise FormatError(f"{path}: expected a channel beside the time column, got none.")
    return Signal(
        samples=np.stack([_single(_column(table, index, path), names[index], path) for index in rows]),
        channels=tuple(names[index] for index in rows),
        units=tuple(stated.unit_or(units[index], where=f"{path}, {names[index]}") for index in rows),
        rate_hz=stated.rate_or(found, where=str(path)),
        id=path.stem,
        source=str(path),
    )


def _table(path: Path, stated: Stated) -> tuple[list[str], list[str | None], pa.Table]:
    first, delimiter = _first_line(path)
    cells = [cell.strip().strip('"').strip() for cell in first.split(delimiter)]
    if len(cells) > _MAX_CHANNELS:
        raise FormatError(f"{path}: expected at most {_MAX_CHANNELS} columns, got {len(cells)}.")
    headed = not all(_is_number(cell) for cell in cells)
    names, units = _names(cells, path) if headed else _stated_names(len(cells), stated)
    keys = [str(index) for index in range(len(cells))]
    try:
        table = pa.csv.read_csv(
            path,
            read_options=pa.csv.ReadOptions(column_names=keys, skip_rows=int(headed), use_threads=False),
            parse_options=pa.csv.ParseOptions(delimiter=delimiter),
            convert_options=pa.csv.ConvertOptions(
                column_types=dict.fromkeys(keys, pa.float64()), null_values=_MISSING
            ),
        )
    except pa.ArrowException as error:
        raise FormatError(f"{path}: expected numbers in {len(cells)} columns: {error}.") from error
    if table.num_rows == 0:
        raise FormatError(f"{path}: expected samples below the header line, got none.")
    return names, units, table


def _first_line(path: Path) -> tuple[str, str]:
    if path.stat().st_size > _MAX_BYTES:
        raise FormatError(f"{path}: expected at most {_MAX_BYTES} bytes, got {path.stat().st_size}.")
    with path.open("rb") as stream:
        start = stream.read(1 << 20)
    if b"\0" in start or start.startswith(b"\x1f\x8b"):
        raise FormatError(
            f"{path}: expected UTF-8 text, got binary or UTF-16 content. Save it as UTF-8 text."
        )
    try:
        line = start.split(b"\n", 1)[0].decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise FormatError(f"{path}: expected UTF-8 text in the first line: {error.reason}.") from error
    if not line:
        raise FormatError(f"{path}: expected a header line or numbers, the file begins with an empty line.")
    # Semicolons come from programs that write decimal commas; such cells then fail as numbers, clearly.
    return line, next((sign for sign in ("\t", ";") if sign in line), ",")


def _names(cells: list[str], path: Path) -> tuple[list[str], list[str | None]]:
    names, units = [], []
    for cell in cells:
        match = _UNIT.fullmatch(cell)
        names.append(match["name"].strip() if match else cell)
        units.append(match["unit"].strip() if match else None)
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated or "" in names:
        raise FormatError(f"{path}: expected distinct column names, got {', '.join(names)}.")
    return names, units


def _stated_names(n: int, stated: Stated) -> tuple[list[str], list[str | None]]:
    if stated.channels is not None and len(stated.channels) == n:
        return list(stated.channels), [None] * n
    return [str(index) for index in range(n)], [None] * n


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return cell == ""
    return True


def _column(table: pa.Table, index: int, path: Path) -> Float64[np.ndarray, " time"]:
    values: Float64[np.ndarray, " time"] = table.column(index).to_numpy()
    if np.isinf(values).any():
        row = int(np.flatnonzero(np.isinf(values))[0])
        raise FormatError(
            f"{path}: expected finite numbers, got infinity in column {index + 1}, sample {row}."
        )
    return values


def _single(values: Float64[np.ndarray, " time"], name: str, path: Path) -> Float32[np.ndarray, " time"]:
    if np.nanmax(np.abs(values), initial=0.0) > np.finfo(np.float32).max:
        raise FormatError(f"{path}: expected values below 3.4e38 in {name}, got a larger one.")
    return values.astype(np.float32)


def _rate(times: Float64[np.ndarray, " time"], unit: str | None, path: Path) -> float:
    """Return the rate of evenly spaced times; a whole number when it explains every time to half a step."""
    scale = {None: 1.0, "s": 1.0, "sec": 1.0, "seconds": 1.0, "ms": 1e-3}.get(unit)
    if scale is None:
        raise FormatError(f"{path}: expected the time column in s or ms, got {unit!r}.")
    if len(times) < 2 or not np.isfinite(times).all() or times[-1] <= times[0]:
        raise FormatError(f"{path}: expected increasing times without gaps in the time column.")
    elapsed = (times - times[0]) * scale
    positions = np.arange(len(times))
    exact = float((len(times) - 1) / elapsed[-1])
    for rate in (float(round(exact)), exact):
        if rate > 0 and (np.abs(elapsed * rate - positions) < 0.5).all():
            return rate
    raise FormatError(f"{path}: expected evenly spaced times at {exact:.6g} Hz, got gaps or steps back.")
