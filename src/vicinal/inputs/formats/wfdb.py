"""Read a WFDB record: header, signals in any format, of one segment or many, and the events beside it.

Every number in the header is checked before anything is allocated, file names never leave the given folder,
and nothing is fetched from a network. Must not know data sets.
"""

from pathlib import Path

import numpy as np
from jaxtyping import Float32

from vicinal.errors import FormatError
from vicinal.files import inside
from vicinal.inputs.formats.stated import Stated
from vicinal.inputs.formats.wfdb_annotations import read_annotations
from vicinal.inputs.formats.wfdb_header import SignalLine, read_header
from vicinal.inputs.formats.wfdb_samples import fill
from vicinal.inputs.formats.wfdb_segments import Segmented, segmented
from vicinal.signal import Events, Signal

__all__ = ["read_wfdb"]

_MAX_SAMPLES = 1 << 30


def read_wfdb(path: Path, stated: Stated) -> Signal:
    """Read the record whose `.hea` file, or signal file with the header beside it, is `path`.

    Raises:  FormatError: when header, file sizes, checksums or events do not agree, or the channels chosen have
             different rates.
             PathError: when a file is missing, special, or outside `stated.root`.
             ExtraError: when the record is compressed and soundfile is not installed.
    """
    if path.suffix.lower() != ".hea":
        path = path.with_suffix(".hea")
    path = inside(stated.root, _relative(path, stated.root))
    header = read_header(path)
    record = segmented(header, path, stated.root)
    chosen = _chosen(record.signals, stated.channels, path)
    per_frame = chosen[0][1].per_frame
    return Signal(
        samples=_samples(record, chosen, path),
        channels=tuple(line.name for _, line in chosen),
        units=tuple(stated.unit_or(line.units, where=f"{path}, {line.name}") for _, line in chosen),
        rate_hz=stated.rate_or(header.rate_hz * per_frame, where=str(path)),
        id=path.stem,
        events=_events(path, stated, record.n_frames, header.rate_hz, per_frame),
        source=str(path),
    )


def _relative(path: Path, root: Path) -> str:
    return str(path.relative_to(root))  # `read` has resolved the folders of both


def _chosen(
    signals: tuple[SignalLine, ...], channels: tuple[str, ...] | None, path: Path
) -> list[tuple[int, SignalLine]]:
    """Return the signals wanted, each with its row in the record; all must have one rate."""
    names = [line.name for line in signals]
    missing = [name for name in channels or () if names.count(name) != 1]
    if missing:
        raise FormatError(
            f"{path}: expected exactly one channel named {', '.join(missing)}, the file has {', '.join(names)}."
        )
    rows = range(len(names)) if channels is None else [names.index(name) for name in channels]
    chosen = [(row, signals[row]) for row in rows]
    if len({line.per_frame for _, line in chosen}) > 1:
        found = ", ".join(f"{line.name} x{line.per_frame}" for _, line in chosen)
        raise FormatError(
            f"{path}: expected channels of one rate, got samples a frame of {found}. Choose channels of one rate."
        )
    return chosen


def _samples(
    record: Segmented, chosen: list[tuple[int, SignalLine]], path: Path
) -> Float32[np.ndarray, "channels time"]:
    per_frame = chosen[0][1].per_frame
    shape = (len(chosen), record.n_frames * per_frame)
    out = _allocated(shape, path)
    place = {row: k for k, (row, _) in enumerate(chosen)}
    end = 0
    for segment in record.segments:
        start, stop = segment.start * per_frame, (segment.start + segment.n_frames) * per_frame
        into = {row: place[whole] for row, whole in segment.rows.items() if whole in place}
        absent = sorted(set(place.values()) - set(into.values()))
        out[:, end:start] = np.nan
        out[absent, start:stop] = np.nan
        fill(
            out[:, start:stop],
            files=segment.files,
            into=into,
            n_frames=segment.n_frames,
            where=segment.path,
        )
        end = stop
    out[:, end:] = np.nan
    return out


def _allocated(shape: tuple[int, int], path: Path) -> Float32[np.ndarray, "channels time"]:
    n = shape[0] * shape[1]
    if n <= _MAX_SAMPLES:
        try:
            return np.empty(shape, dtype=np.float32)
        except MemoryError:
            pass
    raise FormatError(
        f"{path}: {shape[0]} channels of {shape[1]} samples need {n * 4 / 2**30:.1f} GiB; expected at most "
        f"{_MAX_SAMPLES * 4 / 2**30:g} GiB, and memory for them. Choose fewer channels."
    )


def _events(path: Path, stated: Stated, n_frames: int, rate_hz: float, per_frame: int) -> Events | None:
    """Read the annotator that was asked for, which must be there, or `.atr` if it is."""
    file = path.with_suffix(f".{stated.annotator or 'atr'}")
    if stated.annotator is None and not file.is_symlink() and not file.exists():
        return None
    file = inside(stated.root, _relative(file, stated.root))
    return read_annotations(file, n_frames=n_frames, rate_hz=rate_hz, per_frame=per_frame)
