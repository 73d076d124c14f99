"""Digest: the few numbers that stay of a signal when a contract is inferred from many.

Channels are known by their folded names: without case and outer blanks. Knows signals and units; must not know files,
nor what is inferred.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from vicinal.inputs.contract import unit_factor
from vicinal.signal import Signal

__all__ = ["ChannelDigest", "Digest", "digest", "folded", "value_range"]

_VALUES = 4096
"""Values of a channel that its usual size is taken from, evenly spaced."""


@dataclass(frozen=True)
class ChannelDigest:
    """What stays of one channel.

    Args:    name: as written.  unit: of low, high and size.  low, high: the least and the largest value.
             size: the 99.9 % quantile of its values without sign.  missing: share of missing values.
    """

    name: str
    unit: str
    low: float
    high: float
    size: float
    missing: float

    def factor_to(self, unit: str) -> float:
        """Return what its values are multiplied with to be in `unit`; NaN when they cannot be."""
        factor = unit_factor(self.unit, unit)
        return math.nan if factor is None else factor


@dataclass(frozen=True)
class Digest:
    """What stays of one signal.

    Args:    axes, rate_hz: of the signal.  shape: its positions.  names: of all channels, as written.
             channels: those with a value, by their folded names.
    """

    axes: tuple[str, ...]
    rate_hz: float | None
    shape: tuple[int, ...]
    names: tuple[str, ...]
    channels: dict[str, ChannelDigest]

    @property
    def duration_s(self) -> float:
        """Of a signal along time."""
        return self.shape[0] / (self.rate_hz or 1.0)

    def amplitude(self, keys: Sequence[str], unit: str) -> float:
        """Return the largest size among these channels, in `unit`."""
        return max(self.channels[key].size * self.channels[key].factor_to(unit) for key in keys)

    def missing(self, keys: Sequence[str]) -> float:
        """Return the largest share of missing values among these channels."""
        return max(self.channels[key].missing for key in keys)


def digest(signal: Signal) -> Digest:
    """Reduce a signal to its digest; a name that two channels bear points at neither."""
    keys = [folded(name) for name in signal.channels]
    channels = {
        key: channel
        for key, name, unit, samples in zip(keys, signal.channels, signal.units, signal.samples, strict=True)
        if keys.count(key) == 1 and (channel := _channel(name.strip(), unit, samples.ravel())) is not None
    }
    return Digest(signal.axes, signal.rate_hz, signal.samples.shape[1:], signal.channels, channels)


def folded(name: str) -> str:
    """Return the name by which a channel is known."""
    return name.strip().casefold()


def value_range(digests: Sequence[Digest], keys: Sequence[str], unit: str) -> tuple[float, float]:
    """Return the least and the largest value in these channels, over what has the unit or converts to it."""
    pairs = [(one.channels[key], one.channels[key].factor_to(unit)) for one in digests for key in keys]
    known = [(channel, factor) for channel, factor in pairs if math.isfinite(factor)]
    low, high = min(c.low * factor for c, factor in known), max(c.high * factor for c, factor in known)
    return low, high


def _channel(name: str, unit: str, samples: Float32[np.ndarray, " n"]) -> ChannelDigest | None:
    finite = np.isfinite(samples)
    missing = 1 - int(np.count_nonzero(finite)) / max(samples.size, 1)
    values = samples if missing == 0 else samples[finite]
    if values.size == 0:
        return None
    size = np.quantile(np.abs(values[:: max(1, values.size // _VALUES)]), 0.999)
    return ChannelDigest(name, unit, float(values.min()), float(values.max()), float(size), missing)
