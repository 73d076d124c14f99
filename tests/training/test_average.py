import torch
from torch import nn

from vicinal.training.average import Average


def constant(value: float) -> nn.Module:
    network = nn.BatchNorm1d(2)
    with torch.no_grad():
        for tensor in network.state_dict().values():
            tensor.fill_(value)
    return network


def test_the_average_by_hand():
    average = Average(constant(0.0), decay=0.5)

    average.update(constant(1.0))  # decay min(0.5, 2/11): 0 * 2/11 + 1 * 9/11
    assert torch.allclose(average.network.weight, torch.full((2,), 9 / 11))
    average.update(constant(1.0))  # decay min(0.5, 3/12): (9/11) / 4 + 3/4
    assert torch.allclose(average.network.running_mean, torch.full((2,), 9 / 44 + 3 / 4))
    assert average.network.num_batches_tracked == 1


def test_the_network_itself_is_left_alone():
    network = constant(2.0)
    average = Average(network, decay=0.9)
    average.update(constant(4.0))

    assert (network.weight == 2.0).all()
    assert not average.network.weight.requires_grad
