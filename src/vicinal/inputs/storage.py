"""Storage: how a pack keeps the values of its rows: float32 as they are, or int16 in steps of a stated size.

Arrays in, arrays out. Must not know files, signals or contracts.
"""

import math
from typing import Annotated, Literal

import numpy as np
from jaxtyping import Float32
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from vicinal.errors import FormatError

__all__ = ["Storage"]

_LARGEST = 32767


class Storage(BaseModel):
    """What one value of a pack takes on disk, and what it may lose.

    Args:    dtype: "float32" keeps every bit of a prepared value; "int16" takes half the room.
             max_error: the most that a value may lose with int16, in what the contract's steps leave it in
             (the contract's unit, or standard deviations after scaling by recording).
    Raises:  pydantic.ValidationError: for unknown keys and values out of range.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    dtype: Literal["float32", "int16"] = "float32"
    max_error: Annotated[FiniteFloat, Field(ge=1e-30, le=1e30)] = 0.0005

    @property
    def scale(self) -> float:
        """What a stored number is multiplied by: 1, or the largest power of two within twice `max_error`.

        A power of two, so that the product of a stored number and the scale is exact in float32, and all that
        is lost is lost in rounding to a step.
        """
        return 1.0 if self.dtype == "float32" else 2.0 ** math.floor(math.log2(2 * self.max_error))

    @property
    def numpy(self) -> np.dtype[np.float32] | np.dtype[np.int16]:
        """The little-endian NumPy type of a stored number."""
        return np.dtype("<f4") if self.dtype == "float32" else np.dtype("<i2")

    def encode(self, values: Float32[np.ndarray, "*shape"], *, where: str) -> np.ndarray:
        """Return the numbers that are stored for `values`, in C order.

        Args:    where: whose values they are, for the message.
        Raises:  FormatError: when int16 cannot hold a value within `max_error`; says which error would do.
        """
        if self.dtype == "float32":
            return np.ascontiguousarray(values, dtype="<f4")
        steps = np.rint(values * (1 / self.scale))
        most = float(np.abs(values).max(initial=0.0))
        if not np.abs(steps).max(initial=0.0) <= _LARGEST:
            raise FormatError(
                f"{where}: expected values within {_LARGEST * self.scale:g} on either side of 0, which int16 holds "
                f"with an error of at most {self.max_error:g}, got {most:g}. Set storage.max_error to "
                f"{_error_for(most):g} or more, or storage.dtype to float32."
            )
        return np.ascontiguousarray(steps, dtype="<i2")

    def decode(self, stored: np.ndarray) -> Float32[np.ndarray, "*shape"]:
        """Return the values that `encode` was given, to within `max_error`; a copy with int16."""
        if self.dtype == "float32":
            return stored.astype(np.float32, copy=False)
        values: Float32[np.ndarray, "*shape"] = np.multiply(stored, np.float32(self.scale), dtype=np.float32)
        return values


def _error_for(most: float) -> float:
    """Return an error in round numbers with which int16 holds `most`."""
    scale = 2.0 ** math.ceil(math.log2(most / _LARGEST))
    digits = 10.0 ** math.floor(math.log10(scale / 2))
    return float(math.ceil(scale / 2 / digits) * digits)
