import math

import torch

from vicinal.representations.network import build


def test_weights_are_he_normal_and_biases_zero() -> None:
    network = build("conv 64 window 9 | relu | mean | dense 1", input_shape=(16, 50), n_outputs=1, seed=0)
    weight = network.state_dict()["0.conv.weight"]
    assert weight.shape == (64, 16, 9)
    assert abs(float(weight.std()) / math.sqrt(2 / (16 * 9)) - 1) < 0.05
    assert abs(float(weight.mean())) < 0.01
    assert not network.state_dict()["0.conv.bias"].any()


def test_the_seed_decides_and_no_global_seed_is_touched() -> None:
    torch.manual_seed(7)
    before = torch.get_rng_state()
    first = build("dense 5 | relu | dense 1", input_shape=(1, 20), n_outputs=1, seed=3).state_dict()
    again = build("dense 5 | relu | dense 1", input_shape=(1, 20), n_outputs=1, seed=3).state_dict()
    other = build("dense 5 | relu | dense 1", input_shape=(1, 20), n_outputs=1, seed=4).state_dict()
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)
