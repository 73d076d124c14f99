import numpy as np
import pytest

from vicinal.errors import ExperimentError
from vicinal.evidence.robustness import auroc_under_shifts, shifted

RAMP = np.arange(5, dtype=np.float32).reshape(1, 1, 5)


def test_a_shift_moves_later_and_repeats_the_edge() -> None:
    assert shifted(RAMP, 2).tolist() == [[[0, 0, 0, 1, 2]]]
    assert shifted(RAMP, -2).tolist() == [[[2, 3, 4, 4, 4]]]
    assert shifted(RAMP, 0).tolist() == RAMP.tolist()


def test_nothing_left_is_refused() -> None:
    with pytest.raises(ExperimentError, match="leaves nothing of 5 positions"):
        shifted(RAMP, 5)


def test_a_score_that_reads_one_place_collapses_and_a_mean_does_not() -> None:
    samples = np.zeros((40, 1, 21), np.float32)
    truth = np.tile([0.0, 1.0], 20)
    samples[truth == 1, 0, 10] = 1.0

    def one_place(x: np.ndarray) -> np.ndarray:
        return x[:, 0, 10]

    def anywhere(x: np.ndarray) -> np.ndarray:
        return x[:, 0].max(axis=1)

    assert auroc_under_shifts(one_place, samples, truth, shifts=(0, 5)) == {0: 1.0, 5: 0.5}
    assert auroc_under_shifts(anywhere, samples, truth, shifts=(0, 5)) == {0: 1.0, 5: 1.0}
