"""Log-mel energies: how much power a sound has around each of some frequencies, frame by frame.

Arrays in, arrays out. Frames lie on a fixed grid and know nothing of the rest of the recording, so that a stream can
do exactly the same later. Knows the step that asks for it; must not know contracts or files.

Source: mel scale and triangles of height 1 as in HTK (Young et al. 2006, section 5.6), 2595 log10(1 + f / 700). Ours:
frames are centred on their position, as everything here has no net delay; the natural logarithm of power.
"""

import functools

import numpy as np
from jaxtyping import Float64

from vicinal.inputs.steps import LogMel

__all__ = ["FLOOR", "filters_of", "log_mel", "mel_filters"]

FLOOR = 1e-10
"""Least energy: the logarithm of digital silence is ln(FLOOR)."""

_FRAMES = 512
"""Frames transformed at a time, which bounds the memory."""


@functools.lru_cache(maxsize=16)
def mel_filters(
    n_mels: int, *, n_bins: int, rate_hz: float, low_hz: float, high_hz: float
) -> Float64[np.ndarray, "n_mels n_bins"]:
    """Return triangles of height 1 whose centres are evenly spaced in mel between `low_hz` and `high_hz`.

    Args:    n_bins: of the spectrum, from 0 Hz to half the rate.
    """
    edges = _to_hz(np.linspace(_to_mel(low_hz), _to_mel(high_hz), n_mels + 2))
    frequencies = np.linspace(0.0, rate_hz / 2, n_bins)
    left, centre, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising, falling = (frequencies - left) / (centre - left), (right - frequencies) / (right - centre)
    filters: Float64[np.ndarray, "n_mels n_bins"] = np.maximum(np.minimum(rising, falling), 0.0)
    filters.setflags(write=False)  # the cache hands out one array to everyone
    return filters


def filters_of(step: LogMel, rate_hz: float) -> Float64[np.ndarray, "n_mels n_bins"]:
    """Return the filters that a step asks for at a rate."""
    return mel_filters(
        step.n_mels,
        n_bins=step.n_bins(rate_hz),
        rate_hz=rate_hz,
        low_hz=step.low_hz,
        high_hz=step.top_hz(rate_hz),
    )


def log_mel(
    samples: Float64[np.ndarray, "channels time"],
    filters: Float64[np.ndarray, "n_mels n_bins"],
    *,
    window: int,
    hop: int,
) -> Float64[np.ndarray, "bands frames"]:
    """Return the log-mel energies of each channel, channel after channel.

    Frame j holds `window` samples around sample j * hop under a Hann window; beyond its ends a recording goes on with
    its first and last value. Energies are those of a window of gain 1, so they do not depend on its length.

    Args:    window: in samples, at most 2 * (n_bins - 1).  hop: in samples.
    Returns: (channels * n_mels, ceil(time / hop)).
    """
    n_fft, n = 2 * (filters.shape[1] - 1), samples.shape[1]
    n_frames = -(-n // hop)
    left = window // 2
    right = max(0, (n_frames - 1) * hop - left + window - n)
    taper = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    taper /= taper.sum()
    bands = np.empty((len(samples), len(filters), n_frames))
    for row, channel in enumerate(samples):
        extended = np.pad(channel, (left, right), mode="edge")
        frames = np.lib.stride_tricks.sliding_window_view(extended, window)[::hop][:n_frames]
        for start in range(0, n_frames, _FRAMES):
            part = frames[start : start + _FRAMES] * taper
            power = np.abs(np.fft.rfft(part, n=n_fft, axis=1)) ** 2
            energies = np.einsum("fb,mb->mf", power, filters)
            bands[row, :, start : start + _FRAMES] = np.log(np.maximum(energies, FLOOR))
    return bands.reshape(-1, n_frames)


def _to_mel(hz: float) -> float:
    return float(2595.0 * np.log10(1.0 + hz / 700.0))


def _to_hz(mel: Float64[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
    return np.asarray(700.0 * (10.0 ** (mel / 2595.0) - 1.0))
