"""Counts by hand and by PyTorch's own counter; receptive fields against how far the gradient reaches."""

import json
from itertools import pairwise

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from vicinal.errors import NetworkError
from vicinal.representations import filtering, winograd
from vicinal.representations.inspection import inspect, seen_by, window_of, windows_of
from vicinal.representations.layers.minirocket import MiniRocket
from vicinal.representations.network import Network, build
from vicinal.representations.presets import NETWORKS

KEYS = {
    "parameters",
    "multiply_adds",
    "receptive_field_samples",
    "receptive_field_ms",
    "receptive_field_heartbeats",
    "activation_bytes",
    "streamable",
    "delay_ms",
    "state_values",
    "stages",
}


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A random stack of windows over one channel, long enough strides kept out."""
    stages = []
    for _ in range(draw(st.integers(1, 4))):
        blocks = ["separable 2", "residual 2", "bottleneck 4"]
        kind = draw(
            st.sampled_from(["conv 2", "local 2", *blocks, "mean", "dense 2", "inception 4", "attention 4"])
        )
        if kind == "dense 2":
            stages.append(kind if stages else "relu")
            continue
        if kind in ("inception 4", "attention 4"):
            more = "depth 2" if kind == "inception 4" else "heads 2"
            causal = draw(st.sampled_from(["", "causal"]))
            stages.append(f"{kind} window {draw(st.integers(4, 6))} {more} {causal}".strip())
            continue
        window, stride = draw(st.integers(1, 4)), draw(st.integers(1, 3))
        dilation = "" if kind == "mean" else f" dilation {draw(st.integers(1, 3))}"
        padding = draw(st.sampled_from(["", "causal"] if kind in blocks else ["", "same", "causal"]))
        stages.append(f"{kind} window {window} stride {stride}{dilation} {padding}".strip())
    # One channel of an inception sees what its own branch sees, and "flatten" takes a single channel's value.
    heads = [[], ["mean"]] if stages[-1].startswith("inception") else [[], ["mean"], ["flatten"]]
    stages += draw(st.sampled_from(heads))
    return " | ".join([*stages, "dense 1" if stages[-1] in ("mean", "flatten") else "conv 1 window 1"])


def all_seeing(network: Network) -> Network:
    """Make every weight positive and every norm a positive scale, so that no path can cancel another."""
    with torch.no_grad():
        for key, value in network.state_dict().items():
            if key.endswith("weight"):
                value.abs_().add_(0.1)
            if key.endswith(
                "ask.weight"
            ):  # no questions: every position within reach answers with equal weight
                value[: 2 * len(value) // 3] = 0
    return network.double().eval()


def gradient_reach(network: Network, stage: int, position: int, n: int) -> tuple[int, int]:
    x = torch.ones(1, network.input_shape[0], n, dtype=torch.float64, requires_grad=True)
    values = network.stages(x)[stage][1]
    (gradient,) = torch.autograd.grad(values[..., position].sum(), x)
    touched = gradient[0].abs().sum(0).nonzero().flatten()
    return int(touched[0]), int(touched[-1]) + 1


@settings(max_examples=10, deadline=None)
@given(text=texts(), place=st.floats(0, 1, exclude_max=True))
def test_windows_are_the_reach_of_the_gradient(text: str, place: float) -> None:
    n = 150
    network = all_seeing(build(text, input_shape=(1, n), n_outputs=1, seed=0))
    found = inspect(text, input_shape=(1, n), rate_hz=None)
    for index, stage in enumerate(found.stages):
        if stage.shape[-1] == 0:
            continue
        position = int(place * stage.shape[-1])
        assert window_of(text, (1, n), index, position) == gradient_reach(network, index, position, n), text


@settings(max_examples=6, deadline=None)
@given(text=texts())
def test_the_field_is_the_widest_window(text: str) -> None:
    n = 400  # so long that inner units see no border
    found = inspect(text, input_shape=(1, n), rate_hz=None)
    network = all_seeing(build(text, input_shape=(1, n), n_outputs=1, seed=0))
    for index, stage in enumerate(found.stages):
        of = found.stages[index - 1] if stage.text == "flatten" else stage  # its first channel's middle
        middle = of.shape[-1] // 2
        start, stop = gradient_reach(network, index, middle, n)
        assert stage.receptive_field_samples == stop - start, (text, stage)


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_presets_see_what_the_formula_says(name: str) -> None:
    if name == "lenet":  # windows are along time; its fields are in test_lenet_sees_what_the_formula_says
        return
    if name == "minirocket":  # a count has no gradient; its reach is in test_a_feature_of_minirocket_...
        return
    shape = {"resnet1d": (1, 500), "inception1d": (1, 1200), "xresnet1d101": (1, 1200)}.get(name, (1, 100))
    text = NETWORKS[name]
    if name == "xresnet1d101":  # its norms behind the head are float32, like the head
        text = text.partition("mean-max")[0] + "conv 1 window 1"
    network = all_seeing(build(text, input_shape=shape, n_outputs=1, seed=0))
    found = inspect(text, input_shape=shape, rate_hz=100)
    for index in (min(2, len(found.stages) - 1), len(found.stages) - 3, len(found.stages) - 1):
        stage = found.stages[index]
        position = stage.shape[-1] // 2
        window = window_of(text, shape, index, position)
        assert window == gradient_reach(network, index, position, shape[1])
        if stage.receptive_field_samples < shape[1]:
            assert window[1] - window[0] == stage.receptive_field_samples


def test_founding_by_hand() -> None:
    found = inspect("founding", input_shape=(1, 100), rate_hz=100)
    assert found.to_dict().keys() >= KEYS
    json.dumps(found.to_dict())
    assert found.parameters == 225
    assert found.multiply_adds == 9 * 20 + 5 * 5 + 5
    assert found.receptive_field_samples == 60
    assert found.receptive_field_ms == 600.0
    assert not found.streamable
    assert found.why_not_streamable.startswith("stage 1, 'local 1 window 20 stride 10'")
    assert (found.delay_ms, found.state_values) == (None, None)
    assert found.dense_equivalent_parameters == 909 + 50 + 6
    assert [stage.receptive_field_samples for stage in found.stages] == [20, 20, 60, 60, 60, 100]
    assert [stage.activation_bytes for stage in found.stages] == [36, 36, 20, 20, 20, 4]
    assert found.activation_bytes == 4 * (9 + 9 + 5 + 5 + 5 + 1)
    assert found.receptive_field_heartbeats is None  # nobody said that it is an ECG
    hearts = inspect("founding", input_shape=(1, 100), rate_hz=100, heart_rate_per_min=90)
    assert hearts.receptive_field_heartbeats == pytest.approx(0.9)  # 600 ms of 667
    assert window_of("founding", (1, 100), 2, 0) == (0, 60)
    assert window_of("founding", (1, 100), 2, 4) == (40, 100)


def test_minirocket_counts_all_positions() -> None:
    found = inspect("minirocket", input_shape=(1, 140), rate_hz=1, n_outputs=5)
    assert found.parameters == 2 * 9996 + 9996 * 5 + 5
    assert found.stages[0].parameters == 0
    n_dilations = 15  # of 1 to 17, as in test_dilations_by_hand
    assert found.stages[0].multiply_adds == n_dilations * 84 * 9 * 140
    assert found.multiply_adds == found.stages[0].multiply_adds + 9996 * 5
    assert found.receptive_field_samples == 140
    assert not found.streamable
    assert found.why_not_streamable == (
        "stage 1, 'minirocket 9996', counts windows that see zeros behind the end of a whole signal"
    )


def minirocket_moves(network: Network, x: torch.Tensor, length: int) -> torch.Tensor:
    """(features, channels, time): whether moving one sample far up or far down moves a feature.

    A count has no gradient. One move may lift as many answers above their bias as it sinks below, so that the reach
    is the union over several signals.
    """
    n_channels, n = x.shape
    lengths = torch.full((n_channels * n + 1,), length)
    moved = []
    for by in (1e4, -1e4):
        rows = x.repeat(n_channels * n + 1, 1, 1)
        rows[1:].view(n_channels * n, -1).diagonal().add_(by)
        values = network.stages(rows, lengths)[0][1]
        moved.append(values[1:] != values[:1])
    return (moved[0] | moved[1]).T.reshape(-1, n_channels, n)


def minirocket_reads(layer: MiniRocket, length: int, n: int) -> torch.Tensor:
    """(features, channels, time): what the nine taps of a feature's kernel read where its answers count."""
    rows = []
    for one in layer.dilations:
        for kernel in range(84):
            side = 4 * one.step if (one.index + kernel) % 2 and length > 8 * one.step else 0
            positions = torch.zeros(n, dtype=torch.bool)
            for answer in range(side, length - side):
                taps = [answer + one.step * tap for tap in range(-4, 5)]
                positions[[tap for tap in taps if 0 <= tap < length]] = True
            summed = layer.channels[84 * one.index + kernel] > 0
            rows += [summed[:, None] & positions] * one.n_biases
    return torch.stack(rows)


@pytest.mark.parametrize(("text", "shape"), [("minirocket", (1, 50)), ("minirocket 840 | dense 5", (3, 40))])
@pytest.mark.parametrize("share", [1.0, 0.7])
def test_a_feature_of_minirocket_sees_just_what_its_counted_windows_read(
    text: str, shape: tuple[int, int], share: float
) -> None:
    network = build(text, input_shape=shape, n_outputs=5, seed=0).eval()
    generator = torch.Generator().manual_seed(0)
    network.settle(torch.randn(20, *shape, generator=generator))
    layer, length = next(network.layers()), int(share * shape[1])
    assert isinstance(layer, MiniRocket)
    expected = minirocket_reads(layer, length, shape[1])
    reach = torch.zeros_like(expected)
    for draw in range(40):
        if torch.equal(reach, expected):
            break
        x = torch.randn(shape, generator=generator) * (1.0, 0.2, 5.0)[draw % 3]
        reach |= minirocket_moves(network, x, length)
        assert not (
            reach & ~expected
        ).any()  # nor ever a channel that it does not sum, or what is past the end
    assert torch.equal(reach, expected)
    # Every feature reaches from the first sample to the last, though a wide dilation may leave some out between.
    for feature, seen in enumerate(expected.any(1)):
        touched = seen.nonzero().flatten()
        assert (int(touched[0]), int(touched[-1]) + 1) == (0, length)
        if share == 1.0 and feature % 100 == 0:
            assert window_of(text, shape, 0, feature, n_outputs=5) == (0, length)
    found = inspect(text, input_shape=shape, rate_hz=None, n_outputs=5)
    assert [stage.receptive_field_samples for stage in found.stages[:1]] == [shape[1]]


def test_resnet1d_counts() -> None:
    found = inspect("resnet1d", input_shape=(12, 1000), rate_hz=100, n_outputs=5)
    assert found.parameters == 2_945_157
    assert round(2 * found.multiply_adds / 1e9, 3) == 0.703
    assert found.receptive_field_samples == 431
    assert found.receptive_field_ms == 4310.0
    assert found.streamable
    assert found.delay_ms == 2150.0
    assert found.stages[-1].shape == (5,)


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("resnet1d", (12, 200)),
        ("dense 9 | relu | dense 5 | relu | dense 1", (1, 100)),
        (
            "conv 8 window 20 stride 3 | dense 6 | conv 8 window 4 dilation 2 same | flatten | dense 1",
            (2, 100),
        ),
        ("conv 4 window 3 same | residual 6 window 3x5 stride 2 | mean | dense 1", (1, 20, 24)),
    ],
)
def test_multiply_adds_are_half_of_torchs_flop(
    text: str, shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    for faster in (filtering, winograd):  # which do the same with fewer, or out of the counter's sight
        monkeypatch.setattr(faster, "suits", lambda *_: False)
    network = build(text, input_shape=shape, n_outputs=1, seed=0).eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.randn(1, *shape))
    found = inspect(text, input_shape=shape, rate_hz=None)
    assert 2 * found.multiply_adds == counter.get_total_flops()
    assert found.multiply_adds == sum(stage.multiply_adds for stage in found.stages)
    assert found.parameters == sum(parameter.numel() for parameter in network.parameters())


def test_delay_and_state_by_hand() -> None:
    # Two valid windows: a score at j looks 19 and then 4 * 10 samples ahead of sample 10 * j.
    found = inspect(
        "conv 3 window 20 stride 10 | relu | conv 4 window 5 | last | dense 1",
        input_shape=(2, 100),
        rate_hz=50,
    )
    assert found.delay_ms == (19 + 40) * 20.0
    assert found.state_values == 2 * 19 + 3 * 4 + 4
    causal = inspect(
        "conv 3 window 20 causal | residual 3 window 5 causal | last | dense 1",
        input_shape=(1, 100),
        rate_hz=50,
    )
    assert causal.delay_ms == 0.0
    # The shortcut of a block that looks 2 + 2 ahead waits no longer than its first window remembers.
    block = inspect("residual 3 window 5 | conv 1 window 1", input_shape=(3, 50), rate_hz=None)
    assert block.state_values == 3 * 4 + 3 * 4
    assert block.delay_ms is None
    assert inspect("norm | dense 3 | mean | dense 1", input_shape=(2, 9), rate_hz=1).state_values == 3 + 1


def test_a_streamable_network_needs_nothing_ahead_of_its_delay() -> None:
    text = "conv 3 window 7 stride 2 same | relu | residual 3 window 4 | conv 1 window 3"
    found = inspect(text, input_shape=(1, 120), rate_hz=1000)
    starts_stops = [window_of(text, (1, 120), 3, position) for position in range(20, 30)]
    assert found.delay_ms is not None
    for position, (_, stop) in enumerate(starts_stops, start=20):
        assert stop - 1 - 2 * position == found.delay_ms
    assert all(after[0] - before[0] == 2 for before, after in pairwise(starts_stops))


def test_images_have_a_field_along_each_axis() -> None:
    found = inspect(
        "conv 4 window 3x5 | max window 2 stride 2 | mean | dense 1", input_shape=(1, 20, 24), rate_hz=None
    )
    assert found.stages[0].receptive_field_samples == (3, 5)
    assert found.receptive_field_samples == (4, 6)
    assert found.why_not_streamable == "an image has no time axis"


def test_lenet_sees_what_the_formula_says() -> None:
    shape = (1, 28, 28)
    network = all_seeing(build("lenet", input_shape=shape, n_outputs=1, seed=0))
    found = inspect("lenet", input_shape=shape, rate_hz=None)
    assert found.receptive_field_samples == (16, 16)
    for index, stage in enumerate(found.stages):
        x = torch.ones(1, *shape, dtype=torch.float64, requires_grad=True)
        values = network.stages(x)[index][1]
        if stage.text == "flatten":  # one feature is one position of the stage before
            continue
        unit = values[0, 0]
        if unit.ndim:  # the middle of the first map
            unit = unit[unit.shape[0] // 2, unit.shape[1] // 2]
        (gradient,) = torch.autograd.grad(unit, x)
        rows, columns = gradient[0, 0].nonzero().unbind(1)
        reach = tuple(int(along.max() - along.min()) + 1 for along in (rows, columns))
        assert stage.receptive_field_samples == reach, stage.text


def test_wrong_questions() -> None:
    with pytest.raises(NetworkError, match="expected a rate above 0 Hz, got 0"):
        inspect("founding", input_shape=(1, 100), rate_hz=0)
    with pytest.raises(NetworkError, match="expected a stage from 0 to 5, got 6"):
        window_of("founding", (1, 100), 6, 0)
    with pytest.raises(NetworkError, match=r"stage 1, .* expected a position from 0 to 8, got 9"):
        window_of("founding", (1, 100), 0, 9)
    with pytest.raises(NetworkError, match="windows are along time"):
        window_of("conv 2 window 3 | mean | dense 1", (1, 9, 9), 0, 0)


@pytest.mark.parametrize(
    "text",
    [
        "conv 4 window 3 stride 2 | lstm 3 | conv 2 window 3 | conv 1 window 1",
        "gru 3 both | conv 1 window 1",
        "conv 8 window 4 stride 4 | transformer 8 heads 2 causal | conv 1 window 2",
        "conv 8 window 4 stride 4 | transformer 8 heads 2 window 3 | conv 1 window 1",
        "attention 4 heads 2 | conv 1 window 1",
        "conv 4 window 3 | norm group 2 | conv 1 window 3",
    ],
)
def test_what_sees_all_or_all_before_is_the_reach_of_the_gradient(text: str) -> None:
    n = 40
    network = build(text, input_shape=(1, n), n_outputs=1, seed=0).double().eval()
    for index, stage in enumerate(inspect(text, input_shape=(1, n), rate_hz=None).stages):
        for position in (0, stage.shape[-1] // 2, stage.shape[-1] - 1):
            x = torch.randn(1, 1, n, dtype=torch.float64, requires_grad=True)
            values = network.stages(x)[index][1][..., position]
            (gradient,) = torch.autograd.grad((values * torch.randn_like(values)).sum(), x)
            touched = gradient[0, 0].nonzero().flatten()
            reach = int(touched[0]), int(touched[-1]) + 1
            assert window_of(text, (1, n), index, position) == reach, (stage.text, position)


def test_a_recurrent_layer_streams_and_adds_no_delay() -> None:
    found = inspect(
        "conv 3 window 5 causal | lstm 4 | conv 2 window 3 | last | dense 1", input_shape=(2, 50), rate_hz=100
    )
    assert found.streamable
    assert found.delay_ms == 20.0
    assert found.state_values == 2 * 4 + 2 * 4 + 4 * 2 + 2
    assert inspect("lstm 4 both | last | dense 1", input_shape=(2, 50), rate_hz=1).why_not_streamable == (
        "stage 1, 'lstm 4 both', reads the signal from its end"
    )


def test_attention_costs_half_of_torchs_flop() -> None:
    text = "conv 16 window 4 stride 4 | transformer 16 heads 2 | mean | dense 1"
    network = build(text, input_shape=(1, 80), n_outputs=1, seed=0).eval()
    # The counter sees the products of the plain kernel only.
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.randn(1, 1, 80))
    assert 2 * inspect(text, input_shape=(1, 80), rate_hz=None).multiply_adds == counter.get_total_flops()


@pytest.mark.parametrize(
    "text",
    [
        "conv 2 window 3x4 same | mean window 2 stride 2 | conv 2 window 2 | flatten | dense 1",
        "conv 4 window 2 stride 2 | attention 4 heads 1 window 3x2 | conv 2 window 2 | flatten | dense 1",
        "conv 4 window 2 stride 2 | transformer 4 heads 1 window 3 | flatten | dense 1",
    ],
)
def test_places_of_images_are_the_reach_of_the_gradient_along_each_axis(text: str) -> None:
    shape = (1, 9, 12)
    network = all_seeing(build(text, input_shape=shape, n_outputs=1, seed=0))
    for index, (places, windows) in enumerate(windows_of(text, shape, most=30)):
        for place, window in zip(places.tolist(), windows.tolist(), strict=True):
            x = torch.rand(1, *shape, dtype=torch.float64, requires_grad=True)
            values = network.stages(x)[index][1][0]
            value = values[place[0]] if values.dim() == 1 else values[(slice(None), *place)].sum()
            (gradient,) = torch.autograd.grad(value, x)
            for axis, (start, stop) in enumerate(window):
                touched = gradient[0, 0].abs().sum(1 - axis).nonzero().flatten()
                assert (int(touched[0]), int(touched[-1]) + 1) == (start, stop)
            assert seen_by(network, index, tuple(place)) == tuple(map(tuple, window))


def test_a_place_of_an_image_by_hand() -> None:
    network = build(
        "conv 1 window 3x5 stride 2 | conv 1 window 2 | flatten | dense 1",
        input_shape=(1, 9, 13),
        n_outputs=1,
    )
    assert seen_by(network, 0, (1, 3)) == ((2, 5), (6, 11))
    assert seen_by(network, 1, (2, 0)) == ((4, 9), (0, 7))
    assert seen_by(network, 2, (2 * 4 + 3,)) == ((4, 9), (6, 13))  # the last of 3 x 4 places
    assert seen_by(network, 3, (0,)) == ((0, 9), (0, 13))
    with pytest.raises(NetworkError, match="expected a position from 0 to 2, got 3"):
        seen_by(network, 1, (3, 0))


def test_a_wide_dilation_over_few_positions_sees_nothing() -> None:
    assert window_of("conv 1 window 2 dilation 5 same | mean | dense 1", (1, 3), 0, 0) == (0, 0)
