"""The annotation file of a WFDB record, checked word by word before `wfdb` reads it.

Source: PhysioNet, WFDB Applications Guide, annot(5), MIT format. Must not know samples.
"""

from pathlib import Path

from vicinal.errors import FormatError
from vicinal.inputs.formats.wfdb_library import events
from vicinal.signal import Events

__all__ = ["check_annotations", "read_annotations"]

_SKIP, _AUX, _LAST_CODE = 59, 63, 49
_MODIFIERS = (60, 61, 62)


def read_annotations(path: Path, *, n_samples: int) -> Events:
    """Read the events of a record of `n_samples` samples from its annotation file.

    Raises:  FormatError: when the file is cut short, or an event is outside the record or unknown.
    """
    check_annotations(path.read_bytes(), where=str(path), n_samples=n_samples)
    positions, symbols = events(path)
    if "" in symbols:
        at = positions[symbols.index("")]
        raise FormatError(f"{path}: the event at sample {at} has no known symbol.")
    return Events(positions, symbols)


def check_annotations(data: bytes, *, where: str, n_samples: int) -> None:
    """Walk through the words of an annotation file.

    Raises:  FormatError: naming the byte where the file cannot be what it claims to be.
    """
    at, time = 0, 0
    while True:
        if at + 2 > len(data):
            raise FormatError(
                f"{where}: expected an end mark, the file ends at byte {len(data)}; it is cut short."
            )
        word = int.from_bytes(data[at : at + 2], "little")
        code, value = word >> 10, word & 0x3FF
        at += 2
        if word == 0:
            break
        if code == _SKIP:
            high, low = data[at : at + 2], data[at + 2 : at + 4]
            step = int.from_bytes(low + high, "little", signed=True)
            at += 4
            if step < 0:
                raise FormatError(
                    f"{where}: byte {at}: expected times that do not decrease, got a step of {step}."
                )
            time += step
        elif code == _AUX:
            at += value + value % 2
        elif code <= _LAST_CODE:
            time += value
            if time >= n_samples:
                raise FormatError(
                    f"{where}: byte {at}: expected events within {n_samples} samples, got one at {time}."
                )
        elif code not in _MODIFIERS:
            raise FormatError(f"{where}: byte {at}: unknown annotation code {code}.")
    if any(data[at:]):
        raise FormatError(f"{where}: {len(data) - at} bytes follow the end mark at byte {at}.")
