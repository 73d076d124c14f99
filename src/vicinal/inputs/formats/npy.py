"""Read recordings from a `.npy` file: an array of real numbers, never objects.

(channels, time) or (time,) is one recording; (n, channels, time), or (n, time) read by row, is several. An array
names nothing, so the caller states rate and unit, and the channels' names. Must not know data sets.
"""

import math
import warnings
from pathlib import Path
from tokenize import TokenError
from typing import BinaryIO

import numpy as np
from numpy.lib import format as npy_format

from vicinal.errors import FormatError
from vicinal.inputs.formats.arrays import MAX_BYTES, is_real, rows_of, signal_of
from vicinal.inputs.formats.rowfile import RowFile, only_signal
from vicinal.inputs.formats.stated import Stated
from vicinal.signal import Signal

__all__ = ["array_header", "open_npy", "read_npy"]

_HEADERS = {(1, 0): npy_format.read_array_header_1_0, (2, 0): npy_format.read_array_header_2_0}

_NO_HEADER = (ValueError, SyntaxError, TypeError, TokenError, RecursionError, MemoryError)
"""What numpy raises for a header that is not one."""


def read_npy(path: Path, stated: Stated) -> Signal:
    """Read one recording; integers of any width and floats become float32, and NaN stays missing.

    Raises:  FormatError: when it is not such an array, holds several signals, or rate or unit are not stated.
    """
    array = _mapped(path)
    if array.ndim == 3:
        return only_signal(rows_of(array, path=path, stated=stated), path=path)
    if not 0 < array.ndim < 3:
        raise FormatError(
            f"{path}: expected an array (channels, time) or (time,), got shape {array.shape}. Several signals "
            "are (n, channels, time)."
        )
    if array.size * 4 > MAX_BYTES:
        raise FormatError(f"{path}: expected at most {MAX_BYTES} bytes of samples, got {array.size * 4}.")
    return signal_of(array, path=path, stated=stated)


def open_npy(path: Path, stated: Stated) -> RowFile:
    """Map an array (n, channels, time) or (n, time): each row a recording.

    Raises:  FormatError: when it is not such an array.
    """
    array = _mapped(path)
    if array.ndim not in (2, 3):
        raise FormatError(
            f"{path}: expected an array (n, channels, time) or (n, time), one signal a row, "
            f"got shape {array.shape}."
        )
    return rows_of(array, path=path, stated=stated)


def array_header(stream: BinaryIO, *, size: int, where: str) -> tuple[tuple[int, ...], np.dtype]:
    """Return the shape and the type of the array in a stream of `size` bytes, checked against them.

    Raises:  FormatError: when it is not an array of real numbers that fills the stream.
    """
    try:
        version = npy_format.read_magic(stream)
        if version not in _HEADERS:
            raise FormatError(f"{where}: expected a .npy file of version 1 or 2, got {version}.")
        with warnings.catch_warnings():
            # Headers of Python 2 are as good; numpy, and Python's parser, warn of what they go on with.
            warnings.simplefilter("ignore")
            shape, _, dtype = _HEADERS[version](stream)
        available = size - stream.tell()
    except FormatError:
        raise
    except _NO_HEADER as error:
        raise FormatError(f"{where}: expected a .npy file: {error}.") from error
    if not is_real(dtype):
        raise FormatError(f"{where}: expected real numbers of at most 8 bytes, got an array of {dtype}.")
    if any(length < 0 for length in shape):
        raise FormatError(f"{where}: expected lengths of at least 0, got shape {shape}.")
    needed = math.prod(shape) * dtype.itemsize
    if needed != available:
        raise FormatError(
            f"{where}: expected {needed} bytes for shape {shape}, got {available}; it is damaged."
        )
    return shape, dtype


def _mapped(path: Path) -> np.ndarray:
    with path.open("rb") as stream:
        shape, _ = array_header(stream, size=path.stat().st_size, where=str(path))
    if math.prod(shape) == 0:
        raise FormatError(f"{path}: expected samples, got an array of shape {shape}.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        mapped: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
    return mapped
