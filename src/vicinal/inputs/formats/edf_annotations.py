"""The annotations of an EDF+ or BDF+ file: time-stamped lists in bytes, read strictly.

Source: Kemp and Olivan 2003, section 2.2.2. Must not know samples.
"""

import re
from collections.abc import Iterator

from vicinal.errors import FormatError

__all__ = ["annotations_in", "record_onset"]

_ONSET = re.compile(rb"[+-]\d{1,9}(\.\d{1,9})?")
_DURATION = re.compile(rb"\d{1,9}(\.\d{1,9})?")


def record_onset(data: bytes, *, where: str) -> float:
    """Return the second at which a record begins: the onset of its first list, whose first text is empty.

    Raises:  FormatError: when there is none.
    """
    onset, texts = next(_lists(data, where), (0.0, ["missing"]))
    if texts[0]:
        raise FormatError(f"{where}: expected the record's own time first, got an annotation.")
    return onset


def annotations_in(data: bytes, *, where: str) -> list[tuple[float, str]]:
    """Return (second, text) of every annotation in a record's bytes, without the empty texts that keep time.

    Raises:  FormatError: when a list is not terminated, or an onset is not a number.
    """
    return [(onset, text) for onset, texts in _lists(data, where) for text in texts if text]


def _lists(data: bytes, where: str) -> Iterator[tuple[float, list[str]]]:
    body = data.rstrip(b"\0")
    if body and not body.endswith(b"\x14"):
        raise FormatError(f"{where}: expected every annotation to end with its mark; the last one does not.")
    for one in filter(None, body.split(b"\0")):
        head, *texts = one.split(b"\x14")
        onset, _, duration = head.partition(b"\x15")
        if not _ONSET.fullmatch(onset) or (duration and not _DURATION.fullmatch(duration)) or len(texts) < 2:
            raise FormatError(
                f"{where}: expected an annotation such as +1.5, then its text, got {one[:20]!r}."
            )
        if texts[-1]:
            raise FormatError(f"{where}: expected every annotation to end with its mark, got {one[:20]!r}.")
        try:
            yield float(onset), [text.decode() for text in texts[:-1]]
        except UnicodeDecodeError as error:
            raise FormatError(f"{where}: expected annotations in UTF-8: {error.reason}.") from error
