"""The events of a WFDB record: an annotation file of any annotator, decoded word by word.

A file is a row of 16-bit words, a code in the upper 6 bits and a step in time in the lower 10; times count
frames of the record, or ticks where the file states a resolution of its own. Source: PhysioNet, WFDB
Applications Guide, annot(5), MIT format. Must not know samples.
"""

import math
import re
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Int64, UInt16

from vicinal.errors import FormatError
from vicinal.signal import Events

__all__ = ["SYMBOLS", "parse_annotations", "read_annotations"]

# fmt: off
SYMBOLS: dict[int, str] = {
    1: "N", 2: "L", 3: "R", 4: "a", 5: "V", 6: "F", 7: "J", 8: "A", 9: "S", 10: "E", 11: "j", 12: "/", 13: "Q",
    14: "~", 16: "|", 18: "s", 19: "T", 20: "*", 21: "D", 22: '"', 23: "=", 24: "p", 25: "B", 26: "^", 27: "t",
    28: "+", 29: "u", 30: "?", 31: "!", 32: "[", 33: "]", 34: "e", 35: "n", 36: "@", 37: "x", 38: "f", 39: "(",
    40: ")", 41: "r",
}
# fmt: on
"""Code of an event -> its symbol; a file may define further ones."""

_NOTE, _LAST_CODE, _LAST_RESERVED, _SKIP, _AUX = 22, 49, 58, 59, 63
_SPARE_BYTES = 4 << 20
_RESOLUTION = re.compile(r"## time resolution: (\d{1,9}(?:\.\d{0,9})?)", re.ASCII)
_DEFINITION = re.compile(r"(\d{1,2}) (\S{1,20})(?: .*)?", re.ASCII | re.DOTALL)
_BEGIN, _FINISH = "## annotation type definitions", "## end of definitions"


def read_annotations(path: Path, *, n_frames: int, rate_hz: float, per_frame: int = 1) -> Events:
    """Read the events of a record of `n_frames` frames from its annotation file.

    Args:    rate_hz: frames a second.  per_frame: positions in a frame; those returned count positions.
    Raises:  FormatError: when the file is cut short, or an event is outside the record or unknown.
    """
    # One event for every 8 frames is more than any annotator writes.
    limit = _SPARE_BYTES + n_frames // 4
    with path.open("rb") as stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        raise FormatError(f"{path}: expected at most {limit} bytes for {n_frames} samples, got more.")
    return parse_annotations(data, where=str(path), n_frames=n_frames, rate_hz=rate_hz, per_frame=per_frame)


def parse_annotations(
    data: bytes, *, where: str, n_frames: int, rate_hz: float, per_frame: int = 1
) -> Events:
    """Decode the content of an annotation file; see `read_annotations`."""
    words = np.frombuffer(data, dtype="<u2", count=len(data) // 2)
    own, jumps, texts, modifier = _fields(words)
    ends = np.flatnonzero(own & (words == 0))
    if not len(ends):
        raise FormatError(
            f"{where}: expected an end mark, the file ends at byte {len(data)}; it is cut short."
        )
    end = int(ends[0])
    if any(data[2 * end + 2 :]):
        raise FormatError(f"{where}: {len(data) - 2 * end - 2} bytes follow the end mark at byte {2 * end}.")
    codes = words[:end] >> 10
    times = _times(words[:end], own[:end], jumps)
    at = np.flatnonzero(own[:end] & (codes > 0))
    _check(codes, own[:end], times, at, modifier, where)
    notes = _opening_notes(texts, times, codes, at)
    resolution_hz, defined = _definitions(notes, where)
    at = np.delete(at, np.searchsorted(at, np.array([owner for owner, _ in notes], dtype=np.int64)))
    symbols = _symbols(codes[at], times[at], SYMBOLS | defined, where)
    return Events(_positions(times[at], at, n_frames, rate_hz, per_frame, resolution_hz, where), symbols)


def _fields(
    words: UInt16[np.ndarray, " words"],
) -> tuple[Bool[np.ndarray, " words"], list[tuple[int, int]], list[tuple[int, str]], int | None]:
    """Return which words are events or the end, where jumps and texts are, and the first that adds to an event."""
    own = np.ones(len(words), dtype=bool)
    jumps, texts, modifier, free = [], [], None, 0
    for at in np.flatnonzero(words >> 10 > _LAST_RESERVED).tolist():
        if at < free:
            continue  # inside a jump or a text
        code, value = int(words[at]) >> 10, int(words[at]) & 0x3FF
        free = at + (3 if code == _SKIP else 1 + (value + 1) // 2 if code == _AUX else 1)
        own[at:free] = False
        modifier = at if modifier is None and code != _SKIP else modifier
        if code == _SKIP and free <= len(words):
            step = int(words[at + 1]) << 16 | int(words[at + 2])
            jumps.append((at, step - (1 << 32) if step >> 31 else step))
        elif code == _AUX:
            texts.append((at, words[at + 1 : free].tobytes()[:value].decode("latin-1").rstrip("\0")))
    return own, jumps, texts, modifier


def _times(
    words: UInt16[np.ndarray, " words"], own: Bool[np.ndarray, " words"], jumps: list[tuple[int, int]]
) -> Int64[np.ndarray, " words"]:
    steps = np.where(own, words & 0x3FF, 0).astype(np.int64)
    for at, step in jumps:
        if at < len(words):
            steps[at] = step
    return np.cumsum(steps)


def _check(
    codes: UInt16[np.ndarray, " words"],
    own: Bool[np.ndarray, " words"],
    times: Int64[np.ndarray, " words"],
    at: Int64[np.ndarray, " n"],
    modifier: int | None,
    where: str,
) -> None:
    reserved = np.flatnonzero(own & (codes > _LAST_CODE))
    if len(reserved):
        first = int(reserved[0])
        raise FormatError(f"{where}: byte {2 * first}: unknown annotation code {codes[first]}.")
    if modifier is not None and modifier < len(codes) and not (len(at) and at[0] < modifier):
        raise FormatError(f"{where}: byte {2 * modifier}: expected an event before what belongs to one.")
    # A single jump may go back, and does after definitions; what may not are the events.
    steps = np.diff(times[at], prepend=0)
    back = np.flatnonzero(steps < 0)
    if len(back):
        first = int(back[0])
        raise FormatError(
            f"{where}: byte {2 * int(at[first])}: expected times that do not decrease, got a step of {steps[first]}."
        )


def _opening_notes(
    texts: list[tuple[int, str]],
    times: Int64[np.ndarray, " words"],
    codes: UInt16[np.ndarray, " words"],
    at: Int64[np.ndarray, " n"],
) -> list[tuple[int, str]]:
    """Return the notes at time 0 that are about the file itself, each with the word of its event."""
    found, inside = [], False
    for place, text in texts:
        if place >= len(times) or times[place] > 0:
            break
        owner = int(at[np.searchsorted(at, place) - 1])
        inside |= text == _BEGIN
        if codes[owner] == _NOTE and (inside or text == _FINISH or _RESOLUTION.fullmatch(text)):
            found.append((owner, text))
        inside &= text != _FINISH
    return found


def _definitions(notes: list[tuple[int, str]], where: str) -> tuple[float | None, dict[int, str]]:
    """Return the ticks a second that a file states, if it does, and the codes it defines."""
    resolution_hz, defined, problems = None, {}, []
    for _, text in notes:
        stated, definition = _RESOLUTION.fullmatch(text), _DEFINITION.fullmatch(text)
        if stated:
            resolution_hz = float(stated[1])
            if not 0 < resolution_hz < math.inf:
                problems.append(f"expected a time resolution above 0, got {stated[1]}")
        elif definition and 0 < int(definition[1]) <= _LAST_CODE:
            defined[int(definition[1])] = definition[2]
        elif text not in (_BEGIN, _FINISH):
            problems.append(f"expected a code, a symbol and a description, got {text[:40]!r}")
    if problems:
        raise FormatError(f"{where}: " + "; ".join(problems[:8]) + ".")
    return resolution_hz, defined


def _symbols(
    codes: UInt16[np.ndarray, " n"], times: Int64[np.ndarray, " n"], known: dict[int, str], where: str
) -> tuple[str, ...]:
    unknown = [code for code in np.unique(codes).tolist() if code not in known]
    if unknown:
        first = times[np.isin(codes, unknown)][0]
        raise FormatError(
            f"{where}: the event at sample {first} has no known symbol; unknown annotation codes: "
            f"{', '.join(map(str, unknown))}."
        )
    return tuple(map(known.__getitem__, codes.tolist()))


def _positions(
    times: Int64[np.ndarray, " n"],
    at: Int64[np.ndarray, " n"],
    n_frames: int,
    rate_hz: float,
    per_frame: int,
    resolution_hz: float | None,
    where: str,
) -> Int64[np.ndarray, " n"]:
    if resolution_hz in (None, rate_hz):
        positions = times * per_frame
    else:
        positions = np.rint(times * (rate_hz * per_frame / resolution_hz)).astype(np.int64)
    n_positions = n_frames * per_frame
    beyond = np.flatnonzero(positions >= n_positions)
    if len(beyond):
        first = int(beyond[0])
        raise FormatError(
            f"{where}: byte {2 * int(at[first])}: expected events within {n_positions} samples, "
            f"got one at {positions[first]}."
        )
    return positions
