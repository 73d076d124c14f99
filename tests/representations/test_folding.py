import numpy as np
import pytest
import torch

from vicinal.representations.folding import Folded, folded
from vicinal.representations.layers.norm import BatchNorm
from vicinal.representations.network import build

TEXTS = [
    "conv 8 window 5 same | norm | relu | residual 16 window 3 stride 2 | mean | dense classes",
    "conv 4 window 3 | norm | conv 4 window 3 | relu | norm | mean | dense classes",
    "separable 8 window 5 stride 2 | norm | relu | separable 8 window 3 | relu | mean | dense classes",
    "bottleneck 8 window 5 stride 2 | bottleneck 8 window 3 causal | mean | dense classes",
    "inception 8 window 9 depth 3 | inception 12 window 5 | mean | dense classes",
]


def trained(text, shape=(2, 40)):
    """Return a network whose norms have statistics and weights of their own."""
    network = build(text, input_shape=shape, n_outputs=3, seed=0)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for _ in range(3):
            network(3 * torch.randn(8, *shape, generator=generator) + 1)
        for module in network.modules():
            if isinstance(module, BatchNorm):
                module.weight.copy_(torch.rand(module.weight.shape, generator=generator) + 0.5)
                module.bias.copy_(torch.randn(module.bias.shape, generator=generator))
    return network.eval()


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("lengths", [None, [40, 31, 12, 40, 7]])
def test_a_folded_network_gives_the_same_logits(text, lengths):
    network = trained(text)
    x = torch.randn(5, 2, 40, generator=torch.Generator().manual_seed(2))
    lengths = None if lengths is None else torch.tensor(lengths)
    with torch.no_grad():
        assert np.allclose(folded(network)(x, lengths), network(x, lengths), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("text", TEXTS)
def test_images_too(text):
    network = trained(text, shape=(2, 14, 12))
    x = torch.randn(3, 2, 14, 12, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        assert np.allclose(folded(network)(x), network(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("text", [text for text in TEXTS if "relu | norm" not in text])
def test_no_norm_is_left_behind_a_window(text):
    network = trained(text)
    assert any(isinstance(module, BatchNorm) for module in network.modules())
    assert not any(isinstance(module, BatchNorm) for module in folded(network).modules())


def test_only_norms_behind_a_convolution_are_folded():
    kinds = [type(module) for module in folded(trained(TEXTS[1])).modules()]
    assert kinds.count(Folded) == 1
    assert kinds.count(BatchNorm) == 1


def test_the_network_itself_is_left_as_it_was():
    network = trained(TEXTS[0]).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    copy = folded(network)
    assert network.training
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert all(parameter.requires_grad for parameter in network.parameters())
    assert not any(parameter.requires_grad for parameter in copy.parameters())
