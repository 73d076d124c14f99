"""What more training data buy: a metric of the same test rows against how many subjects a network learnt from."""

from collections.abc import Mapping
from typing import Any

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
from vicinal.evidence.report.plots import learning_curves_plot
from vicinal.evidence.report.spelling import count, interval, number, unreliable

__all__ = ["learning_curve"]


def learning_curve(report: Report) -> list[Block]:
    """Return sentence, plot and table, where the evidence has a learning curve."""
    if "learning_curve" not in report.evidence:
        return []
    curve = report.evidence["learning_curve"]
    unit = curve["unit"]
    words = (
        f"The same network, trained from the start on a share of the training {unit} for as many steps; validation "
        "and test rows are the same for all. Intervals are of the test rows: another draw of the training "
        f"{unit} would move the points too."
    )
    drawing = Drawing(learning_curves_plot({"": curve["points"]}, unit=unit))
    columns = [Column("share", number=True), Column(f"training {unit}", number=True)]
    columns += [Column("rows", number=True), Column("AUROC", number=True), Column("95 % interval")]
    return [
        Heading("What more data buy", "learning-curve"),
        *([Paragraph(curve["sentence"])] if curve["sentence"] else []),
        Paragraph(words, small=True),
        Grid([Panel("AUROC against training data", [drawing], "Shaded: 95 % intervals.")]),
        Table(columns, [_row(point) for point in curve["points"]]),
    ]


def _row(point: Mapping[str, Any]) -> list[Cell | str]:
    cohort: list[Cell | str] = [
        str(point["share"]), count(point["train_subjects"]), count(point["train_rows"]),
    ]  # fmt: skip
    if "left_out" in point and "value" not in point:
        return [*cohort, "–", f"left out: {point['left_out']}"]
    value = Cell(number(point["value"]), bold=True)
    return [*cohort, value, Cell(interval(point), tag=unreliable(point))]
