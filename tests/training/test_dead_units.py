import numpy as np
import pytest
import torch
from torch import nn

from vicinal.training.dead_units import WINDOW, DeadUnits


def network(n_dead):
    """Eight units behind a ReLU, of which so many are never positive."""
    torch.manual_seed(0)
    found = nn.Sequential(nn.Conv1d(1, 8, 3), nn.ReLU(), nn.Conv1d(8, 2, 3), nn.Flatten(), nn.Linear(12, 1))
    with torch.no_grad():
        found[0].bias[:n_dead] = -100.0
    return found


def look(dead, net, n, seed=0):
    x = torch.from_numpy(np.random.default_rng(seed).standard_normal((32, 1, 10)).astype(np.float32))
    for _ in range(n):
        with dead.looking():
            net(x)


@pytest.mark.parametrize("n_dead", [0, 3, 8])
def test_units_that_give_only_zeros_are_counted(n_dead):
    net = network(n_dead)
    dead = DeadUnits(net)
    look(dead, net, WINDOW - 1)
    assert (dead.share, dead.by_layer()) == (None, {})
    look(dead, net, 1)

    # The twelve features before the last layer come from a layer without ReLU.
    assert dead.by_layer() == {"2": (n_dead, 8), "4": (0, 12)}
    assert dead.share == n_dead / 20


def test_a_unit_that_fired_within_the_window_is_alive():
    net = network(0)
    dead = DeadUnits(net)
    look(dead, net, 1)
    with torch.no_grad():
        net[0].bias[:] = -100.0
    look(dead, net, WINDOW - 1)
    assert dead.by_layer()["2"] == (0, 8)
    look(dead, net, 1)
    assert dead.by_layer()["2"] == (8, 8)


def test_it_goes_on_from_what_it_gave_and_leaves_no_hooks():
    net = network(3)
    dead, again = DeadUnits(net), DeadUnits(net)
    look(dead, net, WINDOW)
    again.restore(dead.arrays())

    assert (again.share, again.by_layer()) == (dead.share, dead.by_layer())
    assert not any(module._forward_pre_hooks for module in net.modules())
