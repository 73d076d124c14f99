import numpy as np
import pytest

from vicinal.evidence.ladder.contrasts import contrasts, holm
from vicinal.evidence.ladder.sample import Sample


def test_holm_by_hand() -> None:
    # Sorted 0.01, 0.02, 0.03, 0.6 times 4, 3, 2, 1, never falling.
    assert holm(np.array([0.03, 0.01, 0.6, 0.02])) == pytest.approx([0.06, 0.04, 0.6, 0.06])
    assert holm(np.array([0.9, 0.8])) == pytest.approx([1.0, 1.0])
    assert holm(np.array([])).shape == (0,)


def test_what_is_undefined_stays_so_and_counts() -> None:
    found = holm(np.array([np.nan, 0.01]))
    assert np.isnan(found[0])
    assert found[1] == pytest.approx(0.02)


def test_a_difference_is_clear_after_the_correction_alone() -> None:
    rng = np.random.default_rng(0)
    shared = rng.normal(0, 0.05, 2000)

    def sample(value: float) -> Sample:
        return Sample(np.array([value]), np.array([value + shared + rng.normal(0, 0.01, 2000)]), 50)

    found = contrasts({"a": sample(0.9), "b": sample(0.8), "c": sample(0.893), "d": sample(0.865)})
    clear = {(one.a, one.b) for one in found if one.is_clear}
    assert len(found) == 6
    assert ("a", "b") in clear
    assert ("a", "c") not in clear
    (one,) = contrasts({"a": sample(0.9), "d": sample(0.865)}, [("a", "d")])
    assert one.p < next(two.p for two in found if (two.a, two.b) == ("a", "d"))
    assert one.to_dict()["value"] == pytest.approx(0.035)
