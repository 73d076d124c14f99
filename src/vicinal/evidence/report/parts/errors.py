"""The worst errors of a run, drawn: what was decided wrongly, and what the network looked at."""

import numpy as np

from vicinal.evidence.report.blocks import Block, Paragraph, Strip, Strips
from vicinal.evidence.report.content import Example, Report
from vicinal.evidence.report.picture import picture
from vicinal.evidence.report.spelling import number
from vicinal.evidence.report.strips import paper

__all__ = ["errors"]

_COLOURS = (
    "Orange: what raised the score of the class named last in the caption; blue: what lowered it, against a flat "
    "signal."
)


def errors(report: Report) -> list[Block]:
    """Return the drawings."""
    if not report.errors:
        return [Paragraph("None to show.", small=True)]
    said = [Paragraph(_COLOURS, small=True)] if any(one.about for one in report.errors) else []
    return [*said, Strips([_strip(example) for example in report.errors])]


def _strip(example: Example) -> Strip:
    samples = np.atleast_2d(np.asarray(example.samples, np.float64))
    label = f"recording {example.id}: {', '.join(example.channels) or 'signal'}"
    if example.rate_hz is None:
        drawing = picture(samples, label=label, adds=example.adds)
    else:
        drawing = paper(samples, rate_hz=example.rate_hz, unit=example.unit, label=label, adds=example.adds)
    # A clip of a second would be as small as a stamp; a row of ten seconds just fits a page at true size.
    zoom = 1.0 if example.rate_hz is None or drawing.width_mm > 120 else min(3.5, 120 / drawing.width_mm)
    size = "" if zoom == 1 else f", drawn {zoom:.2g} times as large"
    gaps = "" if np.isfinite(samples).all() else "; gaps are missing samples"
    channels = f", {', '.join(example.channels)}" if example.channels else ""
    decided = f"{example.truth}, decided {example.decision} (probability {number(example.probability)})"
    return Strip(
        svg=drawing.svg,
        width_mm=round(drawing.width_mm * zoom, 1),
        title=example.id,
        text=f"{decided}{channels}",
        below=f"{drawing.scale}{size}{gaps}",
        about=example.about,
    )
