"""The header of an EDF, EDF+, BDF or BDF+ file, read strictly: a number that cannot be meant is an error.

Sources: Kemp et al. 1992 (EDF), Kemp and Olivan 2003 (EDF+), BioSemi (BDF). The fields that name the patient and the
recording are never decoded. Must not know samples.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from vicinal.errors import FormatError

__all__ = ["ANNOTATIONS", "EdfHeader", "EdfSignal", "parse_header", "read_header"]

ANNOTATIONS = ("EDF Annotations", "BDF Annotations")
"""Labels of signals that hold annotations instead of samples."""

_MAIN = 256
_MAX_SIGNALS = 4096
_MAX_RECORDS = 99_999_999
_MAX_RATE_HZ = 1e6
_MAX_NOTES = 1 << 20
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_DATE = re.compile(r"(0[1-9]|[12]\d|3[01])\.(0[1-9]|1[0-2])\.\d\d", re.ASCII)
_TIME = re.compile(r"([01]\d|2[0-3])\.[0-5]\d\.[0-5]\d", re.ASCII)
_KINDS = {"": True, "EDF+C": True, "BDF+C": True, "24BIT": True, "EDF+D": False, "BDF+D": False}
"""What the reserved field may begin with, and whether records then follow each other without gaps."""
_FIELDS = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)
"""Bytes of a signal's fields: label, transducer, unit, physical and digital range, filter, samples, reserved."""


@dataclass(frozen=True)
class EdfSignal:
    """One signal: physical = low + (digital - digital_low) * (high - low) / (digital_high - digital_low).

    Args:    unit: as written, "" where there is none.  n_samples: in each record.
    """

    label: str
    unit: str
    low: float
    high: float
    digital_low: int
    digital_high: int
    n_samples: int


@dataclass(frozen=True)
class EdfHeader:
    """What the header says.

    Args:    width: bytes of a sample, 2 (EDF) or 3 (BDF).  n_bytes: of the header.
             n_records: None when it says -1, "not known yet".  record_s: seconds of a record.
             gapless: whether it says that records follow each other.
    """

    width: int
    n_bytes: int
    n_records: int | None
    record_s: float
    gapless: bool
    signals: tuple[EdfSignal, ...]

    @property
    def record_bytes(self) -> int:
        """Bytes of a record."""
        return self.width * sum(signal.n_samples for signal in self.signals)


def read_header(path: Path) -> EdfHeader:
    """Read and check the header of a file.

    Raises:  FormatError: when it is not one; lists every problem.
    """
    with path.open("rb") as stream:
        main = stream.read(_MAIN)
        n_signals = main[252:256].strip()
        n = int(n_signals) if n_signals.isdigit() and int(n_signals) <= _MAX_SIGNALS else 0
        return parse_header(main + stream.read(n * _MAIN), where=str(path))


def parse_header(data: bytes, *, where: str) -> EdfHeader:
    """Parse and check the header bytes: 256, and 256 for each signal."""
    if len(data) < _MAIN:
        raise FormatError(f"{where}: expected a header of at least 256 bytes, got {len(data)}.")
    width = {b"0       ": 2, b"\xffBIOSEMI": 3}.get(data[:8], 0)
    if not width:
        raise FormatError(f"{where}: expected an EDF or BDF file, its first bytes are of neither.")
    problems: list[str] = []
    date, clock = _text(data, 168, 8), _text(data, 176, 8)
    if not _DATE.fullmatch(date) or not _TIME.fullmatch(clock):
        problems.append("start: expected a date as dd.mm.yy and a time as hh.mm.ss")
    n_signals = _whole(_text(data, 252, 4), "number of signals", 1, _MAX_SIGNALS, problems)
    n_bytes = _whole(_text(data, 184, 8), "bytes of the header", _MAIN, 1 << 30, problems)
    n_records = _whole(_text(data, 236, 8), "number of records", -1, _MAX_RECORDS, problems)
    record_s = _number(_text(data, 244, 8), "seconds of a record", problems)
    reserved = _text(data, 192, 44).split(" ")[0]
    if reserved not in _KINDS:
        problems.append(
            f"expected an EDF+ or BDF+ mark or nothing in the reserved field, got {reserved[:8]!r}"
        )
    if record_s <= 0:
        problems.append(f"seconds of a record: expected more than 0, got {record_s:g}")
    if n_records == 0:
        problems.append("number of records: expected at least 1, got 0")
    if n_bytes != _MAIN * (n_signals + 1):
        problems.append(
            f"bytes of the header: expected {_MAIN * (n_signals + 1)} for {n_signals} signals, got {n_bytes}"
        )
    if not problems and len(data) < n_bytes:
        problems.append(f"expected a header of {n_bytes} bytes, the file ends after {len(data)}")
    signals = () if problems else _signals(data[_MAIN:], n_signals, width, record_s, problems)
    if problems:
        raise FormatError(f"{where}: " + "; ".join(problems[:10]) + ".")
    return EdfHeader(
        width, n_bytes, None if n_records < 0 else n_records, record_s, _KINDS[reserved], signals
    )


def _signals(data: bytes, n: int, width: int, record_s: float, problems: list[str]) -> tuple[EdfSignal, ...]:
    starts = [n * sum(_FIELDS[:k]) for k in range(len(_FIELDS))]
    return tuple(
        _signal([data[start + k * size : start + (k + 1) * size] for start, size in zip(starts, _FIELDS, strict=True)],
                k, width, record_s, problems)
        for k in range(n)
    )  # fmt: skip


def _signal(fields: list[bytes], k: int, width: int, record_s: float, problems: list[str]) -> EdfSignal:
    label = fields[0].decode("ascii", errors="replace").strip()
    where = f"signal {k} ({label[:16]})"
    if not label or not label.isascii():
        problems.append(f"{where}: expected a label in ASCII")
    numbers = [field.decode("ascii", errors="replace").strip() for field in (*fields[3:7], fields[8])]
    low = _number(numbers[0], f"{where}: physical minimum", problems)
    high = _number(numbers[1], f"{where}: physical maximum", problems)
    largest = 1 << (8 * width - 1)
    digital = [
        _whole(text, f"{where}: digital {name}", -largest, largest - 1, problems)
        for text, name in zip(numbers[2:4], ("minimum", "maximum"), strict=True)
    ]
    n_samples = _whole(numbers[4], f"{where}: samples in a record", 1, 1 << 26, problems)
    if label not in ANNOTATIONS:
        if low == high:
            problems.append(f"{where}: expected a physical range, got {low:g} to {high:g}")
        if digital[0] >= digital[1]:
            problems.append(f"{where}: expected a digital range, got {digital[0]} to {digital[1]}")
        if n_samples > _MAX_RATE_HZ * record_s:
            problems.append(f"{where}: expected at most {_MAX_RATE_HZ:g} Hz, got {n_samples / record_s:g}")
    elif n_samples > _MAX_NOTES:
        problems.append(f"{where}: expected at most {_MAX_NOTES} samples in a record, got {n_samples}")
    return EdfSignal(label, _unit(fields[2], where, problems), low, high, digital[0], digital[1], n_samples)


def _unit(field: bytes, where: str, problems: list[str]) -> str:
    """Return the unit in ASCII: a micro sign, in any of the codes that programs write, is "u"."""
    for sign in (b"\xc2\xb5", b"\xce\xbc", b"\xb5"):
        field = field.replace(sign, b"u")
    unit = field.decode("ascii", errors="replace").strip()
    if not unit.isascii() or not unit.isprintable():
        problems.append(f"{where}: expected a unit in ASCII, got {unit!r}")
    return unit


def _text(data: bytes, start: int, size: int) -> str:
    return data[start : start + size].decode("ascii", errors="replace").strip()


def _whole(text: str, what: str, low: int, high: int, problems: list[str]) -> int:
    if re.fullmatch(r"[+-]?\d{1,9}", text, re.ASCII) and low <= int(text) <= high:
        return int(text)
    problems.append(f"{what}: expected a whole number in {low} to {high}, got {text[:12]!r}")
    return 1


def _number(text: str, what: str, problems: list[str]) -> float:
    if _NUMBER.fullmatch(text) and abs(float(text)) < 1e30:
        return float(text)
    problems.append(f"{what}: expected a number, got {text[:12]!r}")
    return 1.0
