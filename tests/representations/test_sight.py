import numpy as np
import pytest
import torch

from vicinal.errors import NetworkError
from vicinal.representations.network import build
from vicinal.representations.sight import at_length, sight_of

NETWORKS = (
    "conv 3 window 5 stride 2 same | norm | relu | residual 4 window 3 stride 2 | conv classes window 1",
    "conv 3 window 6 | relu | conv 4 window 3 stride 3 causal | conv classes window 1",
    "conv 3 window 5 same | residual 4 window 3 dilation 4 | max window 3 stride 2 same | conv classes window 1",
    "inception 4 window 8 depth 2 | separable 4 window 5 stride 2 | dense 3 | relu | conv classes window 1",
)


@pytest.mark.parametrize("text", NETWORKS)
def test_what_an_output_sees_is_what_its_gradient_reaches(text: str) -> None:
    network = build(text, input_shape=(2, 200), n_outputs=3, seed=0).eval()
    sight = sight_of(network)
    x = torch.randn(1, 2, 200, generator=torch.Generator().manual_seed(0), requires_grad=True)
    logits = network(x)
    assert logits.shape[2] == sight.count(200)
    j = logits.shape[2] // 2
    (gradient,) = torch.autograd.grad(logits[0, :, j].square().sum(), x)
    reached = np.flatnonzero(gradient.abs().sum((0, 1)).numpy())
    low, high = j * sight.stride - sight.left, j * sight.stride + sight.right
    assert low <= reached[0]
    assert reached[-1] <= high
    if "max" not in text and "relu" not in text:
        assert (reached[0], reached[-1]) == (low, high)


@pytest.mark.parametrize("text", NETWORKS)
def test_outputs_are_counted_at_every_length(text: str) -> None:
    network = build(text, input_shape=(2, 50), n_outputs=3, seed=0).eval()
    sight = sight_of(network)
    for n in (37, 38, 39, 50, 64):
        moved = at_length(network, n)
        assert moved(torch.zeros(1, 2, n)).shape == (1, 3, sight.count(n))


def test_positions_read_the_nearest_output() -> None:
    sight = sight_of(build(NETWORKS[0], input_shape=(2, 50), n_outputs=3, seed=0))
    assert (sight.stride, sight.count(50)) == (4, 13)
    assert sight.read(np.array([0, 1, 2, 5, 6, 49]), 50).tolist() == [0, 0, 1, 1, 2, 12]


def test_another_length_has_the_same_weights() -> None:
    network = build(NETWORKS[0], input_shape=(2, 50), n_outputs=3, seed=3)
    moved = at_length(network, 80)
    assert moved.input_shape == (2, 80)
    for name, value in network.state_dict().items():
        assert (moved.state_dict()[name] == value).all()


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("conv 4 window 3 same | mean | dense classes", r"stage 2, 'mean', leaves none"),
        (
            "conv 4 window 3 same | lstm 4 both | conv classes window 1",
            r"stage 2, 'lstm 4 both', reads the signal",
        ),
        (
            "conv 4 window 3 same | lstm 4 | conv classes window 1",
            r"stage 2, 'lstm 4', sees all that came before",
        ),
        (
            "local 4 window 3 same | conv classes window 1",
            r"stage 1, 'local 4 window 3 same', ties its weights",
        ),
        (
            "conv 4 window 3 same | norm group 2 | conv classes window 1",
            "takes its statistics over the whole",
        ),
    ],
)
def test_what_sees_no_stretch_is_refused(text: str, match: str) -> None:
    with pytest.raises(NetworkError, match=match):
        sight_of(build(text, input_shape=(2, 50), n_outputs=3, seed=0))


def test_images_are_refused() -> None:
    network = build(
        "conv 4 window 3 same | conv classes window 1", input_shape=(1, 8, 8), n_outputs=3, seed=0
    )
    with pytest.raises(NetworkError, match="need outputs along time"):
        sight_of(network)
