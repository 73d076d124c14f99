"""Read recordings from a `.npz` file: arrays of real numbers by name, in a zip that is checked before it is opened.

One array of samples, as in a `.npy`; arrays with one value a signal beside it are its columns. Must not know data sets.
"""

import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from vicinal.errors import FormatError, did_you_mean
from vicinal.inputs.formats.arrays import MAX_BYTES, rows_of, signal_of
from vicinal.inputs.formats.npy import array_header
from vicinal.inputs.formats.rowfile import RowFile, only_signal
from vicinal.inputs.formats.stated import Stated
from vicinal.signal import Signal

__all__ = ["open_npz", "read_npz"]

_MAX_MEMBERS = 1000
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_MOST_RATIO = 1100
"""Deflate cannot pack more than 1,032 bytes into one: a larger ratio is a lie."""
_HEADER_BYTES = 1 << 16


def read_npz(path: Path, stated: Stated) -> Signal:
    """Read one recording: an array (channels, time) or (time,); `samples` names it if there are several.

    Raises:  FormatError: when it is not such an archive, holds several signals, or rate or unit are not stated.
    """
    array, _ = _array(path, stated)
    if array.ndim == 3:
        return only_signal(rows_of(array, path=path, stated=stated), path=path)
    return signal_of(array, path=path, stated=stated)


def open_npz(path: Path, stated: Stated) -> RowFile:
    """Read an array (n, channels, time) or (n, time); arrays of n values beside it become columns.

    Raises:  FormatError: when it is not such an archive.
    """
    array, others = _array(path, stated)
    if array.ndim not in (2, 3):
        raise FormatError(
            f"{path}: expected an array (n, channels, time) or (n, time), one signal a row, "
            f"got shape {array.shape}."
        )
    columns = {name: tuple(map(str, values.tolist())) for name, values in others.items()}
    return rows_of(array, path=path, stated=stated, columns=columns)


def _array(path: Path, stated: Stated) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return the array of samples, and those that have one value for each of its rows."""
    with _opened(path) as archive:
        shapes = {
            member.filename.removesuffix(".npy"): _shape(archive, member, path)
            for member in _members(archive, path)
        }
        name = _chosen(shapes, path, stated)
        shape, _ = shapes[name]
        beside = [
            other
            for other, (size, dtype) in shapes.items()
            if other != name and size == shape[:1] and dtype.kind in "fiub" and len(shape) > 1
        ]
        array = _load(archive, name, path)
        return array, {other: _load(archive, other, path) for other in beside}


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        OSError,
        RuntimeError,
        NotImplementedError,  # of zipfile, for a compression that it does not know
        ValueError,
        OverflowError,
    ) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"{path}: expected an archive of arrays: {error}.") from error


def _members(archive: zipfile.ZipFile, path: Path) -> list[zipfile.ZipInfo]:
    """Return the members, none of which is opened before all have been looked at."""
    members = archive.infolist()
    problems = []
    if not 0 < len(members) <= _MAX_MEMBERS:
        problems.append(f"expected 1 to {_MAX_MEMBERS} arrays, got {len(members)}")
    if len({member.filename for member in members}) < len(members):
        problems.append("names repeat")
    if sum(member.file_size for member in members) > MAX_BYTES:
        problems.append(f"expected at most {MAX_BYTES} bytes in all")
    for member in members[:_MAX_MEMBERS]:
        if "/" in member.filename or "\\" in member.filename or not member.filename.endswith(".npy"):
            problems.append(f"expected names such as x.npy, got {member.filename!r}")
        if member.flag_bits & 1 or member.compress_type not in _METHODS:
            problems.append(f"{member.filename!r} is encrypted or packed in an unknown way")
        if member.file_size > _MOST_RATIO * max(member.compress_size, 1) + _HEADER_BYTES:
            problems.append(f"{member.filename!r} claims {member.file_size} bytes in {member.compress_size}")
    if problems:
        raise FormatError(f"{path}: " + "; ".join(problems[:5]) + ".")
    return members


def _shape(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> tuple[tuple[int, ...], np.dtype]:
    with archive.open(member) as stream:
        beginning = io.BytesIO(stream.read(_HEADER_BYTES))
    return array_header(beginning, size=member.file_size, where=f"{path}, {member.filename}")


def _chosen(shapes: dict[str, tuple[tuple[int, ...], np.dtype]], path: Path, stated: Stated) -> str:
    if stated.samples is not None:
        if stated.samples not in shapes:
            raise FormatError(
                f"{path}: no array is named {stated.samples!r}{did_you_mean(stated.samples, shapes)}"
            )
        return stated.samples
    deepest = max(len(shape) for shape, _ in shapes.values())
    found = [name for name, (shape, _) in shapes.items() if len(shape) == deepest]
    if len(found) > 1:
        raise FormatError(
            f"{path}: expected one array of samples, got {', '.join(found[:10])}. Give its name as samples."
        )
    return found[0]


def _load(archive: zipfile.ZipFile, name: str, path: Path) -> np.ndarray:
    with archive.open(f"{name}.npy") as stream:
        array: np.ndarray = np.lib.format.read_array(stream, allow_pickle=False)
        if stream.read(1):
            raise FormatError(f"{path}, {name}: expected the array to end with its bytes; it is damaged.")
    if not 0 < array.ndim <= 3 or array.size == 0:
        raise FormatError(f"{path}, {name}: expected an array of samples, got shape {array.shape}.")
    return array
