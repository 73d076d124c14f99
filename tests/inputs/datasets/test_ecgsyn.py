import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from vicinal.inputs.datasets.ecgsyn import (
    MIN_RR_S,
    NOISES,
    TURN,
    Waves,
    beat_phase,
    fibrillation_waves,
    fibrillatory_rr,
    noise,
    sinus_rr,
    voltage,
)

PAPER = Waves(
    np.array([-np.pi / 3, -np.pi / 12, 0.0, np.pi / 12, np.pi / 2]),
    np.array([1.2, -5.0, 30.0, -7.5, 0.75]) * np.array([0.25, 0.1, 0.1, 0.1, 0.4]) ** 2 / TURN,
    np.array([0.25, 0.1, 0.1, 0.1, 0.4]),
)
"""The paper's table I; heights are a_i b_i^2 / w at 60 beats a minute."""


def three_equations(t_s: np.ndarray) -> np.ndarray:
    """Integrate the paper's equations as they stand, with its own a_i, its wrap and its breathing z0."""
    a = np.array([1.2, -5.0, 30.0, -7.5, 0.75])

    def slope(t: float, state: np.ndarray) -> list[float]:
        x, y, z = state
        alpha, w, z0 = 1 - np.hypot(x, y), TURN, 0.15 * np.sin(TURN * 0.25 * t)
        d = (np.arctan2(y, x) - PAPER.angles + np.pi) % TURN - np.pi
        push = (a * d * np.exp(-0.5 * (d / PAPER.widths) ** 2)).sum()
        return [alpha * x - w * y, alpha * y + w * x, -push - (z - z0)]

    # At rest on the circle: z starts where the closed form starts, at G(0) with g = 0.
    start = [1.0, 0.0, (PAPER.heights * np.exp(-0.5 * (PAPER.angles / PAPER.widths) ** 2)).sum()]
    return solve_ivp(slope, (0, t_s[-1]), start, t_eval=t_s, rtol=1e-8, atol=1e-10, max_step=0.005).y[2]


@pytest.mark.parametrize(("rate_hz", "tolerance"), [(100.0, 5e-5), (1000.0, 5e-7)])
def test_the_filter_solves_the_papers_equations(rate_hz: float, tolerance: float) -> None:
    t = np.arange(round(4 * rate_hz)) / rate_hz
    phase = beat_phase(t, np.arange(7.0), mean_rr_s=1.0)
    ours = voltage(phase, PAPER, rate_hz=rate_hz, z0=0.15 * np.sin(TURN * 0.25 * t))
    np.testing.assert_allclose(ours, three_equations(t), atol=tolerance)


def test_without_waves_the_voltage_relaxes_to_z0_in_one_second() -> None:
    silent = Waves(np.zeros(1), np.zeros(1), np.ones(1))
    z = voltage(np.zeros(301), silent, rate_hz=100.0, z0=0.5)
    # 0.5 (1 - e^-1) after one second, 0.5 (1 - e^-3) after three.
    np.testing.assert_allclose(z[[0, 100, 300]], [0.0, 0.316060, 0.475106], atol=1e-6)


def test_phase_counts_beats_and_a_pause_lengthens_diastole_only() -> None:
    r_peaks = np.array([0.0, 1.0, 3.0, 3.6])
    phase = beat_phase(r_peaks, r_peaks, mean_rr_s=1.0)
    np.testing.assert_allclose(phase, TURN * np.arange(4))
    # Systole (0.4 of a turn) takes 0.4 s in the mean beat and in the pause of 2 s.
    np.testing.assert_allclose(
        beat_phase(np.array([0.4, 1.4]), r_peaks, mean_rr_s=1.0), TURN * np.array([0.4, 1.4])
    )
    # So does the way from P to R (0.26 of a turn): diastole alone is longer.
    np.testing.assert_allclose(beat_phase(np.array([2.74]), r_peaks, mean_rr_s=1.0), TURN * 1.74)
    # The beat of 0.6 s is too short: 0.4 of a turn takes 0.6 * 0.40 / 0.72 s.
    np.testing.assert_allclose(beat_phase(np.array([3 + 1 / 3]), r_peaks, mean_rr_s=1.0), TURN * 2.4)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0.3, 3.0), min_size=2, max_size=12), st.floats(0.4, 1.5))
def test_phase_never_turns_back(rr: list[float], mean_rr_s: float) -> None:
    r_peaks = np.concatenate([[0.0], np.cumsum(rr)])
    phase = beat_phase(np.linspace(0, r_peaks[-1], 500), r_peaks, mean_rr_s=mean_rr_s)
    assert (np.diff(phase) > 0).all()


def test_a_kind_of_beat_has_its_own_waves() -> None:
    waves = Waves(np.zeros((2, 1)), np.array([[1.0], [2.0]]), np.full((2, 1), 0.1))
    t = np.arange(300) / 100
    z = voltage(
        beat_phase(t, np.arange(5.0), mean_rr_s=1.0), waves, rate_hz=100, kinds=np.array([0, 1, 0, 0, 0])
    )
    # The filter takes a little off: about the area of a wave, 0.1 sqrt(2 pi) / (2 pi) s times its height.
    np.testing.assert_allclose(z[[100, 200]], [2.0, 1.0], atol=0.12)


def test_rr_spectrum_has_the_two_peaks_and_the_stated_variance() -> None:
    rng = np.random.default_rng(0)
    rr = np.stack(
        [
            sinus_rr(512, mean_s=1.0, deviation_s=0.05, lf_hf=0.5, breathing_hz=0.25, rng=rng)
            for _ in range(40)
        ]
    )
    assert rr.mean() == pytest.approx(1.0, abs=0.002)
    assert np.sqrt(np.mean((rr - 1) ** 2)) == pytest.approx(0.05, rel=0.05)
    power = (np.abs(np.fft.rfft(rr - 1)) ** 2).mean(axis=0)
    frequency = np.fft.rfftfreq(512, 1.0)
    low = power[np.abs(frequency - 0.10) < 0.03].sum()
    high = power[np.abs(frequency - 0.25) < 0.03].sum()
    assert low / high == pytest.approx(0.5, rel=0.15)
    assert (low + high) / power.sum() > 0.98


def test_fibrillation_is_irregular_and_its_waves_have_their_frequency() -> None:
    rng = np.random.default_rng(1)
    rr = fibrillatory_rr(4000, mean_s=0.7, rng=rng)
    assert rr.mean() == pytest.approx(0.7, rel=0.02)
    assert rr.std() / rr.mean() == pytest.approx(0.22, abs=0.02)
    assert abs(np.corrcoef(rr[1:], rr[:-1])[0, 1]) < 0.05
    assert rr.min() >= MIN_RR_S
    t = np.arange(4000) / 100
    waves = fibrillation_waves(t, frequency_hz=6.0, amplitude_mv=0.05, rng=rng)
    spectrum = np.abs(np.fft.rfft(waves))
    assert np.fft.rfftfreq(4000, 0.01)[spectrum.argmax()] == pytest.approx(6.0, abs=0.5)


BANDS = {
    "baseline_wander": (0.0, 0.6),
    "mains_hum": (49.0, 51.0),
    "muscle_noise": (10.0, 250.0),
    "electrode_motion": (0.5, 8.5),
}


@pytest.mark.parametrize("name", NOISES)
def test_each_noise_lies_in_its_band(name: str) -> None:
    part = NOISES[name](10_000, 500.0, np.random.default_rng(2))
    power = np.abs(np.fft.rfft(part * np.hanning(part.size))) ** 2
    frequency = np.fft.rfftfreq(part.size, 1 / 500)
    low, high = BANDS[name]
    assert power[(frequency >= low) & (frequency <= high)].sum() / power.sum() > 0.98


@pytest.mark.parametrize("rate_hz", [50.0, 100.0, 360.0])
def test_the_mix_has_variance_one_and_mean_zero(rate_hz: float) -> None:
    shares = {"baseline_wander": 0.4, "mains_hum": 0.1, "muscle_noise": 0.3, "electrode_motion": 0.2}
    mixed = noise(700, rate_hz=rate_hz, shares=shares, rng=np.random.default_rng(3))
    assert mixed.std() == pytest.approx(1.0)
    assert mixed.mean() == pytest.approx(0.0, abs=1e-12)
