"""Attention against a plain loop in NumPy, with every pair of positions looked at one by one."""

import math

import numpy as np
import pytest
import torch

from vicinal.representations.layers.attention import Attention, Transformer, rotate


def turned(vector: np.ndarray, position: tuple[int, int], height: int) -> np.ndarray:
    """Rotate pairs (i, i + half) by position * 10,000 ** (-i / n), half of them by the row for images."""
    half = len(vector) // 2
    result = vector.copy()
    for i in range(half):
        if height == 1:
            angle = position[1] * 10_000.0 ** (-i / half)
        else:
            n = half // 2
            angle = position[i >= n] * 10_000.0 ** (-(i % n) / n)
        a, b = vector[i], vector[i + half]
        result[i], result[i + half] = (
            a * np.cos(angle) - b * np.sin(angle),
            a * np.sin(angle) + b * np.cos(angle),
        )
    return result


def by_hand(layer: Attention, x: np.ndarray, n_real: int) -> np.ndarray:
    """Return (units, n) for one signal (in, height, width)."""
    _, height, width = x.shape
    tokens = x.reshape(len(x), -1).T
    places = [(r, c) for r in range(height) for c in range(width)]
    ask, answer = layer.ask.weight.detach().numpy(), layer.answer.weight.detach().numpy()
    units, size = len(answer), len(answer) // layer.heads
    q, k, v = np.split(tokens @ ask.T + layer.ask.bias.detach().numpy(), 3, axis=1)
    mixed = np.zeros((len(tokens), units))
    for head in range(layer.heads):
        part = slice(head * size, (head + 1) * size)
        for i, place in enumerate(places[:n_real]):
            asked = [j for j in range(n_real) if allowed(layer, i, j)]
            one = turned(q[i, part], place, height)
            scores = np.array([one @ turned(k[j, part], places[j], height) for j in asked]) / np.sqrt(size)
            shares = np.exp(scores - scores.max())
            mixed[i, part] = (shares / shares.sum()) @ v[asked, part]
    return (mixed @ answer.T + layer.answer.bias.detach().numpy()).T


def allowed(layer: Attention, i: int, j: int) -> bool:
    if layer.taps is not None and len(layer.taps) == 2:
        width = layer.facts.shape[-1]
        pixels = zip(divmod(i, width), divmod(j, width), layer.taps, strict=True)
        return all(asks - one.left <= asked <= asks + one.right for asks, asked, one in pixels)
    if layer.taps is not None:
        return i - layer.taps[0].left <= j <= i + layer.taps[0].right
    return not layer.causal or j <= i


@pytest.mark.parametrize(
    ("shape", "window", "causal"),
    [
        ((3, 12), None, False),
        ((3, 12), None, True),
        ((3, 12), (5,), False),
        ((3, 12), (4,), True),
        ((3, 50), (7,), False),  # several blocks
        ((3, 12), (40,), False),  # longer than the signal
        ((3, 3, 4), None, False),
        ((3, 5, 4), (3, 3), False),
        ((3, 4, 6), (2, 5), False),
        ((3, 3, 4), (9, 9), False),  # larger than the image
    ],
)
def test_is_a_plain_loop(shape: tuple[int, ...], window: tuple[int, ...] | None, *, causal: bool) -> None:
    layer = Attention(shape, units=8, heads=2, window=window, causal=causal)
    layer.initialise(torch.Generator().manual_seed(0))
    torch.nn.init.normal_(layer.ask.weight)
    torch.nn.init.normal_(layer.ask.bias)
    size = shape[1:] if len(shape) == 3 else (1, *shape[1:])
    x = torch.randn(2, shape[0], *size)
    lengths = torch.tensor([shape[1], 7]) if len(shape) == 2 else None
    if lengths is not None:
        x[1, ..., 7:] = 0
    found = layer(x, lengths)[0].detach().flatten(2).numpy()
    for row in range(2):
        n = x[0, 0].numel() if lengths is None else int(lengths[row])
        expected = by_hand(layer, x[row].numpy(), n)
        np.testing.assert_allclose(found[row, :, :n], expected[:, :n], atol=2e-5)
        assert not found[row, :, n:].any()


@pytest.mark.parametrize(
    ("size", "window", "causal"),
    [
        ((12,), None, False),
        ((12,), (5,), False),
        ((12,), (4,), True),
        ((3, 4), None, False),
        ((5, 4), (3, 3), False),
        ((4, 6), (2, 5), False),
    ],
)
def test_a_transformer_is_a_plain_loop(
    size: tuple[int, ...], window: tuple[int, ...] | None, *, causal: bool
) -> None:
    block = Transformer((8, *size), heads=2, window=window, causal=causal)
    block.initialise(torch.Generator().manual_seed(0))
    for parameter in block.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    height, width = size if len(size) == 2 else (1, *size)
    n = 9 if height == 1 else height * width  # an image is always whole
    x, lengths = torch.randn(8, height, width), torch.tensor([n]) if height == 1 else None
    x.flatten(1)[:, n:] = 0
    found = block(x[None], lengths)[0].detach().numpy()[0].reshape(8, -1)

    def normed(values: np.ndarray, norm: torch.nn.Module) -> np.ndarray:
        rows = [(position - position.mean()) / np.sqrt(position.var() + 1e-5) for position in values.T]
        return (np.array(rows) * norm.weight.detach().numpy() + norm.bias.detach().numpy()).T

    y = x.numpy().reshape(8, -1).astype(np.float64)
    y = y + by_hand(block.attention, normed(y, block.attention_norm).reshape(8, height, width), n)
    widen, narrow = block.widen, block.narrow
    for position in range(n):
        inner = widen.weight.detach().numpy() @ normed(y, block.dense_norm)[:, position]
        inner = inner + widen.bias.detach().numpy()
        inner = inner * np.array([0.5 * (1 + math.erf(value / math.sqrt(2))) for value in inner])
        y[:, position] += narrow.weight.detach().numpy() @ inner + narrow.bias.detach().numpy()
    np.testing.assert_allclose(found[:, :n], y[:, :n], rtol=1e-3, atol=1e-3)
    assert not found[:, n:].any()


def test_pairs_are_counted_as_they_are() -> None:
    def products(window: tuple[int, ...] | None, *, causal: bool) -> int:
        facts = Attention((8, 10), units=8, heads=2, window=window, causal=causal).facts
        return (facts.multiply_adds - 10 * (8 * 24 + 8 * 8)) // (2 * 8)

    assert products(None, causal=False) == 100
    assert products(None, causal=True) == 55
    assert products((3,), causal=True) == 1 + 2 + 8 * 3
    assert products((3,), causal=False) == 2 + 8 * 3 + 2
    assert products((40,), causal=False) == 100


def test_parameters_are_those_of_torchs_own() -> None:
    def count(module: torch.nn.Module) -> int:
        return sum(value.numel() for value in module.parameters())

    ours = Attention((16, 10), units=16, heads=4, window=None, causal=False)
    assert count(ours) == count(torch.nn.MultiheadAttention(16, 4))
    block = Transformer((16, 10), heads=4, window=None, causal=False)
    assert count(block) == count(torch.nn.TransformerEncoderLayer(16, 4, 64, norm_first=True))


def test_only_distances_count() -> None:
    query, key = torch.randn(1, 1, 1, 8), torch.randn(1, 1, 1, 8)

    def product(i: int, j: int) -> float:
        turned_query = rotate(query.expand(1, 1, 30, 8), (1, 30))[0, 0, i]
        return float(turned_query @ rotate(key.expand(1, 1, 30, 8), (1, 30))[0, 0, j])

    assert product(3, 7) == pytest.approx(product(20, 24), abs=1e-4)
    assert product(3, 7) != pytest.approx(product(3, 8), abs=1e-4)


def test_a_transformer_adds_to_what_reaches_it() -> None:
    block = Transformer((8, 10), heads=2, window=None, causal=False)
    block.initialise(torch.Generator().manual_seed(0))
    for linear in (block.attention.answer, block.narrow):
        torch.nn.init.zeros_(linear.weight)
    x = torch.randn(2, 8, 1, 10)
    torch.testing.assert_close(block(x)[0], x)


def test_state_and_delay_of_a_window() -> None:
    facts = Attention((8, 30), units=8, heads=2, window=(5,), causal=True).facts
    assert facts.state_values == 2 * 8 * 4
    assert (
        Attention((8, 30), units=8, heads=2, window=(5,), causal=False).facts.state_values
        == 2 * 8 * 4 + 8 * 2
    )
    assert (
        Transformer((8, 30), heads=2, window=(5,), causal=False).facts.state_values == 2 * 8 * 4 + 2 * 8 * 2
    )
    assert Attention((8, 30), units=8, heads=2, window=None, causal=True).facts.state_values is None
