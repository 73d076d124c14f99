"""The sections of a report, made of blocks; must not know where the blocks come from."""

from collections.abc import Sequence
from dataclasses import dataclass

from vicinal.evidence.report.blocks import Block

__all__ = ["Head", "Section"]


@dataclass(frozen=True)
class Head:
    """What stands above all sections.

    Args:    headline: (words, value, interval, warning) of a few numbers.
             files: beside the page, with the same numbers: a text and JSON.
    """

    eyebrow: str
    title: str
    headline: Sequence[tuple[str, str, str, str]]
    blocks: Sequence[Block]
    files: tuple[str, str] = ("report.md", "evidence.json")


@dataclass(frozen=True)
class Section:
    """One section.

    Args:    name: what a link leads to.  link: the words of the link.  lead: the sentence below the title.
    """

    name: str
    title: str
    link: str
    lead: str
    blocks: Sequence[Block]
