"""Fixed kernels against plain loops over kernels, taps and positions."""

import math
from itertools import combinations

import numpy as np
import pytest
import torch

from vicinal.errors import NetworkError
from vicinal.representations.layers.minirocket import MiniRocket
from vicinal.representations.network import Network, build

KERNELS = [[2.0 if tap in chosen else -1.0 for tap in range(9)] for chosen in combinations(range(9), 3)]


def made(shape: tuple[int, int], units: int) -> MiniRocket:
    layer = MiniRocket(shape, units=units)
    layer.initialise(torch.Generator().manual_seed(0))
    return layer


def steps_by_hand(n: int, units: int) -> list[tuple[int, int]]:
    """(dilation, biases of each kernel), as in the paper's code, in words: even exponents, cut to whole steps."""
    n_each = units // 84
    n_exponents = min(n_each, 32)
    top = math.log2((n - 1) / 8)
    cut = [int(2 ** (top * k / max(1, n_exponents - 1))) for k in range(n_exponents)]
    counts = {step: int(cut.count(step) * n_each / n_exponents) for step in sorted(set(cut))}
    steps, missing = list(counts), n_each - sum(counts.values())
    for k in range(missing):
        counts[steps[k % len(steps)]] += 1
    return list(counts.items())


def answer(signal: np.ndarray, kernel: int, step: int) -> list[float]:
    """One kernel over one signal (channels, time), zeros beyond both ends, tap by tap."""
    n, found = signal.shape[1], []
    for position in range(n):
        total = 0.0
        for tap, weight in enumerate(KERNELS[kernel]):
            at = position + (tap - 4) * step
            if 0 <= at < n:
                total += weight * float(signal[:, at].sum())
        found.append(total)
    return found


def features_by_hand(layer: MiniRocket, signal: np.ndarray, units: int, whole: int) -> list[float]:
    """The features of one signal (channels, length) in a layer made for `whole` positions."""
    found, biases = [], layer.biases.tolist()
    for index, (step, n_biases) in enumerate(steps_by_hand(whole, units)):
        for kernel in range(84):
            seen = layer.channels[index * 84 + kernel].numpy() > 0
            answers = answer(signal[seen], kernel, step)
            if (index + kernel) % 2 and len(answers) > 8 * step:
                answers = answers[4 * step : len(answers) - 4 * step]
            for _ in range(n_biases):
                bias = biases[len(found)]
                found.append(sum(a > bias for a in answers) / len(answers))
    assert len(found) == units
    return found


@pytest.mark.parametrize(("shape", "units"), [((1, 9), 84), ((1, 50), 420), ((3, 61), 336), ((12, 40), 252)])
def test_features_equal_loops_over_kernels_taps_and_positions(shape: tuple[int, int], units: int) -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(-8, 9, size=(4, *shape)).astype(np.float32)  # whole numbers: no sum rounds, so no doubt
    lengths = [shape[1], shape[1] - 3, 5, 1]
    for row, length in zip(x, lengths, strict=True):
        row[:, length:] = 0
    layer = made(shape, units)
    signals = torch.from_numpy(x).unsqueeze(2)
    layer.settle(signals, torch.tensor(lengths))
    found, rest = layer(signals, torch.tensor(lengths))
    assert rest is None
    for row, length, values in zip(x, lengths, found, strict=True):
        expected = features_by_hand(layer, row[:, :length], units, shape[1])
        np.testing.assert_allclose(values.numpy(), expected, rtol=0, atol=1e-6)
    full, _ = layer(signals[:1])
    assert torch.equal(full[0], found[0])


def test_biases_are_quantiles_of_answers_on_rows_taken_in_turn() -> None:
    x = np.random.default_rng(0).integers(-8, 9, size=(5, 2, 30)).astype(np.float32)
    lengths = [30, 0, 30, 12, 30]  # the second row has nothing to say and is passed over
    layer = made((2, 30), 252)
    layer.settle(torch.from_numpy(x).unsqueeze(2), torch.tensor(lengths))
    golden, number, biases = (math.sqrt(5) + 1) / 2, 0, layer.biases.tolist()
    for index, (step, n_biases) in enumerate(steps_by_hand(30, 252)):
        for kernel in range(84):
            row = [0, 2, 3, 4][(index * 84 + kernel) % 4]
            seen = layer.channels[index * 84 + kernel].numpy() > 0
            ordered = sorted(answer(x[row][seen, : lengths[row]], kernel, step))
            for _ in range(n_biases):
                place = (number + 1) * golden % 1 * (len(ordered) - 1)
                low = int(place)
                high = min(low + 1, len(ordered) - 1)
                expected = ordered[low] + (place - low) * (ordered[high] - ordered[low])
                assert biases[number] == pytest.approx(expected, abs=1e-3)
                number += 1


def test_kernels_sum_one_channel_to_nine_of_them() -> None:
    layer = made((12, 500), 9996)
    n_summed = layer.channels.sum(1)
    assert n_summed.tolist() == layer.n_summed
    assert (n_summed.min(), n_summed.max()) == (1, 9)
    # Evenly in the logarithm: a share of log2((k + 1) / k) / log2(10) sums k channels.
    for k in range(1, 10):
        share = float((n_summed == k).float().mean())
        assert share == pytest.approx(math.log((k + 1) / k, 10), abs=0.01)
    assert layer.facts.multiply_adds == 9 * 500 * sum(layer.n_summed)
    assert made((1, 500), 9996).channels.tolist() == [[1.0]] * len(layer.n_summed)


def settled_network(shape: tuple[int, int] = (2, 96)) -> Network:
    network = build("minirocket 420 | norm | dense 2", input_shape=shape, n_outputs=2, seed=0)
    network.settle(torch.randn(8, *shape, generator=torch.Generator().manual_seed(1)))
    return network.eval()


def test_neither_padding_nor_batch_mates_change_a_bit() -> None:
    network = settled_network()
    x = torch.randn(6, 2, 96, generator=torch.Generator().manual_seed(2))
    lengths = torch.tensor([96, 40, 40, 8, 1, 0])

    def values(x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        return network.stages(x, lengths)[0][1]

    together = values(x, lengths)
    garbage = x.clone()
    for row, length in enumerate(lengths.tolist()):
        garbage[row, :, length:] = 1e6
        assert torch.equal(values(x[row : row + 1], lengths[row : row + 1])[0], together[row])
    assert torch.equal(values(garbage, lengths), together)
    assert torch.equal(values(x.flip(0), lengths.flip(0)).flip(0), together)


def test_values_are_float32_in_any_precision() -> None:
    network = settled_network()
    x = torch.randn(3, 2, 96)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        ((_, values, _), *_) = network.stages(x)
    assert values.dtype == torch.float32
    assert torch.equal(values, network.stages(x)[0][1])


def test_it_scores_nothing_before_it_has_seen_training_rows() -> None:
    network = build("minirocket 84 | dense 1", input_shape=(1, 20), n_outputs=1, seed=0)
    with pytest.raises(NetworkError, match=r"expected biases from training rows.*call network.settle"):
        network(torch.zeros(2, 1, 20))
    with pytest.raises(NetworkError, match="at least one position to settle on"):
        network.settle(torch.zeros(2, 1, 20), torch.tensor([0, 0]))
    with pytest.raises(NetworkError, match="not finite"):
        network.settle(torch.full((2, 1, 20), torch.nan))
    with pytest.raises(NetworkError, match="expected biases"):  # what failed has settled nothing
        network(torch.zeros(2, 1, 20))
    network.settle(torch.zeros(2, 1, 20))
    assert network(torch.zeros(2, 1, 20)).shape == (2, 1)


def test_other_networks_have_nothing_to_settle() -> None:
    network = build("conv 4 window 3 | mean | dense 1", input_shape=(1, 20), n_outputs=1, seed=0)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    network.settle(torch.randn(4, 1, 20))
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
