"""The model card: what travels inside the model file."""

from vicinal.evidence.report.blocks import Block, Code, Column, Heading, Panel, Paragraph, Table
from vicinal.evidence.report.content import Report

__all__ = ["card"]


def card(report: Report) -> list[Block]:
    """Return the blocks of the card's Markdown: headings, tables, code and paragraphs."""
    blocks: list[Block] = []
    for block in filter(str.strip, report.card.split("\n\n")):
        blocks += _blocks(block.strip("\n"))
    return [Panel("", blocks or [Paragraph("The model has no card.", small=True)])]


def _blocks(block: str) -> list[Block]:
    lines = block.splitlines()
    if block.startswith("#"):
        rest = "\n".join(lines[1:]).strip()
        return [Heading(lines[0].lstrip("# ")), *([Paragraph(rest)] if rest else [])]
    if all(line.startswith("|") for line in lines):
        cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
        head, *rows = [row for row in cells if not set("".join(row)) <= set("-: ")]
        return [Table([Column(name) for name in head], rows)]
    if all(line.startswith("    ") for line in lines):
        return [Code("\n".join(line[4:] for line in lines))]
    return [Paragraph(" ".join(lines))]
