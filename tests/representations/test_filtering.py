"""The compiled way against the direct sum in float64, and a whole network with and without a compiler."""

import ctypes
import shutil

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from vicinal.representations import filtering, native
from vicinal.representations.engine import Engine
from vicinal.representations.filtering import convolve, saving, suits
from vicinal.representations.layers.geometry import Taps
from vicinal.representations.network import build

pytestmark = pytest.mark.skipif(shutil.which("g++") is None, reason="needs a C++ compiler")

TEXT = """
conv 64 window 7 stride 2 same | norm | relu
residual 64 window 5 | residual 64 window 5 stride 2 | inception 128 window 39 | mean | dense classes
"""


@pytest.fixture(autouse=True)
def _small_is_enough(monkeypatch):
    monkeypatch.setattr(filtering, "MIN_PRODUCTS", 1)


def given_by(batch, n_in, units, time, taps):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(batch, n_in, 1, time, generator=generator)
    weight = torch.randn(units, n_in, taps.window, generator=generator) / (n_in * taps.window) ** 0.5
    return x, weight, torch.randn(units, generator=generator)


def everything(x, weight, bias, function):
    """Return the outputs of a convolution and the gradients of all that it is given."""
    values = [value.detach().clone().requires_grad_() for value in (x, weight, bias)]
    y = function(*values)
    gradient = torch.randn(y.shape, generator=torch.Generator().manual_seed(1)).to(y.dtype)
    return y.detach(), *torch.autograd.grad(y, values, gradient)


def direct(x, weight, bias, taps):
    return F.conv2d(F.pad(x, (taps.left, taps.right)), weight.unsqueeze(2), bias, stride=(1, taps.stride))


def relative_error(ours, exact):
    # Where windows meet nothing but padding all is exactly 0, and what is left of terms near 1 is their rounding.
    scale = exact.abs().max().clamp(min=1e-3) if exact.any() else 1
    return float((ours - exact).abs().max() / scale)


@settings(max_examples=40)
@given(
    batch=st.integers(1, 5),
    time=st.integers(1, 90),
    n_in=st.sampled_from([32, 64]),
    units=st.sampled_from([32, 96]),
    window=st.integers(2, 40),
    stride=st.integers(1, 3),
    left=st.integers(0, 39),
    right=st.integers(0, 39),
)
def test_equals_direct_convolution_and_its_gradients(batch, time, n_in, units, window, stride, left, right):
    taps = Taps(window, stride=stride, left=left, right=right)
    x, weight, bias = given_by(batch, n_in, units, time, taps)
    if window <= stride or taps.count(time) < 1:
        return
    ours = everything(x, weight, bias, lambda *values: convolve(*values, taps))
    exact = everything(*(v.double() for v in (x, weight, bias)), lambda *values: direct(*values, taps))
    for found, expected in zip(ours, exact, strict=True):
        assert found.shape == expected.shape
        assert relative_error(found, expected) < 2e-5


@pytest.mark.parametrize("window", [5, 39])
def test_rounding_is_near_that_of_direct_convolution(window):
    taps = Taps(window, left=window // 2, right=window // 2)
    x, weight, bias = given_by(8, 64, 64, 250, taps)
    exact = direct(*(v.double() for v in (x.relu(), weight, bias)), taps)
    usual = relative_error(direct(x.relu(), weight, bias, taps), exact)
    assert relative_error(convolve(x.relu(), weight, bias, taps), exact) < max(5 * usual, 3e-6)


def test_threads_of_any_kind_give_the_same_bits(monkeypatch):
    taps = Taps(9, left=4, right=4)
    given = given_by(7, 64, 64, 200, taps)
    before, found = torch.get_num_threads(), []
    try:
        for threads, openmp in ((1, True), (2, True), (3, True), (3, False)):
            torch.set_num_threads(threads)
            if not openmp:
                monkeypatch.setattr(filtering, "_openmp", lambda: ctypes.c_void_p(None))
            found.append(convolve(*given, taps))
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(found[0], other) for other in found)


def test_a_row_does_not_depend_on_its_batch_mates():
    """Groups of tiles run across records: every record still has the bits that it has alone."""
    taps = Taps(5, left=2, right=2)
    x, weight, bias = given_by(6, 32, 32, 21, taps)
    together = convolve(x, weight, bias, taps)
    assert all(torch.equal(together[i : i + 1], convolve(x[i : i + 1], weight, bias, taps)) for i in range(6))


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_score_does_not_depend_on_its_batch_mates(precision, monkeypatch):
    monkeypatch.setattr(filtering, "_has_tiles", lambda: False)
    used = []
    way = filtering.convolve
    monkeypatch.setattr(filtering, "convolve", lambda *given: used.append(1) or way(*given))
    score = Engine(precision=precision).scorer(
        build(TEXT, input_shape=(12, 120), n_outputs=3, seed=0), batch=4
    )
    x, lengths = given_by(7, 12, 32, 120, Taps(1))[0].squeeze(2).numpy(), np.arange(120, 50, -10)
    together, turned = score(x, lengths), score(x[::-1].copy(), lengths[::-1].copy())[::-1]
    alone = np.concatenate([score(x[i : i + 1], lengths[i : i + 1]) for i in range(len(x))])
    assert np.array_equal(together, alone)
    assert np.array_equal(together, turned)
    assert used


def test_the_result_is_channels_last():
    y = convolve(*given_by(2, 32, 64, 20, Taps(5)), Taps(5))
    assert y.shape == (2, 64, 1, 16)
    assert y.is_contiguous(memory_format=torch.channels_last)


def test_windows_that_do_not_learn_are_transformed_once(monkeypatch):
    calls = []
    transformed = filtering._transformed
    monkeypatch.setattr(filtering, "_transformed", lambda w: calls.append(1) or transformed(w))
    taps = Taps(5, left=2, right=2)
    x, weight, bias = given_by(2, 32, 32, 30, taps)
    first = convolve(x, weight, bias, taps)
    assert torch.equal(convolve(x, weight, bias, taps), first)
    assert len(calls) == 1
    with torch.no_grad():
        weight.mul_(2)  # another version
    assert torch.allclose(convolve(x, weight, None, taps), 2 * convolve(x, weight / 2, None, taps), atol=1e-5)
    assert len(calls) == 3
    weight.requires_grad_()
    for _ in range(2):
        convolve(x, weight, bias, taps)
    assert len(calls) == 5


@pytest.mark.parametrize(
    ("window", "stride", "times"),
    [(1, 1, 0), (2, 1, 1.75), (5, 1, 2.5), (5, 2, 1.875), (7, 1, 2), (39, 1, 156 / 70), (8, 1, 16 / 7)],
)
def test_saving(window, stride, times):
    assert saving(Taps(window, stride=stride)) == pytest.approx(times)


def test_suits_only_what_it_is_faster_for(monkeypatch):
    x, weight, taps = torch.zeros(2, 64, 1, 100), torch.zeros(64, 64, 5), Taps(5)
    assert suits(x, weight, taps)
    assert not suits(x.double(), weight.double(), taps)
    assert not suits(x[:, :12], weight[:, :12], taps), "few channels"
    assert not suits(x, weight[..., :1], Taps(1)), "a window of one"
    assert not suits(x, weight, Taps(5, dilation=2))
    assert not suits(torch.zeros(2, 64, 9, 9), torch.zeros(64, 64, 3, 3), Taps(3)), "an image"
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert not suits(x, weight, taps)
        assert not suits(x.bfloat16(), weight, taps), "a short window in bfloat16"
    n_products = 2 * 96 * 64 * 64 * 5
    monkeypatch.setattr(filtering, "MIN_PRODUCTS", n_products)
    assert suits(x, weight, taps)
    monkeypatch.setattr(filtering, "MIN_PRODUCTS", n_products + 1)
    assert not suits(x, weight, taps), "too little work to compile for"


@pytest.mark.parametrize("tiles", [True, False])
def test_long_windows_in_bfloat16_where_there_are_no_tiles_for_it(tiles, monkeypatch):
    monkeypatch.setattr(filtering, "_has_tiles", lambda: tiles)
    x, weight = torch.zeros(2, 32, 1, 100, dtype=torch.bfloat16), torch.zeros(32, 32, 39)
    taps = Taps(39, left=19, right=19)
    assert not suits(x, weight, taps), "mixed without autocast: that is an error elsewhere"
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert suits(x, weight, taps) is not tiles
        assert not suits(x.float(), weight, taps)
    with torch.autocast("cpu", dtype=torch.float16):
        assert not suits(x, weight, taps)


def half_against_exact(taps):
    """Return how far outputs and gradients in bfloat16 are from those of the same values in float64."""
    x, weight, bias = given_by(3, 32, 32, 70, taps)
    x = x.bfloat16()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        ours = everything(x, weight, bias, lambda *values: convolve(*values, taps))
    exact = everything(*(v.double() for v in (x, weight, bias)), lambda *values: direct(*values, taps))
    assert [one.dtype for one in ours] == [torch.bfloat16, torch.bfloat16, torch.float32, torch.float32]
    return [relative_error(found.double(), expected) for found, expected in zip(ours, exact, strict=True)]


def test_bfloat16_loses_no_more_than_its_rounding():
    """Outputs and gradients that are bfloat16 by 2 ** -9 of their size; those of weights by that of what flows back."""
    assert max(half_against_exact(Taps(39, left=19, right=19))) < 2**-8


def test_what_is_no_number_stays_none():
    taps = Taps(19, left=9, right=9)
    x, weight, _ = given_by(1, 32, 32, 100, taps)
    x[0, 0, 0, 50] = float("nan")
    for values in (x, x.bfloat16()):
        y = convolve(values, weight, None, taps)
        assert y[..., 41:60].isnan().all()
        assert y[..., :20].isfinite().all()


def learn_and_score(monkeypatch, compiler):
    """Train a little and score, as a machine with this compiler would."""
    monkeypatch.setenv("CXX", compiler)
    monkeypatch.setattr(native, "_made", {})
    network = build(TEXT, input_shape=(12, 120), n_outputs=3, seed=0).train()
    optimiser = torch.optim.SGD(network.parameters(), lr=0.01)
    rng = np.random.default_rng(0)
    losses = []
    for _ in range(3):
        x = torch.from_numpy(rng.standard_normal((8, 12, 120), dtype=np.float32))
        loss = F.cross_entropy(network(x), torch.arange(8) % 3)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    scores = Engine().scorer(network, batch=4)(rng.standard_normal((6, 12, 120), dtype=np.float32))
    assert (native.library("filtering") is None) is (compiler != "g++")
    return np.array(losses), scores


def test_without_a_compiler_training_and_scores_are_the_same(monkeypatch):
    with_one, without = (learn_and_score(monkeypatch, one) for one in ("g++", "no-such-compiler"))
    assert with_one[0] == pytest.approx(without[0], rel=1e-4)
    assert np.allclose(with_one[1], without[1], rtol=1e-3, atol=1e-4)
    assert not np.array_equal(with_one[1], without[1])  # two ways indeed


@pytest.mark.slow
@pytest.mark.parametrize("processor", ["x86-64-v2", "x86-64-v3"])
def test_processors_with_shorter_vectors(processor, monkeypatch):
    """Compiled for less than this processor can do: other numbers of lanes and rows, the same result."""
    monkeypatch.setattr(native, "_made", {})
    monkeypatch.setattr(filtering, "FLAGS", (*filtering.FLAGS, f"-march={processor}"))
    made = filtering._library()
    if made is None:
        pytest.skip("this compiler is for other processors")
    assert made.panel() == 16
    for taps in (Taps(5, left=2, right=2), Taps(19, left=9, right=9), Taps(5, stride=2, left=2, right=2)):
        x, weight, bias = given_by(3, 48, 48, 70, taps)
        assert suits(x, weight, taps)
        ours = everything(x, weight, bias, lambda *v, taps=taps: convolve(*v, taps))
        exact = everything(*(v.double() for v in (x, weight, bias)), lambda *v, taps=taps: direct(*v, taps))
        assert all(relative_error(a, b) < 1e-5 for a, b in zip(ours, exact, strict=True))
    assert max(half_against_exact(Taps(39, left=19, right=19))) < 2**-8
    test_what_is_no_number_stays_none()
