"""What the errors mean: one paragraph, and 1,000 people as dots."""

from collections.abc import Mapping
from typing import Any

from vicinal.evidence.report.blocks import Block, Panel, Paragraph, People
from vicinal.evidence.report.content import Report
from vicinal.evidence.report.plots import people_plot
from vicinal.evidence.report.spelling import count

__all__ = ["meaning"]

_PEOPLE = ("found", "missed", "referred", "false_alarms")


def meaning(report: Report) -> list[Block]:
    """Return the paragraph, with the picture for a task of one class."""
    told = report.evidence.get("meaning", {})
    if not told.get("sentence"):
        return []
    words = Paragraph(told["sentence"])
    picture = _picture(told)
    return [Panel("", [words] if picture is None else [words, picture])]


def _picture(told: Mapping[str, Any]) -> People | None:
    if not all(isinstance(told.get(name), Mapping) for name in _PEOPLE):
        return None
    counts = {name: float(told[name]["value"]) for name in _PEOPLE}
    key = [
        (
            name,
            f"{count(counts[name])} {name.replace('_', ' ')}",
            f"{count(told[name]['low'])} to {count(told[name]['high'])}",
        )
        for name in _PEOPLE
        if counts[name] > 0 or name != "referred"
    ]
    return People(people_plot(counts), [*key, ("rest", "rightly left alone", "each dot one of 1,000")])
