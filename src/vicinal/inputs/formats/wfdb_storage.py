"""How WFDB stores digital values in bytes: one entry for each signal format that is a sequence of packed bits.

Source: PhysioNet, WFDB Applications Guide, signal(5). Pure: bytes in, whole numbers out. Must not know files,
headers or signals. The compressed formats are in `sound.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Int, UInt8

__all__ = ["FLAC_BITS", "FORMATS", "Packed", "missing_value"]


@dataclass(frozen=True)
class Packed:
    """A format whose values lie in blocks of a fixed number of bytes.

    Args:    tails: bytes that the first 0, 1, ... values of a block need; the last entry is the whole block.
             missing: the digital value that stands for a missing sample, or None.
             decode: whole blocks -> their values, in the order of the file.
             differences: whether each value is the step from the one before it, of the same signal.
    """

    tails: tuple[int, ...]
    missing: int | None
    decode: Callable[[UInt8[np.ndarray, " bytes"]], Int[np.ndarray, " values"]] = field(repr=False)
    differences: bool = False

    def n_bytes(self, n_values: int) -> int:
        """Return how many bytes `n_values` values need."""
        blocks, rest = divmod(n_values, len(self.tails) - 1)
        return blocks * self.tails[-1] + self.tails[rest]

    def n_values(self, n_bytes: int) -> int:
        """Return how many values lie whole in `n_bytes` bytes."""
        blocks, rest = divmod(max(n_bytes, 0), self.tails[-1])
        return blocks * (len(self.tails) - 1) + sum(rest >= needed for needed in self.tails[1:-1])

    def values(self, data: UInt8[np.ndarray, " bytes"], n_values: int) -> Int[np.ndarray, " values"]:
        """Return the first `n_values` values in `data`, which starts with a block and may end inside one."""
        rest = -len(data) % self.tails[-1]
        return self.decode(np.pad(data, (0, rest)) if rest else data)[:n_values]


# In the packed formats each value is first moved to the top of a word and then shifted down as a signed number,
# which extends its sign.


def _decode_212(data: UInt8[np.ndarray, " bytes"]) -> Int[np.ndarray, " values"]:
    """Two 12-bit values in three bytes: the middle byte holds the high bits of the first below the second's."""
    low, middle, high = data.reshape(-1, 3).T.astype(np.uint16)
    words = np.empty((len(low), 2), dtype=np.uint16)
    words[:, 0] = middle << 12 | low << 4
    words[:, 1] = (middle & 0xF0) << 8 | high << 4
    return words.reshape(-1).view(np.int16) >> 4


def _decode_310(data: UInt8[np.ndarray, " bytes"]) -> Int[np.ndarray, " values"]:
    """Three 10-bit values in two words: bits 1 to 10 of each, and the third in the high 5 bits of both."""
    first, second = data.view("<u2").reshape(-1, 2).T
    words = np.empty((len(first), 3), dtype=np.uint16)
    words[:, 0], words[:, 1] = first << 5, second << 5
    words[:, 2] = second & 0xF800 | first >> 5 & 0x07C0
    return words.reshape(-1).view(np.int16) >> 6


def _decode_311(data: UInt8[np.ndarray, " bytes"]) -> Int[np.ndarray, " values"]:
    """Three 10-bit values in the low 30 bits of a word of 32."""
    packed = data.view("<u4")
    words = np.stack([packed << 22, packed << 12, packed << 2], axis=1)
    return words.astype(np.uint32).reshape(-1).view(np.int32) >> 22


def _decode_24(data: UInt8[np.ndarray, " bytes"]) -> Int[np.ndarray, " values"]:
    words = np.empty((len(data) // 3, 4), dtype=np.uint8)
    words[:, 0], words[:, 1:] = 0, data.reshape(-1, 3)
    return words.view("<i4").reshape(-1) >> 8


FORMATS: dict[str, Packed] = {
    "8": Packed((0, 1), None, lambda data: data.view(np.int8), differences=True),
    "16": Packed((0, 2), -(1 << 15), lambda data: data.view("<i2")),
    "24": Packed((0, 3), -(1 << 23), _decode_24),
    "32": Packed((0, 4), -(1 << 31), lambda data: data.view("<i4")),
    "61": Packed((0, 2), -(1 << 15), lambda data: data.view(">i2")),
    "80": Packed((0, 1), -(1 << 7), lambda data: (data ^ 0x80).view(np.int8)),
    "160": Packed((0, 2), -(1 << 15), lambda data: (data.view("<u2") ^ 0x8000).view(np.int16)),
    "212": Packed((0, 2, 3), -(1 << 11), _decode_212),
    "310": Packed((0, 2, 4, 4), -(1 << 9), _decode_310),
    "311": Packed((0, 2, 3, 4), -(1 << 9), _decode_311),
}
"""Signal format -> how it is packed."""

FLAC_BITS = {"508": 8, "516": 16, "524": 24}
"""Signal format of a FLAC file -> the most bits a value may have."""


def missing_value(storage: str) -> int | None:
    """Return the digital value that stands for a missing sample in a format; None where there is none."""
    return -(1 << (FLAC_BITS[storage] - 1)) if storage in FLAC_BITS else FORMATS[storage].missing
