"""Read recordings from a `.ts` file, as the UCR and UEA archives and their libraries write them: one signal a line.

`@` lines state what follows: channels are separated by colons, the class stands last. Equally or unequally long;
time stamps are refused. Source: the file format specification of sktime. Must not know data sets.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from vicinal.errors import FormatError
from vicinal.inputs.formats.arrays import MAX_BYTES, signal_of, to_float32
from vicinal.inputs.formats.cells import parse_numbers
from vicinal.inputs.formats.rowfile import RowFile, only_signal
from vicinal.inputs.formats.stated import Stated
from vicinal.signal import Signal

__all__ = ["open_ts", "read_ts"]

_MAX_LINE = 4 << 20
_KNOWN = (
    "problemname", "timestamps", "missing", "univariate", "dimension", "dimensions", "equallength", "serieslength",
    "classlabel", "targetlabel",
)  # fmt: skip


@dataclass(frozen=True)
class _Head:
    """What the `@` lines state: how many channels (None: not stated), how long, if equally, and the classes."""

    n_channels: int | None
    n_positions: int | None
    is_equal: bool
    has_label: bool
    classes: tuple[str, ...]


def read_ts(path: Path, stated: Stated) -> Signal:
    """Read the one signal of a file.

    Raises:  FormatError: when it holds several, or is not what its head says.
    """
    return only_signal(open_ts(path, stated), path=path)


def open_ts(path: Path, stated: Stated) -> RowFile:
    """Parse the signals of a file, once; `?` and NaN are missing samples.

    Returns: its rows; the column `label` where the head states classes.
    Raises:  FormatError: when a line is not what the head says; names the line.
    """
    if path.stat().st_size > MAX_BYTES:
        raise FormatError(f"{path}: expected at most {MAX_BYTES} bytes, got {path.stat().st_size}.")
    fields: dict[str, list[str]] = {}
    head: _Head | None = None
    samples: list[Float32[np.ndarray, "channels time"]] = []
    labels: list[str] = []
    with path.open("rb") as stream:
        number = 0
        while raw := stream.readline(_MAX_LINE):
            number += 1
            line = _text(raw, number, path)
            if not line or line.startswith("#"):
                continue
            if head is None and line.lower() == "@data":
                head = _head(fields, path)
            elif head is None:
                _field(line, number, fields, path)
            else:
                values, label = _signal(line, number, head, path)
                samples.append(values)
                labels.append(label)
    if head is None or not samples:
        raise FormatError(f"{path}: expected '@data' and lines below it, got none.")
    if len({len(one) for one in samples}) > 1:
        raise FormatError(f"{path}: expected as many channels on each line, got different numbers.")
    if head.is_equal and len({one.shape[1] for one in samples}) > 1:
        raise FormatError(
            f"{path}: expected signals of equal length as '@equalLength true' says, got others."
        )

    def read(row: int) -> Signal:
        return signal_of(samples[row], path=path, stated=stated, row=row)

    return RowFile(len(samples), read, {"label": tuple(labels)} if head.has_label else {})


def _text(raw: bytes, number: int, path: Path) -> str:
    if len(raw) >= _MAX_LINE:
        raise FormatError(f"{path}: line {number}: expected at most {_MAX_LINE} bytes, got more.")
    try:
        text = raw.decode("utf-8-sig" if number == 1 else "utf-8").strip()
    except UnicodeDecodeError as error:
        raise FormatError(f"{path}: line {number}: expected UTF-8 text: {error.reason}.") from error
    if "\0" in text:
        raise FormatError(f"{path}: line {number}: expected text, got NUL characters.")
    return text


def _field(line: str, number: int, fields: dict[str, list[str]], path: Path) -> None:
    name, *values = line.split()
    key = name[1:].lower()
    if not name.startswith("@") or key not in _KNOWN or key in fields:
        raise FormatError(
            f"{path}: line {number}: expected a line such as '@univariate true', once, got {name[:40]!r}."
        )
    fields[key] = values


def _head(fields: dict[str, list[str]], path: Path) -> _Head:
    problems = []
    if _first(fields, "timestamps") == "true":
        problems.append("signals with time stamps are not read")
    n_channels = _count(fields, "dimensions", problems) or _count(fields, "dimension", problems)
    if _first(fields, "univariate") == "true":
        if n_channels not in (None, 1):
            problems.append(f"univariate, but {n_channels} dimensions")
        n_channels = 1
    n_positions = (
        None if _first(fields, "equallength") == "false" else _count(fields, "serieslength", problems)
    )
    label = fields.get("classlabel", ["false"])
    has_label = bool(label) and label[0].lower() == "true"
    if has_label and len(label) < 2:
        problems.append("'@classLabel true' names no classes")
    if problems:
        raise FormatError(f"{path}: " + "; ".join(problems) + ".")
    return _Head(
        n_channels, n_positions, _first(fields, "equallength") == "true", has_label, tuple(label[1:])
    )


def _first(fields: dict[str, list[str]], key: str) -> str:
    return fields.get(key, [""])[0].lower() if fields.get(key) else ""


def _count(fields: dict[str, list[str]], key: str, problems: list[str]) -> int | None:
    text = _first(fields, key)
    if not text:
        return None
    if text.isascii() and text.isdecimal() and len(text) < 10 and int(text) > 0:
        return int(text)
    problems.append(f"@{key}: expected a whole number above 0, got {text[:20]!r}")
    return None


def _signal(
    line: str, number: int, head: _Head, path: Path
) -> tuple[Float32[np.ndarray, "channels time"], str]:
    parts = line.split(":")
    label = parts.pop().strip() if head.has_label else ""
    where = f"{path}: line {number}"
    if head.has_label and label not in head.classes:
        raise FormatError(
            f"{where}: expected a class among {', '.join(head.classes[:10])}, got {label[:40]!r}."
        )
    if not parts or (head.n_channels is not None and len(parts) != head.n_channels):
        raise FormatError(f"{where}: expected {head.n_channels or 1} channels, got {len(parts)}.")
    channels = [_channel(part, where) for part in parts]
    lengths = {len(channel) for channel in channels}
    if len(lengths) > 1 or (head.n_positions is not None and lengths != {head.n_positions}):
        expected = head.n_positions or len(channels[0])
        raise FormatError(f"{where}: expected {expected} values in each channel, got {sorted(lengths)[:5]}.")
    return to_float32(np.stack(channels), where=where), label


def _channel(part: str, where: str) -> np.ndarray:
    cells = ["" if cell.strip() == "?" else cell.strip() for cell in part.split(",")]
    numbers = parse_numbers(("\n".join(cells) + "\n").encode(), n=len(cells))
    if numbers is None:
        raise FormatError(f"{where}: expected numbers separated by commas, got {part[:40]!r}.")
    return numbers
