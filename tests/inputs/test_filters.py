from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vicinal.inputs.filters import apply_window, band_stop, high_pass, low_pass, n_resampled, reach, resample

RATE = 200.0


def gain(taps, frequency_hz, rate_hz=RATE):
    positions = np.arange(len(taps)) - len(taps) // 2
    return float((taps * np.cos(2 * np.pi * frequency_hz * positions / rate_hz)).sum())


def sine(frequency_hz, n=2000, rate_hz=RATE):
    return np.sin(2 * np.pi * frequency_hz * np.arange(n) / rate_hz)[None, :]


def test_gains_are_one_half_at_the_edges_and_flat_beyond():
    low = low_pass(40.0, width_hz=10.0, rate_hz=RATE)
    high = high_pass(0.5, width_hz=0.5, rate_hz=RATE)
    notch = band_stop(50.0, width_hz=1.0, rate_hz=RATE)
    assert gain(low, 40) == pytest.approx(0.5, abs=0.01)
    assert gain(high, 0.5) == pytest.approx(0.5, abs=0.01)
    assert gain(notch, 51) == pytest.approx(0.5, abs=0.01)
    for taps, stopped, passed in ((low, 46, 34), (high, 0.2, 0.8), (notch, 50, 48)):
        assert abs(gain(taps, stopped)) < 0.005
        assert gain(taps, passed) == pytest.approx(1, abs=0.005)


def test_every_filter_is_linear_phase_with_an_odd_number_of_taps():
    for taps in (low_pass(40.0, width_hz=7.0, rate_hz=RATE), band_stop(50.0, width_hz=3.0, rate_hz=RATE)):
        assert len(taps) % 2 == 1
        np.testing.assert_allclose(taps, taps[::-1], atol=1e-15)


def test_a_high_pass_removes_an_offset_entirely_even_from_a_short_recording():
    taps = high_pass(0.5, width_hz=0.5, rate_hz=RATE)
    filtered = apply_window(np.full((2, 50), 7.0), taps)
    assert np.abs(filtered).max() < 1e-12


def test_a_filter_does_not_delay():
    filtered = apply_window(sine(5.0), low_pass(40.0, width_hz=10.0, rate_hz=RATE))
    np.testing.assert_allclose(filtered[:, 200:-200], sine(5.0)[:, 200:-200], atol=0.005)


@given(st.integers(1, 60), st.integers(0, 20))
def test_filtering_equals_the_slow_sum(n, half):
    rng = np.random.default_rng(n * 100 + half)
    samples, taps = rng.normal(size=(1, n)), rng.normal(size=2 * half + 1)
    taps = taps + taps[::-1]
    slow = [
        sum(taps[k] * samples[0, min(max(j + half - k, 0), n - 1)] for k in range(len(taps)))
        for j in range(n)
    ]
    np.testing.assert_allclose(apply_window(samples, taps)[0], slow, atol=1e-9)


@pytest.mark.parametrize(("rate", "target"), [(300, 100), (360, 100), (100, 125), (500, 360)])
def test_resampling_keeps_a_slow_sine_where_it_is(rate, target):
    n = 10 * rate
    resampled = resample(sine(3.0, n, rate), Fraction(target, rate))
    assert resampled.shape == (1, 10 * target)
    expected = sine(3.0, 10 * target, target)
    np.testing.assert_allclose(resampled[:, target:-target], expected[:, target:-target], atol=0.005)


def test_resampling_removes_what_the_new_rate_cannot_hold():
    aliased = resample(sine(80.0, 3000, 300.0), Fraction(1, 3))
    assert np.abs(aliased[:, 100:-100]).max() < 0.01


@given(st.integers(1, 300), st.integers(1, 9), st.integers(1, 9))
def test_resampling_makes_as_many_positions_as_lie_inside(n, up, down):
    ratio = Fraction(up, down)
    resampled = resample(np.ones((1, n)), ratio)
    inside = sum(1 for j in range(10 * n) if j / ratio < n)
    assert resampled.shape == (1, inside)
    assert n_resampled(n, ratio) == inside
    np.testing.assert_allclose(resampled, 1, atol=0.01)


@pytest.mark.parametrize(
    ("ratio", "expected"), [(Fraction(1, 3), 31), (Fraction(2), 11), (Fraction(5, 18), 37), (Fraction(1), 11)]
)
def test_the_reach_of_resampling_by_hand(ratio, expected):
    # Ten zero crossings of the slower rate, in old positions, and one for rounding.
    assert reach(ratio) == expected
