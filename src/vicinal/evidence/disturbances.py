"""Disturbances: what happens to recordings outside the laboratory, as functions of prepared signals.

They act on what enters the network, after the contract's steps. Noise is measured against the power of each channel
of each row, without its mean, padding included. Knows arrays; must not know networks or contracts.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Float64

from vicinal.evidence.robustness import shifted

__all__ = ["DISTURBANCES", "Disturbance", "possible"]

Samples = Float32[np.ndarray, "rows channels time"]
Rng = np.random.Generator

MAINS_HZ = 50.0
WANDER_HZ = 0.3
MUSCLE_HZ = (20.0, 150.0)
DECIBELS = (24.0, 18.0, 12.0, 6.0, 0.0, -6.0)


@dataclass(frozen=True)
class Disturbance:
    """One kind of disturbance.

    Args:    unit: of the strengths.  strengths: in rising or falling order.
             apply: (samples, strength, rate_hz, rng) to samples of the same shape.
             above_hz: the rate must be higher.  least_channels: that it needs.
    """

    unit: str
    strengths: tuple[float, ...]
    apply: Callable[[Samples, float, float, Rng], Samples]
    above_hz: float = 0.0
    least_channels: int = 1


def possible(disturbance: Disturbance, *, rate_hz: float, n_channels: int) -> str:
    """Return why a disturbance has no meaning for such signals, or ""."""
    if rate_hz <= disturbance.above_hz:
        return f"needs a rate above {disturbance.above_hz:g} Hz, and it is {rate_hz:g}"
    if n_channels < disturbance.least_channels:
        return f"needs {disturbance.least_channels} channels, and there are {n_channels}"
    return ""


def _shift(samples: Samples, seconds: float, rate_hz: float, rng: Rng) -> Samples:
    # Half of the rows earlier, half later.
    later = rng.random(len(samples)) < 0.5
    n = min(round(seconds * rate_hz), samples.shape[-1] - 1)
    return np.where(later[:, None, None], shifted(samples, n), shifted(samples, -n))


def _gain(samples: Samples, factor: float, rate_hz: float, rng: Rng) -> Samples:
    del rate_hz, rng
    return np.asarray(samples * np.float32(factor))


def _wander(samples: Samples, decibels: float, rate_hz: float, rng: Rng) -> Samples:
    return _with_noise(samples, _sine(samples, WANDER_HZ, rate_hz, rng), decibels)


def _hum(samples: Samples, decibels: float, rate_hz: float, rng: Rng) -> Samples:
    return _with_noise(samples, _sine(samples, MAINS_HZ, rate_hz, rng), decibels)


def _muscle(samples: Samples, decibels: float, rate_hz: float, rng: Rng) -> Samples:
    noise = np.fft.rfft(rng.normal(size=samples.shape), axis=-1)
    frequency = np.fft.rfftfreq(samples.shape[-1], 1 / rate_hz)
    noise[..., (frequency < MUSCLE_HZ[0]) | (frequency > MUSCLE_HZ[1])] = 0
    return _with_noise(samples, np.fft.irfft(noise, n=samples.shape[-1], axis=-1), decibels)


def _dropped(samples: Samples, n_channels: float, rate_hz: float, rng: Rng) -> Samples:
    del rate_hz
    kept = samples.copy()
    order = rng.permuted(np.tile(np.arange(samples.shape[1]), (len(samples), 1)), axis=1)
    kept[np.arange(len(samples))[:, None], order[:, : int(n_channels)]] = 0
    return kept


def _swapped(samples: Samples, n_pairs: float, rate_hz: float, rng: Rng) -> Samples:
    del rate_hz
    order = rng.permuted(np.tile(np.arange(samples.shape[1]), (len(samples), 1)), axis=1)
    sources = np.tile(np.arange(samples.shape[1]), (len(samples), 1))
    rows = np.arange(len(samples))
    for pair in range(min(int(n_pairs), samples.shape[1] // 2)):
        a, b = order[:, 2 * pair], order[:, 2 * pair + 1]
        sources[rows, a], sources[rows, b] = b, a
    return samples[rows[:, None], sources]


def _rate(samples: Samples, factor: float, rate_hz: float, rng: Rng) -> Samples:
    """Return signals that were recorded at `factor` times the rate they are taken for; the end repeats."""
    del rate_hz, rng
    n = samples.shape[-1]
    # Recorded faster than it is taken for: time runs slower, and less of the signal fits.
    at = np.clip(np.arange(n) / factor, 0, n - 1)
    left = np.minimum(at.astype(np.int64), n - 2)
    share = (at - left).astype(np.float32)
    return np.asarray(samples[..., left] * (1 - share) + samples[..., left + 1] * share, np.float32)


def _sine(samples: Samples, hz: float, rate_hz: float, rng: Rng) -> Float64[np.ndarray, "rows channels time"]:
    phase = rng.uniform(0, 2 * np.pi, (len(samples), 1, 1))
    wave = np.sin(2 * np.pi * hz * np.arange(samples.shape[-1]) / rate_hz + phase)
    return np.broadcast_to(wave, samples.shape)


def _with_noise(samples: Samples, noise: Float[np.ndarray, "rows channels time"], decibels: float) -> Samples:
    """Return samples plus noise of a power that many decibels below that of the signal."""
    wanted = samples.std(axis=-1, keepdims=True) * 10 ** (-decibels / 20)
    power = np.sqrt((noise**2).mean(axis=-1, keepdims=True))
    scale = np.divide(wanted, power, out=np.zeros_like(power), where=power > 0)
    return np.asarray(samples + scale * noise, np.float32)


DISTURBANCES: dict[str, Disturbance] = {
    "shift": Disturbance("s", (0.02, 0.05, 0.1, 0.2, 0.5), _shift),
    "gain": Disturbance("times", (0.25, 0.5, 0.8, 1.25, 2.0, 4.0), _gain),
    "wander": Disturbance("dB", DECIBELS, _wander),
    "hum": Disturbance("dB", DECIBELS, _hum, above_hz=2 * MAINS_HZ),
    "muscle": Disturbance("dB", DECIBELS, _muscle, above_hz=2 * MUSCLE_HZ[0]),
    "dropped": Disturbance("channels", (1.0, 2.0, 3.0), _dropped, least_channels=2),
    "swapped": Disturbance("pairs", (1.0, 2.0, 3.0), _swapped, least_channels=2),
    "rate": Disturbance("times", (0.5, 0.8, 0.9, 1.1, 1.25, 2.0), _rate),
}
"""Every disturbance by name, with strengths from weak to strong, or from too small to too large."""
