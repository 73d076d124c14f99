"""The network of a run: each stage, what leaves it, and how much of the signal one unit of it sees."""

from vicinal.evidence.report.blocks import Block, Cell, Column, Paragraph, Table
from vicinal.evidence.report.content import Report
from vicinal.evidence.report.spelling import count, milliseconds

__all__ = ["network"]


def network(report: Report) -> list[Block]:
    """Return the table of stages."""
    found = report.evidence.get("network")
    if not found:
        return [Paragraph("The run did not describe its network.", small=True)]
    columns = [Column("stage"), Column("leaves"), Column("parameters", number=True)]
    columns.append(Column("one unit sees", number=True))
    rows: list[list[Cell | str]] = [
        [
            Cell(stage["stage"], code=True),
            " x ".join(map(str, stage["shape"])),
            count(stage["parameters"]),
            milliseconds(stage["receptive_field_ms"]),
        ]
        for stage in found["stages"]
    ]
    total = Cell(count(found["parameters"]), bold=True)
    return [Table(columns, [*rows, [Cell("in all", bold=True), "", total, ""]])]
