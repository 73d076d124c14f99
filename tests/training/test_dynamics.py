import numpy as np
import pytest
import torch
from torch import nn

from vicinal.training.dynamics import Dynamics, stage_of


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv1d(1, 2, 3), nn.ReLU(), nn.Linear(4, 1))


def test_it_measures_how_far_each_stage_moved_and_how_large_it_is():
    net = network()
    before = [p.detach().clone() for p in net.parameters()]
    dynamics = Dynamics(net)
    with torch.no_grad():
        for p in net.parameters():
            p.add_(torch.randn_like(p))
    dynamics.step()
    moved, size = dynamics.measure().tolist()

    def norm(arrays):
        return np.sqrt(sum(float((array.detach() ** 2).sum()) for array in arrays))

    now = list(net.parameters())
    steps = [a - b for a, b in zip(now, before, strict=True)]
    assert dynamics.stages == ("0", "2")
    assert moved == pytest.approx([norm(steps[:2]), norm(steps[2:])], rel=1e-5)
    assert size == pytest.approx([norm(now[:2]), norm(now[2:])], rel=1e-5)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_one_weight_that_is_no_number_shows_in_the_sum_and_is_named(value):
    net = network()
    dynamics = Dynamics(net)
    assert np.isfinite(dynamics.step().item())
    with torch.no_grad():
        net[2].bias[0] = value

    assert not np.isfinite(dynamics.step().item())
    assert dynamics.not_finite() == ["2"]


def test_after_a_reset_the_present_weights_count_as_those_before():
    net = network()
    dynamics = Dynamics(net)
    with torch.no_grad():
        net[0].weight.add_(1.0)
    dynamics.reset()
    dynamics.step()
    assert dynamics.measure()[0].tolist() == [0.0, 0.0]


def test_a_stage_is_the_number_and_kind_in_a_name():
    assert stage_of("3.residual.first.weight") == "3.residual"
    assert stage_of("head.bias") == "head"
    assert stage_of("scale") == "scale"
