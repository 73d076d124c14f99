"""Building: counts worked by hand, seeds, shapes, lengths, and messages with the shapes so far."""

import re
from pathlib import Path

import pytest
import torch

from vicinal.errors import NetworkError
from vicinal.representations.network import Network, build, sketch
from vicinal.representations.presets import NETWORKS
from vicinal.representations.text import KINDS, parse

LOCAL = "local 1 window 20 stride 10 | relu | local 1 window 5 | relu | flatten | dense 1"
CONV = LOCAL.replace("local", "conv")
DENSE = "dense 9 | relu | dense 5 | relu | dense 1"
INVARIANT = "conv 8 window 20 | relu | conv 8 window 5 | relu | mean | dense 1"
EVERYTHING = """
    conv 6 window 5 stride 2 same | norm | relu
    dense 5 | gelu
    max window 3 stride 2 same | mean window 2 same
    residual 8 window 4 stride 2 dilation 2 * 2
    norm layer | dropout 0.25
    conv 8 window 3 causal | norm | relu
"""
FURTHER = """
    separable 6 window 5 stride 2 | norm group 3 | relu
    bottleneck 8 window 3 stride 2 | inception 8 window 5 depth 2
    conv 8 window 3 same | lstm 4 both | gru 8
    attention 8 heads 2 window 5 | attention 8 heads 2 causal
    transformer 8 heads 2 * 2 | norm layer
"""
SHAPES = {"lenet": (1, 28, 28)}
HEADS = ["mean", "max", "mean-max", "last", "attention-pool", "flatten"]


def n_parameters(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (LOCAL, 189 + 30 + 6),
        (CONV, 21 + 6 + 6),
        (DENSE, 909 + 50 + 6),
        (INVARIANT, 168 + 328 + 9),
        ("founding", 225),
    ],
)
def test_founding_parameters(text: str, expected: int) -> None:
    assert n_parameters(build(text, input_shape=(1, 100), n_outputs=1, seed=0)) == expected


def test_founding_positions() -> None:
    stages = build(LOCAL, input_shape=(1, 100), n_outputs=1, seed=0).stages(torch.randn(3, 1, 100))
    assert [tuple(values.shape) for _, values, _ in stages] == [
        (3, 1, 9),
        (3, 1, 9),
        (3, 1, 5),
        (3, 1, 5),
        (3, 5),
        (3, 1),
    ]
    assert [text for text, _, _ in stages] == LOCAL.split(" | ")


def test_resnet1d_is_the_published_size() -> None:
    assert n_parameters(sketch("resnet1d", input_shape=(12, 1000), n_outputs=5)) == 2_945_157


def test_state_keys_are_stable_and_shapes_public() -> None:
    text = (
        "local 2 window 4 stride 2 | conv 3 window 5 same | norm | residual 4 window 3 | mean | dense classes"
    )
    state = build(text, input_shape=(1, 20), n_outputs=2, seed=0).state_dict()
    assert {key: tuple(value.shape) for key, value in state.items()} == {
        "0.local.weight": (9, 2, 1, 4),
        "0.local.bias": (9, 2),
        "1.conv.weight": (3, 2, 5),
        "2.norm.weight": (3,),
        "2.norm.bias": (3,),
        "2.norm.running_mean": (3,),
        "2.norm.running_var": (3,),
        "3.residual.first.weight": (4, 3, 3),
        "3.residual.first_norm.weight": (4,),
        "3.residual.first_norm.bias": (4,),
        "3.residual.first_norm.running_mean": (4,),
        "3.residual.first_norm.running_var": (4,),
        "3.residual.second.weight": (4, 4, 3),
        "3.residual.second_norm.weight": (4,),
        "3.residual.second_norm.bias": (4,),
        "3.residual.second_norm.running_mean": (4,),
        "3.residual.second_norm.running_var": (4,),
        "3.residual.shortcut.weight": (4, 3, 1),
        "5.dense.weight": (2, 4),
        "5.dense.bias": (2,),
    }


def test_seeds_decide_the_weights_and_touch_nothing_global() -> None:
    before = torch.random.get_rng_state()
    first, same, other, any_one = (
        build(
            "conv 8 window 5 | norm | residual 8 window 3 | mean | dense 1",
            input_shape=(2, 64),
            n_outputs=1,
            seed=seed,
        ).state_dict()
        for seed in (1, 1, 2, None)
    )
    assert torch.equal(before, torch.random.get_rng_state())
    assert all(torch.equal(first[key], same[key]) for key in first)
    assert not torch.equal(first["0.conv.weight"], other["0.conv.weight"])
    assert not torch.equal(first["0.conv.weight"], any_one["0.conv.weight"])
    assert all(torch.isfinite(value).all() for value in first.values())


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_presets_build_run_and_print(name: str) -> None:
    shape = SHAPES.get(name, (1, 100))
    network = build(name, input_shape=shape, n_outputs=1, seed=0)
    x = torch.randn(2, *shape)
    network.settle(x)
    logits = network(x)
    assert logits.shape == (2, 1)
    assert logits.dtype == torch.float32
    assert network.text == str(parse(NETWORKS[name]))
    again = build(network.text, input_shape=shape, n_outputs=1, seed=0)
    assert again.state_dict().keys() == network.state_dict().keys()


@pytest.mark.parametrize(
    ("stack", "head"), [*((EVERYTHING, head) for head in HEADS), (FURTHER, "mean"), (FURTHER, "last")]
)
@pytest.mark.parametrize("training", [True, False])
def test_what_lies_past_the_length_never_matters(stack: str, head: str, *, training: bool) -> None:
    network = build(f"{stack} | {head} | dense 2", input_shape=(2, 96), n_outputs=2, seed=0)
    if training:  # dropout is random; all else must not depend on padding in training either
        network.load_state_dict(trained_a_little(network).state_dict())
    network.train(training)
    silence_dropout(network)
    lengths = torch.tensor([96, 40, 7, 1])
    x = torch.randn(4, 2, 96, generator=torch.Generator().manual_seed(1))
    garbage = x.clone()
    for row, n in enumerate(lengths):
        garbage[row, :, n:] = torch.nan
    before = {key: value.clone() for key, value in network.state_dict().items()}
    expected = network(x, lengths)
    expected_state = {key: value.clone() for key, value in network.state_dict().items()}
    network.load_state_dict(before)
    torch.testing.assert_close(network(garbage, lengths), expected)
    for key, value in network.state_dict().items():
        torch.testing.assert_close(value, expected_state[key], msg=key)


PLACELESS = [
    *((EVERYTHING, head) for head in HEADS if head != "flatten"),
    (FURTHER, "mean"),
    (FURTHER, "last"),
]


@pytest.mark.parametrize(("stack", "head"), PLACELESS)
def test_a_short_row_scores_as_it_does_alone(stack: str, head: str) -> None:
    text = f"{stack} | {head} | dense 1"
    network = trained_a_little(build(text, input_shape=(2, 96), n_outputs=1, seed=0)).eval()
    x = torch.randn(3, 2, 96, generator=torch.Generator().manual_seed(1))
    batch = network(x, torch.tensor([96, 40, 13]))
    for row, n in enumerate([96, 40, 13]):
        alone = build(text, input_shape=(2, n), n_outputs=1, seed=0).eval()
        alone.load_state_dict(network.state_dict())
        torch.testing.assert_close(alone(x[row : row + 1, :, :n]), batch[row : row + 1])


@pytest.mark.parametrize(("stack", "head"), PLACELESS)
def test_padding_changes_nothing_while_training(stack: str, head: str) -> None:
    text = f"{stack} | {head} | dense 1"
    short = build(text, input_shape=(2, 40), n_outputs=1, seed=0)
    long = build(text, input_shape=(2, 96), n_outputs=1, seed=0)
    silence_dropout(short)
    silence_dropout(long)
    x = 3 + torch.randn(5, 2, 40, generator=torch.Generator().manual_seed(1))
    padded = torch.nn.functional.pad(x, (0, 56), value=9.0)
    expected, found = short(x), long(padded, torch.full((5,), 40))
    torch.testing.assert_close(found, expected)
    expected.square().sum().backward()
    found.square().sum().backward()
    for (key, one), other in zip(short.named_parameters(), long.parameters(), strict=True):
        torch.testing.assert_close(other.grad, one.grad, msg=key, rtol=1e-3, atol=1e-4)
    for (key, one), other in zip(short.named_buffers(), long.buffers(), strict=True):
        torch.testing.assert_close(other, one, msg=key)


@pytest.mark.parametrize("stack", [EVERYTHING, FURTHER])
def test_full_lengths_are_as_none(stack: str) -> None:
    network = trained_a_little(build(f"{stack} | mean | dense 1", input_shape=(2, 96), n_outputs=1, seed=0))
    x = torch.randn(3, 2, 96)
    network.eval()
    torch.testing.assert_close(network(x, torch.full((3,), 96)), network(x))


@pytest.mark.parametrize("stack", [EVERYTHING, FURTHER])
def test_batch_mates_never_matter(stack: str) -> None:
    text = f"{stack} | mean | dense 1"
    network = trained_a_little(build(text, input_shape=(2, 96), n_outputs=1, seed=0)).eval()
    x = torch.randn(4, 2, 96)
    together = network(x)
    for row in range(4):
        torch.testing.assert_close(network(x[row : row + 1]), together[row : row + 1])


@pytest.mark.parametrize("stack", [EVERYTHING, FURTHER])
def test_every_stage_is_zero_past_its_lengths(stack: str) -> None:
    network = build(f"{stack} | mean | dense 1", input_shape=(2, 96), n_outputs=1, seed=0)
    for text, values, lengths in network.stages(torch.randn(3, 2, 96), torch.tensor([96, 33, 0])):
        if lengths is not None:
            for row, n in enumerate(lengths):
                assert not values[row, :, n:].any(), text
                assert values.shape[2] >= n


def test_one_answer_per_position() -> None:
    network = build(
        "conv 4 window 5 stride 2 same | relu | conv classes window 1", input_shape=(1, 21), n_outputs=3
    )
    assert network(torch.randn(2, 1, 21)).shape == (2, 3, 11)


def test_images_take_the_same_words() -> None:
    text = """
        conv 6 window 5 same | norm | relu | max window 2 stride 2
        residual 8 window 3 stride 2 | local 4 window 2x3 | relu | flatten | dense classes
    """
    network = build(text, input_shape=(1, 28, 20), n_outputs=10, seed=0)
    shapes = [tuple(values.shape[1:]) for _, values, _ in network.stages(torch.randn(2, 1, 28, 20))]
    assert shapes[3:7] == [(6, 14, 10), (8, 7, 5), (4, 6, 3), (4, 6, 3)]
    assert network(torch.randn(2, 1, 28, 20)).shape == (2, 10)
    with pytest.raises(NetworkError, match="lengths are for signals along time"):
        network(torch.randn(2, 1, 28, 20), torch.tensor([3, 3]))


def test_logits_are_float32_under_autocast() -> None:
    network = build(
        "conv 4 window 5 | norm | relu | mean | dense 1", input_shape=(1, 32), n_outputs=1, seed=0
    )
    x, lengths = torch.randn(2, 1, 32), torch.tensor([32, 20])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rounded = network(x, lengths)
    assert rounded.dtype == torch.float32
    torch.testing.assert_close(rounded, build_again(network)(x, lengths), rtol=0.1, atol=0.05)


@pytest.mark.parametrize(
    ("text", "shape", "message"),
    [
        (
            "conv 8 window 20 stride 20 | relu | conv 8 window 9 | mean | dense 1",
            (1, 100),
            r"stage 3: window 9 is longer than the 5 positions that reach it.*\n"
            r"so far: 1x100 \| conv 8 window 20 stride 20 -> 8x5 \| relu -> 8x5",
        ),
        ("conv 8 window 5 | dense 1", (1, 100), "stage 2: 'dense 1' ends the network with 96 positions"),
        ("conv 8 window 5 | relu", (1, 100), "stage 2: expected the network to end with 1 output, got 8x96"),
        (
            "mean | dense 3",
            (1, 100),
            "expected the network to end with 1 output, got 3 features after 'dense 3'",
        ),
        ("mean | conv 8 window 5", (1, 100), "stage 2: 'conv' needs positions, but only 1 features reach it"),
        ("dense 1000000 | dense 10000 | dense 1", (1, 100), "10,101,020,001 parameters"),
        ("conv 1000000 window 1 | mean | dense 1", (1, 100_000), "more than can be held"),
        ("resnet1", (1, 100), r"'resnet1': neither a preset nor a stage, did you mean 'resnet1d'\?"),
        ("mean | dense 1", (100,), "expected an input shape"),
        ("mean | dense 1", (0, 100), "expected an input shape"),
    ],
)
def test_what_does_not_fit_is_said_with_the_shapes_so_far(
    text: str, shape: tuple[int, ...], message: str
) -> None:
    with pytest.raises(NetworkError, match=message):
        build(text, input_shape=shape, n_outputs=1)


@pytest.mark.parametrize(
    ("text", "first_line"),
    [
        (
            "conv 8 window 3 | relu | conv 64 windw 7 | mean | dense 1",
            "stage 3, 'windw': unknown key, did you mean 'window'? in 'conv 64 windw 7'",
        ),
        ("relu | | mean", "stage 2: empty; take one '|' away or write a stage there."),
        (
            "conv 8 window 20 stride 20 | relu | conv 8 window 9 | mean | dense 1",
            "stage 3: window 9 is longer than the 5 positions that reach it; shorten it, use smaller strides "
            "before it, or write 'same'.",
        ),
        (
            "conv 8 window 2 stride 2 | relu | mean window 10 stride 10 | norm | conv 8 window 9 | mean | dense 1",
            "stage 5: window 9 is longer than the 5 positions that reach it; shorten it, use smaller strides "
            "before it, or write 'same'.",
        ),
    ],
)
def test_messages_are_word_for_word_those_of_the_page(text: str, first_line: str) -> None:
    with pytest.raises(NetworkError) as caught:
        build(text, input_shape=(1, 100), n_outputs=1)
    assert str(caught.value).splitlines()[0] == first_line
    shown = re.sub(r"stage \d+", "stage N", PAGE.read_text())
    assert f"    {re.sub(r'stage [0-9]+', 'stage N', first_line)}\n" in shown


def test_the_input_is_checked() -> None:
    network = build(CONV, input_shape=(1, 100), n_outputs=1, seed=0)
    with pytest.raises(
        NetworkError, match=r"expected a torch.float32 tensor \(batch, 1, 100\), got torch.float32 \(1, 100\)"
    ):
        network(torch.randn(1, 100))
    with pytest.raises(NetworkError, match=r"got torch\.float64"):
        network(torch.zeros(2, 1, 100, dtype=torch.float64))
    with pytest.raises(NetworkError, match=r"expected int64 lengths \(2,\)"):
        network(torch.randn(2, 1, 100), torch.tensor([100]))
    with pytest.raises(NetworkError, match="expected lengths from 0 to 100, got 4 to 101"):
        network(torch.randn(2, 1, 100), torch.tensor([4, 101]))
    with pytest.raises(NetworkError, match="at least 1 output, got 0"):
        build(CONV, input_shape=(1, 100), n_outputs=0)


def silence_dropout(network: Network) -> None:
    for layer in network.layers():
        if hasattr(layer, "share"):
            layer.share = 0.0


def trained_a_little(network: Network) -> Network:
    """Give the norms statistics of their own, so that a forgotten mask would show."""
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for key, value in network.state_dict().items():
            if key.endswith("running_mean") or (value.dim() == 1 and key.endswith("bias")):
                value.normal_(generator=generator)
    return network


def build_again(network: Network) -> Network:
    return build(network.text, input_shape=network.input_shape, n_outputs=network.n_outputs, seed=0)


@pytest.mark.parametrize(
    ("name", "shape", "n_outputs", "expected"),
    [
        ("founding", (1, 100), 1, 225),
        ("resnet1d", (12, 1000), 5, 2_945_157),
        ("inception1d", (12, 1000), 5, 473_344 + 128 * 5 + 5),
        ("lstm_bidir", (12, 1000), 5, 2_129_920 + 1024 * 5 + 5),
        ("transformer1d", (12, 1000), 5, 809_477),
        ("xresnet1d101", (12, 1000), 5, 1_872_261),
        ("lenet", (1, 28, 28), 10, 61_706),
    ],
)
def test_presets_have_the_published_numbers_of_parameters(
    name: str, shape: tuple[int, ...], n_outputs: int, expected: int
) -> None:
    assert n_parameters(sketch(name, input_shape=shape, n_outputs=n_outputs)) == expected


PAGE = Path(__file__).parents[2] / "docs" / "network-text.md"


def test_the_grammar_of_the_page_has_every_word() -> None:
    grammar = PAGE.read_text().split("## Grammar")[1].split("\n- ")[0]
    rules = dict(re.findall(r"^    (\w+) *= (.*?) ;", grammar, flags=re.MULTILINE | re.DOTALL))
    words = {name: set(re.findall(r'"([\w-]+)"', rule)) for name, rule in rules.items()}
    assert words["kind"] == set(KINDS)
    assert words["key"] == {key for kind in KINDS.values() for key in kind.keys}
    assert words["flag"] == {flag for kind in KINDS.values() for flag in kind.flags}


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_a_preset_names_its_size_its_source_and_what_is_ours(name: str) -> None:
    told = " ".join(line.removeprefix("#").strip() for line in NETWORKS[name].splitlines() if line[:1] == "#")
    stated = int(re.findall(r"([\d,]+) parameters", told)[0].replace(",", ""))
    rows = re.findall(rf"\| `{name}` \| ([\dx]+), (\d+)(?: outputs?)? \| ([\d,]+) \|", PAGE.read_text())
    ((shape, n_outputs, listed),) = rows
    network = sketch(name, input_shape=tuple(map(int, shape.split("x"))), n_outputs=int(n_outputs))
    assert n_parameters(network) == stated == int(listed.replace(",", ""))
    assert re.search(r"(Source:|After) .*(19|20)\d\d", told)
    assert re.search(r"[Oo]urs: ", told)


def test_the_published_numbers_by_hand() -> None:
    # InceptionTime: mixture + three windows + what follows the maximum + norm, and two shortcuts with norms.
    modules = [(n * 32 * (n > 1)) + 32 * 32 * (39 + 19 + 9) + n * 32 + 2 * 128 for n in (12, *[128] * 5)]
    assert sum(modules) + 12 * 128 + 256 + 128 * 128 + 256 == 473_344
    # torch's LSTM: four gates, two biases each, two directions.
    layers = [torch.nn.LSTM(n, 256, bidirectional=True) for n in (12, 512)]
    assert sum(map(n_parameters, layers)) == 2_129_920
    # xresnet1d101: stem, 33 blocks of 1 - 5 - 1 over 64 channels, one shortcut, and the head.
    stem = 5 * (12 * 32 + 32 * 32 + 32 * 64) + 2 * (32 + 32 + 64)
    inside = 64 * 64 * 5 + 64 * 256 + 2 * (64 + 64 + 256)
    blocks = (64 * 64 + inside) + (64 * 256 + 2 * 256) + 32 * (256 * 64 + inside)
    head = 2 * 512 + 512 * 128 + 128 + 2 * 128 + 128 * 5 + 5
    assert stem + blocks + head == 1_872_261
    # A transformer block is torch's; the stem and the norm behind are ours.
    block = torch.nn.TransformerEncoderLayer(128, 8, 512, norm_first=True)
    assert 12 * 10 * 128 + 128 + 4 * n_parameters(block) + 256 + 128 * 5 + 5 == 809_477
