import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vicinal.evidence.confusion import balanced_accuracy, cells, f1_of, kappa, macro_f1, mcc, ratio, square


def test_cells_count_truth_by_row_and_decision_by_column() -> None:
    counted = cells(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 0]), 3).sum(axis=0).reshape(3, 3)
    assert counted.tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 0]]


def test_an_asymmetric_table_worked_by_hand() -> None:
    sums = np.array([5.0, 3, 0, 1, 4, 2, 0, 1, 4])  # rows 8, 7, 5; columns 6, 8, 6; 13 of 20 right
    assert f1_of(0, 3)(sums) == pytest.approx(10 / 14)
    assert f1_of(1, 3)(sums) == pytest.approx(8 / 15)
    assert macro_f1([0, 1], 3)(sums) == pytest.approx((10 / 14 + 8 / 15) / 2)
    assert balanced_accuracy(sums) == pytest.approx((5 / 8 + 4 / 7 + 4 / 5) / 3)
    chance = (8 * 6 + 7 * 8 + 5 * 6) / 400
    assert kappa(sums) == pytest.approx((13 / 20 - chance) / (1 - chance))
    assert mcc(sums) == pytest.approx((13 * 20 - 134) / np.sqrt((400 - 138) * (400 - 136)))


@given(st.lists(st.integers(0, 20), min_size=9, max_size=9))
def test_all_right_is_one_and_nothing_exceeds_it(counts: list[int]) -> None:
    sums = np.array(counts, dtype=float)
    for metric in (balanced_accuracy, mcc, kappa, macro_f1([0, 1, 2], 3)):
        value = metric(sums)
        assert np.isnan(value) or -1 - 1e-9 <= value <= 1 + 1e-9
    assert mcc(np.diag([3.0, 4.0]).ravel()) == kappa(np.diag([3.0, 4.0]).ravel()) == 1


def test_empty_tables_are_undefined() -> None:
    assert np.isnan([metric(np.zeros(4)) for metric in (balanced_accuracy, mcc, kappa, f1_of(1, 2))]).all()


def test_many_resamples_at_once_are_each_their_own() -> None:
    sums = np.random.default_rng(0).integers(0, 9, (20, 9)).astype(float)
    sums[3] = 0
    for metric in (balanced_accuracy, mcc, kappa, macro_f1([0, 2], 3), f1_of(1, 3)):
        np.testing.assert_allclose(metric(sums), [metric(one) for one in sums])


def test_a_ratio_over_nothing_is_undefined_and_a_table_is_square() -> None:
    assert np.isnan(ratio(np.array([1.0, 2.0]), np.array([0.0, 4.0]))).tolist() == [True, False]
    assert square(np.arange(8.0).reshape(2, 4))[1].tolist() == [[4, 5], [6, 7]]
