"""WFDB signal files written by hand, one value at a time, with Python's own integers: slow, and plainly right."""

import numpy as np
import soundfile

RANGE = {
    "8": (-128, 127),
    "16": (-32768, 32767),
    "24": (-(1 << 23), (1 << 23) - 1),
    "32": (-(1 << 31), (1 << 31) - 1),
    "61": (-32768, 32767),
    "80": (-128, 127),
    "160": (-32768, 32767),
    "212": (-2048, 2047),
    "310": (-512, 511),
    "311": (-512, 511),
}
"""Format -> least and largest value (format 8: of a difference)."""


def packed(storage, values):
    """The bytes of `values`, in the order of the file; a last block that is not whole ends where it must."""
    values = [int(value) for value in values]
    if storage in ("8", "16", "24", "32"):
        size = {"8": 1, "16": 2, "24": 3, "32": 4}[storage]
        return b"".join(value.to_bytes(size, "little", signed=True) for value in values)
    if storage == "61":
        return b"".join(value.to_bytes(2, "big", signed=True) for value in values)
    if storage in ("80", "160"):
        size = 1 if storage == "80" else 2
        return b"".join((value + (1 << 8 * size - 1)).to_bytes(size, "little") for value in values)
    return b"".join(_block(storage, values[k : k + 3]) for k in _starts(storage, len(values)))


def _starts(storage, n):
    return range(0, n, 2 if storage == "212" else 3)


def _block(storage, values):
    step = 2 if storage == "212" else 3
    some = values[:step]
    a, b, c = [*some, 0, 0, 0][:3]
    if storage == "212":
        a, b = a & 0xFFF, b & 0xFFF
        return bytes([a & 0xFF, a >> 8 | b >> 8 << 4, b & 0xFF])[: (0, 2, 3)[len(some)]]
    a, b, c = a & 0x3FF, b & 0x3FF, c & 0x3FF
    if storage == "311":
        return (a | b << 10 | c << 20).to_bytes(4, "little")[: (0, 2, 3, 4)[len(some)]]
    words = (a << 1 | (c & 31) << 11, b << 1 | c >> 5 << 11)
    return b"".join(word.to_bytes(2, "little") for word in words)[: (0, 2, 4, 4)[len(some)]]


def sound(path, values, *, bits):
    """Write `values` (samples, channels) as FLAC."""
    data = (np.asarray(values).astype(np.int64) << 32 - bits).astype(np.int32)
    subtype = {8: "PCM_S8", 16: "PCM_16", 24: "PCM_24"}[bits]
    soundfile.write(path, data, 96000, format="FLAC", subtype=subtype)


def record(folder, lines, *, n="", name="r", rate=250, files=None):
    """Write a header with signal `lines`, and `files` by name; return the header's path."""
    path = folder / f"{name}.hea"
    path.write_text(f"{name} {len(lines)} {rate} {n}\n" + "".join(line + "\n" for line in lines))
    for file, data in (files or {}).items():
        (folder / file).write_bytes(data)
    return path


def mat_header(n_signals, n_samples):
    """The 24 bytes at the start of a MATLAB file (level 4) of 16-bit numbers called `val`."""
    return np.array([30, n_signals, n_samples, 0, 4], dtype="<i4").tobytes() + b"val\0"
