"""The data of a run: rows in each part, what the audit found, what was left out and why."""

from vicinal.evidence.report.blocks import Block, Column, Fold, Note, Paragraph, Table
from vicinal.evidence.report.content import Report
from vicinal.evidence.report.spelling import count, plural

__all__ = ["data"]

_MOST_EXCLUSIONS = 200


def data(report: Report) -> list[Block]:
    """Return counts, findings and exclusions."""
    blocks: list[Block] = []
    if report.counts:
        names = list(next(iter(report.counts.values())))
        rows = [[part, *(count(row[name]) for name in names)] for part, row in report.counts.items()]
        blocks.append(Table([Column("part"), *(Column(name, number=True) for name in names)], rows))
    blocks += [
        Note(f"{severity}: {kind.replace('_', ' ')}", message, severity)
        for kind, severity, message in report.findings
    ] or [Note("audit", "No finding. What was not looked for is not proven absent.")]
    return [*blocks, *_exclusions(report)]


def _exclusions(report: Report) -> list[Block]:
    if not report.exclusions:
        return [Paragraph("No recording was left out.", small=True)]
    shown, more = report.exclusions[:_MOST_EXCLUSIONS], len(report.exclusions) - _MOST_EXCLUSIONS
    table = Table([Column("recording"), Column("why")], [list(pair) for pair in shown])
    rest = [Paragraph(f"and {more:,} more.", small=True)] if more > 0 else []
    return [Fold(f"{plural(len(report.exclusions), 'recording')} left out", [table, *rest])]
