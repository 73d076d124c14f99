"""The header of a WAV or FLAC file, read strictly: what its counts say must fit the file before it is decoded.

Sources: the RIFF/WAVE definition (Microsoft and IBM, 1991; WAVEFORMATEXTENSIBLE), RFC 9639 (FLAC). Stricter: a
length that is left open, as by a program that wrote to a pipe, is refused. Must not know samples.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from vicinal.errors import FormatError

__all__ = ["AudioHeader", "read_flac_header", "read_wav_header"]

_MAX_RATE_HZ = 10**6
_MAX_CHANNELS = 256
_MAX_DECODED_BYTES = 4 << 30
_MAX_CHUNKS = 1000

_PCM, _FLOAT, _A_LAW, _MU_LAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_BITS = {_PCM: (8, 16, 24, 32), _FLOAT: (32, 64), _A_LAW: (8,), _MU_LAW: (8,)}
_FLAC_BITS = (8, 16, 24)
_EXTENSIBLE_GUID = bytes.fromhex("000000001000800000aa00389b71")
_LEAST_FLAC_FRAME = 10
"""Bytes: a header of 6, a sub-frame of 2, a checksum of 2."""


@dataclass(frozen=True)
class AudioHeader:
    """What the header says.

    Args:    rate_hz, n_channels, n_samples: of the file; `n_samples` for each channel.  bits: a sample takes.
             md5: of the decoded samples, where a FLAC file states it.
    """

    rate_hz: int
    n_channels: int
    n_samples: int
    bits: int
    md5: bytes | None = None


def read_wav_header(path: Path) -> AudioHeader:
    """Read and check the chunks of a WAV file.

    Raises:  FormatError: when sizes, counts and the file's length do not agree; lists every problem.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        start = stream.read(12)
        if start[:4] != b"RIFF" or start[8:] != b"WAVE":
            raise FormatError(
                f"{path}: expected a file that begins with RIFF and WAVE, got {start[:4]!r} and {start[8:]!r}. "
                "RF64 and big-endian files are not read."
            )
        chunks = dict(_chunks(stream, size, path))
        data_bytes = chunks[b"data"][1]
        form = _exactly(stream, chunks[b"fmt "], path)
    problems: list[str] = []
    header = _form(form, data_bytes, problems)
    declared = int.from_bytes(start[4:8], "little") + 8
    if abs(size - declared) > 1:  # writers disagree on whether the pad after a last odd chunk counts
        problems.append(f"RIFF size: expected {size - 8} from the file's length, got {declared - 8}")
    return _checked(header, problems, path)


def read_flac_header(path: Path) -> AudioHeader:
    """Read and check the metadata of a FLAC file.

    Raises:  FormatError: when it is not FLAC, or its counts cannot be those of a file of this length.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        if stream.read(4) != b"fLaC":
            raise FormatError(f"{path}: expected a file that begins with fLaC.")
        info = _stream_info(stream, size, path)
        if int.from_bytes(stream.read(2), "big") >> 1 != 0xFFF8 >> 1:
            raise FormatError(f"{path}: expected audio after the metadata, got none; it is damaged.")
        audio_bytes = size - stream.tell() + 2
    packed = int.from_bytes(info[10:18], "big")
    header = AudioHeader(
        rate_hz=packed >> 44,
        n_channels=(packed >> 41 & 0x7) + 1,
        n_samples=packed & (1 << 36) - 1,
        bits=(packed >> 36 & 0x1F) + 1,
        md5=info[18:34] if any(info[18:34]) else None,
    )
    problems = []
    if header.bits not in _FLAC_BITS:
        problems.append(f"bits a sample: expected 8, 16 or 24, got {header.bits}")
    block = int.from_bytes(info[2:4], "big")
    if block < 16 or header.n_samples > block * (audio_bytes // _LEAST_FLAC_FRAME):
        problems.append(
            f"expected no more samples than {audio_bytes} bytes hold in blocks of {block}, "
            f"got {header.n_samples}"
        )
    return _checked(header, problems, path)


def _checked(header: AudioHeader, problems: list[str], path: Path) -> AudioHeader:
    if not 0 < header.rate_hz <= _MAX_RATE_HZ:
        problems.append(f"rate: expected 1 to {_MAX_RATE_HZ} Hz, got {header.rate_hz}")
    if not 0 < header.n_channels <= _MAX_CHANNELS:
        problems.append(f"channels: expected 1 to {_MAX_CHANNELS}, got {header.n_channels}")
    decoded = header.n_samples * header.n_channels * 4
    if not header.n_samples > 0 or decoded > _MAX_DECODED_BYTES:
        problems.append(
            f"samples a channel: expected at least 1, and at most {_MAX_DECODED_BYTES} bytes when decoded, "
            f"got {header.n_samples}"
        )
    if problems:
        raise FormatError(f"{path}: " + "; ".join(problems) + ". The header or the file is damaged.")
    return header


def _chunks(stream: BinaryIO, size: int, path: Path) -> Iterator[tuple[bytes, tuple[int, int]]]:
    """Yield name, start and size of every chunk; `fmt ` and `data` once each, and none leaves the file."""
    at, names = 12, []
    while at + 8 <= size:
        stream.seek(at)
        head = stream.read(8)
        name, length = head[:4], int.from_bytes(head[4:], "little")
        names.append(name)
        if length > size - at - 8 or len(names) > _MAX_CHUNKS:
            unfinished = " It was written to a pipe; write it to a file." if length >= 0xFFFFFF00 else ""
            raise FormatError(
                f"{path}: chunk {name!r}: expected at most {size - at - 8} bytes to the file's end and at most "
                f"{_MAX_CHUNKS} chunks, got {length} bytes in chunk {len(names)}.{unfinished}"
            )
        yield name, (at + 8, length)
        at += 8 + length + length % 2
    missing = [name for name in (b"fmt ", b"data") if names.count(name) != 1]
    if missing or at < size:
        raise FormatError(
            f"{path}: expected one chunk 'fmt ' and one 'data' and nothing after the last chunk, "
            f"got {names[:20]} and {max(size - at, 0)} bytes."
        )


def _form(form: bytes, data_bytes: int, problems: list[str]) -> AudioHeader:
    tag, n_channels, rate_hz, rate_bytes, align, bits = (
        int.from_bytes(form[at : at + width], "little")
        for at, width in ((0, 2), (2, 2), (4, 4), (8, 4), (12, 2), (14, 2))
    )
    if tag == _EXTENSIBLE and len(form) >= 40 and form[26:40] == _EXTENSIBLE_GUID:
        tag = int.from_bytes(form[24:26], "little")
    if bits not in _BITS.get(tag, ()):
        problems.append(f"format: expected PCM, float, A-law or mu-law, got tag {tag:#x} of {bits} bits")
    if align != n_channels * bits // 8 or rate_bytes != align * rate_hz:
        problems.append(
            f"expected {n_channels * bits // 8} bytes a position and {rate_hz * align} a second for "
            f"{n_channels} channels of {bits} bits at {rate_hz} Hz, got {align} and {rate_bytes}"
        )
    if align and data_bytes % align:
        problems.append(f"data: expected whole positions of {align} bytes, got {data_bytes} bytes")
    return AudioHeader(rate_hz, n_channels, data_bytes // align if align else 0, bits)


def _exactly(stream: BinaryIO, chunk: tuple[int, int], path: Path) -> bytes:
    start, length = chunk
    stream.seek(start)
    form = stream.read(min(length, 40))
    if len(form) < 16:
        raise FormatError(f"{path}: chunk 'fmt ': expected at least 16 bytes, got {len(form)}.")
    return form


def _stream_info(stream: BinaryIO, size: int, path: Path) -> bytes:
    """Walk over the metadata blocks, and return the first, which says what the file holds."""
    info, last, n_blocks = b"", False, 0
    while not last:
        head = stream.read(4)
        length = int.from_bytes(head[1:], "big")
        kind = head[0] & 0x7F if head else 127
        wrong = (kind == 0 and length == 34) != (n_blocks == 0) or kind == 127 or n_blocks > _MAX_CHUNKS
        if len(head) < 4 or wrong or length > size - stream.tell():
            raise FormatError(
                f"{path}: expected metadata within the file, the stream's description first and once, "
                f"got block {n_blocks} of kind {kind} and {length} bytes."
            )
        last = bool(head[0] & 0x80)
        if n_blocks == 0:
            info = stream.read(length)
        else:
            stream.seek(length, os.SEEK_CUR)
        n_blocks += 1
    return info
