import numpy as np
import pytest

from vicinal.evidence.metric import Metric, averaged, mean_of_sums, share, summed
from vicinal.evidence.resampling import once

INDEX = np.array([0, 0, 1, 2])
ABOUT = np.array([[True], [False], [True], [False]])


def test_a_share_of_rows_and_what_a_resample_makes_of_it() -> None:
    among, hits = np.array([True, True, True, False]), np.array([True, False, False, True])
    found = share("x", among, hits, INDEX, ABOUT)
    assert found.value == pytest.approx(1 / 3)
    assert found.statistic is not None
    # Subject 0 (one hit of two) twice, subject 1 (no hit of one) once.
    assert found.statistic(np.array([[2, 1, 5]], np.int32))[0] == pytest.approx(2 / 5)
    assert np.isnan(found.statistic(np.array([[0, 0, 5]], np.int32))[0])
    nothing = share("x", np.zeros(4, bool), hits, INDEX, ABOUT)
    assert np.isnan(nothing.value)
    assert nothing.statistic is None


def test_a_sum_without_rows_or_without_a_value_is_undefined() -> None:
    empty = summed("x", np.zeros((0, 2)), np.zeros(0, int), mean_of_sums, among=INDEX > 9, about=ABOUT)
    assert np.isnan(empty.value)
    nothing = summed("x", np.zeros((4, 2)), INDEX, mean_of_sums, among=INDEX < 9, about=ABOUT)
    assert np.isnan(nothing.value)
    assert empty.statistic is nothing.statistic is None


def test_a_mean_takes_what_is_defined() -> None:
    one = summed(
        "a", np.array([[1.0, 1], [3, 1]]), np.array([0, 1]), mean_of_sums, among=INDEX < 2, about=ABOUT
    )
    other = Metric("b", float("nan"), INDEX == 2, ~ABOUT)
    found = averaged("x", [one, other, one], about=np.ones((4, 2), bool), left_out=("b",))
    assert found.value == 2
    assert found.statistic is not None
    assert found.statistic(once(2)).tolist() == [2]
    assert found.about.shape == (4, 2)
    assert found.rows.tolist() == [True, True, True, False]
    assert found.left_out == ("b",)
    nothing = averaged("x", [other], about=np.ones((4, 2), bool), left_out=("b",))
    assert np.isnan(nothing.value)
    assert nothing.about.shape == (4, 2)
