"""The usual event: channels that say what a recording mostly looks like around its events, beside its samples.

What differs from the usual heartbeat of the same person stands out, whatever that heart usually looks like. Positions
go in, never labels. Arrays in, arrays out; must not know contracts or files.
"""

from dataclasses import replace

import numpy as np
from jaxtyping import Float64, Int64

from vicinal.inputs.blocks import Blocks

__all__ = ["with_usual"]

_MOST = 5000
"""Events looked at: evenly taken of more."""


def with_usual(source: Blocks, events: Int64[np.ndarray, " n"], *, before: int, after: int) -> Blocks:
    """Return `source` with a channel more for each: its usual course around an event, put at every event.

    The usual course is the median over the events, position by position; positions of a window that lie beyond the
    recording count for none. A position belongs to the event that is nearest, of two equally near ones to the later,
    and is zero where that is further away than the window reaches.

    Args:    events: positions, in any order; several at one position count once.
             before, after: positions of the window before an event, and from it on.
    """
    places = np.unique(events)
    course = _usual(source, places, before, after)
    between = (places[:-1] + places[1:]) / 2

    def compute(start: int, stop: int) -> Float64[np.ndarray, "channels block"]:
        own = source.samples(start, stop)
        made = np.zeros_like(own)
        if len(places):
            at = np.arange(start, stop)
            away = at - places[np.searchsorted(between, at, side="right")] + before
            inside = (away >= 0) & (away < before + after)
            made[:, inside] = course[:, away[inside]]
        return np.concatenate([own, made])

    def valid(start: int, stop: int) -> np.ndarray:
        known: np.ndarray = np.ones((source.n_channels, stop - start), dtype=bool)
        return np.concatenate([source.valid(start, stop), known])

    return replace(source, n_channels=2 * source.n_channels, compute=compute, valid=valid, _kept={})


def _usual(
    source: Blocks, places: Int64[np.ndarray, " n"], before: int, after: int
) -> Float64[np.ndarray, "channels window"]:
    """Return the median course of each channel; zeros where no event has such a position."""
    chosen = places
    if len(places) > _MOST:
        chosen = places[np.linspace(0, len(places) - 1, _MOST).round().astype(np.int64)]
    windows = np.full((len(chosen), source.n_channels, before + after), np.nan)
    for one, place in zip(windows, chosen.tolist(), strict=True):
        start, stop = max(place - before, 0), min(place + after, source.n)
        one[:, start - place + before : stop - place + before] = source.samples(start, stop)
    course = np.zeros(windows.shape[1:])
    known = ~np.isnan(windows[:, 0]).all(axis=0)
    if known.any():
        course[:, known] = np.nanmedian(windows[:, :, known], axis=0)
    return course
