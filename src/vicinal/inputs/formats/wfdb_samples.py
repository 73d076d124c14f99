"""The samples of one WFDB segment: its files, measured against its header, decoded block by block.

Nothing is allocated here but one block: physical values go straight into the array of the caller, so that a
day takes no more memory than its result. Must not know segments, layouts or events.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int

from vicinal.errors import FormatError, PathError
from vicinal.files import inside
from vicinal.inputs.formats.audio_header import AudioHeader, read_flac_header
from vicinal.inputs.formats.sound import sound_blocks
from vicinal.inputs.formats.wfdb_header import Header, SignalLine
from vicinal.inputs.formats.wfdb_storage import FLAC_BITS, FORMATS, missing_value

__all__ = ["SignalFile", "fill", "frames_in", "signal_files"]

_PADDING = 4
"""Bytes that packed formats may add at the end of a file."""

_MAT_HEADER = 24
_BLOCK = 1 << 18
_MAX_WIDTH = 1 << 20
_INT32 = 1 << 31


@dataclass(frozen=True)
class SignalFile:
    """One file of a segment.

    Args:    rows: which signals of the header it holds, in the order of a frame.
             lines: what the header says about them.  flac: what the file says of itself, when it is FLAC.
    """

    path: Path
    rows: tuple[int, ...]
    lines: tuple[SignalLine, ...]
    flac: AudioHeader | None = None

    @property
    def storage(self) -> str:
        """The format, which all its signals share."""
        return self.lines[0].storage

    @property
    def width(self) -> int:
        """Values in a frame."""
        return sum(line.per_frame for line in self.lines)


def signal_files(header: Header, path: Path, root: Path) -> tuple[SignalFile, ...]:
    """Find the files that a header names, and check that their signals can share them.

    Raises:  PathError: when one is missing, special or outside `root`.
             FormatError: when the signals in one file differ in what they must have in common.
    """
    names = tuple(dict.fromkeys(line.file for line in header.signals))
    files, problems = [], []
    for name in names:
        file = _file(name, path, root)
        rows = tuple(row for row, line in enumerate(header.signals) if line.file == name)
        lines = tuple(header.signals[row] for row in rows)
        if len({(line.storage, line.offset) for line in lines}) > 1:
            problems.append(f"{name} holds signals of different formats or offsets")
        elif lines[0].storage in FLAC_BITS and len({line.per_frame for line in lines}) > 1:
            problems.append(f"{name} is FLAC and holds signals with different numbers of samples a frame")
        found = SignalFile(
            file, rows, lines, read_flac_header(file) if lines[0].storage in FLAC_BITS else None
        )
        if found.width > _MAX_WIDTH:
            problems.append(f"{name}: expected at most {_MAX_WIDTH} values a frame, got {found.width}")
        files.append(found)
    if problems:
        raise FormatError(f"{path}: " + "; ".join(problems) + ". The header is damaged.")
    return tuple(files)


def _file(name: str, path: Path, root: Path) -> Path:
    # A name that is not relative is handed over as it is, to be refused as such.
    alone = name.startswith(("/", "~", "\\")) or "://" in name
    try:
        return inside(root, name if alone else f"{path.relative_to(root).parent}/{name}")
    except PathError as error:
        raise PathError(f"{path}: signal {error}") from error


def frames_in(header: Header, files: tuple[SignalFile, ...], path: Path) -> int:
    """Return how many frames the files hold: as many as the header says, or as the first file has room for.

    Raises:  FormatError: when a file is longer or shorter, or a signal is later than the record is long.
    """
    n_frames = header.n_frames or _room(files[0])
    problems = [problem for file in files for problem in _misfits(file, n_frames)]
    problems += [
        f"{line.name}: expected a skew below {n_frames} samples, got {line.skew}"
        for line in header.signals
        if line.skew >= n_frames > 0
    ]
    if problems:
        raise FormatError(f"{path}: " + "; ".join(problems) + ". The header or the file is damaged.")
    return n_frames


def fill(
    out: Float32[np.ndarray, "channels time"],
    *,
    files: tuple[SignalFile, ...],
    into: Mapping[int, int],
    n_frames: int,
    where: Path,
) -> None:
    """Decode a segment into `out`, in physical units, NaN where a sample is missing.

    Args:    into: which signal of the header goes into which row of `out`.
    Raises:  FormatError: when a checksum or a first value differs from the header's, or a file ends early.
    """
    problems: list[str] = []
    for file in files:
        if into.keys() & set(file.rows):
            problems += _fill_from(file, out, into=into, n_frames=n_frames)
    if problems:
        raise FormatError(f"{where}: " + "; ".join(problems) + ". The file is damaged; fetch it again.")


def _room(file: SignalFile) -> int:
    offset = file.lines[0].offset
    if file.flac:
        return max(file.flac.n_samples - offset, 0) // file.lines[0].per_frame
    return FORMATS[file.storage].n_values(file.path.stat().st_size - offset) // file.width


def _misfits(file: SignalFile, n_frames: int) -> Iterator[str]:
    name, offset, n_signals = file.path.name, file.lines[0].offset, len(file.lines)
    if file.flac:
        expected = (n_signals, offset + n_frames * file.lines[0].per_frame)
        if n_frames < 1 or (file.flac.n_channels, file.flac.n_samples) != expected:
            yield (
                f"{name}: expected {expected[0]} signals of {expected[1]} samples, got "
                f"{file.flac.n_channels} of {file.flac.n_samples}"
            )
        if file.flac.bits > FLAC_BITS[file.storage]:
            yield f"{name}: expected at most {FLAC_BITS[file.storage]} bits, got {file.flac.bits}"
        return
    needed = FORMATS[file.storage].n_bytes(n_frames * file.width)
    available = file.path.stat().st_size - offset
    if n_frames < 1 or not needed <= available < needed + _PADDING:
        yield (
            f"{name}: expected {n_signals} signals of {n_frames} samples in format {file.storage}, "
            f"{needed} bytes after byte {offset}, got {available}"
        )
    elif file.path.suffix == ".mat" and offset == _MAT_HEADER:
        yield from _mat_misfits(file, n_frames)


def _mat_misfits(file: SignalFile, n_frames: int) -> Iterator[str]:
    """Compare with the header of the MATLAB file (level 4): type, rows, columns, imaginary part, name."""
    with file.path.open("rb") as stream:
        _, rows, columns, imaginary, _ = np.frombuffer(stream.read(20), "<i4").tolist()
    if (rows, columns, imaginary) != (file.width, n_frames, 0):
        yield f"{file.path.name}: expected a matrix of {file.width} x {n_frames}, it says {rows} x {columns}"


def _fill_from(
    file: SignalFile, out: Float32[np.ndarray, "channels time"], *, into: Mapping[int, int], n_frames: int
) -> list[str]:
    starts = np.cumsum([0, *(line.per_frame for line in file.lines)])
    sinks = {
        start: _Sink(line, out[into[row]])
        for row, line, start in zip(file.rows, file.lines, starts.tolist(), strict=False)
        if row in into
    }
    blocks = _flac_frames(file, file.flac) if file.flac else _packed_frames(file, n_frames)
    for block in blocks:
        for start, sink in sinks.items():
            columns = block[:, start : start + sink.line.per_frame]
            sink.take(columns[:, 0] if sink.line.per_frame == 1 else columns.reshape(-1))
    return [problem for sink in sinks.values() for problem in sink.finish()]


class _Sink:
    """Where the values of one signal go, in order; keeps what its checksum and its differences need."""

    def __init__(self, line: SignalLine, row: Float32[np.ndarray, " time"]) -> None:
        self.line, self.row = line, row
        self.missing = missing_value(line.storage)
        self.differences = line.storage in FORMATS and FORMATS[line.storage].differences
        self.late = line.skew * line.per_frame
        self.at, self.sum, self.beyond = -self.late, 0, False
        self.first: int | None = None
        self.last = line.initial or 0

    def take(self, values: Int[np.ndarray, " n"]) -> None:
        """Convert the next values; those before the skew belong to no time of the record."""
        if self.differences:
            values = np.cumsum(values, dtype=np.int64)
            values += self.last
            self.last = int(values[-1])
            self.beyond |= bool(values.min() < -_INT32 or values.max() >= _INT32)
        if self.first is None:
            self.first = int(values[0])
        self.sum += int(values.sum(dtype=np.int64))
        before = max(-self.at, 0)
        self._convert(values[before:], max(self.at, 0))
        self.at += len(values)

    def _convert(self, values: Int[np.ndarray, " n"], at: int) -> None:
        target = self.row[at : at + len(values)]
        physical = np.subtract(values, self.line.baseline, dtype=np.float64)
        physical /= self.line.gain
        target[:] = physical
        if self.missing is not None:
            target[values == self.missing] = np.nan

    def finish(self) -> Iterator[str]:
        """Mark the end that a late signal does not have, and say what the header contradicts."""
        self.row[len(self.row) - self.late :] = np.nan
        line = self.line
        if self.beyond:
            yield f"{line.name}: expected values of 32 bits, the sum of its differences leaves them"
        if line.checksum is None:
            return
        if self.sum % 65536 != line.checksum:
            yield f"{line.name}: expected checksum {line.checksum}, got {self.sum % 65536}"
        # In a format of differences the first value is where they start from, and is used.
        if line.initial is not None and not self.differences and self.first != line.initial:
            yield f"{line.name}: expected first value {line.initial}, got {self.first}"


def _packed_frames(file: SignalFile, n_frames: int) -> Iterator[Int[np.ndarray, "frames width"]]:
    packed, width = FORMATS[file.storage], file.width
    # A multiple of 6 frames ends a block of 2 values and one of 3.
    size = max(_BLOCK // width // 6, 1) * 6
    with file.path.open("rb", buffering=0) as stream:
        stream.seek(file.lines[0].offset)
        for start in range(0, n_frames, size):
            n_values = min(size, n_frames - start) * width
            data = np.empty(packed.n_bytes(n_values), dtype=np.uint8)
            if stream.readinto(data.data) != len(data):
                raise FormatError(f"{file.path}: the file became shorter while it was read.")
            yield packed.values(data, n_values).reshape(-1, width)


def _flac_frames(file: SignalFile, sound: AudioHeader) -> Iterator[Int[np.ndarray, "frames width"]]:
    """Yield frames in the order of a packed file: all samples of one signal, then all of the next."""
    per_frame, skip = file.lines[0].per_frame, file.lines[0].offset
    size = max(_BLOCK // sound.n_channels, per_frame)
    rest = np.empty((0, sound.n_channels), dtype=np.int32)
    for block in sound_blocks(file.path, sound, size=size, kind="int32"):
        values = np.concatenate([rest, block[skip:] >> (32 - sound.bits)])
        skip = max(skip - len(block), 0)
        whole = len(values) // per_frame * per_frame
        rest = values[whole:]
        if whole:
            frames = values[:whole].reshape(-1, per_frame, sound.n_channels)
            yield frames.transpose(0, 2, 1).reshape(len(frames), -1)
