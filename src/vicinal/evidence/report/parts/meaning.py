"""What the errors mean: a paragraph for each class, and 1,000 people, or beats, as dots."""

from collections.abc import Mapping
from typing import Any

from vicinal.evidence.report.blocks import Block, Fold, Grid, Panel, Paragraph, People
from vicinal.evidence.report.content import Report
from vicinal.evidence.report.plots import people_plot
from vicinal.evidence.report.sources import sources
from vicinal.evidence.report.spelling import count

__all__ = ["meaning"]

_PEOPLE = ("found", "missed", "referred", "false_alarms")
_MOST_PICTURES = 6


def meaning(report: Report) -> list[Block]:
    """Return words and picture of the one class, or of each; of more than six classes the others are folded."""
    told = report.evidence.get("meaning", {})
    if not told.get("sentence"):
        return []
    if "classes" not in told:
        return [Panel("", [Paragraph(told["sentence"]), _picture(told)]), *sources(report, what="decisions")]
    panels = [
        Panel(name, [_picture(one), Paragraph(one["sentence"])]) for name, one in told["classes"].items()
    ]
    blocks: list[Block] = [Grid(panels[:_MOST_PICTURES])] if panels else []
    if len(panels) > _MOST_PICTURES:
        blocks.append(Fold(f"{len(panels) - _MOST_PICTURES} more classes", [Grid(panels[_MOST_PICTURES:])]))
    if told.get("left_out"):
        names = ", ".join(told["left_out"])
        blocks.append(
            Paragraph(
                f"Nothing can be said about {names}: no positive or no negative {told.get('rows', 'recordings')}."
            )
        )
    return [*blocks, *sources(report, what="decisions")]


def _picture(told: Mapping[str, Any]) -> People:
    counts, of = {name: float(told[name]["value"]) for name in _PEOPLE}, told.get("of", "people")
    key = [
        (
            name,
            f"{count(counts[name])} {name.replace('_', ' ')}",
            f"{count(told[name]['low'])} to {count(told[name]['high'])}",
        )
        for name in _PEOPLE
        if counts[name] > 0 or name != "referred"
    ]
    return People(
        people_plot(counts, of=of), [*key, ("rest", "rightly left alone", f"each dot one of 1,000 {of}")]
    )
