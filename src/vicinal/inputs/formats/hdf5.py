"""Read recordings from an HDF5 file: the traces of many, (n, time, channels) as CODE-15 has them, or one array.

The one module that imports `h5py`. Only plain data sets inside the file are opened: no links to elsewhere, no
virtual or external storage, no references. Source of the layout: Ribeiro et al. 2021, doi:10.5281/zenodo.4916206.
Must not know data sets.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vicinal.errors import ExtraError, FormatError, VicinalError, did_you_mean
from vicinal.inputs.formats.arrays import MAX_BYTES, is_real, rows_of, signal_of
from vicinal.inputs.formats.hdf5_storage import MAX_CHUNK, Chunks, storage_problem
from vicinal.inputs.formats.rowfile import RowFile, only_signal
from vicinal.inputs.formats.stated import Stated
from vicinal.signal import Signal

if TYPE_CHECKING:
    import h5py

__all__ = ["CODE15_LEADS", "open_hdf5", "read_hdf5"]

CODE15_LEADS = ("DI", "DII", "DIII", "AVR", "AVL", "AVF", "V1", "V2", "V3", "V4", "V5", "V6")
"""Names of the twelve channels of `tracings`, in order."""

_TRACINGS = "tracings"
_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_MAX_MEMBERS = 1000


def read_hdf5(path: Path, stated: Stated) -> Signal:
    """Read one recording: a data set (channels, time) or (time,), named by `samples` where there are several.

    Raises:  FormatError: when it is not such a file, holds several signals, or rate or unit are not stated.
             ExtraError: when h5py is not installed.
    """
    with _faults(path), _opened(path) as file:
        name, data = _chosen(file, path, stated)
        if len(data.shape) == 3:
            return only_signal(_rows(file, name, data, path, stated), path=path)
        return signal_of(_loaded(data, path), path=path, stated=stated)


def open_hdf5(path: Path, stated: Stated) -> RowFile:
    """Open a data set (n, time, channels) named `tracings`, or (n, channels, time) or (n, time) of another name.

    Data sets of n values beside it become columns (`exam_id`). Rows are read from the file one by one.

    Raises:  FormatError: when it is not such a file.  ExtraError: when h5py is not installed.
    """
    with _faults(path):
        file = _opened(path)  # stays open for its rows, and closes with them
        name, data = _chosen(file, path, stated)
        if len(data.shape) not in (2, 3):
            raise FormatError(f"{path}, {name}: expected one signal a row, got shape {data.shape}.")
        return _rows(file, name, data, path, stated)


class _Rows:
    """The rows of one data set of an open file; the chunks of a row are measured before it is read."""

    def __init__(self, file: "h5py.File", name: str, data: Any, path: Path) -> None:
        self._file, self._data, self._path, self._where = file, data, path, f"{path}, {name}"
        self._chunks = Chunks(data)
        self._turned = name == _TRACINGS and len(data.shape) == 3
        n, *rest = data.shape
        self.shape: tuple[int, ...] = (n, *(reversed(rest) if self._turned else rest))

    def __getitem__(self, row: int, /) -> np.ndarray:
        with _faults(self._path):
            _check(self._chunks.problem(row), self._where)
            values = np.asarray(self._data[row])
        return values.T if self._turned else values


def _rows(file: "h5py.File", name: str, data: Any, path: Path, stated: Stated) -> RowFile:
    rows = _Rows(file, name, data, path)
    leads = CODE15_LEADS if name == _TRACINGS and rows.shape[1:2] == (len(CODE15_LEADS),) else None
    if math.prod(data.shape[1:]) * 4 > MAX_BYTES:
        raise FormatError(f"{path}, {name}: expected signals of at most {MAX_BYTES} bytes.")
    return rows_of(
        rows, path=path, stated=stated, names=leads, columns=_columns(file, name, data.shape[0], path)
    )


def _columns(file: "h5py.File", name: str, n: int, path: Path) -> dict[str, tuple[str, ...]]:
    found = {}
    for other in _names(file, path):
        if other == name:
            continue
        data = _data_set(file, other, path, strict=False)
        if data is not None and data.shape == (n,) and data.dtype.kind in "fiub":
            found[other] = tuple(map(str, _loaded(data, path).tolist()))
    return found


def _opened(path: Path) -> "h5py.File":
    try:
        import h5py
    except ImportError as error:
        raise ExtraError("HDF5 files need h5py: pip install 'vicinal[hdf5]'.") from error
    with path.open("rb") as stream:
        if stream.read(8) != _SIGNATURE:
            raise FormatError(f"{path}: expected an HDF5 file, its first bytes are not of one.")
    # Room for the chunk that neighbouring rows share, so that it is unpacked once.
    return h5py.File(path, "r", locking=False, rdcc_nbytes=2 * MAX_CHUNK)


@contextmanager
def _faults(path: Path) -> Iterator[None]:
    """Turn what h5py raises for content it cannot make sense of into a FormatError."""
    try:
        yield
    except VicinalError:
        raise
    except (OSError, KeyError, ValueError, RuntimeError, TypeError, OverflowError, AttributeError) as error:
        reason = str(error).partition("\n")[0][:200]
        raise FormatError(f"{path}: h5py cannot read it: {reason}.") from error


def _check(problem: str, where: str) -> None:
    if problem:
        raise FormatError(f"{where}: expected an array stored in this file, but {problem}; it is not read.")


def _names(file: "h5py.File", path: Path) -> list[str]:
    names = [str(name) for name in file]
    if len(names) > _MAX_MEMBERS:
        raise FormatError(f"{path}: expected at most {_MAX_MEMBERS} data sets, got {len(names)}.")
    return names


def _data_set(file: "h5py.File", name: str, path: Path, *, strict: bool) -> Any:
    """Return a data set of the file itself; None for anything else, or an error if `strict`."""
    import h5py

    problem = ""
    link = file.get(name, getlink=True)
    if not isinstance(link, h5py.HardLink):
        problem = "it is a link to elsewhere"
    elif file.get(name, getclass=True) is not h5py.Dataset:
        problem = "it is not an array"
    else:
        data = file[name]
        problem = storage_problem(data, size=path.stat().st_size)
        if not problem:
            return data
    if strict:
        raise FormatError(
            f"{path}, {name}: expected an array stored in this file, but {problem}; it is not opened."
        )
    return None


def _chosen(file: "h5py.File", path: Path, stated: Stated) -> tuple[str, Any]:
    names = _names(file, path)
    if stated.samples is not None:
        if stated.samples not in names:
            raise FormatError(
                f"{path}: no array is named {stated.samples!r}{did_you_mean(stated.samples, names)}"
            )
        name = stated.samples
    elif _TRACINGS in names:
        name = _TRACINGS
    else:
        arrays = {
            one: data for one in names if (data := _data_set(file, one, path, strict=False)) is not None
        }
        deepest = max((len(data.shape) for data in arrays.values()), default=0)
        found = [one for one, data in arrays.items() if len(data.shape) == deepest]
        if len(found) != 1:
            # Named before it is refused: a single link should say why it is not followed.
            if len(names) == 1:
                _data_set(file, names[0], path, strict=True)
            shown = ", ".join(found[:10]) or "none"
            raise FormatError(
                f"{path}: expected one array of samples, got {shown}. Give its name as samples."
            )
        name = found[0]
    data = _data_set(file, name, path, strict=True)
    if not is_real(data.dtype) or not 0 < len(data.shape) <= 3 or math.prod(data.shape) == 0:
        raise FormatError(f"{path}, {name}: expected real numbers, got {data.dtype} of shape {data.shape}.")
    return name, data


def _loaded(data: Any, path: Path) -> np.ndarray:
    n_bytes = math.prod(data.shape) * 4
    if n_bytes > MAX_BYTES:
        raise FormatError(f"{path}: expected at most {MAX_BYTES} bytes of samples, got {n_bytes}.")
    _check(Chunks(data).problem(), f"{path}, {data.name.lstrip('/')}")
    return np.asarray(data[()])
