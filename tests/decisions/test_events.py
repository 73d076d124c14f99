import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vicinal.decisions.events import EventTimes, event_times, find_alarms, lowest_onset, observed_days
from vicinal.errors import ExperimentError, InfeasibleError

ROWS = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(0, 40), st.integers(0, 10)), min_size=1, max_size=40,
    unique_by=lambda row: row[:2],
)  # fmt: skip
TIMES = st.builds(
    EventTimes, st.sampled_from([1.0, 0.5]), st.sampled_from([0.0, 2.0]), st.sampled_from([0.0, 3.0]),
    st.sampled_from([0.0, 5.0]),
)  # fmt: skip


def columns(rows: list[tuple[str, int, int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return (
        np.array([row[0] for row in rows]), np.array([float(row[1]) for row in rows]),
        np.array([row[2] / 10 for row in rows]),
    )  # fmt: skip


def one_by_one(
    rows: list[tuple[str, int, int]], onset: float, times: EventTimes
) -> tuple[list[tuple[str, float, float]], float]:
    """Walk through every record, row by row, as an alarm would; also the seconds watched."""
    alarms, watched = [], 0.0
    for record in sorted({row[0] for row in rows}):
        own = sorted((float(row[1]), row[2] / 10) for row in rows if row[0] == record)
        steps = [b[0] - a[0] for a, b in itertools.pairwise(own)]
        ends = [one[0] for one in own[1:]] + [own[-1][0] + (float(np.median(steps)) if steps else 0.0)]
        watched += ends[-1] - own[0][0]
        events, ringing = [], False
        for (start, p), end in zip(own, ends, strict=True):
            ringing = p >= onset or (ringing and p >= times.release * onset)
            if not ringing:
                continue
            if events and start - events[-1][1] <= times.merge_s:
                events[-1][1] = end
            else:
                events.append([start, end])
        silent_until = -np.inf
        for start, end in events:
            if end - start >= times.least_s and start >= silent_until:
                alarms.append((record, start, end))
                silent_until = end + times.refractory_s
    return alarms, watched


@given(ROWS, TIMES, st.sampled_from([0.2, 0.5, 0.8]))
def test_alarms_are_those_of_a_walk_through_the_recording(
    rows: list[tuple[str, int, int]], times: EventTimes, onset: float
) -> None:
    records, where, p = columns(rows)
    found = find_alarms(records, where, p, onset=onset, times=times)
    expected, watched = one_by_one(rows, onset, times)
    assert list(zip(found.records.tolist(), found.start_s, found.end_s, strict=True)) == expected
    assert observed_days(records, where) == pytest.approx(watched / 86_400)


@given(ROWS, TIMES, st.sampled_from([2000.0, 6000.0, 20_000.0]))
def test_the_onset_is_the_lowest_from_which_on_the_limit_holds(
    rows: list[tuple[str, int, int]], times: EventTimes, per_day: float
) -> None:
    records, where, p = columns(rows)
    days = observed_days(records, where)
    good = []
    for candidate in sorted(set(p.tolist()), reverse=True):
        if not days or len(one_by_one(rows, candidate, times)[0]) > per_day * days:
            break
        good.append(candidate)
    if not good:
        with pytest.raises(InfeasibleError, match=r"at most .* alarms per day|at least two rows"):
            lowest_onset(records, where, p, per_day=per_day, times=times)
    else:
        assert lowest_onset(records, where, p, per_day=per_day, times=times) == good[-1]


def test_a_recording_worked_by_hand() -> None:
    where = np.arange(10.0)
    p = np.array([0.1, 0.9, 0.6, 0.9, 0.1, 0.1, 0.9, 0.1, 0.1, 0.9])
    records = np.full(10, "r")

    def spans(**times: float) -> list[tuple[float, float]]:
        found = find_alarms(records, where, p, onset=0.8, times=EventTimes(**times))
        return list(zip(found.start_s.tolist(), found.end_s.tolist(), strict=True))

    assert spans() == [(1, 2), (3, 4), (6, 7), (9, 10)]
    assert spans(release=0.7) == [(1, 4), (6, 7), (9, 10)]  # 0.6 is at least 0.56
    assert spans(release=0.7, merge_s=2) == [(1, 10)]
    assert spans(release=0.7, least_s=2) == [(1, 4)]
    assert spans(release=0.7, refractory_s=3) == [(1, 4), (9, 10)]  # 6 is 2 after the end, 9 is 5


def test_one_endless_alarm_meets_no_limit() -> None:
    # At 0.1 the whole recording is one alarm; at 0.9 there are three, which are too many already.
    where, p = np.arange(7.0), np.array([0.1, 0.9, 0.1, 0.9, 0.1, 0.9, 0.1])
    with pytest.raises(InfeasibleError, match="the highest probability gives"):
        lowest_onset(np.full(7, "r"), where, p, per_day=86_400 / 7 * 2, times=EventTimes())
    found = lowest_onset(np.full(7, "r"), where, p, per_day=86_400 / 7 * 3, times=EventTimes())
    assert found == 0.1


def test_of_many_candidates_the_limit_still_holds() -> None:
    rng = np.random.default_rng(0)
    where, p, records = np.arange(20_000.0), rng.random(20_000), np.full(20_000, "r")
    onset = lowest_onset(records, where, p, per_day=100, times=EventTimes())
    n = len(find_alarms(records, where, p, onset=onset, times=EventTimes()))
    assert 100 * observed_days(records, where) - 2 <= n <= 100 * observed_days(records, where)


def test_times_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ExperimentError, match=r"release must lie above 0.*merge_s must be.*least_s must be"):
        EventTimes(release=0, merge_s=-1, least_s=float("nan"))
    with pytest.raises(ExperimentError, match="'merg_s' is unknown, did you mean 'merge_s'"):
        event_times({"merg_s": 1.0})
    assert event_times({"merge_s": 1.0}) == EventTimes(merge_s=1.0)
