"""The test rows group by group, and the gap of each group to all others."""

from collections.abc import Mapping
from typing import Any

from vicinal.evidence.report.blocks import Block, Cell, Column, Heading, Paragraph, Table
from vicinal.evidence.report.content import Report
from vicinal.evidence.report.spelling import count, interval, number, unreliable

__all__ = ["subgroups"]

_SHOWN = ("auroc", "sensitivity", "specificity", "macro_f1")
_WORDS = (
    "The same test rows, group by group. A gap is the group minus all others, with its own 95 % interval; with many "
    "groups some intervals exclude 0 by chance."
)
_COLUMNS = (
    Column("column"), Column("group"), Column("metric"), Column("value", number=True), Column("95 % interval"),
    Column("rows", number=True), Column("positive subjects", number=True), Column("gap", number=True),
    Column("95 % interval"), Column("rows in gap", number=True),
)  # fmt: skip


def subgroups(report: Report) -> list[Block]:
    """Return the table of groups, where the evidence has any."""
    if "subgroups" not in report.evidence:
        return []
    rows = [
        _row(column, group, name, found)
        for column, groups in report.evidence["subgroups"].items()
        for group, found in groups.items()
        for name in found["metrics"]
        if name in _SHOWN
    ]
    return [Heading("Subgroups", "subgroups"), Paragraph(_WORDS, small=True), Table(_COLUMNS, rows)]


def _row(column: str, group: str, name: str, found: Mapping[str, Any]) -> list[Cell | str]:
    entry, gap = found["metrics"][name], found["gaps"].get(name)
    return [
        column,
        group,
        name,
        Cell(number(entry["value"]), bold=True),
        Cell(interval(entry), tag=unreliable(entry)),
        count(entry["n"]),
        count(entry["n_positive_subjects"]),
        "" if gap is None else number(gap["value"]),
        "" if gap is None else Cell(interval(gap), tag=unreliable(gap)),
        "" if gap is None else f"{count(gap['n'])} and {count(gap['n_others'])}",
    ]
