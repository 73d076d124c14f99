import pytest
import torch

from vicinal.bench.plain import plain
from vicinal.errors import NetworkError
from vicinal.representations.network import build

SMALL = "conv 8 window 5 stride 2 same | norm | relu | residual 8 window 3 | mean | dense classes"
MORE = (
    "conv 8 window 3 | max window 3 stride 2 same | bottleneck 16 window 3 stride 2 | bottleneck 16 window 3 "
    "| inception 8 window 15 | mean window 2 stride 2 | mean-max | norm | dropout 0.5 | dense classes"
)


@pytest.mark.parametrize("text", [SMALL, MORE, "resnet1d", "inception1d", "xresnet1d101"])
def test_the_baseline_is_the_same_network(text: str) -> None:
    network = build(text, input_shape=(2, 51), n_outputs=3, seed=0)
    x = torch.randn(4, 2, 51, generator=torch.Generator().manual_seed(0))
    for _ in range(2):
        network(torch.randn(4, 2, 51))  # statistics of its own
    network.eval()
    usual = plain(network)
    with torch.no_grad():
        assert torch.allclose(usual(x), network(x), rtol=1e-3, atol=1e-4)
    assert sum(p.numel() for p in usual.parameters()) == sum(p.numel() for p in network.parameters())
    assert not any(type(one).__module__.startswith("vicinal.representations") for one in usual.modules())


@pytest.mark.parametrize("text", [SMALL, MORE.replace("dropout 0.5 |", "")])
def test_it_trains_like_the_network(text: str) -> None:
    network = build(text, input_shape=(2, 51), n_outputs=3, seed=0).train()
    usual = plain(network)
    x = torch.randn(4, 2, 51, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(usual(x), network(x), rtol=1e-3, atol=1e-4)
    gradients = [[p.grad.norm() for p in one.parameters()] for one in (usual, network) if _backward(one, x)]
    first, second = (torch.stack(sorted(norms, key=float)) for norms in gradients)
    assert torch.allclose(first, second, rtol=1e-2, atol=1e-4)


def _backward(network: torch.nn.Module, x: torch.Tensor) -> bool:
    network(x).square().sum().backward()
    return True


def test_a_network_without_a_plain_counterpart() -> None:
    for text, name in (
        ("local 2 window 5 | relu | flatten | dense classes", "local"),
        ("conv 2 window 4 same | mean | dense classes", "conv"),
    ):
        network = build(text, input_shape=(1, 20), n_outputs=1)
        with pytest.raises(NetworkError, match=f"got {name}"):
            plain(network)
