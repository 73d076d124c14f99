"""Lengths after a window, and zeros past them."""

import torch

from vicinal.representations.layers.geometry import Taps
from vicinal.representations.layers.lengths import output_lengths, zero_past_


def test_lengths_follow_the_rule_of_the_window() -> None:
    for padding in ("valid", "same", "causal"):
        taps = Taps.padded(5, stride=3, dilation=2, padding=padding)  # type: ignore[arg-type]
        lengths = torch.arange(40)
        found = output_lengths(lengths, (taps,))
        assert found is not None
        assert found.tolist() == [taps.count(n) for n in range(40)]
    assert output_lengths(None, (Taps(3),)) is None


def test_zeros_past_the_length_only() -> None:
    x = torch.ones(2, 2, 1, 3)
    assert zero_past_(x, torch.tensor([3, 1])) is x
    assert x[:, 0, 0].tolist() == [[1.0, 1.0, 1.0], [1.0, 0.0, 0.0]]
