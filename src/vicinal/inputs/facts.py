"""Facts of one signal, as it lies in its file: range, missing, flat and clipped shares, events.

For a person who wants to know what a recording holds before trusting it. Must not know contracts, files or
drawings.
"""

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Bool, Float32, Int64

from vicinal.signal import Signal

__all__ = ["ChannelFacts", "SignalFacts", "facts"]

_FLAT_S = 0.5
"""A value that does not change for this long is a flat line: no living heart pauses its noise."""
_LEAST_FLAT = 5
_LEAST_CLIPPED = 3
"""So many equal samples in a row at the channel's own extreme are a plateau, not a peak."""


@dataclass(frozen=True)
class ChannelFacts:
    """What one channel holds.

    Args:    low, high: the least and largest value in `unit`; None where every sample is missing.
             missing: share of samples without a value, 0 to 1.
             flat: share in stretches of at least 0.5 s (and 5 samples) without any change; None without time.
             clipped: share in runs of at least 3 equal samples at the channel's own least or largest value, as
             a saturated amplifier leaves them; None without time.
    """

    name: str
    unit: str
    low: float | None
    high: float | None
    missing: float
    flat: float | None
    clipped: float | None


@dataclass(frozen=True)
class SignalFacts:
    """What a signal holds.

    `COLUMNS` heads what `lines` returns.

    Args:    shape: (channels, *positions).  rate_hz, duration_s: None without a time axis.
             events: how many of each symbol, most frequent first; None where the file has none.
    """

    COLUMNS: ClassVar = ("channel", "unit", "least", "largest", "missing", "flat", "clipped")

    id: str
    axes: tuple[str, ...]
    shape: tuple[int, ...]
    rate_hz: float | None
    duration_s: float | None
    channels: tuple[ChannelFacts, ...]
    events: dict[str, int] | None

    def to_dict(self) -> dict[str, Any]:
        """Return the facts as JSON values."""
        return asdict(self)

    def sentence(self) -> str:
        """Return size and length in one line, and the events that the file names."""
        shape = " x ".join(map(str, self.shape[1:]))
        size = f"{self.shape[0]} channel{'s' * (self.shape[0] != 1)} of {shape} positions ({', '.join(self.axes)})"
        length = "" if self.rate_hz is None else f" at {self.rate_hz:g} Hz, {self.duration_s:g} s"
        counts = ", ".join(f"{symbol} {n:,}" for symbol, n in (self.events or {}).items())
        events = "" if self.events is None else f"; {sum(self.events.values()):,} events: {counts or 'none'}"
        return f"{size}{length}{events}."

    def lines(self) -> list[list[str]]:
        """Return one line of text cells for each channel, under `COLUMNS`."""
        return [
            [
                one.name,
                one.unit,
                _number(one.low),
                _number(one.high),
                *(_percent(share) for share in (one.missing, one.flat, one.clipped)),
            ]
            for one in self.channels
        ]


def facts(signal: Signal) -> SignalFacts:
    """Return what `signal` holds, channel by channel, in its own units."""
    timed = signal.rate_hz is not None
    events = None
    if signal.events is not None:
        events = dict(Counter(signal.events.symbols).most_common())
    return SignalFacts(
        id=signal.id,
        axes=signal.axes,
        shape=signal.samples.shape,
        rate_hz=signal.rate_hz,
        duration_s=signal.duration_s if timed else None,
        channels=tuple(
            _channel(name, unit, samples, signal.rate_hz)
            for name, unit, samples in zip(signal.channels, signal.units, signal.samples, strict=True)
        ),
        events=events,
    )


def _channel(
    name: str, unit: str, samples: Float32[np.ndarray, "*positions"], rate_hz: float | None
) -> ChannelFacts:
    known = np.isfinite(samples)
    if not known.any():
        return ChannelFacts(
            name, unit, None, None, missing=1.0 if samples.size else 0.0, flat=None, clipped=None
        )
    values = samples[known]
    low, high = float(values.min()), float(values.max())
    missing = 1.0 - float(known.mean())
    if rate_hz is None:
        return ChannelFacts(name, unit, low, high, missing, flat=None, clipped=None)
    lengths = _run_lengths(samples)
    flat = known & (lengths >= max(_LEAST_FLAT, _FLAT_S * rate_hz))
    extreme = known & ((samples == low) | (samples == high)) & (lengths >= _LEAST_CLIPPED)
    return ChannelFacts(name, unit, low, high, missing, _share(flat), _share(extreme) if low < high else 0.0)


def _run_lengths(samples: Float32[np.ndarray, " time"]) -> Int64[np.ndarray, " time"]:
    """Return for each sample the length of the run of equal values that it lies in; NaN equals nothing."""
    edges = np.flatnonzero(np.concatenate([[True], samples[1:] != samples[:-1], [True]]))
    lengths = np.diff(edges)
    return np.repeat(lengths, lengths)


def _share(where: Bool[np.ndarray, " time"]) -> float:
    return float(where.mean())


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _percent(share: float | None) -> str:
    if share is None:
        return "-"
    return "0 %" if share == 0 else f"{100 * share:.2g} %"
