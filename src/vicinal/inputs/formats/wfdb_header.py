"""The header of a WFDB record, read strictly: a number that cannot be meant is an error, never a default.

Source: PhysioNet, WFDB Applications Guide, header(5). Stricter: rate and gain must be stated, and records of
several segments, several samples a frame and skewed signals are refused. Must not know samples.
"""

import math
import re
from dataclasses import dataclass
from pathlib import Path

from vicinal.errors import FormatError

__all__ = ["FORMATS", "Header", "SignalLine", "parse_header", "read_header"]

FORMATS = {
    "16": 16,
    "24": 24,
    "32": 32,
    "61": 16,
    "80": 8,
    "160": 16,
    "212": 12,
    "310": 32 / 3,
    "311": 32 / 3,
}
"""Bits a sample takes, by storage format."""

_MAX_HEADER_BYTES = 1 << 20
_MAX_SIGNALS = 4096
_MAX_RATE_HZ = 1e6

_INT = r"[+-]?\d{1,15}"
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_COUNTER = re.compile(rf"(?P<rate>{_NUMBER})(?:/{_NUMBER}(?:\({_NUMBER}\))?)?", re.ASCII)
_STORAGE = re.compile(
    r"(?P<format>\d+)(?:x(?P<frame>\d+))?(?::(?P<skew>\d+))?(?:\+(?P<offset>\d{1,15}))?", re.ASCII
)
_GAIN = re.compile(rf"(?P<gain>{_NUMBER})(?:\((?P<baseline>{_INT})\))?(?:/(?P<units>\S+))?", re.ASCII)


@dataclass(frozen=True)
class SignalLine:
    """What the header says about one signal.

    Args:    file: name of the file that holds it.  storage: a key of FORMATS.
             offset: bytes before the samples.
             gain: digital values per unit.  baseline: digital value of 0.  units: physical unit.
             initial: the first digital value, or None.  checksum: sum of the digital values modulo 65536, or
             None when it is not stated or 0.  name: of the channel.
    """

    file: str
    storage: str
    offset: int
    gain: float
    baseline: int
    units: str
    initial: int | None
    checksum: int | None
    name: str


@dataclass(frozen=True)
class Header:
    """What the header says: the rate in Hz, the samples a signal (None: not stated), and the signals."""

    name: str
    rate_hz: float
    n_samples: int | None
    signals: tuple[SignalLine, ...]


def read_header(path: Path) -> Header:
    """Read and check a `.hea` file.

    Raises:  FormatError: when it is not the header of a record that is read here; lists every problem.
    """
    size = path.stat().st_size
    if size > _MAX_HEADER_BYTES:
        raise FormatError(f"{path}: expected a header of at most {_MAX_HEADER_BYTES} bytes, got {size}.")
    return parse_header(path.read_bytes(), where=str(path), stem=path.stem)


def parse_header(data: bytes, *, where: str, stem: str) -> Header:
    """Parse and check the content of a `.hea` file; `stem` is the record name that the file name gives."""
    if b"\0" in data:
        raise FormatError(f"{where}: expected text, got NUL bytes; this is not a WFDB header.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    if not lines:
        raise FormatError(f"{where}: expected a record line, got an empty header.")
    problems: list[str] = []
    name, n_signals, rate_hz, n_samples = _record_line(lines[0], stem, problems)
    if not problems and len(lines) - 1 != n_signals:
        problems.append(f"expected {n_signals} signal lines, got {len(lines) - 1}")
    signals = (
        [] if problems else [_signal_line(line, index, problems) for index, line in enumerate(lines[1:])]
    )
    if problems:
        raise FormatError(f"{where}: " + "; ".join(problems) + ".")
    return Header(name, rate_hz, n_samples, tuple(line for line in signals if line is not None))


def _record_line(line: str, stem: str, problems: list[str]) -> tuple[str, int, float, int | None]:
    fields = line.split()
    name, _, segments = fields[0].partition("/") if "/" in fields[0] else (fields[0], "", "")
    if segments.isdecimal():
        problems.append(f"record of {segments} segments: only records of one segment are read")
        return name, 0, 0.0, None
    name = fields[0].rpartition("/")[2]
    if name != stem:
        problems.append(f"record name {name!r} differs from the file's name {stem!r}; rename the file")
    n_signals = _whole(fields[1] if len(fields) > 1 else "", "number of signals", 1, _MAX_SIGNALS, problems)
    counter = _COUNTER.fullmatch(fields[2]) if len(fields) > 2 else None
    rate_hz = float(counter["rate"]) if counter else math.nan
    if not 0 < rate_hz <= _MAX_RATE_HZ:
        found = fields[2] if len(fields) > 2 else "none"
        problems.append(f"rate: expected more than 0 and at most {_MAX_RATE_HZ:g} Hz, got {found}")
    n_samples = _whole(fields[3], "samples a signal", 0, 10**12, problems) if len(fields) > 3 else 0
    return name, n_signals, rate_hz, n_samples or None


def _signal_line(line: str, index: int, problems: list[str]) -> SignalLine | None:
    where, before = f"signal {index}", len(problems)
    fields = line.split(maxsplit=8)
    storage = _STORAGE.fullmatch(fields[1]) if len(fields) > 1 else None
    gain = _GAIN.fullmatch(fields[2]) if len(fields) > 2 else None
    if storage is None or storage["format"] not in FORMATS:
        found = fields[1] if len(fields) > 1 else "none"
        problems.append(f"{where}: expected a storage format among {', '.join(FORMATS)}, got {found}")
    elif int(storage["frame"] or 1) != 1 or int(storage["skew"] or 0) != 0:
        problems.append(f"{where}: expected one sample a frame and no skew, got {fields[1]}")
    scale = float(gain["gain"]) if gain else math.nan
    if not 1e-9 <= abs(scale) <= 1e12:
        found = fields[2] if len(fields) > 2 else "none"
        problems.append(f"{where}: expected a gain (digital values per unit, not 0), got {found}")
    whole = [_whole(text, where, -(2**31), 2**31 - 1, problems) for text in fields[3:8]]
    zero = whole[1] if len(whole) > 1 else 0
    baseline = zero
    if gain and gain["baseline"] is not None:
        baseline = _whole(gain["baseline"], f"{where}: baseline", -(2**31), 2**31 - 1, problems)
    if len(problems) > before or storage is None or gain is None:
        return None
    return SignalLine(
        file=fields[0],
        storage=storage["format"],
        offset=int(storage["offset"] or 0),
        gain=scale,
        baseline=baseline,
        units=gain["units"] or "mV",  # the format's own default
        initial=whole[2] if len(whole) > 2 else None,
        checksum=whole[3] % 65536 or None if len(whole) > 3 else None,
        name=fields[8].strip() if len(fields) > 8 else str(index),
    )


def _whole(text: str, what: str, low: int, high: int, problems: list[str]) -> int:
    if re.fullmatch(r"[+-]?\d{1,15}", text, re.ASCII) and low <= int(text) <= high:
        return int(text)
    problems.append(f"{what}: expected a whole number in {low} to {high}, got {text or 'none'}")
    return 0
