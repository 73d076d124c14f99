import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vicinal.workflow.curve import Curve, sparkline


def test_few_values_are_kept_as_they_are_and_more_as_means() -> None:
    curve = Curve(4)
    for value in (1.0, 2.0, 3.0):
        curve.add(value)
    assert curve.values == [1.0, 2.0, 3.0]
    curve.add(6.0)
    assert curve.values == [1.5, 4.5]
    curve.add(7.0)
    assert curve.values == [1.5, 4.5, 7.0]


@given(st.lists(st.floats(-1e3, 1e3), max_size=300))
def test_it_never_keeps_more_than_it_may_and_keeps_the_mean(values: list[float]) -> None:
    curve = Curve(8)
    for value in values:
        curve.add(value)
    assert len(curve.values) <= 8
    # Every complete mean stands for equally many values, the last one for the rest.
    if values:
        per = 1
        while per * 8 <= len(values):
            per *= 2
        expected = [values[k : k + per] for k in range(0, len(values), per)]
        assert curve.values == pytest.approx([sum(part) / len(part) for part in expected])


def test_what_is_no_number_is_left_out() -> None:
    curve = Curve()
    for value in (1.0, None, math.nan, math.inf, 2.0):
        curve.add(value)
    assert curve.values == [1.0, 2.0]


def test_a_sparkline_goes_from_the_lowest_to_the_highest() -> None:
    assert sparkline([0, 7, 3.5, 1]) == "▁█▅▂"
    assert sparkline([1, 1, 1]) == "▁▁▁"
    assert sparkline([1]) == ""
    assert sparkline([0, 0, 8, 8], width=2) == "▁█"
