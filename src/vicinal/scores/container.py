"""The container of a model file: one zip of stored members with exactly one valid byte sequence.

Reading takes the members and then asks whether writing them again gives the same bytes, so whatever a zip can
hide (other flags, gaps, links, two directories, trailing bytes) is refused by one comparison. Knows bytes and
names; must not know what the members mean. `docs/model-file.md` is the specification.
"""

import hashlib
import struct
import zlib
from collections.abc import Mapping

from vicinal.errors import FormatError

__all__ = ["LARGEST_BYTES", "join_members", "split_members"]

LARGEST_BYTES = 2**31 - 1
"""Largest model file; below every limit at which a zip changes its layout."""

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_VERSION, _UNIX = 20, 3 << 8 | 20
_DATE = (1 << 5) | 1  # 1 January 1980, the first day a zip can name
_REGULAR_FILE = 0o100644 << 16
_N_DIGEST = 64


def join_members(members: Mapping[str, bytes]) -> bytes:
    """Return the one container of these members, in their order.

    Args:    members: content by name, names ASCII.
    Raises:  FormatError: when they are too large for one container.
    """
    size = sum(len(data) + 2 * len(name) + 256 for name, data in members.items())
    if size > LARGEST_BYTES:
        raise FormatError(f"model file: expected at most {LARGEST_BYTES:,} bytes, got about {size:,}.")
    body, directory = bytearray(), bytearray()
    for name, data in members.items():
        label = name.encode("ascii")
        shared = (0, 0, 0, _DATE, zlib.crc32(data), len(data), len(data), len(label), 0)
        position = len(body)
        body += _LOCAL.pack(b"PK\3\4", _VERSION, *shared) + label + data
        directory += _CENTRAL.pack(
            b"PK\1\2", _UNIX, _VERSION, *shared, 0, 0, 0, _REGULAR_FILE, position
        )  # fmt: skip
        directory += label
    end = _END.pack(b"PK\5\6", 0, 0, len(members), len(members), len(directory), len(body), _N_DIGEST)
    content = bytes(body + directory + end)
    return content + hashlib.sha256(content).hexdigest().encode("ascii")


def split_members(data: bytes, *, limits: Mapping[str, int], source: str) -> dict[str, bytes]:
    """Return the members of a container, in its order.

    Args:    data: the whole file.  limits: the known member names, each with the most bytes it may have.
             source: what to call the file in messages.
    Raises:  FormatError: when the bytes are not exactly those that `join_members` gives for known members.
    """
    _check_digest(data, source)
    members: dict[str, bytes] = {}
    content, position = data[:-_N_DIGEST], 0
    while content[position : position + 4] == b"PK\3\4":
        name, position, stop = _member(content, position, source)
        if name not in limits:
            known = ", ".join(limits)
            raise FormatError(f"{source}: member {name!r} is unknown. A model file holds only {known}.")
        if name in members:
            raise FormatError(f"{source}: member {name!r} is there twice. Save the model again.")
        if stop - position > limits[name]:
            raise FormatError(
                f"{source}: member {name!r}: expected at most {limits[name]:,} bytes, got "
                f"{stop - position:,}."
            )
        members[name] = content[position:stop]
        position = stop
    if join_members(members) != data:
        raise FormatError(
            f"{source}: the members read, but the bytes around them are not those of a model file "
            "(other flags, times, order or hidden bytes). Save the model again with Vicinal."
        )
    return members


def _check_digest(data: bytes, source: str) -> None:
    if not data.startswith(b"PK\3\4"):
        raise FormatError(
            f"{source}: expected a model.vicinal, got {_what_it_is(data)}. "
            "Give the file that `vicinal run` left."
        )
    found, content = data[-_N_DIGEST:], data[:-_N_DIGEST]
    expected = hashlib.sha256(content).hexdigest().encode("ascii")
    if found != expected:
        raise FormatError(
            f"{source}: the file is damaged: its last 64 bytes should be the SHA-256 of the others, "
            f"{expected[:12].decode()}..., and are {found[:12]!r}. It was cut or changed; copy it again."
        )


def _what_it_is(data: bytes) -> str:
    if not data:
        return "an empty file"
    if data[:1] == b"\x80":
        return "a pickle, which is never opened"
    return f"bytes that begin with {data[:8]!r}"


def _member(data: bytes, position: int, source: str) -> tuple[str, int, int]:
    start = position + _LOCAL.size
    if start > len(data):
        raise FormatError(f"{source}: a member's header at byte {position} runs past the end of the file.")
    fields = _LOCAL.unpack_from(data, position)
    flags, method, size, n_name, n_extra = fields[2], fields[3], fields[8], fields[9], fields[10]
    name = data[start : start + n_name].decode("ascii", "backslashreplace")
    if method != 0 or flags != 0:
        how = "encrypted" if flags & 1 else "compressed" if method else "written as a stream"
        raise FormatError(
            f"{source}: member {name!r} is {how}; members of a model file are stored as they are."
        )
    begin = start + n_name + n_extra
    if begin + size > len(data):
        raise FormatError(
            f"{source}: member {name!r}: {size:,} bytes at {begin} run past the end of the file."
        )
    return name, begin, begin + size
