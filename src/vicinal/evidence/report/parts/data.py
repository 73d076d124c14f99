"""The data of a run: rows in each part, what the audit found, what was left out and why."""

from collections.abc import Mapping
from typing import Any

from vicinal.evidence.report.blocks import Block, Column, Fold, Note, Paragraph, Table
from vicinal.evidence.report.content import Report
from vicinal.evidence.report.spelling import count, plural

__all__ = ["data"]


def data(report: Report) -> list[Block]:
    """Return counts, findings and exclusions."""
    found = report.evidence.get("data", {})
    blocks: list[Block] = []
    if found.get("parts"):
        names = list(next(iter(found["parts"].values())))
        rows = [[part, *(count(row[name]) for name in names)] for part, row in found["parts"].items()]
        blocks.append(Table([Column("part"), *(Column(name, number=True) for name in names)], rows))
    blocks += [
        Note(f"{severity}: {kind.replace('_', ' ')}", message, severity)
        for kind, severity, message in found.get("findings", ())
    ] or [Note("audit", "No finding. What was not looked for is not proven absent.")]
    return [*blocks, *_skipped(found)]


def _skipped(found: Mapping[str, Any]) -> list[Block]:
    if not found.get("n_skipped"):
        return [Paragraph("No recording was left out.", small=True)]
    table = Table([Column("recording"), Column("why")], [list(pair) for pair in found["skipped"]])
    more = found["n_skipped"] - len(found["skipped"])
    rest = [Paragraph(f"and {more:,} more.", small=True)] if more > 0 else []
    return [Fold(f"{plural(found['n_skipped'], 'recording')} left out", [table, *rest])]
