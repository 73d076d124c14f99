"""Read a recording from a CSV or TSV file: one file a recording, one column a channel, one row a position.

Names and units come from the header line (`MLII [mV]`, `MLII (mV)` or `MLII_mV`), the rate from a time column, or both
from the caller. Must not know data sets.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from vicinal.errors import FormatError
from vicinal.inputs.formats.arrays import to_float32
from vicinal.inputs.formats.cells import Head, head_of, read_blocks
from vicinal.inputs.formats.csv_rows import open_csv
from vicinal.inputs.formats.rowfile import only_signal
from vicinal.inputs.formats.stated import Stated
from vicinal.signal import Signal

__all__ = ["column_names", "rate_of", "read_csv", "time_column"]

_MAX_CHANNELS = 4096
_TIME_NAMES = ("time", "t", "seconds", "timestamp")
_UNIT = re.compile(r"(?P<name>.*?)\s*[\[(](?P<unit>[^\[\]()]+)[\])]")
# Only units that are no word and no lead: `lead_V` and `lead_m` may be names.
_SUFFIX = re.compile(
    r"(?P<name>.+?)[ _](?P<unit>mV|[u\u00b5\u03bc]V)|(?P<time>(?i:time|t|timestamp))[ _](?P<of_time>s|ms)"
)


def read_csv(path: Path, stated: Stated) -> Signal:
    """Read one recording; empty cells and NaN are missing samples.

    Stated `samples` mean a table with one signal a row; it must have one row.

    Raises:  FormatError: when cells are not numbers, rows differ in length, names repeat, or rate or unit are
             neither in the file nor stated.
    """
    if stated.samples is not None:
        return only_signal(open_csv(path, stated), path=path)
    head = head_of(path)
    if len(head.cells) > _MAX_CHANNELS:
        raise FormatError(
            f"{path}: expected at most {_MAX_CHANNELS} channels, got {len(head.cells)} columns. If each row is "
            "a signal, give row."
        )
    names, units = (
        column_names(head.cells, where=str(path)) if head.is_header else _unnamed(head, path, stated)
    )
    time = time_column(names, where=str(path))
    channels = [index for index in range(len(names)) if index != time]
    samples, times = [], []
    for block in read_blocks(path, head, names=names):
        samples.append(to_float32(block.numbers[:, channels].T, where=str(path)))
        if time is not None:
            times.append(block.numbers[:, time].copy())
    found = None if time is None else rate_of(times, units[time], where=str(path))
    times.clear()
    return Signal(
        samples=np.concatenate(samples, axis=1),
        channels=tuple(names[index] for index in channels),
        units=tuple(stated.unit_or(units[index], where=f"{path}, {names[index]}") for index in channels),
        rate_hz=stated.rate_or(found, where=str(path)),
        id=path.stem,
        source=str(path),
    )


def column_names(cells: Sequence[str], *, where: str) -> tuple[list[str], list[str | None]]:
    """Return the name and the unit of each column: `MLII [mV]` and `MLII_mV` are MLII in mV; None without a unit.

    Raises:  FormatError: when a name is empty or repeats.
    """
    names: list[str] = []
    units: list[str | None] = []
    for cell in cells:
        name, unit = _name_and_unit(cell)
        names.append(name)
        units.append(unit)
    if len(set(names)) < len(names) or "" in names:
        raise FormatError(f"{where}: expected distinct column names, got {', '.join(names[:20])}.")
    return names, units


def _name_and_unit(cell: str) -> tuple[str, str | None]:
    if match := _UNIT.fullmatch(cell):
        return match["name"].strip(), match["unit"].strip()
    if match := _SUFFIX.fullmatch(cell):
        return match["name"] or match["time"], match["unit"] or match["of_time"]
    return cell, None


def time_column(names: Sequence[str], *, where: str) -> int | None:
    """Return the number of the column with the times, or None.

    Raises:  FormatError: when there are several, or no other column.
    """
    found = [index for index, name in enumerate(names) if name.casefold() in _TIME_NAMES]
    if len(found) > 1:
        raise FormatError(f"{where}: expected one time column, got {', '.join(names[i] for i in found)}.")
    if len(names) == len(found):
        raise FormatError(f"{where}: expected a channel beside the time column, got none.")
    return found[0] if found else None


def rate_of(times: list[Float64[np.ndarray, " block"]], unit: str | None, *, where: str) -> float:
    """Return the rate of evenly spaced times; a whole number when it explains every time to half a step.

    Args:    times: one after the other, in blocks, so that a long column is never in memory twice.
    Raises:  FormatError: when times are missing, step back, leave gaps, or have another unit than s or ms.
    """
    scale = {None: 1.0, "s": 1.0, "sec": 1.0, "seconds": 1.0, "ms": 1e-3}.get(unit)
    if scale is None:
        raise FormatError(f"{where}: expected the time column in s or ms, got {unit!r}.")
    first, last, n = float(times[0][0]), float(times[-1][-1]), sum(map(len, times))
    if n < 2 or not all(np.isfinite(block).all() for block in times) or last <= first:
        raise FormatError(f"{where}: expected increasing times without gaps in the time column.")
    exact = (n - 1) / ((last - first) * scale)
    for rate in (float(round(exact)), exact):
        if 0 < rate < np.inf and _explains(rate * scale, times):
            return rate
    raise FormatError(f"{where}: expected evenly spaced times at {exact:.6g} Hz, got gaps or steps back.")


def _explains(rate: float, times: list[Float64[np.ndarray, " block"]]) -> bool:
    first, start = times[0][0], 0
    for block in times:
        if not (np.abs((block - first) * rate - np.arange(start, start + len(block))) < 0.5).all():
            return False
        start += len(block)
    return True


def _unnamed(head: Head, path: Path, stated: Stated) -> tuple[list[str], list[str | None]]:
    n = len(head.cells)
    if stated.channels is not None and len(stated.channels) == n:
        return list(stated.channels), [None] * n
    if path.suffix.lower() == ".tsv" and stated.channels is None:
        raise FormatError(
            f"{path}: expected a header line, the first line is numbers. A UCR file has one signal a row: give "
            f"row. If the {n} columns are channels, give channels."
        )
    return [str(index) for index in range(n)], [None] * n
