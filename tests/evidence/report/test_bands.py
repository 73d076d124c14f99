import numpy as np
import pytest

from vicinal.evidence.report.bands import levels, stretches


def test_levels_go_from_minus_four_to_four():
    sums = np.array([-9.0, -8.0, -1.0, 0.9, 1.1, 3.0, 8.0])
    assert levels(sums, largest=8.0).tolist() == [-4, -4, 0, 0, 1, 2, 4]
    assert levels(sums, largest=0.0).tolist() == [0] * 7


@pytest.mark.parametrize(
    ("length", "per_row", "n"),
    [(3000, 3000, 100), (1500, 3000, 50), (100, 100, 100), (7, 7, 7), (2, 3000, 1)],
)
def test_stretches_cover_a_row(length, per_row, n):
    edges = stretches(length, per_row=per_row)
    assert (edges[0], edges[-1], len(edges) - 1) == (0, length, n)
    assert (np.diff(edges) > 0).all()
