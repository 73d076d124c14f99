"""MIT-BIH Arrhythmia Database: 48 records of half an hour, two leads at 360 Hz, every beat annotated.

Records 201 and 202 are one man, so they share a subject. Source: Moody and Mark 2001, doi:10.1109/51.932724;
the two halves are de Chazal's (2004). Knows where things lie and who is who; must not know contracts.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from vicinal.errors import ExperimentError, FormatError, PathError
from vicinal.inputs.datasets.catalogue import Catalogue, Recording
from vicinal.inputs.formats.reading import read as read_file
from vicinal.signal import Events, Signal

__all__ = ["BEATS", "DS1", "DS2", "PACED", "catalogue", "heartbeat", "read"]

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

_NOTES = ("Records 201 and 202 are the same man; DS1 and DS2 put him on both sides.",)


def catalogue(root: Path | None) -> Catalogue:
    """List the 48 records; their labels are beats, which `read` returns as events.

    Args:    root: the folder with `NNN.hea`, `NNN.dat` and `NNN.atr`.
    Raises:  PathError: when the folder does not hold them.
    """
    if root is None:
        raise PathError(
            "mitdb has files: expected the folder that holds them. Get it with: vicinal get mitdb"
        )
    names = sorted((*DS1, *DS2, *PACED))
    skipped, recordings = [], []
    for name in names:
        missing = [f"{name}.{s}" for s in ("hea", "dat", "atr") if not (root / f"{name}.{s}").is_file()]
        if missing:
            skipped.append((name, f"{' and '.join(missing)} not in the folder"))
            continue
        subject = "201=202" if name in ("201", "202") else name
        half = "ds1" if name in DS1 else "ds2" if name in DS2 else "paced"
        recordings.append(
            Recording(
                id=name,
                path=root / f"{name}.hea",
                subject=subject,
                group=subject,
                labels=(),
                columns={"half": half},
            )
        )
    if not recordings:
        raise PathError(f"no record of mitdb in {root}. Get it with: vicinal get mitdb")
    return Catalogue(
        name="mitdb",
        classes=BEATS,
        recordings=tuple(recordings),
        has_subjects=True,
        notes=_NOTES,
        skipped=tuple(skipped),
    )


def read(recording: Recording) -> Signal:
    """Read one record: two leads by name in mV, with every annotation as an event.

    Raises:  PathError, FormatError: when a file is missing or not what its header says.
    """
    if recording.path is None:
        raise PathError(f"recording {recording.id!r} names no file.")
    signal = read_file(recording.path, root=recording.path.parent)
    return replace(signal, id=recording.id, subject=recording.subject)


def heartbeat(signal: Signal, *, number: int, before_s: float, after_s: float) -> Signal:
    """Cut one beat out of a record, all channels, with the events that fall inside.

    Args:    number: which of the beats, from 0.  before_s, after_s: how much to keep around its R peak.
    Raises:  ExperimentError: when there is no such beat, or it lies too close to an end.
    """
    if signal.events is None or signal.rate_hz is None:
        raise FormatError(f"recording {signal.id!r} has no annotations, so no beats to choose from.")
    symbols = np.array(signal.events.symbols)
    beats = signal.events.positions[np.isin(symbols, BEATS)]
    if not 0 <= number < len(beats):
        raise ExperimentError(f"recording {signal.id!r} has {len(beats)} beats, there is no number {number}.")
    start = int(beats[number]) - round(before_s * signal.rate_hz)
    stop = int(beats[number]) + round(after_s * signal.rate_hz)
    if start < 0 or stop > signal.samples.shape[1] or start >= stop:
        raise ExperimentError(
            f"recording {signal.id!r}: beat {number} with {before_s:g} s before and {after_s:g} s after it "
            "does not lie inside the recording. Choose another beat."
        )
    inside = (signal.events.positions >= start) & (signal.events.positions < stop)
    return replace(
        signal,
        samples=np.ascontiguousarray(signal.samples[:, start:stop]),
        id=f"{signal.id}-beat{number}",
        start=signal.start + start / signal.rate_hz,
        events=Events(signal.events.positions[inside] - start, tuple(symbols[inside].tolist())),
    )
