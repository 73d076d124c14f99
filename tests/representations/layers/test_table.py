"""Which word makes which layer; every word of the table through the same contract."""

import pytest
import torch
from torch import nn

from vicinal.errors import NetworkError
from vicinal.representations.layers.geometry import Shape
from vicinal.representations.layers.norm import BatchNorm, GroupNorm, LayerNorm
from vicinal.representations.layers.table import LAYERS, Layer, Place, make_layer
from vicinal.representations.text import KINDS, parse

EXAMPLES: dict[str, tuple[str, Shape]] = {  # what leaves a layer that 3 channels of 10 positions reach
    "dense": ("dense 4", (4, 10)),
    "local": ("local 4 window 3 stride 2", (4, 4)),
    "conv": ("conv 4 window 3 dilation 2", (4, 6)),
    "separable": ("separable 4 window 3 stride 2", (4, 5)),
    "residual": ("residual 4 window 3 stride 2", (4, 5)),
    "bottleneck": ("bottleneck 8 window 3 stride 2", (8, 5)),
    "inception": ("inception 8 window 5 depth 2", (8, 10)),
    "lstm": ("lstm 4 both", (8, 10)),
    "gru": ("gru 4", (4, 10)),
    "attention": ("attention 8 heads 2 window 3", (8, 10)),
    "transformer": ("transformer 4 heads 2", (4, 10)),
    "norm": ("norm", (3, 10)),
    "relu": ("relu", (3, 10)),
    "gelu": ("gelu", (3, 10)),
    "dropout": ("dropout 0.5", (3, 10)),
    "mean": ("mean", (3,)),
    "max": ("max window 4 stride 2 same", (3, 5)),
    "mean-max": ("mean-max", (6,)),
    "last": ("last", (3,)),
    "attention-pool": ("attention-pool", (3,)),
    "flatten": ("flatten", (30,)),
}


N_CHANNELS = {"transformer": 4}  # of what reaches a layer, where it is not 3


def made(
    text: str,
    shape: Shape = (3, 10),
    *,
    first: bool = False,
    last: bool = False,
    before_norm: bool = False,
) -> Layer:
    (stage,) = parse(text).stages
    return make_layer(stage, Place(shape, n_outputs=7, first=first, last=last, before_norm=before_norm))


def test_every_word_has_a_layer() -> None:
    assert sorted(KINDS) == sorted(LAYERS) == sorted(EXAMPLES)


@pytest.mark.parametrize("kind", sorted(LAYERS))
def test_every_layer_keeps_the_contract(kind: str) -> None:
    text, expected = EXAMPLES[kind]
    shape = (N_CHANNELS.get(kind, 3), 10)
    layer, twin = made(text, shape), made(text, shape)
    assert isinstance(layer, Layer)
    assert isinstance(layer, nn.Module)
    assert isinstance(twin, nn.Module)
    for each in (layer, twin):
        for value in each.state_dict().values():
            value.fill_(torch.nan)
        each.initialise(torch.Generator().manual_seed(1))
    values = layer.state_dict()
    assert all(torch.isfinite(value).all() for value in values.values())
    assert all(torch.equal(value, values[key]) for key, value in twin.state_dict().items())
    for key, value in values.items():
        if key.endswith("bias"):
            value.fill_(1)
    x = torch.randn(2, shape[0], 1, 10)
    x[1] = 0  # of length 0: what leaves must be 0 as well, whatever the bias
    y, lengths = layer(x, torch.tensor([10, 0]))
    assert layer.facts.shape == expected
    if len(expected) == 1:
        assert (y.shape, lengths) == ((2, *expected), None)
    else:
        assert y.shape == (2, expected[0], 1, expected[1])
        assert lengths is not None
        assert lengths.tolist() == [expected[1], 0]
        assert y[0].any()
        assert not y[1].any()


def test_classes_are_as_many_units_as_the_task_has_outputs() -> None:
    assert made("dense classes", (3,)).facts.shape == (7,)
    assert made("conv classes window 1").facts.shape == (7, 10)


@pytest.mark.parametrize("text", ["conv 4 window 3", "local 4 window 3"])
def test_a_window_before_a_norm_has_no_bias_of_its_own(text: str) -> None:
    for before_norm in (False, True):
        layer = made(text, before_norm=before_norm)
        assert isinstance(layer, nn.Module)
        has_bias = any(name.endswith("bias") for name, _ in layer.named_parameters())
        assert has_bias is not before_norm


def test_a_flag_chooses_the_norm() -> None:
    assert isinstance(made("norm"), BatchNorm)
    assert isinstance(made("norm layer"), LayerNorm)
    assert isinstance(made("norm group 3"), GroupNorm)


def test_one_number_holds_for_every_axis_and_two_for_one_each() -> None:
    assert made("conv 4 window 3 stride 2", (3, 9, 12)).facts.shape == (4, 4, 5)
    assert made("max window 2x5", (3, 9, 12)).facts.shape == (3, 8, 8)


@pytest.mark.parametrize(
    ("text", "zeros"),
    [
        ("conv 1 window 4", (0, 0)),
        ("conv 1 window 4 same", (1, 2)),
        ("conv 1 window 4 causal", (3, 0)),
        ("residual 1 window 4", (1, 2)),
        ("residual 1 window 4 causal", (3, 0)),
    ],
)
def test_a_word_for_padding_becomes_that_padding(text: str, zeros: tuple[int, int]) -> None:
    paths = made(text, (1, 6)).facts.paths
    assert paths is not None
    ((taps,), *_) = max(paths, key=len)
    assert (taps.left, taps.right) == zeros


@pytest.mark.parametrize(
    ("text", "shape", "message"),
    [
        ("conv 8 window 11", (3, 10), r"^window 11 is longer than the 10 positions that reach it"),
        ("conv 8 window 5 dilation 3", (3, 10), r"window 5 \(dilation 3: 13 positions\) is longer"),
        ("conv 8 window 3x5", (3, 10), "window 3x5 has two axes, the signal that reaches it has 1"),
        ("mean window 2 stride 2x1", (3, 10), "stride 2x1 has two axes"),
        ("last", (3, 9, 9), "'last' is for signals along time"),
        ("lstm 4", (3, 9, 9), "'lstm 4' is for signals along time"),
        ("attention 8 heads 2 window 3", (3, 9, 9), "is for signals along time"),
        ("attention 9 heads 2", (3, 10), "needs units in multiples of 4; write 12"),
        ("attention 8 heads 4", (3, 9, 9), "needs units in multiples of 16; write 16"),
        ("transformer 8 heads 2", (3, 10), "has 3 channels; write 'conv 8 window 1' before it"),
        ("bottleneck 6 window 3", (3, 10), "needs units in multiples of 4; write 8"),
        ("inception 8 window 3", (3, 10), "shortest window is a quarter of 'window'; write at least 4"),
        ("norm group 2", (3, 10), "3 channels cannot be put into 2 equal groups"),
        *((EXAMPLES[kind][0], (3,), f"'{kind}' needs positions, but only 3 features") for kind in (
            "local", "conv", "separable", "residual", "bottleneck", "inception", "lstm", "gru", "attention",
            "transformer", "mean", "max", "mean-max", "last", "attention-pool", "flatten"
        )),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(text: str, shape: Shape, message: str) -> None:
    with pytest.raises(NetworkError, match=message):
        made(text, shape)


def test_a_dense_layer_does_not_end_a_network_with_positions_unless_it_is_all_of_it() -> None:
    with pytest.raises(NetworkError, match="'dense 4' ends the network with 10 positions"):
        made("dense 4", last=True)
    assert made("dense 4", first=True, last=True).facts.shape == (4,)
