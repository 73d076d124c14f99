"""Two models on the same rows: every metric of both, and the first minus the second."""

from collections.abc import Mapping
from typing import Any

from vicinal.evidence.report.blocks import Block, Cell, Column, Heading, Paragraph, Table
from vicinal.evidence.report.content import Report
from vicinal.evidence.report.spelling import count, interval, number, unreliable

__all__ = ["differences"]

_WORDS = (
    "Paired: both models in the same resamples of subjects. A difference is clear where its 95 % interval lies on one "
    "side of 0; among many metrics some do by chance."
)
_COLUMNS = (
    Column("metric"), Column("a", number=True), Column("b", number=True), Column("a − b", number=True),
    Column("95 % interval"), Column("clear"), Column("rows", number=True), Column("subjects", number=True),
)  # fmt: skip


def differences(report: Report) -> list[Block]:
    """Return the table, where two models were compared."""
    if "differences" not in report.evidence:
        return []
    found = report.evidence["differences"]
    return [
        Heading("Two models on the same rows", "differences"),
        Paragraph(f"a: {found['a']}; b: {found['b']}. {_WORDS}", small=True),
        Table(_COLUMNS, [_row(name, one) for name, one in found["metrics"].items()]),
    ]


def _row(name: str, entry: Mapping[str, Any]) -> list[Cell | str]:
    return [
        name,
        number(entry["a"]),
        number(entry["b"]),
        Cell(number(entry["value"]), bold=True),
        Cell(interval(entry), tag=unreliable(entry)),
        "yes" if entry["clear"] else "",
        count(entry["n"]),
        count(entry["n_subjects"]),
    ]
