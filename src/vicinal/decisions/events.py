"""From scores along a recording to alarms: hysteresis, merging, a least duration and a refractory time.

Alarms are counted on events, never on rows: a minute above the threshold is one alarm, however many windows or
beats it holds. Knows arrays; must not know tables or policies.
"""

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from vicinal.errors import ExperimentError, InfeasibleError, did_you_mean

__all__ = ["Alarms", "EventTimes", "event_times", "find_alarms", "joined", "lowest_onset", "observed_days"]

_DAY_S = 86_400.0
_MOST_CANDIDATES = 2000

Rows = Float64[np.ndarray, " n"]


@dataclass(frozen=True)
class EventTimes:
    """How rows above a threshold become alarms.

    Args:    release: an event that began at a threshold lasts while probabilities are at least `release` times it,
             above 0 and at most 1.
             merge_s: events with at most this gap between them are one.
             least_s: an event shorter than this, after merging, is no alarm.
             refractory_s: an event that begins less than this after the end of the last alarm is no alarm.
    Raises:  ExperimentError: for numbers out of range; every problem is listed.
    """

    release: float = 1.0
    merge_s: float = 0.0
    least_s: float = 0.0
    refractory_s: float = 0.0

    def __post_init__(self) -> None:
        problems = (
            [] if 0 < self.release <= 1 else [f"release must lie above 0 and up to 1, got {self.release}"]
        )
        for name in ("merge_s", "least_s", "refractory_s"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                problems.append(f"{name} must be a number of seconds from 0 up, got {value}")
        if problems:
            raise ExperimentError("events: " + "; ".join(problems) + ".")


def event_times(values: Mapping[str, float]) -> EventTimes:
    """Return the times by name.

    Raises:  ExperimentError: for a name that does not exist, or a number out of range.
    """
    known = [one.name for one in dataclasses.fields(EventTimes)]
    for name in values:
        if name not in known:
            raise ExperimentError(f"events: {name!r} is unknown{did_you_mean(name, known)}")
    return EventTimes(**values)


@dataclass(frozen=True)
class Alarms:
    """Alarms in order of record and time.

    Args:    records: (m,).  start_s, end_s: (m,), the first moment and the first moment after.
    """

    records: np.ndarray
    start_s: Rows
    end_s: Rows

    def __len__(self) -> int:
        return len(self.records)


def joined(parts: Sequence[Alarms]) -> Alarms:
    """Return the alarms of several tables as one, in the order of the tables."""
    return Alarms(
        np.concatenate([one.records for one in parts]),
        np.concatenate([one.start_s for one in parts]),
        np.concatenate([one.end_s for one in parts]),
    )


def observed_days(records: np.ndarray, position_s: Rows) -> float:
    """Return how long the rows watch, in days; see `find_alarms` for how long one row stands."""
    order, until = _in_time(records, position_s)
    return float((until - position_s[order]).sum()) / _DAY_S


def find_alarms(
    records: np.ndarray, position_s: Rows, probabilities: Rows, *, onset: float, times: EventTimes
) -> Alarms:
    """Return the alarms of one class.

    A row stands from its position to that of the next row of its record; the last one as long as the median row
    there. An event begins at the first row with a probability of at least `onset`.

    Args:    records: (n,) which recording.  position_s: (n,) where in it, in any order.
             probabilities: (n,); NaN is below every threshold.
    """
    order, until = _in_time(records, position_s)
    return _alarms(records[order], position_s[order], until, probabilities[order], onset, times)


def lowest_onset(
    records: np.ndarray, position_s: Rows, probabilities: Rows, *, per_day: float, times: EventTimes
) -> float:
    """Return the lowest threshold at which, and above which, there are at most `per_day` alarms a day.

    Above it too, because at a low threshold everything runs together into one alarm that never ends, which would
    meet any limit. Candidates are the distinct probabilities, or, of more than 2,000, as many of them, lying closer
    together the higher they are.

    Raises:  InfeasibleError: when the rows watch no time, or even the highest probability alarms too often.
    """
    order, until = _in_time(records, position_s)
    days = float((until - position_s[order]).sum()) / _DAY_S
    if not days > 0:
        raise InfeasibleError("alarms per day need records of at least two rows at different positions")
    sorted_rows = (records[order], position_s[order], until, probabilities[order])
    known = np.unique(probabilities[~np.isnan(probabilities)])[::-1]
    if len(known) > _MOST_CANDIDATES:
        known = known[np.unique(np.geomspace(1, len(known), _MOST_CANDIDATES).astype(np.int64)) - 1]
    best, n_alarms = None, 0
    for candidate in known.tolist():
        n_alarms = len(_alarms(*sorted_rows, candidate, times))
        if n_alarms > per_day * days:
            break
        best = candidate
    if best is None:
        raise InfeasibleError(
            f"no threshold gives at most {per_day:g} alarms per day in these {days:.4g} days; the highest probability "
            f"gives {n_alarms / days:.4g} per day"
        )
    return float(best)


def _in_time(records: np.ndarray, position_s: Rows) -> tuple[Int64[np.ndarray, " n"], Rows]:
    """Return the order by record and position, and until when each row of that order stands."""
    order = np.lexsort((position_s, records))
    names, where = records[order], position_s[order]
    until = np.append(where[1:], np.nan)
    last = np.append(names[1:] != names[:-1], True)[: len(names)]
    for start, stop in _runs(names):
        steps = np.diff(where[start:stop])
        until[stop - 1] = where[stop - 1] + (float(np.median(steps)) if len(steps) else 0.0)
    assert not np.isnan(until[last]).any()  # every record has a last row, and each was set
    return order, until[: len(names)]


def _runs(values: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield (start, stop) of each run of equal values."""
    edges = np.flatnonzero(values[1:] != values[:-1]) + 1
    yield from zip([0, *edges.tolist()], [*edges.tolist(), len(values)], strict=True) if len(values) else ()


def _alarms(
    records: np.ndarray, start_s: Rows, until_s: Rows, probabilities: Rows, onset: float, times: EventTimes
) -> Alarms:
    """Return the alarms of rows in order of record and position."""
    lasting = probabilities >= times.release * onset
    fresh = np.append(True, (records[1:] != records[:-1]) | (lasting[1:] != lasting[:-1]))[: len(records)]
    run = np.cumsum(fresh) - 1
    begins = np.flatnonzero(probabilities >= onset)
    runs, first = np.unique(run[begins], return_index=True)
    last = np.searchsorted(run, runs, side="right") - 1
    found: list[tuple[int, float, float]] = []
    for begin, end in zip(begins[first].tolist(), last.tolist(), strict=True):
        one = (begin, float(start_s[begin]), float(until_s[end]))
        if found and records[found[-1][0]] == records[begin] and one[1] - found[-1][2] <= times.merge_s:
            found[-1] = (found[-1][0], found[-1][1], one[2])
        else:
            found.append(one)
    kept: list[tuple[int, float, float]] = []
    for one in found:
        same = bool(kept) and records[kept[-1][0]] == records[one[0]]
        if one[2] - one[1] >= times.least_s and not (same and one[1] - kept[-1][2] < times.refractory_s):
            kept.append(one)
    rows = [one[0] for one in kept]
    return Alarms(
        records[rows], np.array([one[1] for one in kept], float), np.array([one[2] for one in kept], float)
    )
