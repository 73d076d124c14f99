"""Blocks as Markdown: the same words and numbers as the page, without its drawings."""

from collections.abc import Sequence

from vicinal.evidence.report.blocks import (
    Block,
    Cell,
    Code,
    Confusion,
    Drawing,
    Facts,
    Flow,
    Fold,
    Grid,
    Heading,
    Note,
    Panel,
    Paragraph,
    People,
    Strips,
    Table,
)  # fmt: skip
from vicinal.evidence.report.section import Head, Section

__all__ = ["to_markdown"]


def to_markdown(head: Head, sections: Sequence[Section]) -> str:
    """Return the text."""
    parts = [f"# {_plain(head.title)}"]
    if head.headline:
        rows = [
            [words, value, f"{interval} {warning}".strip()]
            for words, value, interval, warning in head.headline
        ]
        parts.append(_table(["", "value", "95 % interval"], rows))
    parts += _all(head.blocks)
    for section in sections:
        parts += [f"## {section.title}", _plain(section.lead), *_all(section.blocks)]
    return "\n\n".join(filter(None, parts)) + "\n"


def _all(blocks: Sequence[Block]) -> list[str]:
    return [text for block in blocks for text in _block(block)]


def _block(block: Block) -> list[str]:
    match block:
        case Heading():
            return [f"### {_plain(block.text)}"]
        case Paragraph():
            return [_plain(block.text)]
        case Note():
            return [f"> **{_plain(block.title)}** {_plain(block.message)}"]
        case Table():
            return [_cells(block)]
        case Confusion():
            rows = [[name, *(f"{one.count} ({one.share})" for one in line)] for name, line in block.rows]
            return [_table(["truth \\ decided", *block.columns], rows)]
        case Facts():
            return ["\n".join(f"- {_plain(name)}: {_plain(value)}" for name, value in block.pairs)]
        case Code():
            return ["\n".join(f"    {line}" for line in block.text.splitlines())]
        case Flow():
            rows = [[("– " if one.inner else "") + one.name, one.what, one.shape] for one in block.steps]
            return [_table(["step", "what", "shape"], rows)]
        case People():
            return ["\n".join(f"- {words} ({interval})" for _, words, interval in block.key)]
        case Panel():
            inside = _all(block.blocks)
            heading = [f"**{_plain(block.title)}**"] if block.title else []
            return [*heading, *inside, _plain(block.caption)] if inside else []
        case Grid():
            return _all(block.panels)
        case Fold():
            return [f"**{_plain(block.summary)}**", *_all(block.blocks)]
        case Drawing() | Strips():
            return []


def _cells(table: Table) -> str:
    kept = [k for k, column in enumerate(table.columns) if not column.wide]
    rows = [[_cell(row[k]) for k in kept] for row in table.rows]
    numbers = [table.columns[k].number for k in kept]
    return _table([table.columns[k].name for k in kept], rows, numbers)


def _cell(cell: Cell | str) -> str:
    if isinstance(cell, str):
        return cell
    text = f"`{cell.text}`" if cell.code else cell.text
    return f"{text} {cell.tag}".strip()


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[bool] = ()) -> str:
    edges = ["---:" if number else "---" for number in numbers or [False] * len(columns)]
    lines = [columns, edges, *rows]
    return "\n".join(f"| {' | '.join(one.replace('|', '&#124;') for one in line)} |" for line in lines)


def _plain(text: str) -> str:
    """Keep what stands in data from being read as Markdown or HTML."""
    return "".join(f"\\{one}" if one in "\\`*_<>[]#" else one for one in text)
