"""Counts and costs against PyTorch's own modules and FLOP counter, and against sums worked by hand."""

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from vicinal.representations import filtering, winograd
from vicinal.representations.inspection import inspect
from vicinal.representations.network import build
from vicinal.representations.presets import NETWORKS

N_CHANNELS, N_CLASSES = 12, 5
Twin = tuple[str, list[nn.Module]]

# The lstm's cells and minirocket's frozen kernels are out of the counter's sight, so their sums stand by hand below.
COUNTED = sorted(set(NETWORKS) - {"lstm_bidir", "minirocket"})


def place_of(name: str) -> tuple[tuple[int, ...], int]:
    """Return the input shape and the outputs that a preset is made for."""
    places = {"lenet": ((1, 28, 28), N_CLASSES), "founding": ((1, 100), 1)}
    return places.get(name, ((N_CHANNELS, 1000), N_CLASSES))


def n_parameters(modules: list[nn.Module]) -> int:
    return sum(parameter.numel() for module in modules for parameter in module.parameters())


def flop_of(module: nn.Module, x: torch.Tensor) -> int:
    """Return what PyTorch counts; the plain attention kernel, for the counter sees the products of no other."""
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter, torch.no_grad():
        module(x)
    return int(counter.get_total_flops())


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_presets_have_the_parameters_that_torch_counts(name: str) -> None:
    shape, n_outputs = place_of(name)
    network = build(name, input_shape=shape, n_outputs=n_outputs, seed=0)
    found = inspect(name, input_shape=shape, rate_hz=None, n_outputs=n_outputs)
    assert found.parameters == n_parameters([network])
    counts = [n_parameters([part]) for part in network.children()]
    assert [stage.parameters for stage in found.stages] == counts


@pytest.mark.parametrize("name", COUNTED)
def test_presets_cost_half_of_torchs_flop(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for faster in (filtering, winograd):  # which do the same with fewer, or out of the counter's sight
        monkeypatch.setattr(faster, "suits", lambda *_: False)
    shape, n_outputs = place_of(name)
    network = build(name, input_shape=shape, n_outputs=n_outputs, seed=0).eval()
    found = inspect(name, input_shape=shape, rate_hz=None, n_outputs=n_outputs)
    assert 2 * found.multiply_adds == flop_of(network, torch.randn(1, *shape))


@st.composite
def twins(draw: st.DrawFn) -> Twin:
    """A random text over 3 channels, and the modules of `torch.nn` that have the same weights."""
    stages: list[str] = []
    modules: list[nn.Module] = []
    units = 3
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(["conv", "norm", "lstm", "gru", "attention", "transformer"]))
        more = 4 * draw(st.integers(1, 3))
        if kind == "conv":
            window, stride = draw(st.integers(1, 5)), draw(st.integers(1, 2))
            normed = draw(st.booleans())  # a norm behind it makes its bias idle
            stages.append(f"conv {more} window {window} stride {stride}" + normed * " | norm")
            modules.append(nn.Conv1d(units, more, window, stride, bias=not normed))
            modules += [nn.BatchNorm1d(more)] * normed
            units = more
        elif kind == "norm":
            stages += ["relu", "norm layer"]  # behind relu, where no window gives up its bias
            modules.append(nn.LayerNorm(units))
        elif kind in ("lstm", "gru"):
            both = draw(st.booleans())
            stages.append(f"{kind} {more}" + both * " both")
            cell = nn.LSTM if kind == "lstm" else nn.GRU
            modules.append(cell(units, more, bidirectional=both))
            units = more * (1 + both)
        elif kind == "attention":
            stages.append(f"attention {more} heads 2")
            modules += [nn.Linear(units, 3 * more), nn.Linear(more, more)]
            units = more
        elif units % 4 == 0:
            stages.append(f"transformer {units} heads 2")
            modules.append(nn.TransformerEncoderLayer(units, 2, dim_feedforward=4 * units, norm_first=True))
    return " | ".join([*stages, "mean", "dense classes"]), [*modules, nn.Linear(units, N_CLASSES)]


@settings(max_examples=25, deadline=None)
@given(twin=twins())
def test_random_texts_have_the_parameters_of_torchs_own_modules(twin: Twin) -> None:
    text, modules = twin
    found = inspect(text, input_shape=(3, 200), rate_hz=None, n_outputs=N_CLASSES)
    assert found.parameters == n_parameters(modules), text
    assert found.parameters == sum(stage.parameters for stage in found.stages)


@st.composite
def windows(draw: st.DrawFn) -> str:
    """A random stack of conv and dense stages over 60 positions."""
    stages = []
    for _ in range(draw(st.integers(1, 4))):
        units = draw(st.integers(1, 6))
        if draw(st.booleans()):
            window, stride, dilation = (draw(st.integers(1, most)) for most in (4, 2, 2))
            padding = draw(st.sampled_from(["", " same", " causal"]))
            stages.append(f"conv {units} window {window} stride {stride} dilation {dilation}{padding}")
        elif stages:  # a leading one flattens the signal, and leaves no positions to convolve
            stages.append(f"dense {units}")
    head = draw(st.sampled_from(["mean", "flatten", "mean-max"]))
    return " | ".join(["relu", *stages, head, "dense classes"])


@settings(max_examples=25, deadline=None)
@given(text=windows(), n_channels=st.integers(1, 4))
def test_random_windows_cost_half_of_torchs_flop(text: str, n_channels: int) -> None:
    shape = (n_channels, 60)
    with pytest.MonkeyPatch.context() as patch:
        for faster in (filtering, winograd):
            patch.setattr(faster, "suits", lambda *_: False)
        network = build(text, input_shape=shape, n_outputs=N_CLASSES, seed=0).eval()
        flop = flop_of(network, torch.randn(1, *shape))
    found = inspect(text, input_shape=shape, rate_hz=None, n_outputs=N_CLASSES)
    assert 2 * found.multiply_adds == flop, text
    assert found.parameters == n_parameters([network])


@pytest.mark.parametrize(
    ("text", "parameters", "multiply_adds"),
    [
        # 4 gates, each 5 units from 3 channels and 5 states, two biases each as torch has; 10 positions.
        ("lstm 5", 4 * (15 + 25 + 10), 10 * 4 * (15 + 25)),
        ("lstm 5 both", 2 * 200, 2 * 1600),
        ("gru 5", 3 * (15 + 25 + 10), 10 * 3 * (15 + 25)),
        ("gru 5 both", 2 * 150, 2 * 1200),
        # 3 -> 3 * 4 with biases, 4 -> 4 with biases; 100 pairs, each 4 products to ask and 4 to answer.
        ("attention 4 heads 2", 48 + 20, 10 * (36 + 16) + 100 * 8),
        # Each position asks itself and those before: 1 + 2 + ... + 10 pairs.
        ("attention 4 heads 2 causal", 48 + 20, 10 * (36 + 16) + 55 * 8),
        # Windows of 3: the first and the last position ask two, the eight between ask three.
        ("attention 4 heads 2 window 3", 48 + 20, 10 * (36 + 16) + (2 + 8 * 3 + 2) * 8),
        ("attention 4 heads 2 window 3 causal", 48 + 20, 10 * (36 + 16) + (1 + 2 + 8 * 3) * 8),
        # 8 windows of 3 positions and 3 channels, each with weights and a bias of its own for 2 units.
        ("local 2 window 3", 8 * 2 * (9 + 1), 8 * 2 * 9),
        # 5 windows, one for every second position.
        ("local 2 window 2 stride 2", 5 * 2 * (6 + 1), 5 * 2 * 6),
    ],
)
def test_costs_by_hand(text: str, parameters: int, multiply_adds: int) -> None:
    stage = inspect(f"{text} | mean | dense 1", input_shape=(3, 10), rate_hz=None).stages[0]
    assert stage.text == text
    assert (stage.parameters, stage.multiply_adds) == (parameters, multiply_adds)


@pytest.mark.parametrize(("more", "pairs"), [("", 100), (" causal", 55), (" window 3", 28)])
def test_a_transformer_by_hand(more: str, pairs: int) -> None:
    text = f"transformer 4 heads 2{more} | mean | dense 1"
    stage = inspect(text, input_shape=(4, 10), rate_hz=None).stages[0]
    attention = 4 * 12 + 12 + 4 * 4 + 4
    widen_and_narrow = (4 * 16 + 16) + (16 * 4 + 4)
    norms = 2 * (4 + 4)
    assert stage.parameters == attention + widen_and_narrow + norms
    assert stage.multiply_adds == 10 * (4 * 12 + 4 * 4) + pairs * 8 + 10 * (4 * 16 + 16 * 4)


# In 16 rows, windows of 3 hold 2 + 14 * 3 + 2 rows; in 16 columns, windows of 5 hold 3 + 4 + 12 * 5 + 4 + 3.
ROWS_OF_3, COLUMNS_OF_5 = 46, 74


@pytest.mark.parametrize(
    ("text", "parameters", "multiply_adds"),
    [
        # 8 -> 3 * 8 and 8 -> 8 with biases at each of 256 pixels; each pair 8 products to ask and 8 to answer.
        ("attention 8 heads 2", 288, 256 * (8 * 24 + 8 * 8) + 256 * 256 * 16),
        ("attention 8 heads 2 window 3x5", 288, 256 * (8 * 24 + 8 * 8) + ROWS_OF_3 * COLUMNS_OF_5 * 16),
        # And two norms of 8 + 8, 8 -> 32 and 32 -> 8 with biases at each pixel.
        (
            "transformer 8 heads 2 window 3",
            288 + 2 * 16 + (8 * 32 + 32) + (32 * 8 + 8),
            256 * (8 * 24 + 8 * 8 + 8 * 32 + 32 * 8) + ROWS_OF_3 * ROWS_OF_3 * 16,
        ),
        # 7 x 6 windows of 3 x 5 over 8 channels, each with weights and a bias of its own.
        ("local 2 window 3x5 stride 2", 7 * 6 * 2 * (8 * 15 + 1), 7 * 6 * 2 * 8 * 15),
    ],
)
def test_costs_on_an_image_by_hand(text: str, parameters: int, multiply_adds: int) -> None:
    stage = inspect(f"{text} | mean | dense 1", input_shape=(8, 16, 16), rate_hz=None).stages[0]
    assert (stage.parameters, stage.multiply_adds) == (parameters, multiply_adds)


def test_windows_on_an_image_cost_what_the_sums_come_to() -> None:
    stages = [
        inspect(f"{text} | mean | dense 1", input_shape=(8, 16, 16), rate_hz=None).stages[0]
        for text in ("attention 8 heads 2 window 3x5", "transformer 8 heads 2 window 3")
    ]
    assert [(stage.parameters, stage.multiply_adds) for stage in stages] == [(288, 120_000), (872, 230_464)]


def test_lstm_bidir_by_hand() -> None:
    found = inspect("lstm_bidir", input_shape=(12, 1000), rate_hz=100, n_outputs=5)
    first, second = 2 * 4 * 256 * (12 + 256), 2 * 4 * 256 * (512 + 256)  # two directions, four gates
    assert found.multiply_adds == 1000 * (first + second) + 2 * 512 * 5
    assert found.parameters == first + second + 2 * (2 * 4 * 256 * 2) + 2 * 512 * 5 + 5
