"""The segments of a WFDB record: which header holds which stretch, and which channels all of them share.

A record without segments is one segment. In a fixed layout all have the same signals; in a variable layout the
first, which has no samples, lists the signals, and the others have some of them, by name, each with its own
gain and baseline. Source: PhysioNet, WFDB Applications Guide, header(5). Must not know samples.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from vicinal.errors import FormatError, PathError
from vicinal.files import inside
from vicinal.inputs.formats.wfdb_header import GAP, Header, SignalLine, read_header
from vicinal.inputs.formats.wfdb_samples import SignalFile, frames_in, signal_files

__all__ = ["Segment", "Segmented", "segmented"]

_RATE_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Segment:
    """A stretch of a record that has samples.

    Args:    start: its first frame in the record.  n_frames: its length.  path: of its header.
             rows: which signal of the header is which of the record's.
    """

    start: int
    n_frames: int
    path: Path
    files: tuple[SignalFile, ...]
    rows: dict[int, int]


@dataclass(frozen=True)
class Segmented:
    """A record: its signals, of which name, unit and samples a frame count, and where their samples are."""

    signals: tuple[SignalLine, ...]
    n_frames: int
    segments: tuple[Segment, ...]


@dataclass(frozen=True)
class _Part:
    """The record that a segment names, read once however often it is named."""

    header: Header
    path: Path
    files: tuple[SignalFile, ...]


def segmented(header: Header, path: Path, root: Path) -> Segmented:
    """Find the headers and files of a record, and check that they belong together.

    Raises:  FormatError: when lengths, rates, signals or units of the segments contradict the record's.
             PathError: when a file is missing, special or outside `root`.
    """
    if not header.segments:
        part = _measured(header, path, root)
        n_frames = part.header.n_frames or 0
        whole = Segment(0, n_frames, path, part.files, dict(enumerate(range(header.n_signals))))
        return Segmented(header.signals, n_frames, (whole,))
    variable = header.segments[0].n_frames == 0
    layout = _layout(header, path, root) if variable else None
    parts: dict[str, _Part] = {}
    segments, problems, start = [], [], 0
    for line in header.segments[1 if variable else 0 :]:
        if line.name != GAP:
            if line.name not in parts:
                parts[line.name] = _part(line.name, path, root)
            part = parts[line.name]
            layout = layout or part.header.signals
            problems += _contradictions(header, line.n_frames, layout, part, variable)
            rows = _rows(layout, part.header.signals) if variable else {k: k for k in range(len(layout))}
            segments.append(Segment(start, line.n_frames, part.path, part.files, rows))
        if len(problems) > 0:
            break
        start += line.n_frames
    if layout is None:
        problems.append("expected a segment with samples, all of them are gaps")
    if problems or layout is None:
        raise FormatError(f"{path}: " + "; ".join(problems) + ". The headers do not belong together.")
    return Segmented(layout, start, tuple(segments))


def _measured(header: Header, path: Path, root: Path) -> _Part:
    files = signal_files(header, path, root)
    return _Part(replace(header, n_frames=frames_in(header, files, path)), path, files)


def _header_of(name: str, path: Path, root: Path) -> Path:
    try:
        return inside(root, str(path.relative_to(root).with_name(f"{name}.hea")))
    except PathError as error:
        raise PathError(f"{path}: segment {name}: {error}") from error


def _part(name: str, path: Path, root: Path) -> _Part:
    file = _header_of(name, path, root)
    header = read_header(file)
    if header.segments:
        raise FormatError(f"{path}: segment {name}: expected a record of signals, got one of segments.")
    return _measured(header, file, root)


def _layout(header: Header, path: Path, root: Path) -> tuple[SignalLine, ...]:
    name = header.segments[0].name
    layout = read_header(_header_of(name, path, root), layout=True)
    if layout.segments or layout.n_signals != header.n_signals or _differ(layout.rate_hz, header.rate_hz):
        raise FormatError(
            f"{path}: layout {name}: expected {header.n_signals} signals at {header.rate_hz:g} Hz, "
            f"got {layout.n_signals} at {layout.rate_hz:g} Hz."
        )
    names = [line.name for line in layout.signals]
    if len(set(names)) != len(names):
        raise FormatError(f"{path}: layout {name}: expected distinct signal names, got {', '.join(names)}.")
    return layout.signals


def _differ(one_hz: float, other_hz: float) -> bool:
    return abs(one_hz / other_hz - 1) > _RATE_TOLERANCE


def _contradictions(
    header: Header, n_frames: int, layout: tuple[SignalLine, ...], part: _Part, variable: bool
) -> list[str]:
    found, where = part.header, f"segment {part.header.name}"
    problems = []
    if _differ(found.rate_hz, header.rate_hz):
        problems.append(f"{where}: expected a rate of {header.rate_hz:g} Hz, got {found.rate_hz:g}")
    if found.n_frames != n_frames:
        problems.append(f"{where}: expected {n_frames} samples a signal, got {found.n_frames}")
    names = [line.name for line in found.signals]
    known = {line.name: line for line in layout}
    if variable and (len(set(names)) != len(names) or not known.keys() >= set(names)):
        problems.append(f"{where}: expected distinct signals of the layout, got {', '.join(names)}")
    if not variable and (len(names) != header.n_signals or names != [line.name for line in layout]):
        expected = ", ".join(line.name for line in layout)
        problems.append(f"{where}: expected {header.n_signals} signals ({expected}), got {', '.join(names)}")
    if problems:
        return problems
    for k, line in enumerate(found.signals):
        record = known[line.name] if variable else layout[k]
        if (line.units, line.per_frame) != (record.units, record.per_frame):
            problems.append(
                f"{where}: {line.name}: expected {record.per_frame} samples a frame in {record.units}, "
                f"got {line.per_frame} in {line.units}"
            )
    return problems


def _rows(layout: tuple[SignalLine, ...], signals: tuple[SignalLine, ...]) -> dict[int, int]:
    row_of = {line.name: row for row, line in enumerate(layout)}
    return {row: row_of[line.name] for row, line in enumerate(signals) if line.name in row_of}
