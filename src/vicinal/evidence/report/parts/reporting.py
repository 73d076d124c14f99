"""What of TRIPOD+AI the report fills, and what it leaves to the person."""

from collections import Counter

from vicinal.evidence.report.blocks import Block, Cell, Column, Fold, Paragraph, Table
from vicinal.evidence.report.content import Report
from vicinal.evidence.report.tripod import ITEMS, state

__all__ = ["reporting"]

_COLUMNS = (
    Column("item"),
    Column("here"),
    Column("topic"),
    Column("asks for"),
    Column("what this report has of it"),
)
_SOURCE = (
    "Collins et al. 2024, TRIPOD+AI, BMJ 385:e078378; the items in our own words. Hold a paper against the published "
    "checklist. yours: left to the person."
)


def reporting(report: Report) -> list[Block]:
    """Return how many items are filled, and the table of all, folded."""
    states = [state(item, report.evidence) for item in ITEMS]
    n = Counter(states)
    words = (
        f"Of the {len(ITEMS)} items and sub-items of TRIPOD+AI this report fills {n['filled']} and says a part of "
        f"{n['in part']}; {n['yours']} are left to the person."
    )
    rows = [
        [Cell(item.number, bold=True), here, item.topic, item.asks, item.where if here != "yours" else ""]
        for item, here in zip(ITEMS, states, strict=True)
    ]
    return [Paragraph(words), Fold("Item by item", [Table(_COLUMNS, rows), Paragraph(_SOURCE, small=True)])]
