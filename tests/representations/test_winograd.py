import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from vicinal.representations import winograd
from vicinal.representations.layers.geometry import Taps
from vicinal.representations.winograd import convolve, saving, suits, transforms


def direct(x, weight, taps):
    return F.conv1d(F.pad(x, (taps.left, taps.right)), weight, stride=taps.stride)


def both(x, weight, taps):
    """Return (ours in float32, direct in float64), each as (outputs, gradient of x, gradient of the weights)."""
    x, weight = x.requires_grad_(), weight.requires_grad_()
    exact_x, exact_weight = (v.detach().double().requires_grad_() for v in (x, weight))
    ours = convolve(x.unsqueeze(2), weight, None, taps).squeeze(2)
    exact = direct(exact_x, exact_weight, taps)
    gradient = torch.randn(exact.shape, generator=torch.Generator().manual_seed(1))
    ours_back = torch.autograd.grad(ours, (x, weight), gradient)
    exact_back = torch.autograd.grad(exact, (exact_x, exact_weight), gradient.double())
    return (ours, *ours_back), (exact, *exact_back)


def relative_error(ours, exact):
    return float((ours - exact).detach().abs().max() / exact.detach().abs().max().clamp(min=1e-3))


def test_transforms_are_exact_for_a_hand_worked_case():
    a, g, b = transforms(2)
    x, w = torch.arange(8.0), torch.tensor([1.0, -1.0])  # y = x[p] - x[p + 1] = -1
    assert torch.allclose(a @ ((g @ w) * (b @ x)), torch.full((7,), -1.0), atol=1e-5)


@settings(max_examples=40, deadline=None)
@given(
    batch=st.integers(1, 5),
    time=st.integers(1, 45),
    n_in=st.integers(1, 4),
    units=st.integers(1, 4),
    window=st.integers(2, 15),
    stride=st.integers(1, 3),
    left=st.integers(0, 6),
    right=st.integers(0, 6),
)
def test_equals_direct_convolution_and_its_gradients(batch, time, n_in, units, window, stride, left, right):
    taps = Taps(window, stride=stride, left=left, right=right)
    if not 2 <= -(-window // stride) <= 5 or taps.count(time) < 1 or max(left, right) >= window:
        return
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(batch, n_in, time, generator=generator)
    weight = torch.randn(units, n_in, window, generator=generator)
    for ours, exact in zip(*both(x, weight, taps), strict=True):
        assert ours.shape == exact.shape
        assert relative_error(ours, exact) < 2e-5


def test_rounding_is_that_of_direct_convolution():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(16, 64, 250, generator=generator).relu()
    weight = torch.randn(64, 64, 5, generator=generator) / 320**0.5
    taps = Taps(5, left=2, right=2)
    ours, exact = both(x, weight, taps)
    usual = direct(x, weight, taps)
    assert relative_error(ours[0], exact[0]) < max(4 * relative_error(usual, exact[0]), 2e-6)
    assert max(relative_error(o, e) for o, e in zip(ours, exact, strict=True)) < 1e-5


def test_many_groups_on_two_threads_give_the_same_every_time(monkeypatch):
    monkeypatch.setattr(winograd, "GROUP_VALUES", 64)  # one record a group
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        generator = torch.Generator().manual_seed(0)
        x, weight = torch.randn(9, 8, 40, generator=generator), torch.randn(8, 8, 5, generator=generator)
        taps = Taps(5, left=2, right=2)
        first, exact = both(x, weight, taps)
        second, _ = both(x, weight, taps)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    assert max(relative_error(a, b) for a, b in zip(first, exact, strict=True)) < 1e-5


def test_the_result_is_channels_last():
    y = convolve(torch.randn(2, 3, 1, 20), torch.randn(4, 3, 5), torch.ones(4), Taps(5))
    assert y.shape == (2, 4, 1, 16)
    assert y.is_contiguous(memory_format=torch.channels_last)


def test_a_bias_is_added_and_learns():
    x, weight, bias = torch.randn(2, 3, 1, 20), torch.randn(4, 3, 5), torch.randn(4, requires_grad=True)
    with_bias = convolve(x, weight, bias, Taps(5))
    assert torch.allclose(with_bias, convolve(x, weight, None, Taps(5)) + bias[:, None, None])
    assert torch.equal(torch.autograd.grad(with_bias.sum(), bias)[0], torch.full((4,), 32.0))


def test_the_gradient_of_the_samples_alone_is_the_same():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(3, 4, 1, 20, generator=generator).requires_grad_()
    weight = torch.randn(5, 4, 5, generator=generator).requires_grad_()
    taps = Taps(5, left=2, right=2)
    expected, _ = torch.autograd.grad(convolve(x, weight, None, taps).square().sum(), (x, weight))
    (alone,) = torch.autograd.grad(convolve(x, weight.detach(), None, taps).square().sum(), x)
    assert torch.equal(alone, expected)


@pytest.mark.parametrize(
    ("window", "stride", "times"), [(5, 1, 2.5), (3, 1, 2.25), (5, 2, 1.875), (7, 2, 2.1875)]
)
def test_saving(window, stride, times):
    assert saving(Taps(window, stride=stride)) == times


@pytest.mark.parametrize(("capability", "channels"), [("AVX2", 128), ("DEFAULT", 128), ("AVX512", 256)])
def test_how_many_channels_it_needs_depends_on_the_processor(capability, channels, monkeypatch):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    winograd.least_channels.cache_clear()
    for n, fits in ((channels, True), (channels - 1, False)):
        assert suits(torch.zeros(2, n, 1, 100), torch.zeros(n, n, 5), Taps(5)) is fits
    winograd.least_channels.cache_clear()


def test_suits_only_what_it_is_faster_for(monkeypatch):
    monkeypatch.setattr(winograd, "least_channels", lambda: 128)
    x, weight, taps = torch.zeros(2, 128, 1, 100), torch.zeros(128, 128, 5), Taps(5)
    assert suits(x, weight, taps)
    assert not suits(x.double(), weight.double(), taps)
    assert not suits(x[:, :12], weight[:, :12], taps), "few channels"
    assert not suits(x, torch.zeros(128, 128, 1), Taps(1)), "a window of one"
    assert not suits(x, torch.zeros(128, 128, 19), Taps(19)), "a long window"
    assert not suits(x, weight, Taps(5, dilation=2))
    assert not suits(torch.zeros(2, 128, 9, 9), torch.zeros(128, 128, 3, 3), Taps(3)), "an image"
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert not suits(x, weight, taps)
