"""Arrays of numbers become signals: float32, checked, named by the caller where they name nothing.

Must not know any format.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
from jaxtyping import Float32, Shaped

from vicinal.errors import FormatError
from vicinal.inputs.formats.rowfile import RowFile
from vicinal.inputs.formats.stated import Stated
from vicinal.signal import Signal

__all__ = ["MAX_BYTES", "Rows", "from_arrow", "is_real", "rows_of", "signal_of", "to_float32"]

MAX_BYTES = 4 << 30
"""No reader holds more than this of decoded samples."""


class Rows(Protocol):
    """What can be read row by row: an array, a memory map, a data set in an archive."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, time) or (n, channels, time)."""

    def __getitem__(self, row: int, /) -> np.ndarray:
        """Return (time,) or (channels, time)."""


def is_real(dtype: np.dtype) -> bool:
    """Whether values of this type are real numbers of at most 8 bytes, the only ones that become samples."""
    return dtype.kind in "fiu" and dtype.itemsize <= 8


def from_arrow(array: pa.Array) -> Shaped[np.ndarray, " n"]:
    """Return the values of an Arrow array of integers or floats; where it has none, float64 with NaN.

    From its buffers: `to_numpy` would import pandas, which costs half a second and 40 MB in every process.
    """
    mask, data = array.buffers()
    dtype = np.dtype(array.type.to_pandas_dtype())
    values = np.frombuffer(data, dtype, count=len(array), offset=dtype.itemsize * array.offset)
    if array.null_count == 0:
        return values
    valid = np.unpackbits(np.frombuffer(mask, np.uint8), bitorder="little")[array.offset :][: len(array)]
    return np.where(valid, values.astype(np.float64), np.nan)


def to_float32(array: Shaped[np.ndarray, "*shape"], *, where: str) -> Float32[np.ndarray, "*shape"]:
    """Return real numbers as float32 in memory of their own; NaN stays, and no more than the result is added.

    Raises:  FormatError: when a value is infinite, or becomes so.
    """
    with np.errstate(over="ignore"):
        single = np.array(array, dtype=np.float32, order="C")
    # The extremes instead of a mask: no second array. They pass over NaN.
    if single.size and np.isinf([np.fmax.reduce(single, axis=None), np.fmin.reduce(single, axis=None)]).any():
        raise FormatError(f"{where}: expected finite values below 3.4e38, or NaN where missing; got others.")
    return single


def signal_of(
    array: Shaped[np.ndarray, "*channels time"],
    *,
    path: Path,
    stated: Stated,
    names: tuple[str, ...] | None = None,
    row: int | None = None,
) -> Signal:
    """Return the signal in an array (channels, time) or (time,).

    Args:    names: of the channels, where the file has them; else they are what the caller states, or numbers.
             row: its number in a file with several.
    Raises:  FormatError: when values are not finite, channels are not as many as stated, or rate or unit are
             not stated.
    """
    where = str(path) if row is None else f"{path}, row {row}"
    samples = to_float32(np.atleast_2d(array), where=where)
    if names is None:
        names = stated.channels or tuple(str(index) for index in range(samples.shape[0]))
    if len(names) != samples.shape[0]:
        turned = " It looks transposed: expected (channels, time)." if len(names) == samples.shape[1] else ""
        raise FormatError(
            f"{where}: expected {len(names)} channels as stated, got {samples.shape[0]}.{turned}"
        )
    return Signal(
        samples=samples,
        channels=names,
        units=(stated.unit_or(None, where=where),) * len(names),
        rate_hz=stated.rate_or(None, where=where),
        id=path.stem if row is None else f"{path.stem}[{row}]",
        source=where,
    )


def rows_of(
    samples: Rows,
    *,
    path: Path,
    stated: Stated,
    names: tuple[str, ...] | None = None,
    columns: Mapping[str, tuple[str, ...]] | None = None,
) -> RowFile:
    """Return the file whose row i is `samples[i]`; the other arguments as in `signal_of`."""

    def read(row: int) -> Signal:
        return signal_of(samples[row], path=path, stated=stated, names=names, row=row)

    return RowFile(samples.shape[0], read, columns or {})
