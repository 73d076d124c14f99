"""ECGSYN: an electrocardiogram from three coupled differential equations, and the noises recordings bear.

McSharry, Clifford, Tarassenko, Smith 2003, IEEE TBME 50:289. A point runs round the unit circle, once a beat;
the waves P, Q, R, S, T are Gaussians at angles of that circle, which push the voltage z up and down.

    x' = (1 - r) x - w y      y' = (1 - r) y + w x      z' = -sum_i a_i d_i exp(-d_i^2 / 2 b_i^2) - (z - z0)

Started on the circle (r = 1) the point stays on it, so its angle is the integral of w; no solver needed.
Given the angle, the z equation is linear. With a_i = height_i w / b_i^2 (Sameni et al. 2007, IEEE TBME
54:2172), which states heights in mV, its solution is z = G - g with G = sum_i height_i exp(-d_i^2 / 2 b_i^2)
and g' = -g + G - z0: one first-order filter over all samples, exact but for the interpolation of G between
them. Knows physics and numbers; must not know cohorts, labels or recordings.
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import scipy  # loads its `signal`, 0.6 s and 60 MB, when it is first used
from jaxtyping import Float64

__all__ = [
    "NOISES",
    "Waves",
    "beat_phase",
    "fibrillation_waves",
    "fibrillatory_rr",
    "noise",
    "sinus_rr",
    "voltage",
]

TURN = 2 * np.pi
MIN_RR_S = 0.3
# Shares of the mean beat: from R to the end of T, and from the start of P to R. The rest is diastole.
_SYSTOLE, _BEFORE_R, _LEAST_DIASTOLE = 0.40, 0.26, 0.06


@dataclass(frozen=True)
class Waves:
    """The Gaussian events of a beat: angle (rad, R at 0), height (mV) and width (rad) of each.

    Args:    angles, heights, widths: (..., n_events); a leading axis holds one set per kind of beat.
    """

    angles: Float64[np.ndarray, "*kinds events"]
    heights: Float64[np.ndarray, "*kinds events"]
    widths: Float64[np.ndarray, "*kinds events"]


def sinus_rr(
    n: int, *, mean_s: float, deviation_s: float, lf_hf: float, breathing_hz: float, rng: np.random.Generator
) -> Float64[np.ndarray, " n"]:
    """Draw n RR intervals whose spectrum has a Mayer wave (LF, 0.1 Hz) and a breathing (HF) peak.

    As in the paper, both peaks are Gaussians of 0.01 Hz with random phases; the variance is `deviation_s`
    squared, split `lf_hf` : 1. The tachogram is read at multiples of the mean instead of beat by beat.
    """
    offsets = np.linspace(-0.02, 0.02, 9)
    frequencies = np.concatenate([0.1 + offsets, breathing_hz + offsets])
    bell = np.exp(-0.5 * (offsets / 0.01) ** 2)
    power = np.concatenate([bell * lf_hf, bell]) / (bell.sum() * (1 + lf_hf))
    phases = rng.uniform(0, TURN, frequencies.size)
    angles = TURN * frequencies[:, None] * (mean_s * np.arange(n)) + phases[:, None]
    swing = np.sqrt(2 * power) @ np.cos(angles)
    return np.asarray(np.maximum(mean_s + deviation_s * swing, MIN_RR_S))


def fibrillatory_rr(n: int, *, mean_s: float, rng: np.random.Generator) -> Float64[np.ndarray, " n"]:
    """Draw n independent RR intervals, log-normal, varying by 22 %: irregularly irregular."""
    return np.maximum(mean_s * np.exp(rng.normal(-0.024, 0.22, n)), MIN_RR_S)


def beat_phase(
    t_s: Float64[np.ndarray, " n"], r_peaks_s: Float64[np.ndarray, " beats"], *, mean_rr_s: float
) -> Float64[np.ndarray, " n"]:
    """Return the unwrapped angle at times `t_s`: 2 pi k at the k-th R peak.

    The paper keeps w constant over an RR interval; here systole and the PQ time keep the pace of the mean
    beat and diastole takes up the difference, as in the heart, so that a pause does not stretch the T wave.
    Intervals too short for that are shortened in proportion.
    """
    rr = np.diff(r_peaks_s)
    pace = np.minimum(mean_rr_s, rr / (_SYSTOLE + _BEFORE_R + _LEAST_DIASTOLE))
    starts = r_peaks_s[:-1]
    knots = np.stack([starts, starts + _SYSTOLE * pace, starts + rr - _BEFORE_R * pace], axis=1).ravel()
    angles = TURN * (np.arange(rr.size)[:, None] + np.array([0.0, _SYSTOLE, 1 - _BEFORE_R])).ravel()
    knots, angles = np.append(knots, r_peaks_s[-1]), np.append(angles, TURN * rr.size)
    return np.asarray(np.interp(t_s, knots, angles))


def voltage(
    phase: Float64[np.ndarray, " n"],
    waves: Waves,
    *,
    rate_hz: float,
    kinds: np.ndarray | None = None,
    z0: Float64[np.ndarray, " n"] | float = 0.0,
) -> Float64[np.ndarray, " n"]:
    """Solve the z equation along `phase`, from rest.

    Args:    phase: unwrapped angle at every sample.  waves: one set, or one per kind of beat.
             kinds: the kind of the k-th beat (row of `waves`); None when there is one kind.
             z0: the level z relaxes to (mV), which breathing moves in the paper.
    Returns: (n,) mV. The start is forgotten with a time constant of 1 s, whatever the heart rate.
    """
    beat = np.rint(phase / TURN).astype(np.int64)
    angles, heights, widths = waves.angles, waves.heights, waves.widths
    if kinds is not None:
        kind = kinds[beat]
        angles, heights, widths = angles[kind], heights[kind], widths[kind]
    distance = (phase - TURN * beat)[:, None] - angles
    distance -= TURN * np.rint(distance / TURN)
    landscape = np.einsum(
        "ne,ne->n", np.broadcast_to(heights, distance.shape), np.exp(-0.5 * (distance / widths) ** 2)
    )
    drive = landscape - z0
    step = 1 / rate_hz
    kept, mean = np.exp(-step), -np.expm1(-step) / step  # exact for a drive linear between samples
    pulled, _ = scipy.signal.lfilter([1 - mean, mean - kept], [1, -kept], drive, zi=[(mean - 1) * drive[0]])
    return np.asarray(landscape - pulled)


def fibrillation_waves(
    t_s: Float64[np.ndarray, " n"], *, frequency_hz: float, amplitude_mv: float, rng: np.random.Generator
) -> Float64[np.ndarray, " n"]:
    """Return f-waves: a saw-tooth of 3 harmonics, slowly modulated (Stridh & Sörnmo 2001)."""
    start = rng.uniform(0, TURN, 3)
    carrier = TURN * frequency_hz * t_s + 1.0 * np.sin(TURN * 0.25 * t_s + start[0]) + start[1]
    envelope = amplitude_mv * (1 + 0.3 * np.sin(TURN * 0.15 * t_s + start[2]))
    order = np.arange(1, 4)[:, None]
    return np.asarray(-envelope * (np.sin(order * carrier) / order).sum(axis=0))


def _baseline_wander(n: int, rate_hz: float, rng: np.random.Generator) -> Float64[np.ndarray, " n"]:
    # Sines, as a strip of seconds has too few Fourier bins below 0.5 Hz.
    frequencies = rng.uniform(0.05, 0.5, 4)[:, None]
    angles = TURN * frequencies * np.arange(n) / rate_hz + rng.uniform(0, TURN, (4, 1))
    return np.asarray(rng.normal(size=4) @ np.sin(angles))


def _mains_hum(n: int, rate_hz: float, rng: np.random.Generator) -> Float64[np.ndarray, " n"]:
    # Never exactly 50 Hz: at 100 Hz it beats slowly against the sampling, as in real recordings.
    angles = TURN * rng.uniform(49.8, 50.2) * np.arange(n) / rate_hz + rng.uniform(0, TURN)
    return np.asarray(np.sin(angles) + 1e-3)


def _muscle_noise(n: int, rate_hz: float, rng: np.random.Generator) -> Float64[np.ndarray, " n"]:
    envelope = 1 + 0.7 * np.sin(TURN * rng.uniform(0.1, 0.6) * np.arange(n) / rate_hz + rng.uniform(0, TURN))
    return np.asarray(envelope * _coloured(n, rate_hz, rng, low_hz=12.0, high_hz=np.inf, slope=0.0))


def _electrode_motion(n: int, rate_hz: float, rng: np.random.Generator) -> Float64[np.ndarray, " n"]:
    return _coloured(n, rate_hz, rng, low_hz=0.7, high_hz=8.0, slope=1.0)


def _coloured(
    n: int, rate_hz: float, rng: np.random.Generator, *, low_hz: float, high_hz: float, slope: float
) -> Float64[np.ndarray, " n"]:
    """Gaussian noise in a band, its amplitude falling as 1 / frequency^slope."""
    weights = _spectrum(n, rate_hz, low_hz, high_hz, slope)
    values = rng.normal(size=(2, weights.size))
    return np.asarray(np.fft.irfft(weights * (values[0] + 1j * values[1]), n))


@functools.lru_cache(maxsize=8)
def _spectrum(n: int, rate_hz: float, low_hz: float, high_hz: float, slope: float) -> np.ndarray:
    frequencies = np.fft.rfftfreq(n, 1 / rate_hz)
    inside = (frequencies >= low_hz) & (frequencies <= high_hz)
    return np.where(inside, np.maximum(frequencies, low_hz) ** -slope, 0.0)


NOISES: Mapping[str, Callable[[int, float, np.random.Generator], np.ndarray]] = {
    "baseline_wander": _baseline_wander,
    "mains_hum": _mains_hum,
    "muscle_noise": _muscle_noise,
    "electrode_motion": _electrode_motion,
}
"""What disturbs a recording: breathing and sweat, the mains, other muscles, the electrode on moving skin."""


def noise(
    n: int, *, rate_hz: float, shares: Mapping[str, float], rng: np.random.Generator
) -> Float64[np.ndarray, " n"]:
    """Mix the noises with the given shares of power to one of variance 1 and mean 0 over the n samples."""
    parts = np.stack([NOISES[name](n, rate_hz, rng) for name in shares])
    parts -= parts.mean(axis=1, keepdims=True)
    power = np.einsum("pn,pn->p", parts, parts) / n
    total = np.sqrt(np.array(list(shares.values())) / power) @ parts
    return np.asarray(total / np.sqrt(total @ total / n))
