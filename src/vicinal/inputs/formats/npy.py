"""Read a recording from a `.npy` file: an array (channels, time) or (time,) of real numbers, never objects.

An array names nothing, so the caller states rate and unit, and the channels' names. Must not know data sets.
"""

import math
from pathlib import Path

import numpy as np
from numpy.lib import format as npy_format

from vicinal.errors import FormatError
from vicinal.inputs.formats.stated import Stated
from vicinal.signal import Signal

__all__ = ["read_npy"]

_HEADERS = {(1, 0): npy_format.read_array_header_1_0, (2, 0): npy_format.read_array_header_2_0}


def read_npy(path: Path, stated: Stated) -> Signal:
    """Read one recording; integers of any width and floats become float32, and NaN stays missing.

    Raises:  FormatError: when it is not such an array, or rate or unit are not stated.
    """
    _check_header(path)
    array = np.load(path, allow_pickle=False)
    samples = np.atleast_2d(array)
    names = stated.channels or tuple(str(index) for index in range(samples.shape[0]))
    if len(names) != samples.shape[0]:
        turned = " It looks transposed: expected (channels, time)." if len(names) == samples.shape[1] else ""
        raise FormatError(
            f"{path}: expected {len(names)} channels as stated, got {samples.shape[0]}.{turned}"
        )
    largest = float(np.finfo(np.float32).max)
    if np.isinf(samples).any() or (np.abs(samples, dtype=np.float64) > largest).any():
        raise FormatError(f"{path}: expected finite values below 3.4e38, or NaN where missing.")
    return Signal(
        samples=np.ascontiguousarray(samples, dtype=np.float32),
        channels=names,
        units=(stated.unit_or(None, where=str(path)),) * len(names),
        rate_hz=stated.rate_or(None, where=str(path)),
        id=path.stem,
        source=str(path),
    )


def _check_header(path: Path) -> None:
    size = path.stat().st_size
    try:
        with path.open("rb") as stream:
            version = npy_format.read_magic(stream)
            if version not in _HEADERS:
                raise FormatError(f"{path}: expected a .npy file of version 1 or 2, got {version}.")
            shape, _, dtype = _HEADERS[version](stream)
            available = size - stream.tell()
    except (ValueError, SyntaxError) as error:  # what numpy raises for a header that is not one
        raise FormatError(f"{path}: expected a .npy file: {error}.") from error
    if dtype.hasobject or dtype.kind not in "fiu":
        raise FormatError(f"{path}: expected real numbers, got an array of {dtype}.")
    if len(shape) not in (1, 2) or min(shape) < 0 or math.prod(shape) == 0:
        raise FormatError(f"{path}: expected an array (channels, time) or (time,), got shape {shape}.")
    needed = math.prod(shape) * dtype.itemsize
    if needed != available:
        raise FormatError(
            f"{path}: expected {needed} bytes for shape {shape}, got {available}; it is damaged."
        )
