"""MIT-BIH Arrhythmia Database: 48 records of half an hour, two leads at 360 Hz, every beat annotated.

Whole records with their annotations or with the classes of their beats as events, or single beats as recordings.
Records 201 and 202 are one man, so they share a subject. Source: Moody and Mark 2001, doi:10.1109/51.932724; the two
halves are de Chazal's (2004). Knows where things lie and who is who; must not know contracts.
"""

import functools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vicinal.errors import ExperimentError, FormatError, PathError, did_you_mean
from vicinal.inputs.datasets.catalogue import Catalogue, Recording
from vicinal.inputs.formats.reading import read as read_file
from vicinal.inputs.formats.wfdb_annotations import read_annotations
from vicinal.inputs.formats.wfdb_header import read_header
from vicinal.signal import Events, Signal

__all__ = ["BEATS", "BEAT_MAPS", "CLASSES", "DS1", "DS2", "PACED", "catalogue", "heartbeat", "read"]

# fmt: off
DS1 = (
    "101", "106", "108", "109", "112", "114", "115", "116", "118", "119", "122",
    "124", "201", "203", "205", "207", "208", "209", "215", "220", "223", "230",
)
DS2 = (
    "100", "103", "105", "111", "113", "117", "121", "123", "200", "202", "210",
    "212", "213", "214", "219", "221", "222", "228", "231", "232", "233", "234",
)
# fmt: on
PACED = ("102", "104", "107", "217")

BEATS = tuple("NLRBAaJSVrFejnE/fQ?")
"""Symbols that stand for a heartbeat; every other symbol is about rhythm, noise or comments."""

CLASSES = ("N", "S", "V", "F", "Q")
"""What a beat map sorts beats into: normal, supraventricular, ventricular, fusion, paced or unclassifiable."""

_AGREED = {**dict.fromkeys("NLR", "N"), **dict.fromkeys("AaJS", "S"), **dict.fromkeys("VE", "V"), "F": "F"}

BEAT_MAPS: dict[str, dict[str, str]] = {
    "literature": {**_AGREED, **dict.fromkeys("ej", "N"), **dict.fromkeys("/fQ", "Q")},
    "ec57": {
        **_AGREED, "B": "N", **dict.fromkeys("ejn", "S"), "r": "V", **dict.fromkeys("/fQ?", "Q"),
    },
}  # fmt: skip
"""Class of each symbol, by the name of the map. `ec57` is that of WFDB's `bxb`; the literature counts escape beats
(e, j) as normal. `!`, a ventricular flutter wave, is a beat in neither."""

_HALVES: dict[str, tuple[str, ...]] = {
    "all": tuple(sorted((*DS1, *DS2, *PACED))),
    "both": tuple(sorted((*DS1, *DS2))),
    "ds1": DS1,
    "ds2": DS2,
}

_ONE_MAN = "201=202"
_NOTES = ("Records 201 and 202 are the same man; DS1 and DS2 put him on both sides.",)


@dataclass(frozen=True)
class _Beats:
    """How single beats are cut and named: the options that only the view "beats" has."""

    map: str = "literature"
    before_s: float = 0.4
    after_s: float = 0.6
    start_s: float = 0.0


def catalogue(
    root: Path | None,
    *,
    view: str = "records",
    half: str = "all",
    map: str = "literature",
    before_s: float = 0.4,
    after_s: float = 0.6,
    start_s: float = 0.0,
) -> Catalogue:
    """List the records, whose beats `read` returns as events, or every single beat.

    Args:    root: the folder with `NNN.hea`, `NNN.dat` and `NNN.atr`.
             view: "records", whose events are the symbols of the annotations; "events", the same records, whose
             beats have a class, N, S, V, F or Q; "beats": one recording for each beat, labelled with its class.
             half: "all" 48 records, "both" halves without the paced ones, "ds1" or "ds2".
             map: of `BEAT_MAPS`, with the other two views.  before_s, after_s: what a beat keeps around its R peak;
             where that reaches beyond the record, samples are missing.
             start_s: beats before it are left out; 300 for EC57.
    Returns: recordings by record and time, with the splits "ds1-ds2" (train on DS1, test on DS2, paced unused)
             and "ds1-ds2-strict" (the same without 202, who is 201).
    Raises:  PathError: when the folder does not hold them.  ExperimentError: for wrong options, all at once.
             FormatError: when an annotation file is damaged.
    """
    beats = _Beats(map, before_s, after_s, start_s)
    problems = list(_option_problems(view, half, beats))
    if problems:
        raise ExperimentError("mitdb: " + "; ".join(problems) + ". Correct these keys of [inputs.options].")
    if root is None:
        raise PathError(
            "mitdb has files: expected the folder that holds them. Get it with: vicinal get mitdb"
        )
    records, skipped = _records(root, _HALVES[half])
    if not records:
        raise PathError(f"no record of mitdb in {root}. Get it with: vicinal get mitdb")
    recordings, notes = records, list(_NOTES)
    if view == "events":
        notes.append(f"Beat classes by the map {map!r}, whole records.")
    if view == "beats":
        recordings, unmapped = _single_beats(records, beats)
        skipped += unmapped
        span = f"beats from {start_s:g} s on" if start_s else "whole records"
        notes.append(f"Beat classes by the map {map!r}, {span}.")
    return Catalogue(
        name="mitdb",
        classes=BEATS if view == "records" else CLASSES,
        recordings=tuple(recordings),
        has_subjects=True,
        notes=tuple(notes),
        skipped=tuple(skipped),
        label_columns=("symbol",),
        event_classes=BEATS if view == "records" else CLASSES,
        class_of=BEAT_MAPS[map] if view == "events" else {},
        officials={
            "ds1-ds2": tuple(_part(one) for one in recordings),
            "ds1-ds2-strict": tuple(
                "unused" if one.columns["record"] == "202" else _part(one) for one in recordings
            ),
        },
    )


def read(recording: Recording) -> Signal:
    """Read one record, or one beat of it: two leads by name in mV, with every annotation as an event.

    The last record stays in memory, so that beats in the order of the catalogue read each record once.

    Raises:  PathError, FormatError: when a file is missing or not what its header says.
    """
    if recording.path is None:
        raise PathError(f"recording {recording.id!r} names no file.")
    if not recording.options:
        signal = read_file(recording.path, root=recording.path.parent)
        return replace(signal, id=recording.id, subject=recording.subject)
    signal, beat = _last_record(recording.path), recording.options
    cut = _around(signal, beat["position"], before_s=beat["before_s"], after_s=beat["after_s"])
    return replace(cut, id=recording.id, subject=recording.subject)


def heartbeat(signal: Signal, *, number: int, before_s: float, after_s: float) -> Signal:
    """Cut one beat out of a record, all channels, with the events that fall inside.

    Args:    number: which of the beats, from 0.  before_s, after_s: how much to keep around its R peak.
    Raises:  ExperimentError: when there is no such beat, or it lies too close to an end.
    """
    if signal.events is None or signal.rate_hz is None:
        raise FormatError(f"recording {signal.id!r} has no annotations, so no beats to choose from.")
    beats = signal.events.positions[np.isin(np.array(signal.events.symbols), BEATS)]
    if not 0 <= number < len(beats):
        raise ExperimentError(f"recording {signal.id!r} has {len(beats)} beats, there is no number {number}.")
    cut = _around(signal, int(beats[number]), before_s=before_s, after_s=after_s)
    first = round((cut.start - signal.start) * signal.rate_hz)
    if not 0 <= first < first + cut.n_positions <= signal.n_positions:
        raise ExperimentError(
            f"recording {signal.id!r}: beat {number} with {before_s:g} s before and {after_s:g} s after it "
            "does not lie inside the recording. Choose another beat."
        )
    return replace(cut, id=f"{signal.id}-beat{number}")


def _option_problems(view: str, half: str, beats: _Beats) -> Iterator[str]:
    choices = {
        "view": (view, ("records", "events", "beats")),
        "half": (half, _HALVES),
        "map": (beats.map, BEAT_MAPS),
    }
    for name, (got, known) in choices.items():
        if got not in known:
            yield f"{name}: got {got!r}{did_you_mean(str(got), known).rstrip('.')}"
    if view == "records" and beats != _Beats():
        yield "map, before_s, after_s and start_s belong to the view 'beats'; set view = \"beats\""
    elif view == "events" and beats != _Beats(map=beats.map):
        yield "before_s, after_s and start_s belong to the view 'beats'; the view 'events' has map"
    for name, low, high in (("before_s", 0, 60), ("after_s", 0.05, 60), ("start_s", 0, 1800)):
        value = getattr(beats, name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            yield f"{name}: expected seconds from {low:g} to {high:g}, got {value!r}"


def _records(root: Path, names: tuple[str, ...]) -> tuple[list[Recording], list[tuple[str, str]]]:
    records, skipped = [], []
    for name in names:
        missing = [f"{name}.{s}" for s in ("hea", "dat", "atr") if not (root / f"{name}.{s}").is_file()]
        if missing:
            skipped.append((name, f"{' and '.join(missing)} not in the folder"))
            continue
        subject = _ONE_MAN if name in _ONE_MAN.split("=") else name
        half = "ds1" if name in DS1 else "ds2" if name in DS2 else "paced"
        facts = {"record": name, "half": half}
        records.append(Recording(name, root / f"{name}.hea", subject, subject, (), facts))
    return records, skipped


def _part(recording: Recording) -> str:
    return {"ds1": "train", "ds2": "test", "paced": "unused"}[str(recording.columns["half"])]


def _single_beats(records: list[Recording], beats: _Beats) -> tuple[list[Recording], list[tuple[str, str]]]:
    """Return one recording for each beat, and the beats that the map does not know."""
    class_of = BEAT_MAPS[beats.map]
    found, unmapped = [], []
    for record in records:
        for position, position_s, symbol in _beats_of(record):
            identifier = f"{record.id}-{position}"
            if position_s < beats.start_s:
                continue
            if symbol not in class_of:
                unmapped.append((identifier, f"its symbol {symbol} is not in the map {beats.map!r}"))
                continue
            found.append(
                replace(
                    record,
                    id=identifier,
                    labels=(class_of[symbol],),
                    columns={**record.columns, "symbol": symbol, "position_s": position_s},
                    options={"position": position, "before_s": beats.before_s, "after_s": beats.after_s},
                )
            )
    return found, unmapped


def _beats_of(record: Recording) -> Iterator[tuple[int, float, str]]:
    """Yield sample, second and symbol of every beat of a record, from its annotation file alone."""
    assert record.path is not None  # `_records` has found the file
    header = read_header(record.path)
    if header.n_frames is None:
        raise FormatError(f"{record.path}: expected the number of samples in the header. Get mitdb again.")
    events = read_annotations(
        record.path.with_suffix(".atr"), n_frames=header.n_frames, rate_hz=header.rate_hz
    )
    for position, symbol in zip(events.positions.tolist(), events.symbols, strict=True):
        if symbol in BEATS:
            yield position, position / header.rate_hz, symbol


@functools.lru_cache(maxsize=1)
def _last_record(path: Path) -> Signal:
    return read_file(path, root=path.parent)


def _around(signal: Signal, position: int, *, before_s: float, after_s: float) -> Signal:
    """Return a copy of the stretch around one sample, with its events; missing where there is no record."""
    rate_hz, n = signal.rate_hz or 1.0, signal.samples.shape[1]
    start = position - round(before_s * rate_hz)
    stop = start + round((before_s + after_s) * rate_hz)
    samples = np.full((len(signal.samples), stop - start), np.nan, dtype=np.float32)
    first, last = max(start, 0), min(stop, n)
    samples[:, first - start : last - start] = signal.samples[:, first:last]
    events = signal.events
    if events is not None:
        inside = np.flatnonzero((events.positions >= start) & (events.positions < stop))
        events = Events(events.positions[inside] - start, tuple(events.symbols[k] for k in inside))
    return replace(signal, samples=samples, start=signal.start + start / rate_hz, events=events)
