"""`read`: one recording from any file that has a reader, the public way in.

Must not know data sets or contracts.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from vicinal.errors import FormatError, PathError
from vicinal.inputs.formats import READERS
from vicinal.inputs.formats.rows import open_rows
from vicinal.inputs.formats.stated import Stated
from vicinal.inputs.formats.wfdb import read_wfdb
from vicinal.signal import Signal

__all__ = ["read"]

_NAMED_SAMPLES = (".csv", ".tsv", ".parquet", ".npz", ".h5", ".hdf5")


def read(
    path: Path | str,
    *,
    root: Path | None = None,
    channels: Sequence[str] | None = None,
    rate_hz: float | None = None,
    units: str | None = None,
    row: int | None = None,
    samples: str | None = None,
    annotator: str | None = None,
) -> Signal:
    """Read one recording.

    Args:    path: the file; for WFDB the header, the signal file, or the record's name without a suffix.
             root: the folder that no file, link or name in a header may leave; the file's own by default.
             channels: the channels wanted, by name and in order; for `.npy`, which has no names, their names.
             rate_hz, units: for files that do not state them.
             row: which signal of a file that holds several, one a row, from 0; such a file is opened once.
             samples: where the samples are, if the file has more: "FIRST:LAST" names columns of a table with one
             signal a row, "NAME" an array in `.npz`.
             annotator: whose events to read beside a WFDB record, by the file's suffix, such as "qrs"; by
             default `atr`, where there is one.
    Returns: the signal, in the units of the file.
    Raises:  PathError: when a file is missing, special or outside `root`.
             FormatError: when the file is not what it claims to be, or rate or unit stay unknown.
    """
    # The folder is resolved, the file is not: a link is judged by where it leads.
    file = Path(path).parent.resolve() / Path(path).name
    if file.suffix.lower() not in READERS and file.with_name(file.name + ".hea").is_file():
        file = file.with_name(file.name + ".hea")
    stated = _stated(root or file.parent, channels, rate_hz, units, row, samples, annotator)
    if not file.is_file():
        raise PathError(f"{path} does not exist or is not a regular file.")
    if not file.resolve().is_relative_to(stated.root) or not file.is_relative_to(stated.root):
        raise PathError(f"{path} is outside {stated.root}; it is not opened.")
    reader = READERS.get(file.suffix.lower())
    if reader is None:
        raise FormatError(
            f"{path}: expected a file named {', '.join(READERS)}, got {file.suffix or 'no suffix'}."
        )
    if samples is not None and file.suffix.lower() not in _NAMED_SAMPLES:
        raise FormatError(
            f"{path}: samples are named in {', '.join(_NAMED_SAMPLES)} only. Leave samples out."
        )
    if annotator is not None and reader is not read_wfdb:
        raise FormatError(f"{path}: expected a WFDB record beside events of annotator {annotator!r}.")
    signal = reader(file, stated) if row is None else _row(file, stated, row)
    return signal if stated.channels in (None, signal.channels) else _chosen(signal, stated.channels or ())


def _stated(
    root: Path,
    channels: Sequence[str] | None,
    rate_hz: float | None,
    units: str | None,
    row: int | None,
    samples: str | None,
    annotator: str | None,
) -> Stated:
    problems = []
    if rate_hz is not None and not (math.isfinite(rate_hz) and rate_hz > 0):
        problems.append(f"expected rate_hz above 0, got {rate_hz}")
    if channels is not None and (len(set(channels)) != len(channels) or not channels):
        problems.append(f"expected distinct channels, at least one, got {list(channels)}")
    if row is not None and row < 0:
        problems.append(f"expected a row from 0, got {row}")
    if annotator is not None and not re.fullmatch(r"[A-Za-z0-9_-]{1,20}", annotator, re.ASCII):
        problems.append(f"expected an annotator, the suffix of a file, got {annotator!r}")
    if problems:
        raise FormatError("reading: " + "; ".join(problems) + ".")
    rate = None if rate_hz is None else float(rate_hz)
    names = None if channels is None else tuple(channels)
    return Stated(root.resolve(), names, rate, units, row, samples, annotator)


def _row(file: Path, stated: Stated, row: int) -> Signal:
    rows = open_rows(file, stated)
    if row >= rows.n:
        raise FormatError(f"{file}: expected a row from 0 to {rows.n - 1}, got {row}.")
    return rows.read(row)


def _chosen(signal: Signal, channels: tuple[str, ...]) -> Signal:
    missing = [name for name in channels if signal.channels.count(name) != 1]
    if missing:
        raise FormatError(
            f"{signal.source}: expected exactly one channel named {', '.join(missing)}, "
            f"the file has {', '.join(signal.channels)}."
        )
    rows = [signal.channels.index(name) for name in channels]
    return replace(
        signal,
        samples=signal.samples[rows],
        channels=channels,
        units=tuple(signal.units[row] for row in rows),
    )
