import itertools

import numpy as np
import pytest

from vicinal.inputs.leakage.shortcuts import giveaway_columns, in_label_order, order_statistic


def test_the_statistic_of_runs_is_that_of_all_orders() -> None:
    """Mean and deviation over every order of AABBC, counted one by one."""
    labels = "AABBC"
    counted = [
        1 + sum(a != b for a, b in itertools.pairwise(order)) for order in itertools.permutations(labels)
    ]
    deviations, runs = order_statistic(np.array(list(labels)))
    assert runs == 3
    assert deviations == pytest.approx((3 - np.mean(counted)) / np.std(counted))


@pytest.mark.parametrize("labels", [[], ["A"], ["A", "A", "A", "A"], ["A", "B", "C", "D"]])
def test_orders_that_say_nothing_are_zero(labels: list[str]) -> None:
    assert order_statistic(np.array(labels, dtype=str))[0] == 0.0


def names(n: int, stem: str = "r") -> np.ndarray:
    return np.array([f"{stem}{k}" for k in range(n)])


def ordered(ids: np.ndarray, labels: np.ndarray) -> list[str]:
    return [one.message for one in in_label_order(ids, labels, groups=ids)]


def test_sorted_rows_and_rows_whose_names_are_sorted_are_found() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat(["A", "B"], 100)
    shuffle = rng.permutation(200)
    assert "order of the rows" in ordered(rng.permutation(names(200)), labels)[0]
    assert "order of the names" in ordered(names(200)[shuffle], labels[shuffle])[0]
    assert ordered(names(200), labels[shuffle]) == []
    assert ordered(names(200), np.tile(["A", "B"], 100)) == []  # alternating is no order


def test_rows_of_one_subject_are_one_label() -> None:
    """Ten clips of each person follow each other, as they should; only the order of people counts."""
    labels = np.repeat(np.random.default_rng(1).permutation(np.repeat(["A", "B"], 20)), 10)
    groups = np.repeat(names(40, "s"), 10)
    assert list(in_label_order(names(400), labels, groups=groups)) == []


def columns_found(column: np.ndarray, y: np.ndarray, *, expected: tuple[str, ...] = ()) -> list[str]:
    train = np.arange(len(y)) < len(y) // 2
    found = giveaway_columns(
        {"device": column}, y.reshape(-1, 1).astype(float), ("A",),
        groups=names(len(y)), train=train, used=np.ones(len(y), bool), expected=expected,
    )  # fmt: skip
    return [one.message for one in found]


def test_a_device_that_tells_the_label_is_found_unless_it_repeats_it() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 200)
    device = np.where(rng.random(200) < 0.1, 1 - y, y)
    assert "'device' alone tells A with an AUROC of 0.89" in columns_found(device.astype(str), y)[0]
    assert len(columns_found(device.astype(float), y)) == 1
    assert columns_found(device.astype(str), y, expected=("device",)) == []


@pytest.mark.parametrize("seed", range(20))
def test_a_device_that_has_nothing_to_do_with_the_label_is_not(seed: int) -> None:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, 100)
    assert columns_found(rng.integers(0, 5, 100).astype(str), y) == []
    assert columns_found(rng.normal(50, 10, 100) + 20 * y, y) == []  # an age: as many values as people
