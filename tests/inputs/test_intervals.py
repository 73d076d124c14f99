from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vicinal.inputs.blocks import Blocks, recorded
from vicinal.inputs.intervals import interval_names, with_intervals


def blocks(n: int) -> Blocks:
    return recorded(np.arange(n, dtype=np.float32)[None], rows=[0], factors=[1.0])


def test_intervals_by_hand() -> None:
    made = with_intervals(blocks(12), np.array([2, 4, 8]), rate_hz=2.0)
    x = made.samples(0, 12)
    assert made.n_channels == 1 + len(interval_names(relative=False)) == 3
    assert x[0].tolist() == list(range(12))
    # 1 s between the first two, 2 s between the others; half-way is 3 and 6, which belong to the later event.
    assert x[1].tolist() == [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1]
    assert x[2].tolist() == [0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1]
    assert made.valid(3, 6).all()


def test_relative_intervals_are_those_less_the_median_of_the_recording() -> None:
    made = with_intervals(blocks(40), np.array([2, 4, 8, 24]), rate_hz=2.0, relative=True)
    x = made.samples(0, 40)
    assert made.n_channels == 1 + len(interval_names(relative=True)) == 5
    # After the events: 1, 2, 8 and, as there is none, again 8 s: the median of their logarithms is 2.
    assert (x[3:] == x[1:3] - 2).all()


def test_a_lone_event_or_none_has_no_interval() -> None:
    for events in ([], [3], [3, 3]):
        x = with_intervals(blocks(6), np.array(events, dtype=np.int64), rate_hz=2.0, relative=True).samples(
            0, 6
        )
        assert (x[1:] == 0).all()


def test_intervals_count_from_an_eighth_of_a_second_to_eight() -> None:
    x = with_intervals(blocks(4000), np.array([0, 1, 3000]), rate_hz=100.0).samples(0, 4000)
    assert set(x[1:].ravel().tolist()) == {-3.0, 3.0}


@given(
    st.lists(st.integers(0, 199), min_size=2, max_size=20, unique=True),
    st.integers(0, 150),
    st.integers(1, 50),
)
def test_any_stretch_equals_a_slow_reference(events: list[int], start: int, size: int) -> None:
    made = with_intervals(blocks(200), np.array(events), rate_hz=10.0)
    places = sorted(events)
    for j, (before, after) in enumerate(made.samples(start, start + size)[1:].T):
        # The later of two that are equally near.
        k = min(range(len(places)), key=lambda k: (abs(places[k] - (start + j)), -k))
        gaps = [np.clip(np.log2((b - a) / 10), -3, 3) for a, b in pairwise(places)]
        assert before == pytest.approx(gaps[max(k - 1, 0)])
        assert after == pytest.approx(gaps[min(k, len(gaps) - 1)])
