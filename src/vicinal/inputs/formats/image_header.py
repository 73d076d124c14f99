"""A PNG or JPEG file walked through before it is decoded: size, kind, checksums, and what would need a guess.

Sources: W3C Portable Network Graphics (third edition), ITU-T T.81 (JPEG). Must not know pixels.
"""

import zlib
from collections.abc import Iterator

from vicinal.errors import FormatError

__all__ = ["check_jpeg", "check_png"]

_MAX_PIXELS = 1 << 26
_MAX_CHUNKS = 100_000
_MAX_SCANS = 100
_DEFLATE_RATIO = 1032
"""Bytes that one byte of deflate can grow to, at most."""
_JPEG_RATIO = 2048
"""Pixels that one byte of JPEG can stand for: a block of 8 x 8 takes a bit, and four blocks may share one."""

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY, _COLOUR, _PALETTE, _GREY_ALPHA, _COLOUR_ALPHA = 0, 2, 3, 4, 6
_PNG_CHANNELS = {_GREY: 1, _COLOUR: 3, _PALETTE: 1, _GREY_ALPHA: 2, _COLOUR_ALPHA: 4}
_PNG_BITS = {_GREY: (1, 2, 4, 8, 16), _PALETTE: (1, 2, 4, 8)}

_FRAMES = {0xC0, 0xC1, 0xC2}
"""Baseline, extended and progressive Huffman coding."""
_OTHER_FRAMES = set(range(0xC3, 0xD0)) - {0xC4, 0xC8, 0xCC}
_START, _END, _SCAN = 0xD8, 0xD9, 0xDA
_BARE = {0x01, *range(0xD0, 0xD8)}
"""Markers without a length, which stand inside or between scans."""


def check_png(data: bytes, *, where: str) -> None:
    """Walk through the chunks of a PNG file.

    Raises:  FormatError: when a size, a count or a checksum is wrong, when it cannot hold the pixels it
             declares, or when it holds several pictures, transparency by palette or key, or 16-bit colour.
    """
    if not data.startswith(_PNG_SIGNATURE):
        raise FormatError(f"{where}: expected a PNG file, it does not begin like one.")
    names, packed = [], 0
    for name, start, length in _chunks(data, where):
        names.append(name)
        packed += length if name == b"IDAT" else 0
        if name == b"IHDR":
            raw_bytes = _png_size(data[start : start + length], where)
        if name in (b"tRNS", b"acTL"):
            what = "one picture" if name == b"acTL" else "opaque pixels"
            raise FormatError(f"{where}: expected {what}, got a chunk {name.decode()}. Save it as plain PNG.")
    if names[:1] != [b"IHDR"] or names.count(b"IHDR") != 1 or names[-1] != b"IEND" or not packed:
        raise FormatError(f"{where}: expected IHDR first and once, IDAT, and IEND last; it is damaged.")
    if raw_bytes > packed * _DEFLATE_RATIO:
        raise FormatError(
            f"{where}: expected pixels of {raw_bytes} bytes, got {packed} bytes that cannot hold them."
        )


def _chunks(data: bytes, where: str) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, start and length of each chunk; the last one is IEND, at the end of the file."""
    at, n_chunks, name = len(_PNG_SIGNATURE), 0, b""
    view = memoryview(data)
    while at < len(data):
        length, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        end, n_chunks = at + 12 + length, n_chunks + 1
        if end > len(data) or n_chunks > _MAX_CHUNKS:
            raise FormatError(
                f"{where}: byte {at}: expected a chunk within the file, and at most {_MAX_CHUNKS}, "
                f"got {length} bytes in chunk {n_chunks}."
            )
        if zlib.crc32(view[at + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
            raise FormatError(f"{where}: byte {at}: a chunk does not have its checksum; the file is damaged.")
        yield name, at + 8, length
        at = end
        if name == b"IEND":
            break
    if name != b"IEND" or at != len(data):
        raise FormatError(f"{where}: expected the file to end with IEND, {len(data) - at} bytes follow.")


def _png_size(header: bytes, where: str) -> int:
    """Check the IHDR chunk; returns the bytes of the pixels before compression."""
    if len(header) != 13:
        raise FormatError(f"{where}: IHDR: expected 13 bytes, got {len(header)}.")
    width, height = int.from_bytes(header[:4], "big"), int.from_bytes(header[4:8], "big")
    bits, kind, compression, filtering, interlace = header[8:]
    _check_size(width, height, where)
    if (
        kind not in _PNG_CHANNELS
        or bits not in _PNG_BITS.get(kind, (8,))
        or (compression, filtering) != (0, 0)
        or interlace > 1
    ):
        deep = " 16 bits are read for grey alone." if bits == 16 and kind in _PNG_CHANNELS else ""
        raise FormatError(
            f"{where}: IHDR: expected a kind of pixels that is read here, got {bits} bits, kind {kind}, "
            f"compression {compression}, filter {filtering}, interlace {interlace}.{deep}"
        )
    return height * (width * bits * _PNG_CHANNELS[kind] // 8)


def check_jpeg(data: bytes, *, where: str) -> None:
    """Walk through the segments of a JPEG file.

    Raises:  FormatError: when its structure is broken or cut short, when it cannot hold the pixels it declares,
             or when it is not grey or colour of 8 bits in one picture.
    """
    if data[:3] != b"\xff\xd8\xff":
        raise FormatError(f"{where}: expected a JPEG file, it does not begin like one.")
    frames, n_scans = 0, 0
    for marker, start, length in _segments(data, where):
        if marker in _FRAMES | _OTHER_FRAMES:
            frames += 1
            _check_frame(data[start : start + length], marker, len(data), where)
        n_scans += marker == _SCAN
        if n_scans > _MAX_SCANS:
            raise FormatError(f"{where}: expected at most {_MAX_SCANS} scans, got more.")
    if frames != 1 or n_scans == 0:
        raise FormatError(
            f"{where}: expected one frame and at least one scan, got {frames} and {n_scans}; it is damaged."
        )


def _segments(data: bytes, where: str) -> Iterator[tuple[int, int, int]]:
    """Yield marker, start and length of each segment; the file ends with the end marker."""
    at = 2
    while True:
        marker = data[at + 1] if data[at : at + 1] == b"\xff" and at + 1 < len(data) else None
        if marker is None or marker in (0x00, _START):
            raise FormatError(f"{where}: byte {at}: expected a marker; the file is damaged or cut short.")
        if marker == _END:
            break
        if marker == 0xFF:  # fill bytes may precede a marker
            at += 1
            continue
        length = 0 if marker in _BARE else int.from_bytes(data[at + 2 : at + 4], "big")
        end = at + 2 + length
        if (marker not in _BARE and length < 2) or end > len(data):
            raise FormatError(f"{where}: byte {at}: a segment of {length} bytes leaves the file.")
        yield marker, at + 4, max(length - 2, 0)
        at = _end_of_scan(data, end) if marker == _SCAN else end
    if any(data[at + 2 :]):
        raise FormatError(
            f"{where}: {len(data) - at - 2} bytes follow the end of the picture at byte {at}: it is damaged or "
            "holds several pictures. Save it as one JPEG."
        )


def _end_of_scan(data: bytes, at: int) -> int:
    """Return where the coded data of a scan ends: at a marker that is neither a stuffed 0 nor a restart."""
    while True:
        at = data.find(b"\xff", at)
        if at < 0 or at + 1 >= len(data):
            return len(data)
        if data[at + 1] != 0 and data[at + 1] not in _BARE:
            return at
        at += 2


def _check_frame(frame: bytes, marker: int, size: int, where: str) -> None:
    if marker not in _FRAMES or len(frame) < 6:
        raise FormatError(
            f"{where}: expected baseline or progressive Huffman coding, got frame marker {marker:#x}."
        )
    bits, n_channels = frame[0], frame[5]
    height, width = int.from_bytes(frame[1:3], "big"), int.from_bytes(frame[3:5], "big")
    if bits != 8 or n_channels not in (1, 3) or len(frame) != 6 + 3 * n_channels:
        raise FormatError(
            f"{where}: expected grey or colour of 8 bits, got {n_channels} channels of {bits} bits."
            + (" CMYK is not converted: its colours depend on a profile." if n_channels == 4 else "")
        )
    _check_size(width, height, where)
    if width * height > size * _JPEG_RATIO:
        raise FormatError(f"{where}: expected {width} x {height} pixels, {size} bytes cannot hold them.")


def _check_size(width: int, height: int, where: str) -> None:
    if not 0 < width * height <= _MAX_PIXELS:
        raise FormatError(f"{where}: expected 1 to {_MAX_PIXELS} pixels, got {width} x {height}.")
