import numpy as np
import torch
from torch import nn

from vicinal.training.config import TrainingConfig
from vicinal.training.optimiser import make_optimiser, moments, restore_moments


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.window = nn.Parameter(torch.ones(2, 1, 3))
        self.bias = nn.Parameter(torch.ones(4, 2))  # of a local layer: one a position
        self.norm = nn.Parameter(torch.ones(2))
        self.fixed = nn.Parameter(torch.ones(2, 2), requires_grad=False)


def test_windows_alone_are_decayed_and_what_is_fixed_is_left_out():
    network = Small()
    optimiser = make_optimiser(network, TrainingConfig(epochs=1, weight_decay=0.3))
    decay = {id(p): group["weight_decay"] for group in optimiser.param_groups for p in group["params"]}

    assert decay == {id(network.window): 0.3, id(network.bias): 0.0, id(network.norm): 0.0}


def test_moments_go_out_and_in_again_with_their_layout():
    def stepped(network, optimiser, n):
        for k in range(n):
            for p in parameters(network):
                p.grad = torch.full_like(p, 0.1 * (k + 1))
            optimiser.step()

    def parameters(network):
        return [p for p in network.parameters() if p.requires_grad]

    config = TrainingConfig(epochs=1)
    first, again = Small(), Small()
    optimiser = make_optimiser(first, config)
    assert moments(optimiser, parameters(first)) == {}
    stepped(first, optimiser, 3)
    kept = {name: np.array(value) for name, value in moments(optimiser, parameters(first)).items()}
    again.load_state_dict(first.state_dict())
    other = make_optimiser(again, config)
    restore_moments(other, parameters(again), kept)
    stepped(first, optimiser, 2)
    stepped(again, other, 2)

    assert sorted(kept)[:3] == ["0.exp_avg", "0.exp_avg_sq", "0.step"]
    for a, b in zip(first.parameters(), again.parameters(), strict=True):
        assert torch.equal(a, b)
