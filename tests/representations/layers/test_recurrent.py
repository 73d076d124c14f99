"""Recurrent layers against a plain loop in NumPy, one position after the other."""

import numpy as np
import pytest
import torch

from vicinal.representations.layers.recurrent import Recurrent


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def lstm_by_hand(x: np.ndarray, wi, wh, bi, bh) -> np.ndarray:
    h = c = np.zeros(wh.shape[1])
    outputs = []
    for step in x:
        i, f, g, o = np.split(wi @ step + bi + wh @ h + bh, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        outputs.append(h)
    return np.array(outputs)


def gru_by_hand(x: np.ndarray, wi, wh, bi, bh) -> np.ndarray:
    h = np.zeros(wh.shape[1])
    outputs = []
    for step in x:
        ri, zi, ni = np.split(wi @ step + bi, 3)
        rh, zh, nh = np.split(wh @ h + bh, 3)
        r, z = sigmoid(ri + rh), sigmoid(zi + zh)
        h = (1 - z) * np.tanh(ni + r * nh) + z * h
        outputs.append(h)
    return np.array(outputs)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("both", [False, True])
def test_is_a_plain_loop(cell, *, both: bool) -> None:
    layer = Recurrent((3, 8), units=4, cell=cell, both=both)
    layer.initialise(torch.Generator().manual_seed(0))
    x = torch.randn(2, 3, 1, 8)
    lengths = torch.tensor([8, 5])
    found, _ = layer(x, lengths)
    by_hand = {"lstm": lstm_by_hand, "gru": gru_by_hand}[cell]
    weights = [value.detach().numpy() for value in layer.cells.parameters()]
    for row, n in enumerate(lengths.tolist()):
        steps = x[row, :, 0, :n].numpy().T
        expected = by_hand(steps, *weights[:4])
        if both:
            expected = np.hstack([expected, by_hand(steps[::-1], *weights[4:])[::-1]])
        np.testing.assert_allclose(found[row, :, 0, :n].detach().numpy().T, expected, atol=1e-6)
        assert not found[row, ..., n:].any()


@pytest.mark.parametrize(("cell", "gates", "states"), [("lstm", 4, 2), ("gru", 3, 1)])
def test_parameters_cost_and_state_by_hand(cell, gates: int, states: int) -> None:
    layer = Recurrent((3, 8), units=4, cell=cell, both=False)
    assert sum(value.numel() for value in layer.parameters()) == gates * 4 * (3 + 4 + 2)
    assert layer.facts.multiply_adds == 8 * gates * 4 * (3 + 4)
    assert layer.facts.state_values == states * 4
    assert Recurrent((3, 8), units=4, cell=cell, both=True).facts.state_values is None


def test_float32_in_any_precision() -> None:
    layer = Recurrent((3, 8), units=4, cell="gru", both=False)
    layer.initialise(torch.Generator().manual_seed(0))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert layer(torch.randn(2, 3, 1, 8).bfloat16())[0].dtype == torch.float32
