import numpy as np
import pytest

from vicinal.inputs.blocks import Blocks, recorded
from vicinal.inputs.usual import with_usual


def blocks(samples: np.ndarray) -> Blocks:
    return recorded(samples.astype(np.float32), rows=list(range(len(samples))), factors=[1.0] * len(samples))


def test_the_usual_course_by_hand() -> None:
    #                     0  1  2  3  4  5  6  7  8  9
    samples = np.array([[1, 5, 2, 0, 1, 7, 4, 0, 9, 6]])
    made = with_usual(blocks(samples), np.array([1, 5, 9]), before=1, after=2)
    x = made.samples(0, 10)
    assert made.n_channels == 2
    assert (x[0] == samples).all()
    # Before: 1, 1, 9; at: 5, 7, 6; behind: 2, 4, and what lies beyond the recording, which counts for none.
    assert x[1].tolist() == [1, 6, 3, 0, 1, 6, 3, 0, 1, 6]
    assert (made.samples(3, 7) == x[:, 3:7]).all()
    assert made.valid(0, 10).all()


def test_a_position_belongs_to_the_nearest_event() -> None:
    samples = np.arange(8)[None]
    x = with_usual(blocks(samples), np.array([2, 5]), before=2, after=3).samples(0, 8)
    # The median of windows that rise alike is their mean: 1.5, 2.5, 3.5, 4.5, 5.5.
    assert x[1, [0, 1, 2, 5, 6, 7]].tolist() == [1.5, 2.5, 3.5, 3.5, 4.5, 5.5]
    assert x[1, [3, 4]].tolist() == [4.5, 2.5]


@pytest.mark.parametrize("events", [[], [7], [7, 7]])
def test_few_events_are_their_own_usual(events: list[int]) -> None:
    samples = np.random.default_rng(0).standard_normal((3, 20))
    x = with_usual(blocks(samples), np.array(events, dtype=np.int64), before=2, after=3).samples(0, 20)
    assert x.shape == (6, 20)
    inside = np.isin(np.arange(20), range(5, 10)) if events else np.zeros(20, bool)
    assert x[3:, inside] == pytest.approx(samples[:, inside], abs=1e-6)
    assert (x[3:, ~inside] == 0).all()
