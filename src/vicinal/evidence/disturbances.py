"""Disturbances: what happens to recordings outside the laboratory, in the units in which it happens.

They act on a recording as its file holds it, before anything is prepared. Knows arrays; must not know files,
contracts or networks.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32, Float64

__all__ = ["DISTURBANCES", "Disturbance", "Recorded", "impossible"]

Rng = np.random.Generator

WANDER_HZ = 0.3
MUSCLE_HZ = (20.0, 150.0)
SLOW_HZ = 0.5
"""What is slower is baseline, and does not count as signal when noise is measured against it."""
DECIBELS = (24.0, 18.0, 12.0, 6.0, 0.0, -6.0)
MILLIVOLTS = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0)


@dataclass(frozen=True)
class Recorded:
    """A recording as far as disturbances know it.

    Args:    samples: (channels, time), in units of its own; NaN where missing.  rate_hz: that the file states.
             millivolt: (channels,), how much 1 mV is in the unit of each channel; None where one is no voltage.
    """

    samples: Float32[np.ndarray, "channels time"]
    rate_hz: float
    millivolt: Float64[np.ndarray, " channels"] | None = None


@dataclass(frozen=True)
class Disturbance:
    """One kind of disturbance.

    Args:    unit: of the strengths.  strengths: from weak to strong, or from too small to too large.
             apply: (recorded, strength, rng) to the recording disturbed; the same draws for every strength.
             above_hz: the rate must be higher.  volts: whether it needs a voltage.
             channels_each, channels_left: how many channels a strength of 1 takes, and how many must remain.
    """

    unit: str
    strengths: tuple[float, ...]
    apply: Callable[[Recorded, float, Rng], Recorded]
    above_hz: float = 0.0
    volts: bool = False
    channels_each: int = 0
    channels_left: int = 0

    def channels(self, strength: float) -> int:
        """Return how many channels a recording must have for a strength."""
        return int(strength) * self.channels_each + self.channels_left


def impossible(disturbance: Disturbance, strength: float, recorded: Recorded) -> str:
    """Return why a disturbance has no meaning for a recording, or ""."""
    if recorded.rate_hz <= disturbance.above_hz:
        return f"it needs a rate above {disturbance.above_hz:g} Hz, and it is {recorded.rate_hz:g}"
    if disturbance.volts and recorded.millivolt is None:
        return "it is a voltage, and the recording is none"
    n, needed = len(recorded.samples), disturbance.channels(strength)
    if n < needed:
        return f"it needs {needed} channels, and there {'is' if n == 1 else 'are'} {n}"
    return ""


def _shift(recorded: Recorded, seconds: float, rng: Rng) -> Recorded:
    """Move the signal earlier or later, by a toss; the value at the edge fills the gap."""
    samples = recorded.samples
    n = min(round(seconds * recorded.rate_hz), samples.shape[1] - 1)
    n = n if rng.random() < 0.5 else -n
    sources = np.clip(np.arange(samples.shape[1]) - n, 0, samples.shape[1] - 1)
    return replace(recorded, samples=samples[:, sources])


def _gain(recorded: Recorded, factor: float, rng: Rng) -> Recorded:
    del rng
    return replace(recorded, samples=recorded.samples * np.float32(factor))


def _wander(recorded: Recorded, millivolts: float, rng: Rng) -> Recorded:
    return _with_sine(recorded, WANDER_HZ, millivolts, rng)


def _hum_50(recorded: Recorded, millivolts: float, rng: Rng) -> Recorded:
    return _with_sine(recorded, 50.0, millivolts, rng)


def _hum_60(recorded: Recorded, millivolts: float, rng: Rng) -> Recorded:
    return _with_sine(recorded, 60.0, millivolts, rng)


def _with_sine(recorded: Recorded, hz: float, millivolts: float, rng: Rng) -> Recorded:
    """Add a sine of that amplitude, in one phase on all channels, as it reaches the electrodes."""
    assert recorded.millivolt is not None  # see `impossible`
    turns = hz / recorded.rate_hz * np.arange(recorded.samples.shape[1]) + rng.random()
    wave = millivolts * recorded.millivolt[:, None] * np.sin(2 * np.pi * turns)
    return replace(recorded, samples=(recorded.samples + wave).astype(np.float32))


def _muscle(recorded: Recorded, decibels: float, rng: Rng) -> Recorded:
    """Add Gaussian noise of 20 to 150 Hz (or half the rate), independent in each channel.

    Its power lies that many decibels below that of the channel, of which what is slower than 0.5 Hz does not count.
    """
    samples, n = recorded.samples, recorded.samples.shape[1]
    frequency = np.fft.rfftfreq(n, 1 / recorded.rate_hz)
    noise = np.fft.rfft(rng.normal(size=samples.shape), axis=1)
    noise[:, (frequency < MUSCLE_HZ[0]) | (frequency > MUSCLE_HZ[1])] = 0
    added = np.fft.irfft(noise, n=n, axis=1)
    wanted = _power(samples, frequency) * 10 ** (-decibels / 10)
    power = (added**2).mean(axis=1)
    scale = np.sqrt(np.divide(wanted, power, out=np.zeros_like(power), where=power > 0))
    return replace(recorded, samples=(samples + scale[:, None] * added).astype(np.float32))


def _power(
    samples: Float32[np.ndarray, "channels time"], frequency: Float64[np.ndarray, " f"]
) -> Float64[np.ndarray, " channels"]:
    """Return the power of each channel without its baseline; missing samples count as its mean."""
    known = np.isfinite(samples)
    mean = np.where(known, samples, 0).sum(axis=1, keepdims=True) / np.maximum(
        known.sum(axis=1, keepdims=True), 1
    )
    spectrum = np.fft.rfft(np.where(known, samples - mean, 0).astype(np.float64), axis=1)
    spectrum[:, frequency < SLOW_HZ] = 0
    return np.asarray((np.fft.irfft(spectrum, n=samples.shape[1], axis=1) ** 2).mean(axis=1))


def _dropped(recorded: Recorded, n_channels: float, rng: Rng) -> Recorded:
    """Leave a line at zero where the electrodes of so many channels came off."""
    samples = recorded.samples.copy()
    samples[rng.permutation(len(samples))[: int(n_channels)]] = 0
    return replace(recorded, samples=samples)


def _swapped(recorded: Recorded, n_pairs: float, rng: Rng) -> Recorded:
    order, samples = rng.permutation(len(recorded.samples)), recorded.samples.copy()
    for a, b in order[: 2 * int(n_pairs)].reshape(-1, 2):
        samples[[a, b]] = samples[[b, a]]
    return replace(recorded, samples=samples)


def _rate(recorded: Recorded, factor: float, rng: Rng) -> Recorded:
    """State a rate that is so many times the true one; the samples are what they were."""
    del rng
    return replace(recorded, rate_hz=recorded.rate_hz * factor)


DISTURBANCES: dict[str, Disturbance] = {
    "shift": Disturbance("s", (0.02, 0.05, 0.1, 0.2, 0.5), _shift),
    "gain": Disturbance("times", (0.25, 0.5, 0.8, 1.25, 2.0, 4.0), _gain),
    "wander": Disturbance("mV", MILLIVOLTS, _wander, volts=True),
    "hum50": Disturbance("mV", MILLIVOLTS, _hum_50, above_hz=100.0, volts=True),
    "hum60": Disturbance("mV", MILLIVOLTS, _hum_60, above_hz=120.0, volts=True),
    "muscle": Disturbance("dB", DECIBELS, _muscle, above_hz=2 * MUSCLE_HZ[0], volts=True),
    "dropped": Disturbance("channels", (1.0, 2.0, 3.0), _dropped, channels_each=1, channels_left=1),
    "swapped": Disturbance("pairs", (1.0, 2.0, 3.0), _swapped, channels_each=2),
    "rate": Disturbance("times", (0.5, 0.8, 0.9, 1.1, 1.25, 2.0), _rate),
}
"""Every disturbance by name."""
