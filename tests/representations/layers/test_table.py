"""Which word makes which layer; every word of the table through the same contract."""

import ast
import re
from pathlib import Path
from typing import cast

import pytest
import torch
from torch import nn
from torch.func import functional_call

from vicinal.errors import NetworkError
from vicinal.representations.layers import table
from vicinal.representations.layers.geometry import Shape
from vicinal.representations.layers.minirocket import MiniRocket
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
    "minirocket": ("minirocket 84", (84,)),
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


FIRST_ONLY = {"minirocket"}  # of a network; it counts, and a count has no gradient
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
    first = kind in FIRST_ONLY
    layer, twin = made(text, shape, first=first), made(text, shape, first=first)
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
    if isinstance(layer, MiniRocket):
        layer.settle(x)
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


def ready(text: str, shape: Shape) -> nn.Module:
    """Return a layer in float64 whose every value counts: nothing at zero that a mistake could hide behind."""
    layer = made(text, shape, first=text.split()[0] in FIRST_ONLY)
    layer.initialise(torch.Generator().manual_seed(1))
    module = cast(nn.Module, layer).double()
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for key, value in module.state_dict().items():
            if value.dim() == 1 and not key.endswith("running_var"):
                value.normal_(generator=generator)
    return module.eval()


def like(x: torch.Tensor) -> torch.Tensor:
    return torch.randn(x.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("lengths", [None, [10, 6]])
@pytest.mark.parametrize("kind", sorted(LAYERS.keys() - FIRST_ONLY))
def test_gradients_are_those_of_differences(kind: str, lengths: list[int] | None, *, training: bool) -> None:
    shape = (N_CHANNELS.get(kind, 3), 10)
    layer = ready(EXAMPLES[kind][0], shape).train(training and kind != "dropout")  # which is random then
    names, values = zip(*layer.named_parameters(), strict=True) if [*layer.parameters()] else ((), ())
    given = None if lengths is None else torch.tensor(lengths)
    real = torch.ones(2, 1, 1, 10) if given is None else (torch.arange(10) < given[:, None])[:, None, None]

    def run(x: torch.Tensor, *weights: torch.Tensor) -> torch.Tensor:
        y, _ = functional_call(layer, dict(zip(names, weights, strict=True)), (x * real, given))
        return y

    x = like(torch.empty(2, shape[0], 1, 10)).requires_grad_()
    assert torch.autograd.gradcheck(run, (x, *values))


@pytest.mark.parametrize("kind", sorted(LAYERS))
def test_a_row_never_sees_its_batch_mates(kind: str) -> None:
    shape = (N_CHANNELS.get(kind, 3), 10)
    layer, lengths = ready(EXAMPLES[kind][0], shape), torch.tensor([10, 7, 4, 0])
    x = like(torch.empty(4, shape[0], 1, 10)) * (torch.arange(10) < lengths[:, None])[:, None, None]
    together, after = layer(x, lengths)
    for row in range(4):
        alone, n = layer(x[row : row + 1], lengths[row : row + 1])
        torch.testing.assert_close(alone[0], together[row])
        assert (n is None) is (after is None)
        assert n is None or n[0] == after[row]


PARAMETERS = {
    "dense": 3 * 4 + 4,
    "local": 4 * (4 * 3 * 3 + 4),
    "conv": 4 * 3 * 3 + 4,
    "separable": 3 * 3 + 3 * 4,
    "residual": 4 * 3 * (3 + 4) + 4 * 4 + 3 * 4,
    "bottleneck": 2 * 3 + 2 * 2 * 3 + 2 * 8 + 4 * 2 + 2 * 8 + 3 * 8 + 2 * 8,
    "inception": sum(2 * 2 * n + 2 * 2 * (5 + 2 + 1) + 2 * 8 for n in (3, 8)) + 3 * 8 + 2 * 8,
    "lstm": 2 * 4 * 4 * (3 + 4 + 2),
    "gru": 3 * 4 * (3 + 4 + 2),
    "attention": 3 * 8 * (3 + 1) + 8 * (8 + 1),
    "transformer": 3 * 4 * (4 + 1) + 4 * (4 + 1) + 8 * 4**2 + 9 * 4,
    "norm": 2 * 3,
    "attention-pool": 3,
}
"""By the formulas of the modules' docstrings, for the examples; kinds not named have none."""

MULTIPLY_ADDS = {
    "dense": 10 * 3 * 4,
    "local": 4 * 4 * 3 * 3,
    "conv": 6 * 4 * 3 * 3,
    "separable": 5 * (3 * 3 + 3 * 4),
    "residual": 5 * (4 * 3 * (3 + 4) + 3 * 4),
    "bottleneck": 10 * 2 * 3 + 5 * (2 * 2 * 3 + 2 * 8 + 3 * 8),
    "inception": 10 * (sum(2 * 2 * n + 2 * 2 * (5 + 2 + 1) for n in (3, 8)) + 3 * 8),
    "lstm": 10 * 2 * 4 * 4 * (3 + 4),
    "gru": 10 * 3 * 4 * (3 + 4),
    "attention": 10 * (3 * 8 * 3 + 8 * 8) + 2 * 8 * (2 + 8 * 3 + 2),
    "transformer": 10 * (3 * 4 * 4 + 4 * 4 + 8 * 4**2) + 2 * 4 * 10 * 10,
    "minirocket": 9 * 10 * sum(int(4 ** (k * (1 + 5**0.5) / 2 % 1)) for k in range(1, 85)),
    "attention-pool": 2 * 3 * 10,
}


@pytest.mark.parametrize("kind", sorted(LAYERS))
def test_parameters_and_cost_are_those_of_the_formulas(kind: str) -> None:
    layer = made(EXAMPLES[kind][0], (N_CHANNELS.get(kind, 3), 10), first=kind in FIRST_ONLY)
    n = sum(parameter.numel() for parameter in cast(nn.Module, layer).parameters())
    assert n == PARAMETERS.get(kind, 0)
    assert layer.facts.multiply_adds == MULTIPLY_ADDS.get(kind, 0)


IMAGES = [
    "dense 4", "local 4 window 3x4 stride 2x1", "conv 4 window 3x2 stride 1x2 dilation 2x1",
    "conv 4 window 3x4 same", "conv 4 window 2x3 causal", "separable 4 window 3x5 stride 2x1",
    "residual 4 window 3x5 stride 2x1", "bottleneck 8 window 3x5 stride 1x2", "inception 8 window 5x9 depth 2",
    "norm", "norm layer", "norm group 3", "relu", "gelu", "dropout 0.5", "max window 3x2 stride 2x1 same",
    "mean window 2x3 stride 1x2 same", "mean", "max", "mean-max", "attention-pool",
]  # fmt: skip


ATTENTION_ON_IMAGES = [
    "attention 8 heads 2", "attention 8 heads 2 window 3x2", "transformer 4 heads 1",
    "transformer 4 heads 1 window 2x3",
]  # fmt: skip
"""Whose rows and columns turn with different values, so that they are not the same on their side."""


@pytest.mark.parametrize("text", IMAGES)
def test_an_image_on_its_side_gives_the_result_on_its_side(text: str) -> None:
    turned_text = re.sub(r"(\d+)x(\d+)", r"\2x\1", text)
    layer, turned = ready(text, (3, 6, 9)), ready(turned_text, (3, 9, 6))
    state = {}
    for key, value in layer.state_dict().items():
        if text.startswith("local"):  # its weights stand in the order of the positions
            value = value.unflatten(0, layer.facts.shape[1:]).transpose(0, 1).flatten(0, 1)
        state[key] = value.transpose(-1, -2) if value.dim() >= 4 else value
    turned.load_state_dict(state)
    x = like(torch.empty(2, 3, 6, 9))
    y, other = layer(x)[0], turned(x.transpose(2, 3))[0]
    assert y.shape[1:] == layer.facts.shape
    torch.testing.assert_close(other, y.transpose(2, 3) if y.dim() == 4 else y)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("text", [*IMAGES, *ATTENTION_ON_IMAGES])
def test_gradients_of_images_are_those_of_differences(text: str, *, training: bool) -> None:
    shape = (N_CHANNELS.get(text.split()[0], 3), 5, 4)
    layer = ready(text, shape).train(training and not text.startswith("dropout"))
    names, values = zip(*layer.named_parameters(), strict=True) if [*layer.parameters()] else ((), ())

    def run(x: torch.Tensor, *weights: torch.Tensor) -> torch.Tensor:
        return functional_call(layer, dict(zip(names, weights, strict=True)), (x,))[0]

    x = like(torch.empty(2, *shape)).requires_grad_()
    # Along a line drawn at random, not value by value: there are thousands.
    assert torch.autograd.gradcheck(run, (x, *values), fast_mode=True)


@pytest.mark.parametrize("text", [*IMAGES, *ATTENTION_ON_IMAGES])
def test_an_image_never_sees_its_batch_mates(text: str) -> None:
    shape = (N_CHANNELS.get(text.split()[0], 3), 6, 9)
    layer, x = ready(text, shape), like(torch.empty(3, *shape))
    together = layer(x)[0]
    for row in range(3):
        torch.testing.assert_close(layer(x[row : row + 1])[0][0], together[row])


@pytest.mark.parametrize(
    ("text", "flat_text"),
    [
        ("local 4 window 4 stride 2 dilation 2", "local 4 window 1x4 stride 1x2 dilation 1x2"),
        ("conv 4 window 4 stride 2 same", "conv 4 window 1x4 stride 1x2 same"),
        ("separable 4 window 5 stride 2", "separable 4 window 1x5 stride 1x2"),
        ("residual 4 window 4 stride 2", "residual 4 window 1x4 stride 1x2"),
        ("bottleneck 8 window 5 stride 2", "bottleneck 8 window 1x5 stride 1x2"),
        ("norm group 3", "norm group 3"),
        ("max window 3 stride 2 same", "max window 1x3 stride 1x2 same"),
        ("mean window 3 causal", "mean window 1x3 causal"),
        ("attention 8 heads 2", "attention 8 heads 2"),
        ("attention-pool", "attention-pool"),
        ("mean-max", "mean-max"),
    ],
)
def test_a_signal_is_an_image_of_height_one(text: str, flat_text: str) -> None:
    signal, image = ready(text, (3, 12)), ready(flat_text, (3, 1, 12))
    shapes = image.state_dict()
    image.load_state_dict({key: value.view(shapes[key].shape) for key, value in signal.state_dict().items()})
    x = like(torch.empty(2, 3, 1, 12))
    torch.testing.assert_close(image(x)[0], signal(x)[0])


MODULES = sorted(
    path
    for path in Path(table.__file__).parent.glob("*.py")
    if any(
        isinstance(node, ast.ClassDef) and any(ast.unparse(base) == "nn.Module" for base in node.bases)
        for node in ast.walk(ast.parse(path.read_text()))
    )
)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_every_module_says_what_a_layer_claims_costs_and_comes_from(path: Path) -> None:
    told = " ".join((ast.get_docstring(ast.parse(path.read_text())) or "").split())
    parts = [
        r"What (it claims|they claim) about the data: ", r"Shapes: ", r"Parameters[ a-z]*[,:]", r"Cost: ",
        r"Sources?: .*(19|20)\d\d", r"Ours: ",
    ]  # fmt: skip
    assert [part for part in parts if not re.search(part, told)] == []
    positions = [re.search(part, told).start() for part in parts]  # type: ignore[union-attr]  # all found above
    assert positions == sorted(positions)


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
        ("attention 8 heads 2 causal", (3, 9, 9), "is for signals along time"),
        ("attention 9 heads 2", (3, 10), "needs units in multiples of 4; write 12"),
        ("attention 8 heads 4", (3, 9, 9), "needs units in multiples of 16; write 16"),
        ("transformer 8 heads 2", (3, 10), "has 3 channels; write 'conv 8 window 1' before it"),
        ("minirocket 84", (3, 10), "passes no gradient, so what stands before it could never learn"),
        ("minirocket 84", (3, 9, 9), "'minirocket 84' is for signals along time"),
        ("bottleneck 6 window 3", (3, 10), "needs units in multiples of 4; write 8"),
        ("inception 8 window 3", (3, 10), "shortest window is a quarter of 'window'; write at least 4"),
        ("norm group 2", (3, 10), "3 channels cannot be put into 2 equal groups"),
        *((EXAMPLES[kind][0], (3,), f"'{kind}' needs positions, but only 3 features") for kind in (
            "local", "conv", "separable", "residual", "bottleneck", "inception", "lstm", "gru", "attention",
            "transformer", "minirocket", "mean", "max", "mean-max", "last", "attention-pool", "flatten"
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
