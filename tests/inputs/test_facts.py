import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vicinal.inputs.facts import facts
from vicinal.signal import Events, Signal


def signal(rows, *, rate_hz=10.0, axes=("time",), events=None):
    samples = np.array(rows, dtype=np.float32)
    names = tuple(f"c{k}" for k in range(len(samples)))
    return Signal(samples, names, ("mV",) * len(samples), rate_hz, axes=axes, id="x", events=events)


def test_range_and_missing_share_leave_nan_out() -> None:
    (channel,) = facts(signal([[1, np.nan, -2, 0]])).channels
    assert (channel.low, channel.high, channel.missing) == (-2.0, 1.0, 0.25)


@pytest.mark.parametrize(
    ("row", "flat", "clipped"),
    [
        ([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 0.0, 0.0),
        ([3, 3, 3, 3, 3, 1, 2, 1, 2, 1], 0.5, 0.5),  # a rail that is held for half a second is both
        ([1, 1, 1, 1, 2, 0, 2, 0, 2, 0], 0.0, 0.0),  # 0.4 s without change, and not at an extreme
        ([5, 5, 5, 0, 1, 2, 0, 5, 5, 1], 0.0, 0.3),  # two equal samples are still a peak
        ([7] * 10, 1.0, 0.0),  # a constant channel has no rail
    ],
)
def test_flat_and_clipped_shares(row, flat, clipped) -> None:
    (channel,) = facts(signal([row])).channels
    assert channel.flat == pytest.approx(flat)
    assert channel.clipped == pytest.approx(clipped)


def test_missing_samples_are_neither_flat_nor_clipped() -> None:
    (channel,) = facts(signal([[np.nan] * 8 + [1, 2]])).channels
    assert (channel.missing, channel.flat, channel.clipped) == (pytest.approx(0.8), 0.0, 0.0)


def test_a_channel_without_any_value_has_no_range() -> None:
    (channel,) = facts(signal([[np.nan, np.nan]])).channels
    assert (channel.low, channel.missing, channel.flat) == (None, 1.0, None)


def test_events_are_counted_most_frequent_first() -> None:
    found = facts(signal([[0, 1, 2]], events=Events(np.array([0, 1, 2]), ("V", "N", "N"))))
    assert list(found.events.items()) == [("N", 2), ("V", 1)]
    assert found.sentence() == "1 channel of 3 positions (time) at 10 Hz, 0.3 s; 3 events: N 2, V 1."


def test_an_image_has_no_time() -> None:
    found = facts(signal([[[0, 1], [1, 0]]], rate_hz=None, axes=("height", "width")))
    assert (found.duration_s, found.channels[0].flat, found.channels[0].clipped) == (None, None, None)
    assert found.sentence() == "1 channel of 2 x 2 positions (height, width)."
    assert found.lines() == [["c0", "mV", "0", "1", "0 %", "-", "-"]]


@given(st.lists(st.integers(0, 2), min_size=1, max_size=40))
def test_shares_equal_a_plain_loop(row) -> None:
    (channel,) = facts(signal([row])).channels
    flat = clipped = 0
    start = 0
    for at in range(1, len(row) + 1):
        if at == len(row) or row[at] != row[start]:
            n = at - start
            flat += n if n >= 5 else 0
            clipped += n if n >= 3 and row[start] in (min(row), max(row)) and min(row) < max(row) else 0
            start = at
    assert channel.flat == pytest.approx(flat / len(row))
    assert channel.clipped == pytest.approx(clipped / len(row))
