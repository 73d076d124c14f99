"""Intervals: channels that say how far apart events are, beside the samples of a recording.

Positions go in, never labels. Arrays in, arrays out; must not know contracts or files.
"""

from dataclasses import replace

import numpy as np
from jaxtyping import Float64, Int64

from vicinal.inputs.blocks import Blocks

__all__ = ["interval_names", "with_intervals"]

_LARGEST = 3.0
"""Binary logarithm of seconds: intervals count from 1/8 s to 8 s, beyond which they are no intervals between beats."""


def interval_names(*, relative: bool) -> tuple[str, ...]:
    """Return the names of the channels that `with_intervals` adds."""
    plain = ("interval before", "interval after")
    return (*plain, *(f"relative {name}" for name in plain if relative))


def with_intervals(
    source: Blocks, events: Int64[np.ndarray, " n"], *, rate_hz: float, relative: bool = False
) -> Blocks:
    """Return `source` with two channels more: the logarithm of the interval before and after the nearest event.

    A position belongs to the event that is nearest, of two equally near ones to the later. The first event has
    no interval before it and takes the one after; the last one likewise. Without an interval both are zero.

    Args:    events: positions, in any order; several at one position count once.
             rate_hz: positions a second.  relative: add both once more, less the median of all intervals.
    Returns: log2 of seconds, -3 to 3, in the channels after those of `source`.
    """
    places = np.unique(events)
    made = np.stack(_logarithms(places, rate_hz))
    if relative:
        made = np.concatenate([made, made - np.median(made[1])])
    between = (places[:-1] + places[1:]) / 2

    def compute(start: int, stop: int) -> Float64[np.ndarray, "channels block"]:
        nearest = np.searchsorted(between, np.arange(start, stop), side="right")
        return np.concatenate([source.samples(start, stop), made[:, nearest]])

    def valid(start: int, stop: int) -> np.ndarray:
        known: np.ndarray = np.ones((len(made), stop - start), dtype=bool)
        return np.concatenate([source.valid(start, stop), known])

    return replace(source, n_channels=source.n_channels + len(made), compute=compute, valid=valid, _kept={})


def _logarithms(
    places: Int64[np.ndarray, " n"], rate_hz: float
) -> tuple[Float64[np.ndarray, " m"], Float64[np.ndarray, " m"]]:
    """Return log2 of the seconds before and after each event; zeros, for one event, where there is no interval."""
    if len(places) < 2:
        return np.zeros(1), np.zeros(1)
    found = np.clip(np.log2(np.diff(places) / rate_hz), -_LARGEST, _LARGEST)
    return np.concatenate([found[:1], found]), np.concatenate([found, found[-1:]])
