"""What a trace of a recording draws: lines of channels, windows shaded on them, and what adds to the score.

Takes a Trace, returns inline SVG. Must not know what stands around it (`trace_page.py`).
"""

from itertools import pairwise

import numpy as np
from jaxtyping import Float

from vicinal.scores.attribution_picture import bands, stretches
from vicinal.scores.trace import ExcitedUnit, Trace, TracedStage, Window

__all__ = ["WIDTH", "attributed", "entered", "framed", "sees", "snippet"]

WIDTH = 640
_STRIP, _ZOOM = 34, 150


def entered(trace: Trace) -> str:
    """Draw the prepared channels above a time axis."""
    return _signal(trace, height=max(90, _STRIP * len(trace.prepared)), window=None)


def framed(trace: Trace, stage: TracedStage) -> str:
    """Draw the recording with the window of the most excited unit shaded, and below it what the unit gives."""
    first = stage.excited[0]
    drawn = _signal(trace, height=max(44, 12 * len(trace.channels)), window=first.window)
    if first.position is None:
        return drawn
    line = _line(stage.profile, width=WIDTH, top=2, height=40, name="unit")
    return f'{drawn}<svg viewBox="0 0 {WIDTH} 44" role="img">{line}</svg>'


def sees(one: ExcitedUnit) -> str:
    """Say what a unit sees."""
    start, stop = one.window_s or (0.0, 0.0)
    return f"{start:.3f} to {stop:.3f} s ({one.window[0][1] - one.window[0][0]} samples)"


def attributed(trace: Trace) -> str:
    """Draw what each stretch of each channel adds to the score, and what hiding takes away."""
    found = trace.attribution
    strip = max(_STRIP, 90 / len(found.values))
    largest = float(np.abs(stretches(found.values, width=WIDTH)[1]).max())
    drawn = "".join(
        bands(values, largest=largest, width=WIDTH, top=k * strip, height=strip)
        + _line(row, width=WIDTH, top=k * strip + 2, height=strip - 4, name="signal")
        for k, (values, row) in enumerate(zip(found.values, trace.prepared, strict=True))
    )
    height = round(len(found.values) * strip)
    hidden = _line(found.hidden, width=WIDTH, top=2, height=40, name="unit")
    return (
        f'<svg viewBox="0 0 {WIDTH} {height + 14}" role="img">{drawn}{_seconds(trace, height)}</svg>'
        f'<svg viewBox="0 0 {WIDTH} 44" role="img">{hidden}</svg>'
        "<p class=soft>The blue line is how far the log-odds fall when a window there is made flat.</p>"
    )


def _signal(trace: Trace, *, height: int, window: Window | None) -> str:
    """Draw the prepared channels one above the other, with a window shaded."""
    n_channels, length = trace.prepared.shape
    strip = height / n_channels
    shade = ""
    if window is not None:
        ((start, stop),) = window
        x = WIDTH * start / length
        wide = max(WIDTH * (stop - start) / length, 2.0)
        shade = f'<rect class="window" x="{x:.1f}" y="0" width="{wide:.1f}" height="{height}"/>'
    lines = "".join(
        _line(row, width=WIDTH, top=k * strip + 2, height=strip - 4, name="signal")
        for k, row in enumerate(trace.prepared)
    )
    axis = _seconds(trace, height) if window is None else ""
    extra = 14 if window is None else 0
    return f'<svg viewBox="0 0 {WIDTH} {height + extra}" role="img">{shade}{lines}{axis}</svg>'


def _seconds(trace: Trace, height: int) -> str:
    """Draw the ends of the time axis, in seconds of the recording."""
    start, stop = trace.seconds or (0.0, 0.0)
    return (
        f'<line class="axis" x1="0" x2="{WIDTH}" y1="{height}" y2="{height}"/>'
        f'<text x="0" y="{height + 12}">{start:.2f} s</text>'
        f'<text x="{WIDTH}" y="{height + 12}" text-anchor="end">{stop:.2f} s</text>'
    )


def snippet(trace: Trace, window: Window) -> str:
    """Draw the samples inside a window, enlarged."""
    rows = trace.prepared[:, slice(*window[0])]
    if rows.shape[1] < 2 or rows.shape == trace.prepared.shape:
        return ""
    strip = 86 / len(rows)
    lines = "".join(
        _line(row, width=_ZOOM - 4, top=k * strip + 3, height=strip - 4, name="signal", left=2)
        for k, row in enumerate(rows)
    )
    return (
        f'<svg width="{_ZOOM}" height="88" style="flex:none" role="img"><rect class="window" x="0.5" y="0.5" '
        f'width="{_ZOOM - 1}" height="87"/>{lines}</svg>'
    )


def _line(
    values: Float[np.ndarray, " n"], *, width: float, top: float, height: float, name: str, left: float = 0.0
) -> str:
    """Draw values as one line; where there are more than two a pixel, the extremes of each pixel."""
    x, y = _extremes(values, n_columns=int(width))
    low, high = float(y.min()), float(y.max())
    down = top + height * (high - y) / (high - low if high > low else 1.0)
    across = left + width * x / max(len(values) - 1, 1)
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(across, down, strict=True))
    return f'<polyline class="{name}" points="{points}"/>'


def _extremes(
    values: Float[np.ndarray, " n"], *, n_columns: int
) -> tuple[Float[np.ndarray, " m"], Float[np.ndarray, " m"]]:
    n = len(values)
    if n <= 2 * n_columns:
        return np.arange(n, dtype=float), values.astype(float)
    edges = np.linspace(0, n, n_columns + 1).astype(int)
    chosen = []
    for start, stop in pairwise(edges):
        part = values[start:stop]
        chosen += sorted({start + int(part.argmin()), start + int(part.argmax())})
    index = np.array(chosen)
    return index.astype(float), values[index].astype(float)
