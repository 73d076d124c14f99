"""ECG paper as SVG: signals on a grid of millimetres, 25 mm a second and 10 mm a millivolt.

Takes samples, returns text. Must not know models, scores or pages.
"""

import html
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from vicinal.evidence.report.bands import levels, stretches

__all__ = ["Layout", "Paper", "Strip", "lay_out", "paper"]

_MM_PER_S = 25.0
_MM_PER_MV = 10.0
_ROW_S = 10.0
_SQUARE = 5.0
_DOTS = 20  # a coordinate is 1/20 mm, so that whole numbers are fine enough
_TO_MV = {"mV": 1.0, "uV": 1e-3, "V": 1e3}


class Strip(NamedTuple):
    """One row of a drawing.

    Args:    heights: (n,) in mm above the row's own zero, NaN where missing.  low, high: the mm it needs.
             top: mm from the top of the drawing.  name: of its channel.  marks: (sample of the row, symbol).
             adds: (n,) what each sample adds to a score, or empty.
    """

    heights: Float[np.ndarray, " n"]
    low: float
    high: float
    top: float
    name: str
    marks: tuple[tuple[int, str], ...]
    adds: Float[np.ndarray, " n"]

    @property
    def baseline(self) -> float:
        """Where its zero lies, in mm from the top of the drawing."""
        return self.top + self.high

    @property
    def name_at(self) -> float:
        """Where the foot of its name lies, in mm from the top of the drawing."""
        return self.top + 0.8 * _SQUARE

    @property
    def marks_at(self) -> float:
        """Where the feet of its symbols lie, in mm from the top of the drawing."""
        return self.name_at + _SQUARE * bool(self.name)


class Layout(NamedTuple):
    """Where everything lies on the paper, in mm, and what its scale is, in words."""

    strips: tuple[Strip, ...]
    width: float
    height: float
    mm_per_sample: float
    scale: str


class Paper(NamedTuple):
    """A drawing, its natural width in mm (before enlargement) and what its scale is, in words."""

    svg: str
    width_mm: float
    scale: str


def lay_out(
    samples: Float[np.ndarray, "channels time"],
    *,
    rate_hz: float,
    units: Sequence[str],
    names: Sequence[str] = (),
    marks: Sequence[tuple[int, str]] = (),
    adds: Float[np.ndarray, "channels time"] | None = None,
) -> Layout:
    """Place the channels below each other, in rows of 10 s.

    Args:    samples: NaN where missing.  units: one per channel: mV, uV, V; anything else is scaled to fit.
             names: one per channel, or none.  marks: (sample, symbol) of events, set above every channel.
             adds: like samples: what each of them adds to a score.
    """
    per_row = max(2, round(_ROW_S * rate_hz))
    strips: list[Strip] = []
    top, longest = 0.0, 2
    counted = np.empty((len(samples), 0)) if adds is None else adds
    for channel, unit, name, added in zip(samples, units, names or [""] * len(samples), counted, strict=True):
        heights = channel * _TO_MV[unit] * _MM_PER_MV if unit in _TO_MV else _fitted(channel)
        for start in range(0, channel.size, per_row):
            row = heights[start : start + per_row]
            if row.size < 2:
                continue
            low, high = _range(row)
            # A square of its own for names, and one for symbols, keeps them clear of the trace.
            high += _SQUARE * (bool(name) + bool(marks))
            inside = tuple((at - start, symbol) for at, symbol in marks if start <= at < start + row.size)
            strips.append(Strip(row, low, high, top, name, inside, added[start : start + per_row]))
            top, longest = top + high - low, max(longest, row.size)
    width = max(5.0, np.ceil(longest / rate_hz * _MM_PER_S / 5) * 5)
    other = [unit for unit in dict.fromkeys(units) if unit not in _TO_MV]
    scale = f"25 mm/s, height scaled to fit ({', '.join(other)})" if other else "25 mm/s, 10 mm/mV"
    return Layout(tuple(strips), float(width), max(top, 5.0), _MM_PER_S / rate_hz, scale)


def paper(
    samples: Float[np.ndarray, "channels time"],
    *,
    rate_hz: float,
    unit: str | Sequence[str],
    label: str,
    names: Sequence[str] = (),
    marks: Sequence[tuple[int, str]] = (),
    adds: Float[np.ndarray, "channels time"] | None = None,
) -> Paper:
    """Draw the channels below each other, in rows of 10 s.

    Args:    samples: NaN where missing, drawn as a gap.
             unit: mV, uV, V; anything else is scaled to fit; one for all channels, or one for each.
             label: what the drawing shows, for who cannot see it.  names, marks, adds: as in `lay_out`; what
             stretches of samples add is drawn as bands behind them.
    """
    units = [unit] * len(samples) if isinstance(unit, str) else unit
    layout = lay_out(samples, rate_hz=rate_hz, units=units, names=names, marks=marks, adds=adds)
    drawn = "".join(_trace(strip, layout.mm_per_sample) for strip in layout.strips)
    words = "".join(_words(strip, layout.mm_per_sample) for strip in layout.strips)
    svg = (
        f'<svg class="paper" viewBox="0 0 {layout.width * _DOTS:.0f} {layout.height * _DOTS:.0f}" role="img" '
        f'aria-label="{html.escape(label)}"><path class="fine" d="{_grid(layout, 1)}"/>'
        f'<path class="bold" d="{_grid(layout, 5)}"/>{_bands(layout)}'
        f'<path class="trace" d="{drawn}"/>{words}</svg>'
    )
    return Paper(svg, layout.width, layout.scale)


def _fitted(samples: Float[np.ndarray, " time"]) -> Float[np.ndarray, " time"]:
    """Scale to a spread of 20 mm where millivolts mean nothing."""
    finite = samples[np.isfinite(samples)]
    low, high = np.percentile(finite, [0.5, 99.5]) if finite.size else (0.0, 1.0)
    return np.asarray((samples - low) * 20 / max(high - low, 1e-12))


def _range(row: Float[np.ndarray, " time"]) -> tuple[float, float]:
    """Return the mm a row needs, in whole squares of 5 mm, at most 60 mm: a spike must not hide the rest."""
    finite = row[np.isfinite(row)]
    if not finite.size:
        return -5.0, 5.0
    low, high = np.floor(finite.min() / 5 - 0.2) * 5, np.ceil(finite.max() / 5 + 0.2) * 5
    if high - low > 60:
        middle = np.round(np.median(finite) / 5) * 5
        low, high = max(low, middle - 30), min(high, middle + 30)
    return float(low), float(max(high, low + 15))


def _grid(layout: Layout, step: int) -> str:
    columns, rows = range(0, int(layout.width) + 1, step), range(0, int(layout.height) + 1, step)
    across = "".join(f"M{x * _DOTS} 0V{layout.height * _DOTS:.0f}" for x in columns)
    return across + "".join(f"M0 {y * _DOTS}H{layout.width * _DOTS:.0f}" for y in rows)


def _bands(layout: Layout) -> str:
    """Draw what stretches add, all of one colour as one path."""
    edges, sums = [], []
    longest = max((strip.heights.size for strip in layout.strips), default=2)
    for strip in layout.strips:
        if strip.adds.size:
            edges.append(stretches(strip.adds.size, per_row=longest))
            sums.append(np.add.reduceat(strip.adds, edges[-1][:-1]))
    if not sums:
        return ""
    largest = float(np.abs(np.concatenate(sums)).max())
    boxes: dict[int, str] = {}
    for strip, ends, added in zip(layout.strips, edges, sums, strict=True):
        x = np.rint(ends * layout.mm_per_sample * _DOTS).astype(int)
        y, height = round(strip.top * _DOTS), round((strip.high - strip.low) * _DOTS)
        for left, right, level in zip(x[:-1], x[1:], levels(added, largest=largest).tolist(), strict=True):
            if level:
                box = f"M{left} {y}h{right - left}v{height}h{left - right}z"
                boxes[level] = boxes.get(level, "") + box
    return "".join(
        f'<path class="{"for" if level > 0 else "against"} l{abs(level)}" d="{d}"/>'
        for level, d in sorted(boxes.items())
    )


def _trace(strip: Strip, mm_per_sample: float) -> str:
    clipped = np.clip(strip.heights, strip.low, strip.high)
    runs = _runs(np.isfinite(strip.heights))
    return "".join(_run(clipped, run, mm_per_sample, strip.baseline) for run in runs)


def _words(strip: Strip, mm_per_sample: float) -> str:
    """Return the name of the channel above its row, and under it the symbols of events."""
    texts = [(1.0, strip.name_at, "name", strip.name)] if strip.name else []
    texts += [(at * mm_per_sample, strip.marks_at, "mark", symbol) for at, symbol in strip.marks]
    return "".join(
        f'<text class="{kind}" x="{x * _DOTS:.0f}" y="{y * _DOTS:.0f}">{html.escape(text)}</text>'
        for x, y, kind, text in texts
    )


def _runs(known: np.ndarray) -> Iterator[slice]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], known.astype(np.int8), [0]])))
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        yield slice(int(start), int(stop))


def _run(row: Float[np.ndarray, " time"], run: slice, mm_per_sample: float, baseline: float) -> str:
    x = np.rint(np.arange(run.start, run.stop) * mm_per_sample * _DOTS).astype(np.int64)
    y = np.rint((baseline - row[run]) * _DOTS).astype(np.int64)
    steps = " ".join(f"{dx} {dy}" for dx, dy in zip(np.diff(x), np.diff(y), strict=True))
    return f"M{x[0]} {y[0]}l{steps or '0 0'}"
