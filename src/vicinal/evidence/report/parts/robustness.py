"""The test rows under disturbances: AUROC against strength, as plots and as a table."""

from vicinal.evidence.report.blocks import (
    Block,
    Cell,
    Column,
    Drawing,
    Grid,
    Heading,
    Panel,
    Paragraph,
    Table,
)
from vicinal.evidence.report.content import Report
from vicinal.evidence.report.plots import robustness_plot
from vicinal.evidence.report.spelling import interval, number, unreliable

__all__ = ["robustness"]

_WORDS = (
    "The same test rows, disturbed after preparation. Decibels are of signal over noise: the lower, the more "
    "noise."
)
_COLUMNS = (
    Column("disturbance"), Column("strength", number=True), Column("AUROC", number=True), Column("95 % interval"),
)  # fmt: skip


def robustness(report: Report) -> list[Block]:
    """Return plots and table, where the evidence has any."""
    if "robustness" not in report.evidence:
        return []
    measured = {name: one for name, one in report.evidence["robustness"].items() if "points" in one}
    panels = [
        Panel(
            f"AUROC under {name}",
            [Drawing(robustness_plot(name, found))],
            "Dashed: undisturbed. Shaded: 95 % intervals.",
        )
        for name, found in measured.items()
    ]
    rows = [
        [
            name,
            f"{point['strength']} {found['unit']}",
            Cell(number(point["value"]), bold=True),
            Cell(interval(point), tag=unreliable(point)),
        ]
        for name, found in measured.items()
        for point in found["points"]
    ]
    left_out = [
        Paragraph(f"{name} was left out: {found['left_out']}.", small=True)
        for name, found in report.evidence["robustness"].items()
        if "left_out" in found
    ]
    return [
        Heading("Robustness", "robustness"),
        Paragraph(_WORDS, small=True),
        Grid(panels),
        Table(_COLUMNS, rows),
        *left_out,
    ]
