"""Where taps fall, by hand and against brute force."""

import hypothesis.strategies as st
import numpy as np
from hypothesis import given

from vicinal.representations.layers.geometry import Taps, taps_of


def test_hand_worked() -> None:
    taps = Taps.padded(5, stride=2, dilation=2, padding="same")
    assert (taps.reach, taps.left, taps.right, taps.right_of) == (9, 4, 4, 4)
    assert taps.count(10) == 5
    assert taps.sources(np.array([0]), 10).tolist() == [0, 2, 4]
    assert Taps.padded(20, stride=10, dilation=1, padding="valid").count(100) == 9


def test_taps_of_every_axis() -> None:
    assert taps_of((3, 4), padding="same") == (Taps(3, left=1, right=1), Taps(4, left=1, right=2))
    assert taps_of((3, 2), stride=(2, 1), dilation=(1, 3), padding="causal") == (
        Taps(3, stride=2, left=2),
        Taps(2, dilation=3, left=3),
    )


@given(
    st.integers(1, 7),
    st.integers(1, 4),
    st.integers(1, 3),
    st.sampled_from(["valid", "same", "causal"]),
    st.integers(0, 30),
)
def test_the_count_is_that_of_windows_which_fit(
    window: int, stride: int, dilation: int, padding: str, n: int
) -> None:
    taps = Taps.padded(window, stride=stride, dilation=dilation, padding=padding)  # type: ignore[arg-type]
    starts = range(-taps.left, n + taps.right - taps.reach + 1, stride)
    assert taps.count(n) == len(starts)
