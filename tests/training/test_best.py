import math

import numpy as np
import pytest
import torch
from torch import nn

from vicinal.training.best import Best


def network(value: float) -> nn.Module:
    made = nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        made.weight.fill_(value)
    return made


def kept(best: Best) -> float:
    return float(best.weights["weight"][0, 0])


@pytest.mark.parametrize(
    ("select", "values", "expected"),
    [
        ("auroc", [0.6, 0.9, 0.9, 0.7], [True, True, False, False]),
        ("loss", [0.6, 0.4, 0.4, 0.5], [True, True, False, False]),
        ("auroc", [math.nan, 0.9, math.nan, 0.8], [False, True, False, False]),
        ("ece", [0.3, 0.1, 0.2, 0.1], [True, True, False, False]),
    ],
)
def test_the_first_of_the_best_is_kept(select: str, values: list[float], expected: list[bool]) -> None:
    best = Best(select)
    said = [best.offer(k, {select: value}, network(k)) for k, value in enumerate(values, start=1)]
    assert said == expected
    assert (best.epoch, kept(best)) == (2, 2.0)


def test_without_any_number_the_last_is_kept() -> None:
    best = Best("auroc")
    assert not any(best.offer(k, {"auroc": math.nan}, network(k)) for k in (1, 2, 3))
    assert (best.epoch, kept(best)) == (3, 3.0)


def test_it_goes_on_as_another_that_kept_the_same() -> None:
    first, again = Best("auroc"), Best("auroc")
    first.offer(1, {"auroc": 0.8}, network(1))
    again.restore(first.weights, epoch=first.epoch, value=first.value, n_since=first.n_since)
    assert not again.offer(2, {"auroc": 0.8}, network(2))
    np.testing.assert_array_equal(again.weights["weight"], first.weights["weight"])


def test_validations_that_were_no_better_are_counted() -> None:
    best, counts = Best("auroc"), []
    for value in (math.nan, 0.8, 0.7, math.nan, 0.8, 0.9, 0.9):
        best.offer(1, {"auroc": value}, network(1))
        counts.append(best.n_since)
    assert counts == [0, 0, 1, 2, 3, 0, 1]
