"""The header of a WFDB record, read strictly: a number that cannot be meant is an error, never a default.

Source: PhysioNet, WFDB Applications Guide, header(5). Stricter: rate and gain must be stated. Must not know
samples, nor open any file but the header.
"""

import math
import re
from dataclasses import dataclass
from pathlib import Path

from vicinal.errors import FormatError
from vicinal.inputs.formats.wfdb_storage import FLAC_BITS, FORMATS

__all__ = ["GAP", "Header", "SegmentLine", "SignalLine", "parse_header", "read_header"]

GAP = "~"
"""The name of a segment without samples, and of the signal files of a layout."""

_MAX_HEADER_BYTES = 1 << 20
_MAX_SIGNALS = 4096
_MAX_SEGMENTS = 1 << 16
_MAX_RATE_HZ = 1e6
_MAX_SAMPLES = 10**12
_MAX_PER_FRAME = 1 << 16
_MAX_NAMED = 8
_INT32 = (-(2**31), 2**31 - 1)

# Every repetition is bounded: an expression that may backtrack over a megabyte of digits never ends.
_INT = r"[+-]?\d{1,15}"
_NUMBER = r"[+-]?(?:\d{1,20}(?:\.\d{0,20})?|\.\d{1,20})(?:[eE][+-]?\d{1,4})?"
_COUNTER = re.compile(rf"(?P<rate>{_NUMBER})(?:/{_NUMBER}(?:\({_NUMBER}\))?)?", re.ASCII)
_STORAGE = re.compile(
    r"(?P<format>\d{1,4})(?:x(?P<frame>\d{1,15}))?(?::(?P<skew>\d{1,15}))?(?:\+(?P<offset>\d{1,15}))?",
    re.ASCII,
)
_GAIN = re.compile(rf"(?P<gain>{_NUMBER})(?:\((?P<baseline>{_INT})\))?(?:/(?P<units>\S+))?", re.ASCII)
_SEGMENT = re.compile(r"[A-Za-z0-9_-]{1,200}|~")
_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True)
class SignalLine:
    """What the header says about one signal.

    Args:    file: name of the file that holds it.  storage: a key of FORMATS or FLAC_BITS.
             per_frame: samples in each frame.  skew: frames by which the file has it late.
             offset: bytes before the samples (FLAC: samples before the first).
             gain: digital values per unit.  baseline: digital value of 0.  units: physical unit.
             initial: the first digital value, or None.  checksum: sum of the digital values modulo 65536, or
             None when it is not stated or 0.  name: of the channel.
    """

    file: str
    storage: str
    gain: float
    baseline: int
    units: str
    name: str
    per_frame: int = 1
    skew: int = 0
    offset: int = 0
    initial: int | None = None
    checksum: int | None = None


@dataclass(frozen=True)
class SegmentLine:
    """One segment of a record: the name of the record that holds it, or GAP, and its length in frames."""

    name: str
    n_frames: int


@dataclass(frozen=True)
class Header:
    """What the header says: frames a second, frames (None: not stated), and the signals or the segments.

    Args:    n_signals: how many signals the record has, also where only its segments list them.
    """

    name: str
    rate_hz: float
    n_frames: int | None
    n_signals: int
    signals: tuple[SignalLine, ...] = ()
    segments: tuple[SegmentLine, ...] = ()


def read_header(path: Path, *, layout: bool = False) -> Header:
    """Read and check a `.hea` file.

    Args:    layout: whether it is the layout of a record of several segments, which has signals but no files.
    Raises:  FormatError: when it is not the header of a record; lists every problem.
    """
    with path.open("rb") as stream:
        data = stream.read(_MAX_HEADER_BYTES + 1)
    if len(data) > _MAX_HEADER_BYTES:
        raise FormatError(f"{path}: expected a header of at most {_MAX_HEADER_BYTES} bytes, got more.")
    return parse_header(data, where=str(path), stem=path.stem, layout=layout)


def parse_header(data: bytes, *, where: str, stem: str, layout: bool = False) -> Header:
    """Parse and check the content of a `.hea` file; `stem` is the record name that the file name gives."""
    if b"\0" in data:
        raise FormatError(f"{where}: expected text, got NUL bytes; this is not a WFDB header.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    lines = [line.strip() for line in _LINE_END.split(text)]
    lines = [line for line in lines if line and not line.startswith("#")]
    if not lines:
        raise FormatError(f"{where}: expected a record line, got an empty header.")
    problems: list[str] = []
    header, n_segments = _record_line(lines[0], stem, layout, problems)
    expected, what = (n_segments, "segment") if n_segments else (header.n_signals, "signal")
    if not problems and len(lines) - 1 != expected:
        problems.append(f"expected {expected} {what} lines, got {len(lines) - 1}")
    if not problems and n_segments:
        header = _with_segments(header, lines[1:], problems)
    elif not problems:
        found = [_signal_line(line, index, layout, problems) for index, line in enumerate(lines[1:])]
        signals = tuple(line for line in found if line is not None)
        header = Header(header.name, header.rate_hz, header.n_frames, header.n_signals, signals)
    if problems:
        further = f"; and {len(problems) - _MAX_NAMED} more" if len(problems) > _MAX_NAMED else ""
        raise FormatError(f"{where}: " + "; ".join(problems[:_MAX_NAMED]) + further + ".")
    return header


def _record_line(line: str, stem: str, layout: bool, problems: list[str]) -> tuple[Header, int]:
    """Return the header without its lines, and how many segments it has; 0: it is not of segments."""
    fields = line.split()
    name, slash, count = fields[0].rpartition("/")
    n_segments = 0
    if slash and re.fullmatch(r"[+-]?\d+", count, re.ASCII) and not _is_path(fields[0], stem):
        n_segments = _whole(count, "number of segments", (1, _MAX_SEGMENTS), problems)
    else:
        name = fields[0]
    name = name.rpartition("/")[2]
    if name != stem:
        problems.append(
            f"record name {_shown(name)!r} differs from the file's name {_shown(stem)!r}; rename the file"
        )
    fields += [""] * (4 - len(fields))
    n_signals = _whole(fields[1], "number of signals", (1, _MAX_SIGNALS), problems)
    counter = _COUNTER.fullmatch(fields[2])
    rate_hz = float(counter["rate"]) if counter else math.nan
    if not 0 < rate_hz <= _MAX_RATE_HZ:
        problems.append(
            f"rate: expected more than 0 and at most {_MAX_RATE_HZ:g} Hz, got {_shown(fields[2])}"
        )
    n_frames = (
        _whole(fields[3], "samples a signal", (0, _MAX_SAMPLES), problems) or None if fields[3] else None
    )
    return Header(name, rate_hz, None if layout else n_frames, n_signals), n_segments


def _is_path(text: str, stem: str) -> bool:
    """Whether the name of record `stem`, a number, stands behind a folder, rather than a count of segments."""
    return text.endswith(f"/{stem}") and text.split("/")[-2:] != [stem, stem]


def _with_segments(header: Header, lines: list[str], problems: list[str]) -> Header:
    segments = []
    for index, line in enumerate(lines):
        fields = [*line.split(), ""]
        if not _SEGMENT.fullmatch(fields[0]):
            problems.append(f"segment {index}: expected the name of a record, got {_shown(fields[0])}")
        # Only a layout, which comes first, has no samples.
        least = 1 if index or fields[0] == GAP else 0
        n_frames = _whole(fields[1], f"segment {index}: samples a signal", (least, _MAX_SAMPLES), problems)
        segments.append(SegmentLine(fields[0], n_frames))
    total = sum(segment.n_frames for segment in segments)
    if not problems and header.n_frames not in (None, total):
        problems.append(f"expected segments of {header.n_frames} samples together, got {total}")
    if not problems and total == 0:
        problems.append("expected segments with samples, got none")
    return Header(header.name, header.rate_hz, total, header.n_signals, segments=tuple(segments))


def _signal_line(line: str, index: int, layout: bool, problems: list[str]) -> SignalLine | None:
    where, before = f"signal {index}", len(problems)
    fields = line.split(maxsplit=8)
    text = [*fields, "", ""]
    storage = _STORAGE.fullmatch(text[1])
    gain = _GAIN.fullmatch(text[2])
    if storage is None or storage["format"] not in {*FORMATS, *FLAC_BITS, *(["0"] if layout else [])}:
        known = ", ".join((*FORMATS, *FLAC_BITS))
        problems.append(f"{where}: expected a storage format among {known}, got {_shown(text[1])}")
    elif not 1 <= int(storage["frame"] or 1) <= _MAX_PER_FRAME:
        problems.append(f"{where}: expected 1 to {_MAX_PER_FRAME} samples a frame, got {_shown(text[1])}")
    if layout and fields[0] != GAP:
        problems.append(f"{where}: expected a layout, whose files are all {GAP}, got {_shown(fields[0])}")
    scale = float(gain["gain"]) if gain else math.nan
    if not 1e-9 <= abs(scale) <= 1e12:
        problems.append(f"{where}: expected a gain (digital values per unit, not 0), got {_shown(text[2])}")
    whole = [_whole(number, where, _INT32, problems) for number in fields[3:8]]
    baseline = whole[1] if len(whole) > 1 else 0
    if gain and gain["baseline"] is not None:
        baseline = _whole(gain["baseline"], f"{where}: baseline", _INT32, problems)
    if len(problems) > before or storage is None or gain is None:
        return None
    return SignalLine(
        file=fields[0],
        storage=storage["format"],
        per_frame=int(storage["frame"] or 1),
        skew=int(storage["skew"] or 0),
        offset=int(storage["offset"] or 0),
        gain=scale,
        baseline=baseline,
        units=gain["units"] or "mV",  # the format's own default
        initial=whole[2] if len(whole) > 2 else None,
        checksum=whole[3] % 65536 or None if len(whole) > 3 else None,
        name=fields[8].strip() if len(fields) > 8 else str(index),
    )


def _whole(text: str, what: str, limits: tuple[int, int], problems: list[str]) -> int:
    low, high = limits
    if re.fullmatch(_INT, text, re.ASCII) and low <= int(text) <= high:
        return int(text)
    problems.append(f"{what}: expected a whole number in {low} to {high}, got {_shown(text)}")
    return 0


def _shown(text: str) -> str:
    """Return a field for a message: printable and short, for it may be a megabyte of anything."""
    short = text if len(text) <= 40 else f"{text[:40]}..."
    return (short if short.isprintable() else repr(short)) or "none"
