"""What a report shows of events: how many there are of each class, and single ones in their surroundings."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float32, Int64

from vicinal.evidence.report.content import Example
from vicinal.inputs.contract import Contract
from vicinal.inputs.pack import Pack
from vicinal.inputs.prepare import Prepared
from vicinal.scoretable import ScoreTable

__all__ = ["around", "event_example", "n_positives"]

_AROUND_S = 4.0
"""Seconds drawn before and after an event."""


def n_positives(pack: Pack, indices: Int64[np.ndarray, " m"]) -> Int64[np.ndarray, " k"]:
    """Return how many of these rows, or of their events, are positive for each class of the pack."""
    if pack.task != "events":
        return np.asarray(np.nansum(pack.truth[indices], axis=0), dtype=np.int64)
    classes = pack.targets(indices).classes
    return np.bincount(classes[classes >= 0], minlength=len(pack.classes))


def around(
    rows: Pack | Callable[[str], Prepared], contract: Contract, table: ScoreTable, row: int
) -> dict[str, np.ndarray]:
    """Return the `samples` (channels, positions) around one event, and their `start` in its recording, (1,).

    Args:    rows: a pack, or what prepares the recording with an id again.  contract: theirs.
             table: of their events.  row: of the table.
    """
    record, rate_hz = table.columns["record"][row], contract.position_rate_hz or 1.0
    reach, at = round(_AROUND_S * rate_hz), _position(table, row, rate_hz)
    if not callable(rows):
        place, first = int(np.flatnonzero(rows.ids == record)[0]), 0
        start, stop = max(at - reach, 0), min(at + reach, int(rows.lengths[place]))
        samples = rows.piece(place, start, stop)
    else:
        prepared = rows(str(record))
        first = prepared.offset
        start, stop = max(at - first - reach, 0), min(at - first + reach, prepared.length)
        samples = prepared.samples[:, start:stop]
    samples = samples[: len(contract.signal_channels)]
    return {"samples": samples, "start": np.array([first + start], dtype=np.float32)}


def event_example(
    table: ScoreTable,
    contract: Contract,
    row: int,
    k: int,
    samples: Float32[np.ndarray, "channels positions"],
    start: int,
) -> Example:
    """Return one event with what `around` gave: all events of the table there are marked, itself in brackets.

    Args:    k: the class that it is about.
    """
    rate_hz = contract.position_rate_hz or 1.0
    marks = []
    for other in np.flatnonzero(table.columns["record"] == table.columns["record"][row]).tolist():
        at = _position(table, other, rate_hz) - start
        if 0 <= at < samples.shape[1]:
            symbol = str(table.columns["symbol"][other])
            marks.append((at, f"[{symbol}]" if other == row else symbol))
    scaled = any(step.step == "scale" for step in contract.steps)
    return Example(
        id=str(table.ids[row]),
        about=table.classes[k],
        samples=samples,
        rate_hz=rate_hz,
        unit="1" if scaled else contract.units,
        channels=contract.signal_channels,
        marks=tuple(marks),
    )


def _position(table: ScoreTable, row: int, rate_hz: float) -> int:
    return round(float(table.columns["position_s"][row]) * rate_hz)
