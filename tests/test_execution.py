import os

import pytest

from vicinal.errors import VicinalError
from vicinal.execution import map_tasks, n_processors


def square(x: int) -> int:
    if x == 13:
        raise ValueError("unlucky")
    return x * x


def test_results_come_in_order() -> None:
    assert list(map_tasks(square, [3, 1, 2])) == [9, 1, 4]


@pytest.mark.slow
def test_processes_give_the_same_results() -> None:
    items = list(range(12))
    assert list(map_tasks(abs, items, n_processes=2, chunk=3)) == items


def test_the_first_error_is_raised() -> None:
    with pytest.raises(ValueError, match="unlucky"):
        list(map_tasks(square, [1, 13, 2]))


@pytest.mark.slow
def test_a_killed_process_is_one_clear_error() -> None:
    with pytest.raises(VicinalError, match="a worker process ended"):
        list(map_tasks(os._exit, [9, 9, 9], n_processes=2))


def test_there_is_a_processor() -> None:
    assert n_processors() >= 1
