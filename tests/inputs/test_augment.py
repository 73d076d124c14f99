import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vicinal.errors import ExperimentError
from vicinal.inputs.augment import (
    AUGMENTATIONS,
    AugmentStep,
    augment,
    cut_out,
    parse_augment,
    shift,
    time_stretch,
    window,
)

RATE_HZ = 100.0
TIMED = [kind for kind, entry in AUGMENTATIONS.items() if entry.axes == "time"]


def signals(lengths: list[int], *, n: int = 200, channels: int = 2) -> tuple[np.ndarray, np.ndarray]:
    x = np.random.default_rng(7).normal(size=(len(lengths), channels, n)).astype(np.float32)
    x[np.broadcast_to(np.arange(n) >= np.array(lengths)[:, None, None], x.shape)] = 0
    return x, np.array(lengths, dtype=np.int64)


def apply(kind: str, x: np.ndarray, lengths: np.ndarray, *, seed: int = 0, **strength: float) -> np.ndarray:
    return augment(
        x, lengths, parse_augment([{"kind": kind, **strength}]), np.random.default_rng(seed), rate_hz=RATE_HZ
    )


@pytest.mark.parametrize("kind", TIMED)
@settings(max_examples=20)
@given(seed=st.integers(0, 1000), lengths=st.lists(st.integers(0, 200), min_size=1, max_size=5))
def test_every_augmentation_is_pure_seeded_and_silent_beyond_the_length(
    kind: str, seed: int, lengths: list[int]
) -> None:
    x, n = signals(lengths)
    before = x.copy()
    y = apply(kind, x, n, seed=seed)
    assert y.dtype == np.float32
    assert y.shape == x.shape
    assert np.isfinite(y).all()
    np.testing.assert_array_equal(x, before)
    np.testing.assert_array_equal(y, apply(kind, x, n, seed=seed))
    for row, length in zip(y, n, strict=True):
        assert not row[:, length:].any()


@pytest.mark.parametrize("kind", [kind for kind in TIMED if kind != "polarity"])
def test_every_augmentation_changes_what_it_touches_and_share_0_touches_nothing(kind: str) -> None:
    x, n = signals([200] * 8)
    strength = {"dropout": {"probability": 0.5}, "window": {"width_s": 1}}.get(kind, {})
    assert (apply(kind, x, n, **strength) != x).any()
    np.testing.assert_array_equal(apply(kind, x, n, share=0.0), x)


# Noise draws one number a position, so the length of the row changes the draw.
@pytest.mark.parametrize("kind", [kind for kind in TIMED if kind not in ("noise", "muscle")])
def test_padding_changes_nothing(kind: str) -> None:
    short, lengths = signals([90, 90], n=90)
    padded = np.zeros((2, 2, 200), dtype=np.float32)
    padded[:, :, :90] = short
    np.testing.assert_allclose(
        apply(kind, padded, lengths)[:, :, :90], apply(kind, short, lengths), rtol=1e-5, atol=1e-6
    )


def test_gain_and_polarity_multiply_whole_rows() -> None:
    x, n = signals([200] * 50)
    factor = apply("gain", x, n, low=0.5, high=2.0) / x
    assert np.ptp(factor.reshape(50, -1), axis=1).max() < 1e-5
    assert 0.5 <= factor.min() < 0.7
    assert 1.8 < factor.max() <= 2.0
    signs = (apply("polarity", x, n) / x).reshape(50, -1)
    assert set(np.unique(signs)) == {-1.0, 1.0}
    assert (np.ptp(signs, axis=1) == 0).all()


def test_a_shift_moves_what_is_there_and_fills_with_zero() -> None:
    x = np.arange(1, 11, dtype=np.float32).reshape(1, 1, 10)
    seen = set()
    for seed in range(40):
        y = shift(x, np.array([8]), np.random.default_rng(seed), rate_hz=1.0, limit_s=2.0)[0, 0]
        by = next(k for k in range(-2, 3) if y[4] == 5 - k)
        seen.add(by)
        expected = [t - by + 1 if 0 <= t - by < 8 and t < 8 else 0 for t in range(10)]
        assert y.tolist() == expected
    assert seen == {-2, -1, 0, 1, 2}


def test_a_stretch_of_one_is_the_identity_and_two_plays_at_double_speed() -> None:
    x = np.arange(9, dtype=np.float32).reshape(1, 1, 9)
    n, rng = np.array([9]), np.random.default_rng(0)
    np.testing.assert_array_equal(time_stretch(x, n, rng, low=1, high=1), x)
    np.testing.assert_allclose(time_stretch(x, n, rng, low=2, high=2)[0, 0], [0, 0, 0, 2, 4, 6, 8, 0, 0])
    np.testing.assert_allclose(
        time_stretch(x, n, rng, low=0.5, high=0.5)[0, 0], [2, 2.5, 3, 3.5, 4, 4.5, 5, 5.5, 6]
    )


def test_a_cut_out_silences_one_stretch_of_all_channels() -> None:
    x = np.ones((100, 2, 200), dtype=np.float32)
    y = cut_out(x, np.full(100, 200), np.random.default_rng(0), rate_hz=RATE_HZ, width_s=0.5)
    silent = y == 0
    assert (silent[:, 0] == silent[:, 1]).all()
    assert 40 < silent[:, 0].sum(axis=1).max() <= 51
    assert (np.abs(np.diff(silent[:, 0].astype(int), axis=1)).sum(axis=1) <= 2).all()


def test_a_window_keeps_one_stretch_at_every_place_and_a_short_row_whole() -> None:
    x = np.arange(1, 7, dtype=np.float32).reshape(1, 1, 6).repeat(200, axis=0)
    x[100:, :, 5:] = 0
    x[150:, :, 2:] = 0
    lengths = np.repeat([6, 5, 2], [100, 50, 50])
    y = window(x, lengths, np.random.default_rng(0), rate_hz=2.0, width_s=1.5)
    seen = set()
    for before, after, length in zip(x[:, 0], y[:, 0], lengths, strict=True):
        (kept,) = np.nonzero(after)
        width = min(3, length)
        assert kept.tolist() == list(range(kept[0], kept[0] + width))
        np.testing.assert_array_equal(after[kept], before[kept])
        seen.add((int(length), int(kept[0])))
    assert seen == {(6, 0), (6, 1), (6, 2), (6, 3), (5, 0), (5, 1), (5, 2), (2, 0)}


def test_dropout_keeps_one_channel() -> None:
    x, n = signals([200] * 20, channels=3)
    kept = apply("dropout", x, n, probability=1.0).any(axis=2)
    assert (kept.sum(axis=1) == 1).all()
    np.testing.assert_array_equal(apply("dropout", x[:, :1], n, probability=1.0), x[:, :1])


@pytest.mark.parametrize("kind", ["noise", "muscle", "wander", "mains"])
def test_added_noise_follows_the_units_of_the_signal(kind: str) -> None:
    x, n = signals([200, 120])
    added = apply(kind, x, n) - x
    np.testing.assert_allclose(apply(kind, 1000 * x, n) - 1000 * x, 1000 * added, rtol=1e-2, atol=1e-2)
    assert 0 < added.std() < 0.5


def test_mains_hums_at_its_frequency() -> None:
    x, n = signals([200])
    hum = (apply("mains", x, n, frequency_hz=20) - x)[0, 0]
    assert np.argmax(np.abs(np.fft.rfft(hum))) == 40  # 20 Hz in 2 s


def test_all_problems_of_a_configuration_are_said_at_once() -> None:
    steps = [
        {"kind": "gian"},
        {"kind": "gain", "lo": 0.5, "high": "2"},
        {"kind": "noise", "level": -1, "share": 1.5},
        {"kind": "gain", "low": 3, "high": 2},
        {"kind": "noise", "level": float("nan")},
        {"kind": "noise", "level": True},
        {"level": 1},
    ]
    with pytest.raises(ExperimentError, match="augment") as caught:
        parse_augment(steps)
    for part in (
        "augment[0]: no kind 'gian', did you mean 'gain'?",
        "augment[1]: gain has no 'lo', did you mean 'low'?",
        "augment[1]: gain high must be a number, got '2'",
        "augment[2]: noise level must lie in 0 to 100, got -1",
        "augment[2]: noise share must lie in 0 to 1, got 1.5",
        "augment[3]: gain low 3 is above high 2",
        "augment[4]: noise level must lie in 0 to 100, got nan",
        "augment[5]: noise level must be a number, got True",
        "augment[6]: no kind None",
    ):
        assert part in str(caught.value)


def test_defaults_are_within_their_ranges_and_parsed_steps_pass_through() -> None:
    for kind, entry in AUGMENTATIONS.items():
        (step,) = parse_augment([{"kind": kind}])
        assert step == AugmentStep(kind, 1.0, {name: s.default for name, s in entry.strengths.items()})
        assert parse_augment([step]) == (step,)
        assert all(s.low <= s.default <= s.high for s in entry.strengths.values())


def test_what_an_augmentation_needs_is_said() -> None:
    x, n = signals([200])
    rng = np.random.default_rng(0)
    with pytest.raises(ExperimentError, match="needs rate_hz"):
        augment(x, n, parse_augment([{"kind": "shift"}]), rng)
    with pytest.raises(ExperimentError, match=r"'flip_down' expected rows .*channels, height, width\)"):
        augment(x, n, parse_augment([{"kind": "flip_down"}]), rng)
    with pytest.raises(ExperimentError, match=r"expected rows of shape \(batch, channels, time\)"):
        augment(x[:, :, None], n, parse_augment([{"kind": "gain"}]), rng)


@pytest.mark.parametrize("kind", list(AUGMENTATIONS))
def test_tensors_are_augmented_as_arrays_are(kind: str) -> None:
    """The same draws, whatever the rows lie in: to rounding, and most to the bit."""
    x, n = signals([200, 190, 120, 90, 20, 20, 1, 0])
    if kind not in TIMED:
        x, n = x.reshape(8, 2, 20, 10), np.full(8, 200)
    strength = {"width_s": 0.5} if kind == "window" else {}
    expected = apply(kind, x, n, share=0.7, **strength)
    assert (expected != x).any()
    found = apply(kind, torch.from_numpy(x), n, share=0.7, **strength)
    assert isinstance(found, torch.Tensor)
    assert found.dtype == torch.float32
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-6, atol=1e-6)
