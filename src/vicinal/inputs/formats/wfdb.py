"""Read a WFDB record: header, signals in any fixed-size format, and the `.atr` events beside it.

The header is checked before `wfdb` sees it, file names never leave the given folder, and nothing is fetched
from a network. Format 16, the usual one, is read here with NumPy alone. Must not know data sets.
"""

from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int32

from vicinal.errors import FormatError
from vicinal.files import inside
from vicinal.inputs.formats.stated import Stated
from vicinal.inputs.formats.wfdb_annotations import read_annotations
from vicinal.inputs.formats.wfdb_header import FORMATS, Header, SignalLine, read_header
from vicinal.inputs.formats.wfdb_library import digital_samples
from vicinal.signal import Signal

__all__ = ["read_wfdb"]

_PADDING = 4
"""Bytes that packed formats may add at the end of a file."""


def read_wfdb(path: Path, stated: Stated) -> Signal:
    """Read the record whose `.hea` file, or signal file with the header beside it, is `path`.

    Raises:  FormatError: when header, file sizes, checksums or events do not agree.
             PathError: when a file is missing, special, or outside `stated.root`.
    """
    path = inside(stated.root, _relative(path.with_suffix(".hea"), stated.root))
    header = read_header(path)
    files = _signal_files(header, path, stated.root)
    header = _checked_sizes(header, files, path)
    digital = _digital(header, files, path)
    _check_digital(header, digital, path)
    events = path.with_suffix(".atr")
    return Signal(
        samples=_physical(header, digital),
        channels=tuple(line.name for line in header.signals),
        units=tuple(stated.unit_or(line.units, where=f"{path}, {line.name}") for line in header.signals),
        rate_hz=stated.rate_or(header.rate_hz, where=str(path)),
        id=path.stem,
        events=read_annotations(
            inside(stated.root, _relative(events, stated.root)), n_samples=digital.shape[1]
        )
        if events.exists()
        else None,
        source=str(path),
    )


def _relative(path: Path, root: Path) -> str:
    return str(path.relative_to(root))  # `read` has resolved the folders of both


def _signal_files(header: Header, path: Path, root: Path) -> dict[str, Path]:
    folder = Path(_relative(path, root)).parent
    files = {}
    for line in header.signals:
        if Path(line.file).is_absolute() or line.file.startswith("~"):
            inside(root, line.file)  # raises: such a name is never looked up
        files[line.file] = inside(root, str(folder / line.file))
    return files


def _checked_sizes(header: Header, files: dict[str, Path], path: Path) -> Header:
    n_samples = header.n_samples
    problems = []
    for name, file in files.items():
        lines = [line for line in header.signals if line.file == name]
        if len({(line.storage, line.offset) for line in lines}) > 1:
            problems.append(f"{name} holds signals of different formats or offsets")
            continue
        bits = FORMATS[lines[0].storage] * len(lines)
        available = file.stat().st_size - lines[0].offset
        if n_samples is None:
            n_samples = int(available * 8 // bits)
        needed = n_samples * bits / 8
        if not needed - 1 <= available < needed + _PADDING or n_samples < 1:
            problems.append(
                f"{name}: expected {len(lines)} signals of {n_samples} samples in format {lines[0].storage}, "
                f"{needed:.0f} bytes after byte {lines[0].offset}, got {available}"
            )
    if problems:
        raise FormatError(f"{path}: " + "; ".join(problems) + ". The header or the file is damaged.")
    return Header(header.name, header.rate_hz, n_samples, header.signals)


def _digital(header: Header, files: dict[str, Path], path: Path) -> Int32[np.ndarray, "channels time"]:
    n = header.n_samples or 0
    if all(line.storage == "16" for line in header.signals):
        samples = np.empty((len(header.signals), n), dtype=np.int32)
        for name, file in files.items():
            rows = [row for row, line in enumerate(header.signals) if line.file == name]
            offset = header.signals[rows[0]].offset
            words = np.fromfile(file, dtype="<i2", count=n * len(rows), offset=offset)
            samples[rows] = words.reshape(n, len(rows)).T
        return samples
    found = digital_samples(path)
    if found.shape != (len(header.signals), n):
        raise FormatError(
            f"{path}: expected {len(header.signals)} signals of {n} samples, got {found.shape}."
        )
    return found


def _check_digital(header: Header, digital: Int32[np.ndarray, "channels time"], path: Path) -> None:
    problems = []
    for line, row in zip(header.signals, digital, strict=True):
        checksum = int(row.sum(dtype=np.int64)) % 65536
        if line.checksum is not None and checksum != line.checksum:
            problems.append(f"{line.name}: expected checksum {line.checksum}, got {checksum}")
        if line.checksum is not None and line.initial is not None and int(row[0]) != line.initial:
            problems.append(f"{line.name}: expected first value {line.initial}, got {row[0]}")
    if problems:
        raise FormatError(f"{path}: " + "; ".join(problems) + ". The file is damaged; fetch it again.")


def _physical(
    header: Header, digital: Int32[np.ndarray, "channels time"]
) -> Float32[np.ndarray, "channels time"]:
    samples = np.empty(digital.shape, dtype=np.float32)
    for row, (line, values) in enumerate(zip(header.signals, digital, strict=True)):
        samples[row] = (values - float(line.baseline)) / line.gain
        samples[row, values == _missing_value(line)] = np.nan
    return samples


def _missing_value(line: SignalLine) -> int:
    """Return the digital value that stands for a missing sample: the least one of the format."""
    bits = 10 if line.storage in ("310", "311") else int(FORMATS[line.storage])
    return int(-(2 ** (bits - 1)))
