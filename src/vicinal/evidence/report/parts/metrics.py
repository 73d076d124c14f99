"""The metrics of a run as a table: each with its interval, and the rows and subjects it rests on."""

from collections.abc import Mapping
from typing import Any

from vicinal.evidence.report.blocks import Block, Cell, Column, Paragraph, Table
from vicinal.evidence.report.content import Report
from vicinal.evidence.report.sources import marked, source, sources
from vicinal.evidence.report.spelling import count, interval, number, unreliable
from vicinal.evidence.summary import remarks

__all__ = ["headline", "metrics"]

_HEADLINE = {
    "auroc": "AUROC",
    "macro_auroc": "mean AUROC",
    "accuracy": "accuracy",
    "macro_f1": "mean F1",
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "ppv": "PPV on these rows",
}
_COLUMNS = (
    Column("metric"), Column("value", number=True), Column("95 % interval"), Column("0 to 1", wide=True),
    Column("rows", number=True), Column("subjects", number=True), Column("positive", number=True),
)  # fmt: skip


def headline(report: Report) -> list[tuple[str, str, str, str]]:
    """Return the words, value, interval and warning of the few metrics that say most."""
    found = report.evidence.get("metrics", {})
    shown = {name: words for name, words in _HEADLINE.items() if found.get(name, {}).get("value") is not None}
    if "sensitivity" in shown:  # Accuracy says least where one kind is rare.
        shown.pop("accuracy", None)
    return [
        (words, number(found[name]["value"]), interval(found[name]), unreliable(found[name]))
        for name, words in shown.items()
    ][:4]


def metrics(report: Report) -> list[Block]:
    """Return the table of all metrics, what must be said beside it, and where it comes from."""
    found = report.evidence.get("metrics", {})
    rows = [_row(name, one) for name, one in found.items()]
    columns = list(_COLUMNS)
    if marked(report.protocol):
        # Two commands made this table: the scores are of the first, the decisions of the second.
        columns.append(Column("made by", number=True))
        for row, name in zip(rows, found, strict=True):
            row.append(source(name, report.protocol))
    said = [Paragraph(remark, small=True) for remark in remarks(found)]
    return [Table(columns, rows), *said, *sources(report, what="both")]


def _row(name: str, entry: Mapping[str, Any]) -> list[Cell | str]:
    return [
        name,
        Cell(number(entry["value"]), bold=True),
        Cell(interval(entry), tag=unreliable(entry)),
        Cell("", bar=_bar(entry)),
        count(entry["n"]),
        count(entry["n_subjects"]),
        count(entry["n_positive_subjects"]),
    ]


def _bar(entry: Mapping[str, Any]) -> tuple[float, float, float] | None:
    """Return the place of value and interval on a line, in percent, for those within 0 to 1."""
    low, value, high = (entry.get(key) for key in ("low", "value", "high"))
    if low is None or value is None or high is None or not 0 <= low <= high <= 1 or not 0 <= value <= 1:
        return None
    return round(100 * low, 2), round(100 * value, 2), round(100 * high, 2)
