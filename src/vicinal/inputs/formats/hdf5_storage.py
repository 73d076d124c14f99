"""What an HDF5 data set claims to hold against what lies in the file: layout, filters, and every packed chunk.

HDF5 inflates a chunk until its stream ends, however large that is, and fills what was never written with zeros.
So a chunk is measured here before it is read there. Must not know signals, and needs no import of `h5py`.
"""

import itertools
import math
import zlib
from typing import Any

__all__ = ["MAX_CHUNK", "Chunks", "storage_problem"]

MAX_CHUNK = 16 << 20
"""No chunk may hold more bytes: one is in memory whole whatever is read of it."""

_COMPACT, _CONTIGUOUS, _CHUNKED, _VIRTUAL = range(4)
_DEFLATE, _SHUFFLE, _CHECKSUM = 1, 2, 3
_CHECKSUM_BYTES = 4
_MOST_RATIO = 1040
"""Deflate cannot pack more than 1,032 bytes into one."""
_PIECE = 1 << 20


def storage_problem(data: Any, *, size: int) -> str:
    """Say why a data set is not opened, or "" if it may be.

    Args:    data: an `h5py.Dataset`.  size: of the file, in bytes.
    """
    if data.shape is None:
        return "it holds nothing"
    properties = data.id.get_create_plist()
    layout, stored = properties.get_layout(), data.id.get_storage_size()
    needed = math.prod(data.shape) * data.dtype.itemsize
    if layout == _VIRTUAL or properties.get_external_count():
        return "its values lie in other files"
    if layout != _CHUNKED:
        return (
            "" if stored == needed <= size else f"{needed} bytes are claimed and {min(stored, size)} stored"
        )
    filters = _filters(properties)
    if set(filters) - {_DEFLATE, _SHUFFLE, _CHECKSUM}:
        return "it is packed by an unknown filter; gzip, shuffle and fletcher32 are read"
    if _DEFLATE in filters and set(filters[filters.index(_DEFLATE) + 1 :]) - {_CHECKSUM}:
        return "its filters stand in an order that no program writes"
    if math.prod(data.chunks) * data.dtype.itemsize > MAX_CHUNK:
        return f"its chunks are larger than {MAX_CHUNK} bytes; store it in smaller ones"
    if needed > _MOST_RATIO * min(stored, size):
        return f"{needed} bytes are claimed and {stored} stored"
    return ""


class Chunks:
    """The chunks of a data set that were measured: each once, before it is read for the first time."""

    def __init__(self, data: Any) -> None:
        self._data = data
        properties = data.id.get_create_plist()
        self._chunked = properties.get_layout() == _CHUNKED
        self._filters = _filters(properties)
        self._sound: set[tuple[int, ...]] = set()

    def problem(self, row: int | None = None) -> str:
        """Say why the chunks of `row`, or all, are not read, or "" if they may be."""
        if not self._chunked:
            return ""
        shape, chunks = self._data.shape, self._data.chunks
        ranges = [range(0, length, step) for length, step in zip(shape, chunks, strict=True)]
        if row is not None:
            first = row - row % chunks[0]
            ranges[0] = range(first, first + 1)
        for start in itertools.product(*ranges):
            if start not in self._sound:
                problem = self._measure(start)
                if problem:
                    return f"the chunk at {start} {problem}"
                self._sound.add(start)
        return ""

    def _measure(self, start: tuple[int, ...]) -> str:
        info = self._data.id.get_chunk_info_by_coord(start)
        if info.byte_offset is None:
            return "was never written"
        expected = math.prod(self._data.chunks) * self._data.dtype.itemsize
        skipped, filters = info.filter_mask, self._filters
        applied = [code for k, code in enumerate(filters) if not skipped >> k & 1]
        sums = _CHECKSUM_BYTES * applied.count(_CHECKSUM)
        if _DEFLATE not in applied:
            return (
                "" if info.size == expected + sums else f"has {info.size} bytes instead of {expected + sums}"
            )
        if info.size > 2 * expected + _PIECE:
            return f"has {info.size} packed bytes for {expected}"
        inside = _CHECKSUM_BYTES * applied[: applied.index(_DEFLATE)].count(_CHECKSUM)
        found = _inflated(self._data.id.read_direct_chunk(start)[1], most=expected + inside)
        return "" if found == expected + inside else f"does not unpack to {expected} bytes"


def _filters(properties: Any) -> list[int]:
    return [properties.get_filter(k)[0] for k in range(properties.get_nfilters())]


def _inflated(packed: bytes, *, most: int) -> int | None:
    """Return how many bytes a deflate stream holds, looking no further than just above `most`; None if damaged."""
    stream, found = zlib.decompressobj(), 0
    try:
        while packed and not stream.eof and found <= most:
            found += len(stream.decompress(packed, _PIECE))
            packed = stream.unconsumed_tail
    except zlib.error:
        return None
    return found if stream.eof or found > most else None
