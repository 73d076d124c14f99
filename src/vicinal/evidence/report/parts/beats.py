"""The tables of beats of a run, as EC57 and the literature on MIT-BIH print them: one for each row of results."""

from typing import Any

from vicinal.evidence.report.blocks import Block, Cell, Column, Fold, Heading, Paragraph, Table
from vicinal.evidence.report.content import Report
from vicinal.evidence.report.spelling import count, interval, number, unreliable

__all__ = ["beats"]

_NAMES = {
    "V Se": "beat_sensitivity[V]",
    "V +P": "beat_ppv[V]",
    "S Se": "beat_sensitivity[S]",
    "S +P": "beat_ppv[S]",
    "jk": "jk",
}


def beats(report: Report) -> list[Block]:
    """Return the figures of each row of results side by side, and the tables behind them, folded."""
    found = report.evidence.get("beats")
    if found is None:
        return []
    metrics = report.evidence.get("metrics", {})
    rows = [[mark, *(_cell(metrics, name, mark) for name in _NAMES.values())] for mark in found["counts"]]
    columns = [Column("row of results"), *(Column(words) for words in _NAMES)]
    said = (
        "Gross, with 95 % intervals by subject. strict: without record 202, the man of 201, who may be trained on. "
        "without-232: without the record that holds most S beats. ec57: the same decisions, the truth by the other map "
        "of symbols."
    )
    tables = [Fold(f"Beats, {mark}", [_table(found, counts)]) for mark, counts in found["counts"].items()]
    return [Heading("Beats", anchor="beats"), Table(columns, rows), Paragraph(said, small=True), *tables]


def _cell(metrics: dict[str, Any], name: str, mark: str) -> Cell | str:
    entry = metrics.get(name if mark == "protocol" else f"{name}@{mark}")
    if entry is None:
        return ""
    return Cell(f"{number(entry['value'])} ({interval(entry)})", tag=unreliable(entry))


def _table(found: dict[str, Any], counts: list[list[int]]) -> Table:
    """Return the truth in rows and the decisions in columns; what no beat is in is left out."""
    rows = [k for k, row in enumerate(counts) if any(row)]
    columns = [k for k in range(len(found["columns"])) if any(row[k] for row in counts)]
    return Table(
        [Column("truth"), *(Column(found["columns"][k].lower(), number=True) for k in columns)],
        [[found["rows"][k], *(count(counts[k][j]) for j in columns)] for k in rows],
    )
