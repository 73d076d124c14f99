"""Counts of any length, and the same in NumPy, in torch and compiled."""

from ctypes import CDLL

import pytest
import torch

from vicinal.representations import native, ppv


def counted(
    x: torch.Tensor, lengths: torch.Tensor | None, units: int = 252
) -> tuple[torch.Tensor, torch.Tensor]:
    dilations = ppv.choose_dilations(x.shape[-1], units)
    generator = torch.Generator().manual_seed(0)
    channels = torch.rand(len(dilations) * ppv.N_KERNELS, x.shape[1], generator=generator) < 0.4
    channels[:, 0] |= ~channels.any(1)
    biases = torch.randn(units, generator=generator) * 3
    found = ppv.proportions(x, lengths, dilations=dilations, channels=channels, biases=biases)
    other = ppv._in_torch(x, lengths, dilations, channels, biases, size=2)
    return found, other


@pytest.mark.parametrize("n", [9, 63, 64, 255, 256, 2039, 2040, 2041, 4500])
@pytest.mark.parametrize("n_channels", [1, 3])
def test_torch_counts_the_same(n: int, n_channels: int) -> None:
    x = torch.randn(3, n_channels, n, generator=torch.Generator().manual_seed(n))
    lengths = torch.tensor([n, n // 2, 0])
    for row, length in zip(x, lengths.tolist(), strict=True):
        row[:, length:] = 0
    found, other = counted(x, lengths)
    assert torch.equal(found, other)
    assert not found[2].any()
    assert found[:2].any()
    assert torch.equal(*counted(x, None))


def test_nothing_is_lost_where_every_answer_counts() -> None:
    x = torch.zeros(2, 1, 5000)
    dilations = ppv.choose_dilations(5000, 168)
    options = {"dilations": dilations, "channels": torch.ones(len(dilations) * 84, 1, dtype=torch.bool)}
    assert (ppv.proportions(x, None, biases=torch.full((168,), -1.0), **options) == 1).all()
    assert (ppv.proportions(x, None, biases=torch.zeros(168), **options) == 0).all()  # above, not at


@pytest.fixture(scope="module")
def library() -> CDLL:
    made = native.library(ppv.SOURCE)
    if made is None:
        pytest.skip("no C++ compiler")
    return made


@pytest.mark.parametrize("n_channels", [1, 2, 9])
@pytest.mark.parametrize("n", [9, 15, 16, 300, 2047, 2048, 2049, 4500])
def test_compiled_loops_count_the_same_and_stay_in_use(
    n_channels: int, n: int, library: CDLL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(native, "_made", {})
    monkeypatch.setattr(native, "_make", lambda *_: library)
    x = torch.randn(11, n_channels, n, generator=torch.Generator().manual_seed(0))
    lengths = torch.tensor([n, n - 1, 5, 1, 0, n, n // 2, n, n, n // 3, n])
    for row, length in zip(x, lengths.tolist(), strict=True):
        row[:, length:] = 0
    in_numpy, _ = counted(x, lengths, 924)  # 11 biases of each kernel at most: more than are counted at once
    assert not native.is_loaded(ppv.SOURCE)
    monkeypatch.setattr(ppv, "COMPILED_FROM", 11 * n * 924)
    monkeypatch.setattr(ppv._Counter, "proportions", None)  # would fail if it were asked
    compiled, _ = counted(x, lengths, 924)
    assert torch.equal(compiled, in_numpy)
    assert torch.equal(counted(x[:3], lengths[:3], 924)[0], in_numpy[:3])
    assert torch.equal(counted(x[:1], None, 924)[0], in_numpy[:1])


def test_without_a_compiler_numpy_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "_made", {})
    monkeypatch.setattr(ppv, "COMPILED_FROM", 0)
    monkeypatch.setenv("CXX", "no-such-compiler")
    found, other = counted(torch.randn(2, 1, 50), None)
    assert torch.equal(found, other)
    assert native.library(ppv.SOURCE) is None


def test_dilations_by_hand() -> None:
    """ECG5000, 9,996 features: 119 for each kernel; 32 exponents, a factor of 1.0965 from one to the next."""
    found = ppv.choose_dilations(140, 9996)
    assert [one.step for one in found] == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14, 15, 17]
    # 8 exponents of 32 give 1 (29.75 biases of 119), 4 give 2 (14.875), 1 gives 10 (3.72); cut, then one more each.
    assert [one.n_biases for one in found][:3] == [30, 15, 15]
    assert sum(one.n_biases for one in found) == 119
    assert [one.first for one in found][:3] == [0, 84 * 30, 84 * 45]
    assert found[-1].side == 68
