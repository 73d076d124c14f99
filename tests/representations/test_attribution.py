"""Attribution: values that add up, windows hidden one by one, and maps that die with the weights."""

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from vicinal.errors import NetworkError
from vicinal.representations.attribution import (
    _rank_correlation,
    falls,
    flat,
    integrated_gradients,
    log_odds,
    occlusion,
    passes_gradients,
    randomised,
)
from vicinal.representations.network import Network, build

TEXT = """
    conv 6 window 5 same | norm | relu | residual 8 window 3 stride 2 | gelu
    mean-max | dense classes
"""
IMAGE = "conv 4 window 3 same | norm | relu | max window 2 stride 2 | flatten | dense classes"
DEEP = [
    TEXT,
    "lstm 6 both | last | dense classes",
    "conv 8 window 4 stride 4 | transformer 8 heads 2 | inception 8 window 5 depth 2 | mean | dense classes",
    "separable 8 window 5 | bottleneck 8 window 3 | gru 4 | attention-pool | dense classes",
]


def made(text: str, *, n_outputs: int = 3, shape: tuple[int, ...] = (2, 40)) -> Network:
    """Return a network whose norms have statistics of their own."""
    network = build(text, input_shape=shape, n_outputs=n_outputs, seed=0)
    with torch.no_grad():
        for _ in range(3):
            network(1 + 2 * torch.randn(8, *shape, generator=torch.Generator().manual_seed(1)))
    return network.eval()


def signals(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("text", DEEP)
@pytest.mark.parametrize("lengths", [None, [40, 23, 9]])
@pytest.mark.parametrize("exclusive", [False, True])
def test_integrated_gradients_add_up_to_what_they_explain(text, lengths, exclusive):
    network = made(text)
    x, n = signals(3, 2, 40), None if lengths is None else torch.tensor(lengths)

    found = integrated_gradients(network, x, lengths=n, output=1, exclusive=exclusive, steps=256)

    with torch.no_grad():
        scores, flats = (log_odds(network(v, n), 1, exclusive=exclusive) for v in (x, flat(x, n)))
    torch.testing.assert_close(found.score, scores, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(found.baseline_score, flats, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(found.values.sum((1, 2)), scores - flats, rtol=0.01, atol=0.002)
    assert (scores - flats).abs().max() > 0.05


def test_integrated_gradients_of_a_linear_network_are_weights_times_what_differs():
    network = made("flatten | dense classes")
    x, weight = signals(3, 2, 40), network.state_dict()["1.dense.weight"]

    found = integrated_gradients(network, x, output=2, steps=1)

    expected = weight[2].view(2, 40) * (x - x.mean(2, keepdim=True))
    torch.testing.assert_close(found.values, expected)
    assert found.gap.abs().max() < 1e-5


def test_more_steps_close_the_gap():
    network = made(TEXT)
    gaps = [integrated_gradients(network, signals(3, 2, 40), steps=n).gap.abs().max() for n in (1, 8, 512)]
    assert gaps[0] > gaps[1] > gaps[2]


@pytest.mark.parametrize("method", ["gradients", "occlusion"])
def test_what_lies_past_the_length_neither_counts_nor_is_told(method):
    network, x, lengths = made(TEXT), signals(3, 2, 40), torch.tensor([40, 23, 9])
    garbage = x.clone()
    for row, n in enumerate(lengths):
        garbage[row, :, n:] = torch.nan

    def run(x, lengths):
        if method == "gradients":
            return integrated_gradients(network, x, lengths=lengths, steps=8).values
        return occlusion(network, x, lengths=lengths, window=7)

    found, dirty = run(x, lengths), run(garbage, lengths)
    assert torch.equal(found, dirty)
    for row, n in enumerate(lengths):
        assert not found[row, ..., n:].any()
        assert found[row, ..., :n].any()
        alone = run(x[row : row + 1], lengths[row : row + 1])
        torch.testing.assert_close(alone[0], found[row], rtol=1e-4, atol=1e-6)


def test_occlusion_is_a_plain_loop():
    network, x, lengths = made(TEXT), signals(2, 2, 40), torch.tensor([40, 25])
    window, stride = 8, 3
    expected = np.zeros((2, 40))
    with torch.no_grad():
        for row, n in enumerate(lengths.tolist()):
            starts = [k for k in range(n) if k % stride == 0 and k + window < n] + [n - window]
            for position in range(n):
                falls = []
                for start in starts:
                    if start <= position < start + window:
                        hidden = x[row : row + 1].clone()
                        for channel in range(2):
                            hidden[0, channel, start : start + window] = x[row, channel, :n].mean()
                        before, after = (
                            log_odds(network(v, lengths[row : row + 1]), 1, exclusive=True)
                            for v in (x[row : row + 1], hidden)
                        )
                        falls.append(float(before - after))
                expected[row, position] = np.mean(falls)

    found = occlusion(network, x, window=window, stride=stride, lengths=lengths, output=1, exclusive=True)

    np.testing.assert_allclose(found.numpy(), expected, atol=1e-5)


def test_a_window_hidden_alone_is_what_occlusion_gives_there():
    network, x = made(TEXT), signals(1, 2, 40)
    whole = occlusion(network, x, window=8, stride=8, lengths=torch.tensor([32]))
    alone = falls(network, x[0], [(slice(8, 16),), (slice(24, 32),)], length=32)
    torch.testing.assert_close(alone, whole[0, [8, 24]], rtol=1e-4, atol=1e-6)
    assert falls(network, x[0], [(slice(0, 0),)]) == 0


def test_images_take_both():
    network, x = made(IMAGE, shape=(1, 8, 12)), signals(2, 1, 8, 12)

    gradients = integrated_gradients(network, x, output=1, exclusive=True, steps=256)
    found = occlusion(network, x, window=(2, 3), stride=(2, 3))

    torch.testing.assert_close(gradients.gap, torch.zeros(2), atol=0.02, rtol=0)
    for top, left in ((0, 0), (4, 6)):  # windows side by side: each position has its own window's fall
        hidden = x.clone()
        hidden[:, :, top : top + 2, left : left + 3] = x.mean((2, 3), keepdim=True)
        with torch.no_grad():
            fall = network(x)[:, 0] - network(hidden)[:, 0]
        for row in range(2):
            torch.testing.assert_close(
                found[row, top : top + 2, left : left + 3], fall[row].expand(2, 3), rtol=1e-4, atol=1e-5
            )


def test_what_is_added_to_every_exclusive_class_explains_nothing():
    network, x = made("flatten | dense classes"), signals(2, 2, 40)
    before = integrated_gradients(network, x, output=1, exclusive=True).values
    with torch.no_grad():
        dict(network.named_parameters())["1.dense.weight"].add_(signals(80))
    after = integrated_gradients(network, x, output=1, exclusive=True).values
    torch.testing.assert_close(after, before, rtol=1e-3, atol=1e-4)
    alone = integrated_gradients(network, x, output=1).values
    assert (alone - before).abs().max() > 0.1


def test_a_network_that_counts_has_no_gradient_but_can_be_hidden_from():
    network = build("minirocket 84 | norm | dense classes", input_shape=(1, 60), n_outputs=1, seed=0).eval()
    x = signals(3, 1, 60)
    network.settle(x)
    assert not passes_gradients(network)
    assert passes_gradients(made(TEXT))
    with pytest.raises(NetworkError, match="no gradient reaches the samples"):
        integrated_gradients(network, x)
    assert occlusion(network, x, window=9).abs().max() > 0


def trained_on_bumps(text: str, sizes: tuple[int, ...], *, width: float) -> tuple[Network, torch.Tensor]:
    """Return a network that has learnt to tell a bump from a dip, and signals or images with bumps."""
    generator = torch.Generator().manual_seed(0)
    network = build(text, input_shape=(1, *sizes), n_outputs=1, seed=0)

    def draw(n: int) -> tuple[torch.Tensor, torch.Tensor]:
        truth = (torch.rand(n, generator=generator) < 0.5).float()
        away = torch.zeros(n, *sizes)
        for axis, size in enumerate(sizes):
            place = size / 10 + size * 8 / 10 * torch.rand(n, 1, generator=generator)
            along = ((torch.arange(size) - place) / width).square()
            away += along.view(n, *(-1 if k == axis else 1 for k in range(len(sizes))))
        bump = (2 * truth - 1).view(n, *[1] * len(sizes)) * 2 * torch.exp(-0.5 * away)
        return (bump + 0.3 * torch.randn(n, *sizes, generator=generator)).unsqueeze(1), truth

    optimiser = torch.optim.Adam(network.parameters(), lr=0.01)
    for _ in range(60):
        x, truth = draw(64)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(network(x)[:, 0], truth)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    x, truth = draw(16)
    network.eval()
    assert ((network(x)[:, 0] > 0) == (truth > 0.5)).float().mean() > 0.9
    return network, x[truth > 0.5]


def by_gradients(network, x, lengths):
    return integrated_gradients(network, x, lengths=lengths, steps=16).values


def by_hiding(network, x, lengths):
    return occlusion(network, x, lengths=lengths, window=8)


def by_looks(network, x, lengths):  # noqa: ARG001  (a map that ignores the network is what is planted here)
    return x.diff(dim=-1, append=x[..., -1:])


@pytest.mark.parametrize(
    ("text", "sizes", "width", "around"),
    [
        ("conv 8 window 9 same | relu | conv 8 window 5 same | norm | relu | mean-max | dense 1", (100,), 3, 8),
        ("conv 8 window 5 same | relu | conv 8 window 3 same | norm | relu | mean-max | dense 1", (20, 24), 2, 5),
    ],
    ids=["signal", "image"],
)  # fmt: skip
def test_a_map_finds_the_bump_and_dies_with_the_weights(text, sizes, width, around):
    network, x = trained_on_bumps(text, sizes, width=width)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    peaks = np.array(np.unravel_index(x.flatten(1).argmax(1).numpy(), sizes)).T

    for method in (by_gradients, by_hiding):
        values = method(network, x, None).reshape(len(x), *sizes)
        for row, peak in zip(values, peaks, strict=True):
            near = row[tuple(slice(max(at - around, 0), at + around + 1) for at in peak.tolist())]
            assert near.sum() > 0.5 * row.sum()
        found = randomised(network, x, method=method, draws=6)
        assert [one.stage.split()[0] for one in found] == ["dense", "norm", "conv", "conv"]
        assert abs(found[-1].signed) < 0.3
        assert found[-1].magnitudes < 0.9
    looks = randomised(network, x, method=by_looks, draws=1)
    assert {(round(one.signed, 6), round(one.magnitudes, 6)) for one in looks} == {(1.0, 1.0)}
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_the_rank_correlation_is_spearmans():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 9, 200).astype(float), rng.standard_normal(200)
    b += a
    assert _rank_correlation(a, b) == pytest.approx(spearmanr(a, b).statistic)
    assert _rank_correlation(a, np.ones(200)) == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda n, x: integrated_gradients(n, x, output=3), "an output from 0 to 2"),
        (lambda n, x: integrated_gradients(n, x, steps=0), "steps >= 1, got 0"),
        (lambda n, x: occlusion(n, x, window=4, stride=5), r"at most the window \(4,\), got \(5,\)"),
        (lambda n, x: occlusion(n, x, window=0), "a window of 1 numbers from 1, got 0"),
        (lambda n, x: occlusion(n, x, window=(4, 4)), "a window of 1 numbers from 1"),
        (lambda n, x: randomised(n, x, method=by_gradients, draws=0), "draws >= 1"),
    ],
)
def test_what_makes_no_sense_is_refused(call, message):
    with pytest.raises(NetworkError, match=message):
        call(made(TEXT), signals(1, 2, 40))


def test_one_answer_per_signal_and_two_exclusive_ones_are_needed():
    events = build("conv classes window 1", input_shape=(2, 40), n_outputs=1, seed=0)
    with pytest.raises(NetworkError, match="one answer per position"):
        integrated_gradients(events, signals(1, 2, 40))
    binary = build("mean | dense classes", input_shape=(2, 40), n_outputs=1, seed=0)
    with pytest.raises(NetworkError, match="2 or more of them where they are exclusive"):
        occlusion(binary, signals(1, 2, 40), window=3, exclusive=True)
