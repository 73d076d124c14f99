"""A trace as one self-contained HTML page: inline SVG, no scripts, nothing fetched.

Draws what a Trace holds; must not compute scores.
"""

from html import escape
from itertools import pairwise
from pathlib import Path

import numpy as np
from jaxtyping import Float

from vicinal.files import write_bytes
from vicinal.scores.attribution_picture import STYLE, bands, stretches
from vicinal.scores.trace import ExcitedUnit, Trace, TracedStage

__all__ = ["draw_page", "write_page"]

_WIDTH, _STRIP, _ZOOM = 640, 34, 150

_STYLE = """
:root { --ink: #1c2530; --soft: #66727f; --line: #d8dee4; --paper: #ffffff; --shade: #f6c34466;
  --edge: #c98a00; --signal: #5b6b7a; --unit: #1766c2; --alarm: #b3261e; --clear: #1f7a3d; --refer: #8a5a00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6ebf0; --soft: #9aa7b4; --line: #37424d;
  --paper: #12181e; --shade: #f6c34444; --edge: #f0b429;
  --signal: #93a4b5; --unit: #6fb1ff; --alarm: #ff8a80; --clear: #7fd69b;
  --refer: #f0b429; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto;
  max-width: 60rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p, ul { margin: .3rem 0; } .soft { color: var(--soft); font-size: .85rem; }
code { font: .9rem ui-monospace, monospace; }
.decision { font-size: 1.25rem; font-weight: 600; margin: .8rem 0; }
.positive { color: var(--alarm); } .negative { color: var(--clear); } .referred { color: var(--refer); }
.stage { border-top: 1px solid var(--line); padding: .7rem 0; }
.units { display: flex; flex-wrap: wrap; gap: .8rem 1.6rem; margin-top: .4rem; }
.seen { flex: 0 1 auto; } .seen p { line-height: 1.35; } .seen b { color: var(--ink); }
@media (max-width: 600px) { .seen { display: flex; gap: .7rem; align-items: center; } }
svg { display: block; max-width: 100%; height: auto; }
table { border-collapse: collapse; } td, th { text-align: left; padding: .2rem 1.2rem .2rem 0; }
td { font-variant-numeric: tabular-nums; }
.signal { stroke: var(--signal); } .unit { stroke: var(--unit); }
.signal, .unit { fill: none; stroke-width: 1; }
.bar { fill: var(--unit); } .window { fill: var(--shade); stroke: var(--edge); stroke-width: .5; }
.axis { stroke: var(--line); } text { fill: var(--soft); font: 10px system-ui, sans-serif; }
"""


def write_page(path: Path, trace: Trace) -> None:
    """Write the page of a trace, whole or not at all.

    Raises:  PathError: when it cannot be written.
    """
    write_bytes(Path(path), draw_page(trace).encode())


def draw_page(trace: Trace) -> str:
    """Return the trace as an HTML page."""
    title = f"Trace of {escape(trace.id or 'a recording')}"
    findings = "".join(f"<li>{escape(text)}</li>" for text in trace.findings) or "<li>met as it is</li>"
    n_channels, length = trace.prepared.shape
    meaning = "".join(f"<p>{escape(text)}</p>" for text in trace.meaning.splitlines() if text)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}{STYLE}</style></head><body>'
        f"<h1>{title}</h1><p class=soft>{escape(trace.source)} · model {trace.model_hash[:12]} · "
        f"{escape(trace.precision)}</p>{_decision(trace)}{_scores(trace)}"
        f"<h2>1. The contract</h2><ul>{findings}</ul>"
        f"<h2>2. What entered the network</h2><p class=soft>{escape(', '.join(trace.channels))}, {length} "
        f"positions at {trace.rate_hz:g} Hz, from second {trace.offset_s:.2f} of the recording</p>"
        f"{_signal(trace, height=max(90, _STRIP * n_channels), window=None)}"
        "<h2>3. Stage by stage</h2><p class=soft>The units of each stage that this recording excites most, with what "
        "they see where they are excited: the first one's window shaded on the recording, below it in blue what that "
        "unit gives along the recording, and each one's own snippet enlarged. Excited means a large value, sign and "
        "all.</p>"
        f"{''.join(_stage(trace, stage) for stage in trace.stages)}"
        f"<h2>4. What the score rests on</h2>{_attribution(trace)}"
        f"<h2>5. What such decisions mean</h2>{meaning or '<p class=soft>The model does not say.</p>'}"
        "</body></html>\n"
    )


def _decision(trace: Trace) -> str:
    kind = "referred" if -1 in trace.decisions else "positive" if 1 in trace.decisions else "negative"
    return f'<p class="decision {kind if trace.decisions else ""}">Decision: {escape(trace.decision)}</p>'


def _scores(trace: Trace) -> str:
    rows = []
    for k, name in enumerate(trace.classes):
        cut = trace.thresholds[k] if trace.thresholds else None
        threshold = "–" if cut is None else f"{cut:.6g}"
        rows.append(
            f"<tr><td>{escape(name)}</td><td>{trace.logits[k]:.6g}</td><td>{trace.probabilities[k]:.6g}</td>"
            f"<td>{threshold}</td><td>{_gauge(trace, k)}</td></tr>"
        )
    head = "<tr><th>class</th><th>logit</th><th>probability</th><th>threshold</th><th></th></tr>"
    return f"<table>{head}{''.join(rows)}</table>{_field(trace)}"


def _field(trace: Trace) -> str:
    """Say the same for recordings among which the class is as common as the policy states."""
    if not trace.field_probabilities or not trace.field_thresholds:
        return ""
    return (
        f"<p class=soft>At the field's prevalence {trace.field_prevalence:g}: probability "
        f"{trace.field_probabilities[0]:.6g}, threshold {trace.field_thresholds[0]:.6g}. The probability above is of "
        "recordings among which it is as common as where the threshold was fitted; the decision is the same.</p>"
    )


def _gauge(trace: Trace, k: int) -> str:
    """Draw a probability from 0 to 1 with its threshold."""
    x = 200 * trace.probabilities[k]
    mark = ""
    cut = trace.thresholds[k] if trace.thresholds else None
    if cut is not None:
        at = 200 * cut
        mark = f'<line x1="{at:.1f}" x2="{at:.1f}" y1="0" y2="14" style="stroke:var(--ink)"/>'
    return (
        '<svg width="202" height="14" role="img"><rect x="0.5" y="3.5" width="200" height="7" fill="none" '
        f'class="axis"/><rect x="0.5" y="3.5" width="{x:.1f}" height="7" class="bar"/>{mark}</svg>'
    )


def _stage(trace: Trace, stage: TracedStage) -> str:
    """Draw the recording with the window of the most excited unit, what it gives, and what each such unit sees."""
    first, shape = stage.excited[0], " × ".join(map(str, stage.shape))
    words = f"{shape} {'positions' if first.position is not None else 'features'}"
    drawn = _signal(trace, height=max(44, 12 * len(trace.channels)), window=first.window) + _profile(stage)
    units = "".join(_unit(trace, one) for one in stage.excited)
    return (
        f"<div class=stage><code>{escape(stage.text)}</code><p class=soft>{words}</p>"
        f"{drawn}<div class=units>{units}</div></div>"
    )


def _unit(trace: Trace, one: ExcitedUnit) -> str:
    kind = "feature" if one.position is None else "unit"
    where = "" if one.position is None else f" at position {one.position}"
    start, stop = one.window_s
    return (
        f"<div class=seen>{_zoom(trace, one.window)}<p class=soft><b>{kind} {one.unit}</b>{where}, {one.value:+.4g}<br>"
        f"sees {start:.3f} to {stop:.3f} s ({one.window[1] - one.window[0]} samples)</p></div>"
    )


def _signal(trace: Trace, *, height: int, window: tuple[int, int] | None) -> str:
    """Draw the prepared channels one above the other, with a window shaded."""
    n_channels, length = trace.prepared.shape
    strip = height / n_channels
    shade = ""
    if window is not None:
        x = _WIDTH * window[0] / length
        wide = max(_WIDTH * (window[1] - window[0]) / length, 2.0)
        shade = f'<rect class="window" x="{x:.1f}" y="0" width="{wide:.1f}" height="{height}"/>'
    lines = "".join(
        _line(row, width=_WIDTH, top=k * strip + 2, height=strip - 4, name="signal")
        for k, row in enumerate(trace.prepared)
    )
    axis = _seconds(trace, height) if window is None else ""
    extra = 14 if window is None else 0
    return f'<svg viewBox="0 0 {_WIDTH} {height + extra}" role="img">{shade}{lines}{axis}</svg>'


def _seconds(trace: Trace, height: int) -> str:
    """Draw the ends of the time axis, in seconds of the recording."""
    stop = trace.offset_s + trace.prepared.shape[1] / trace.rate_hz
    return (
        f'<line class="axis" x1="0" x2="{_WIDTH}" y1="{height}" y2="{height}"/>'
        f'<text x="0" y="{height + 12}">{trace.offset_s:.2f} s</text>'
        f'<text x="{_WIDTH}" y="{height + 12}" text-anchor="end">{stop:.2f} s</text>'
    )


def _attribution(trace: Trace) -> str:
    """Draw what each stretch of each channel adds to the score, what hiding takes away, and say it in words."""
    found = trace.attribution
    n_channels = len(found.values)
    strip = max(_STRIP, 90 / n_channels)
    largest = float(np.abs(stretches(found.values, width=_WIDTH)[1]).max())
    drawn = "".join(
        bands(values, largest=largest, width=_WIDTH, top=k * strip, height=strip)
        + _line(row, width=_WIDTH, top=k * strip + 2, height=strip - 4, name="signal")
        for k, (values, row) in enumerate(zip(found.values, trace.prepared, strict=True))
    )
    height = round(n_channels * strip)
    hidden = _line(found.hidden, width=_WIDTH, top=2, height=40, name="unit")
    said = "".join(f"<li>{escape(line.strip())}</li>" for line in found.lines()[1:])
    way = (
        "by hiding windows: the network has no gradient"
        if found.gap is None
        else f"integrated gradients from a flat signal; their sum misses the difference by {abs(found.gap):.2g}"
    )
    return (
        f"<p>{escape(found.lines()[0].removeprefix('rests on').strip())}</p><p class=soft>Orange stretches raise "
        f"the log-odds of {escape(found.name)}, blue ones lower them ({way}). The blue line is how far the "
        f"log-odds fall when a window there is made flat.</p>"
        f'<svg viewBox="0 0 {_WIDTH} {height + 14}" role="img">{drawn}{_seconds(trace, height)}</svg>'
        f'<svg viewBox="0 0 {_WIDTH} 44" role="img">{hidden}</svg><ul>{said}</ul>'
    )


def _profile(stage: TracedStage) -> str:
    """Draw the strongest channel along its positions, or the features as bars."""
    if stage.excited[0].position is not None:
        line = _line(stage.profile, width=_WIDTH, top=2, height=40, name="unit")
        return f'<svg viewBox="0 0 {_WIDTH} 44" role="img">{line}</svg>'
    largest = max(float(np.abs(stage.profile).max()), 1e-12)
    step = _WIDTH / len(stage.profile)
    bars = []
    for k, value in enumerate(stage.profile):
        high = 20 * abs(float(value)) / largest
        y = 22 - high if value > 0 else 22.0
        wide = min(step * 0.8, 24)
        opacity = 1 if k == stage.excited[0].unit else 0.45
        bars.append(
            f'<rect class="bar" x="{k * step:.1f}" y="{y:.1f}" width="{wide:.2f}" height="{high:.1f}" '
            f'opacity="{opacity}"/>'
        )
    return f'<svg viewBox="0 0 {_WIDTH} 44" role="img">{"".join(bars)}</svg>'


def _zoom(trace: Trace, window: tuple[int, int]) -> str:
    """Draw the samples inside a window, enlarged."""
    rows = trace.prepared[:, window[0] : window[1]]
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
