"""A trace as one self-contained HTML page: inline SVG, no scripts, nothing fetched.

Draws what a Trace holds; must not compute scores.
"""

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np

from vicinal.files import write_bytes
from vicinal.scores import trace_image, trace_signal
from vicinal.scores.attribution_picture import STYLE
from vicinal.scores.trace import ExcitedUnit, Trace, TracedStage, Window
from vicinal.scores.trace_signal import WIDTH

__all__ = ["draw_page", "write_page"]

_STAGES = {
    "recording": "The units of each stage that this recording excites most, with what they see where they are excited: "
    "the first one's window shaded on the recording, below it in blue what that unit gives along the recording, and "
    "each one's own snippet enlarged. Excited means a large value, sign and all.",
    "image": "The units of each stage that this image excites most, with what they see where they are excited: the "
    "first one's window framed on the image, beside it what that unit gives at each of its positions, and each one's "
    "own patch enlarged. Excited means a large value, sign and all.",
}

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
.frame { fill: none; stroke: var(--edge); stroke-width: 2; vector-effect: non-scaling-stroke; }
.tinted .frame { stroke: #1c2530; }
figure { margin: .4rem 0; flex: none; max-width: 100%; } image { image-rendering: pixelated; }
.axis { stroke: var(--line); } text { fill: var(--soft); font: 10px system-ui, sans-serif; }
"""


@dataclass(frozen=True)
class _Drawing:
    """How what entered the network is drawn, along time or as an image."""

    entered: Callable[[Trace], str]
    framed: Callable[[Trace, TracedStage], str]
    snippet: Callable[[Trace, Window], str]
    sees: Callable[[ExcitedUnit], str]
    attributed: Callable[[Trace], str]


_SIGNAL = _Drawing(
    trace_signal.entered,
    trace_signal.framed,
    trace_signal.snippet,
    trace_signal.sees,
    trace_signal.attributed,
)
_IMAGE = _Drawing(
    trace_image.entered, trace_image.framed, trace_image.snippet, trace_image.sees, trace_image.attributed
)


def write_page(path: Path, trace: Trace) -> None:
    """Write the page of a trace, whole or not at all.

    Raises:  PathError: when it cannot be written.
    """
    write_bytes(Path(path), draw_page(trace).encode())


def draw_page(trace: Trace) -> str:
    """Return the trace as an HTML page."""
    title = f"Trace of {escape(trace.id or 'a recording')}"
    findings = "".join(f"<li>{escape(text)}</li>" for text in trace.findings) or "<li>met as it is</li>"
    meaning = "".join(f"<p>{escape(text)}</p>" for text in trace.meaning.splitlines() if text)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}{STYLE}</style></head><body>'
        f"<h1>{title}</h1><p class=soft>{escape(trace.source)} · model {trace.model_hash[:12]} · "
        f"{escape(trace.precision)}</p>{_decision(trace)}{_scores(trace)}"
        f"<h2>1. The contract</h2><ul>{findings}</ul>"
        f"<h2>2. What entered the network</h2><p class=soft>{escape(_entered(trace))}</p>"
        f"{_drawing(trace).entered(trace)}<h2>3. Stage by stage</h2><p class=soft>{_STAGES[_kind(trace)]}</p>"
        f"{''.join(_stage(trace, stage) for stage in trace.stages)}"
        f"<h2>4. What the score rests on</h2>{_attribution(trace)}"
        f"<h2>5. What such decisions mean</h2>{meaning or '<p class=soft>The model does not say.</p>'}"
        "</body></html>\n"
    )


def _kind(trace: Trace) -> str:
    return "image" if trace.seconds is None else "recording"


def _drawing(trace: Trace) -> _Drawing:
    return _IMAGE if trace.seconds is None else _SIGNAL


def _entered(trace: Trace) -> str:
    if trace.seconds is None:
        return f"{trace.entered()}; rows and columns count from 0, from the upper left"
    return (
        f"{', '.join(trace.channels)}, {trace.prepared.shape[1]} positions at {trace.rate_hz:g} Hz, from second "
        f"{trace.offset_s:.2f} of the recording"
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
    """Draw what the most excited unit sees and gives, or all features as bars, and what each such unit sees."""
    first, shape = stage.excited[0], " × ".join(map(str, stage.shape))
    features = first.position is None
    words = f"{shape} {'features' if features else 'positions'}"
    drawn = _drawing(trace).framed(trace, stage) + (_bars(stage) if features else "")
    units = "".join(_unit(trace, one) for one in stage.excited)
    return (
        f"<div class=stage><code>{escape(stage.text)}</code><p class=soft>{words}</p>"
        f"{drawn}<div class=units>{units}</div></div>"
    )


def _unit(trace: Trace, one: ExcitedUnit) -> str:
    drawing = _drawing(trace)
    kind = "feature" if one.position is None else "unit"
    where = "" if one.position is None else f" at position {', '.join(map(str, one.position))}"
    return (
        f"<div class=seen>{drawing.snippet(trace, one.window)}<p class=soft><b>{kind} {one.unit}</b>{where}, "
        f"{one.value:+.4g}<br>sees {drawing.sees(one)}</p></div>"
    )


def _attribution(trace: Trace) -> str:
    """Draw what adds to the score and what hiding takes away, and say it in words."""
    found = trace.attribution
    said = "".join(f"<li>{escape(line.strip())}</li>" for line in found.lines()[1:])
    way = (
        "by hiding windows: the network has no gradient"
        if found.gap is None
        else f"integrated gradients from a flat {found.kind}; their sum misses the difference by "
        f"{abs(found.gap):.2g}"
    )
    parts = "stretches" if found.kind == "signal" else "pixels"
    return (
        f"<p>{escape(found.lines()[0].removeprefix('rests on').strip())}</p><p class=soft>Orange {parts} raise "
        f"the log-odds of {escape(found.name)}, blue ones lower them ({way}).</p>"
        f"{_drawing(trace).attributed(trace)}<ul>{said}</ul>"
    )


def _bars(stage: TracedStage) -> str:
    """Draw the features as bars."""
    largest = max(float(np.abs(stage.profile).max()), 1e-12)
    step = WIDTH / len(stage.profile)
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
    return f'<svg viewBox="0 0 {WIDTH} 44" role="img">{"".join(bars)}</svg>'
