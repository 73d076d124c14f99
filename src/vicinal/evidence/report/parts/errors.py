"""The errors of a run: misses and false alarms, the most confident first, drawn and listed."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vicinal.evidence.report.blocks import (
    Block,
    Column,
    Fold,
    Heading,
    Paragraph,
    Strip,
    Strips,
    Table,
)
from vicinal.evidence.report.content import Example, Report
from vicinal.evidence.report.picture import picture
from vicinal.evidence.report.sources import sources
from vicinal.evidence.report.spelling import number, plural
from vicinal.evidence.report.strips import paper

__all__ = ["errors"]

_OPEN = 4
"""Recordings of a kind that are drawn without being asked for."""

_COLOURS = (
    "Orange: what raised the score of the class named last in the caption; blue: what lowered it, against a flat "
    "signal."
)


def errors(report: Report) -> list[Block]:
    """Return drawings and lists, class by class."""
    found = report.evidence.get("errors")
    if found is None:
        return [Paragraph("Nothing was decided.", small=True)]
    drawn = {(one.id, one.about): one for one in report.examples}
    blocks = [
        block
        for name, kinds in found.items()
        for kind, errors_ in kinds.items()
        for block in _of_kind(name, kind, errors_, drawn)
    ]
    coloured = any(one.adds is not None for one in report.examples)
    said = [Paragraph(_COLOURS, small=True)] if coloured and any(map(_is_drawn, blocks)) else []
    return [*said, *blocks, *sources(report, what="decisions")]


def _is_drawn(block: Block) -> bool:
    return isinstance(block, Strips)


def _of_kind(
    name: str, kind: str, found: Mapping[str, Any], drawn: Mapping[tuple[str, str], Example]
) -> list[Block]:
    what = f"{name}, missed" if kind == "missed" else f"{name}, false alarms"
    if not found["n"]:
        return [Heading(what), Paragraph("None.", small=True)]
    shown = []
    for line in found["listed"]:
        if (line["id"], name) not in drawn:
            break
        shown.append(_strip(drawn[line["id"], name], _taken(name, kind, line)))
    how_many = f"{found['n']:,}; the {len(shown)} most confident drawn" if shown else f"{found['n']:,}"
    return [Heading(f"{what}: {how_many}"), *_strips(shown, drawn), _list(found)]


def _strips(shown: Sequence[Strip], drawn: Mapping[tuple[str, str], Example]) -> list[Block]:
    """Return the first few, and the others folded: twelve leads fill a window, one lead a line."""
    n_channels = max((len(one.samples) for one in drawn.values()), default=1)
    n = _OPEN if n_channels <= 3 else 1
    blocks: list[Block] = [Strips(shown[:n])] if shown else []
    if len(shown) > n:
        blocks.append(Fold(f"{len(shown) - n} more drawn", [Strips(shown[n:])]))
    return blocks


def _list(found: Mapping[str, Any]) -> Fold:
    """Return the table of all, folded."""
    listed: Sequence[Mapping[str, Any]] = found["listed"]
    keys = [key for key in ("id", "decided", "probability") if key in listed[0]]
    words = {"id": "recording", "decided": "taken for"}
    columns = [Column(words.get(key, key), number=key == "probability") for key in keys]
    rows = [[number(line[key]) if key == "probability" else line[key] for key in keys] for line in listed]
    more = found["n"] - len(listed)
    rest = [Paragraph(f"and {more:,} more, in the table of scores.", small=True)] if more > 0 else []
    return Fold(f"{plural(len(listed), 'recording')} listed", [Table(columns, rows), *rest])


def _taken(name: str, kind: str, line: Mapping[str, Any]) -> str:
    p = f"(probability {number(line['probability'])})"
    if "decided" in line:
        return f"{name}, taken for {line['decided']} {p}"
    return f"{name}, decided not {name} {p}" if kind == "missed" else f"not {name}, decided {name} {p}"


def _strip(example: Example, taken: str) -> Strip:
    samples = np.atleast_2d(np.asarray(example.samples, np.float64))
    label = f"recording {example.id}: {', '.join(example.channels) or 'signal'}"
    if example.rate_hz is None:
        drawing = picture(samples, label=label, adds=example.adds)
    else:
        names = example.channels if len(example.channels) > 1 else ()
        drawing = paper(
            samples,
            rate_hz=example.rate_hz,
            unit=example.unit,
            label=label,
            names=names,
            marks=example.marks,
            adds=example.adds,
        )
    # A clip of a second would be as small as a stamp; a row of ten seconds just fits a page at true size.
    zoom = 1.0 if example.rate_hz is None or drawing.width_mm > 120 else min(3.5, 120 / drawing.width_mm)
    size = "" if zoom == 1 else f", drawn {zoom:.2g} times as large"
    gaps = "" if np.isfinite(samples).all() else "; gaps are missing samples"
    channels = f", {example.channels[0]}" if len(example.channels) == 1 else ""
    return Strip(
        svg=drawing.svg,
        width_mm=round(drawing.width_mm * zoom, 1),
        title=example.id,
        text=f"{taken}{channels}",
        below=f"{drawing.scale}{size}{gaps}",
        about=example.about if example.adds is not None else "",
    )
