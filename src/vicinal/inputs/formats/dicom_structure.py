"""The structure of a DICOM file, walked through before pydicom reads it: every length lies within what holds it.

Source: DICOM PS3.5, section 7 (elements, items, sequences), and PS3.10, section 7 (preamble, file meta group).
pydicom itself takes what there is where a length promises more. Must not know what the elements mean.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from vicinal.errors import FormatError

__all__ = ["check_structure"]

_SYNTAXES = {"1.2.840.10008.1.2": False, "1.2.840.10008.1.2.1": True}
"""Plain little-endian data, and whether each element states its type; others are deflated, big-endian, or pictures."""
_MAX_DEPTH = 16
_MAX_ELEMENTS = 100_000
_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_SYNTAX = 0x00020010
_SEQUENCES = {0x54000100, 0x003A0200, 0x003A0208, 0x003A0211}
"""The waveform and what describes its channels: sequences, also where no type says so."""
_LONG = {b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"}
"""Types whose length takes four bytes."""


@dataclass
class _Holder:
    """What elements or items lie in: a data set, or a sequence of them.

    Args:    end: the first byte behind it, or behind what holds it where its own length is undefined.
             closes: the tag that ends it, or 0 where its length is defined.  typed: whether elements state a type.
             last: the last tag in it.
    """

    sequence: bool
    end: int
    closes: int
    typed: bool
    last: int = -1


def check_structure(path: Path) -> None:
    """Walk through every element of a file.

    Raises:  FormatError: naming the byte where the file cannot be what it claims to be, or when its transfer
             syntax is not plain little-endian.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        if stream.read(132)[128:] != b"DICM":
            raise FormatError(
                f"{path}: expected a DICOM file: 128 bytes, then DICM. It does not begin like one."
            )
        at, syntax = _meta(stream, size, path)
        if syntax not in _SYNTAXES:
            raise FormatError(
                f"{path}: expected plain little-endian data, got transfer syntax {syntax[:64] or 'none'}. "
                "Save it as Explicit VR Little Endian."
            )
        _walk(stream, at, _Holder(False, size, 0, _SYNTAXES[syntax]), path)


def _meta(stream: BinaryIO, size: int, path: Path) -> tuple[int, str]:
    """Return where the data set begins, behind the elements of group 2, and its transfer syntax."""
    at, syntax = 132, ""
    holder = _Holder(False, size, 0, True)
    while True:
        stream.seek(at)
        if stream.read(2) != b"\2\0":
            return at, syntax
        tag, _, start, length = _element(stream, at, holder, path)
        if start + length > size:
            raise FormatError(f"{path}: byte {at}: a length of {length} bytes leaves the file.")
        if tag == _SYNTAX:
            stream.seek(start)
            syntax = stream.read(min(length, 64)).decode("ascii", errors="replace").rstrip("\0 ")
        at = start + length


def _walk(stream: BinaryIO, at: int, outer: _Holder, path: Path) -> None:
    holders, n_elements = [outer], 0
    while holders:
        holder, n_elements = holders[-1], n_elements + 1
        if at == holder.end and not holder.closes:
            holders.pop()
            continue
        if n_elements > _MAX_ELEMENTS or len(holders) > _MAX_DEPTH:
            raise FormatError(
                f"{path}: byte {at}: expected at most {_MAX_ELEMENTS} elements, nested {_MAX_DEPTH} deep, got more."
            )
        tag, kind, start, length = _element(stream, at, holder, path)
        if holder.closes == tag and length == 0:
            holders.pop()
            at = start
            continue
        if (tag == _ITEM) != holder.sequence or tag in (_ITEM_END, _SEQUENCE_END) or tag <= holder.last:
            raise FormatError(f"{path}: byte {at}: element {tag:08x} cannot stand here; the file is damaged.")
        holder.last = -1 if holder.sequence else tag
        inner = _inner(tag, kind, start, length, holder)
        if inner is None and (length == _UNDEFINED or start + length > holder.end):
            raise FormatError(
                f"{path}: byte {at}: element {tag:08x}: expected at most {holder.end - start} bytes, got {length}."
            )
        if inner is not None:
            holders.append(inner)
        at = start if inner is not None else start + length


def _inner(tag: int, kind: bytes, start: int, length: int, holder: _Holder) -> _Holder | None:
    """Return what an element opens: an item a data set, a sequence a sequence, all others nothing."""
    undefined = length == _UNDEFINED
    sequence = (
        kind == b"SQ" or (not holder.typed and tag in _SEQUENCES) or (undefined and kind in (b"UN", b""))
    )
    if not (holder.sequence or sequence) or (not undefined and start + length > holder.end):
        return None
    closes = (_ITEM_END if holder.sequence else _SEQUENCE_END) if undefined else 0
    # A sequence of an unknown type is written without types.
    typed = holder.typed and kind != b"UN"
    return _Holder(not holder.sequence, holder.end if undefined else start + length, closes, typed)


def _element(stream: BinaryIO, at: int, holder: _Holder, path: Path) -> tuple[int, bytes, int, int]:
    """Return tag, type (empty where none is stated), first byte of the value and its length."""
    stream.seek(at)
    head = stream.read(min(12, holder.end - at))
    tag = int.from_bytes(head[:2], "little") << 16 | int.from_bytes(head[2:4], "little")
    kind = head[4:6] if holder.typed and tag >> 16 != 0xFFFE else b""
    n_head = 12 if kind in _LONG else 8
    if len(head) < n_head or (kind and not (kind.isalpha() and kind.isupper())):
        raise FormatError(f"{path}: byte {at}: expected an element, the file is damaged or cut short.")
    width = slice(8, 12) if n_head == 12 else slice(6, 8) if kind else slice(4, 8)
    return tag, kind, at + n_head, int.from_bytes(head[width], "little")
