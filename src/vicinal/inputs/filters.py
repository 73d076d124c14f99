"""Linear-phase filters and polyphase resampling with zero net delay.

Arrays in, arrays out. Everything is a finite window (FIR), and a recording goes on with its first and last
value beyond its ends, so that a stream can do exactly the same later. Must not know contracts or files.

Source: windowed-sinc design (Hamming; about 53 dB of attenuation), Oppenheim and Schafer, Discrete-Time
Signal Processing, section 7.5. The high pass is the unit impulse minus a low pass of gain 1 at 0 Hz, so a
constant offset vanishes.
"""

import functools
import math
from fractions import Fraction

import numpy as np
import scipy  # loads its `signal`, 0.6 s and 60 MB, when it is first used
from jaxtyping import Float64

__all__ = ["apply_window", "band_stop", "high_pass", "low_pass", "n_resampled", "reach", "resample"]

_HAMMING_WIDTH = 3.3
"""Taps of a Hamming design times its transition width over the rate."""

_ZEROS = 10
"""Zero crossings of the resampling window on either side."""


@functools.lru_cache(maxsize=64)
def low_pass(cutoff_hz: float, *, width_hz: float, rate_hz: float) -> Float64[np.ndarray, " taps"]:
    """Return the taps (an odd number, sum 1) of a low pass with gain one half at `cutoff_hz`."""
    return _frozen(scipy.signal.firwin(_n_taps(width_hz, rate_hz), cutoff_hz, fs=rate_hz, window="hamming"))


@functools.lru_cache(maxsize=64)
def high_pass(cutoff_hz: float, *, width_hz: float, rate_hz: float) -> Float64[np.ndarray, " taps"]:
    """Return the taps (an odd number, sum 0) of a high pass with gain one half at `cutoff_hz`."""
    taps = -low_pass(cutoff_hz, width_hz=width_hz, rate_hz=rate_hz)
    taps[len(taps) // 2] += 1.0
    return _frozen(taps)


@functools.lru_cache(maxsize=64)
def band_stop(frequency_hz: float, *, width_hz: float, rate_hz: float) -> Float64[np.ndarray, " taps"]:
    """Return the taps (an odd number, sum 1) of a notch with gain one half at `width_hz` on either side."""
    edges = (frequency_hz - width_hz, frequency_hz + width_hz)
    return _frozen(
        scipy.signal.firwin(
            _n_taps(width_hz, rate_hz), edges, fs=rate_hz, window="hamming", pass_zero="bandstop"
        )
    )


def apply_window(
    samples: Float64[np.ndarray, "channels time"], taps: Float64[np.ndarray, " taps"]
) -> Float64[np.ndarray, "channels time"]:
    """Filter with an odd number of symmetric taps, centred: the output is not delayed."""
    half = len(taps) // 2
    extended = np.pad(samples, ((0, 0), (half, half)), mode="edge")
    filtered: Float64[np.ndarray, "channels time"] = scipy.signal.oaconvolve(
        extended, taps[None, :], mode="valid", axes=-1
    )
    return filtered


def resample(
    samples: Float64[np.ndarray, "channels time"], ratio: Fraction
) -> Float64[np.ndarray, "channels resampled"]:
    """Resample by polyphase filtering; output j stands for input position j / ratio.

    Args:    samples: (channels, time).  ratio: new rate over old rate, > 0.
    Returns: (channels, ceil(time * ratio)): as many positions as lie inside the recording.
    Source:  `scipy.signal.resample_poly` with a Kaiser window (beta 5) of ten zero crossings a side.
    """
    if ratio == 1:
        return samples
    up, down = ratio.numerator, ratio.denominator
    resampled: Float64[np.ndarray, "channels resampled"] = scipy.signal.resample_poly(
        samples, up, down, axis=-1, window=_resampling_taps(up, down), padtype="edge"
    )
    return resampled


def n_resampled(n: int, ratio: Fraction) -> int:
    """Return how many positions lie inside a recording of `n` after resampling."""
    return math.ceil(n * ratio)


def reach(ratio: Fraction) -> int:
    """Return how many positions to either side resampling looks at, at most."""
    return math.ceil(_ZEROS * max(ratio.numerator, ratio.denominator) / ratio.numerator) + 1


@functools.lru_cache(maxsize=64)
def _resampling_taps(up: int, down: int) -> Float64[np.ndarray, " taps"]:
    widest = max(up, down)
    return _frozen(scipy.signal.firwin(2 * _ZEROS * widest + 1, 1 / widest, window=("kaiser", 5.0)))


def _n_taps(width_hz: float, rate_hz: float) -> int:
    return 2 * math.ceil(_HAMMING_WIDTH * rate_hz / width_hz / 2) + 1


def _frozen(taps: Float64[np.ndarray, " taps"]) -> Float64[np.ndarray, " taps"]:
    taps.setflags(write=False)  # the caches hand out one array to everyone
    return taps
