"""What a report is built of: plain blocks that a page and a text are both made from.

Holds words and drawings that are ready to be shown; must not know where they come from, nor HTML or Markdown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

__all__ = [
    "Block", "Cell", "Code", "Column", "Confusion", "Drawing", "Facts", "Flow", "Fold", "Grid", "Heading", "Note",
    "Panel", "Paragraph", "People", "Square", "Step", "Strip", "Strips", "Table",
]  # fmt: skip


@dataclass(frozen=True)
class Heading:
    """A heading below that of the section.

    Args:    anchor: what a link leads to, or nothing.
    """

    text: str
    anchor: str = ""
    kind: ClassVar[str] = "heading"


@dataclass(frozen=True)
class Paragraph:
    """A paragraph; a small one says something about what is beside it."""

    text: str
    small: bool = False
    kind: ClassVar[str] = "paragraph"


@dataclass(frozen=True)
class Note:
    """What a person must have seen.

    Args:    severity: "note", "warning" or "leak".
    """

    title: str
    message: str
    severity: str = "note"
    kind: ClassVar[str] = "note"


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Args:    number: set to the right.  wide: left out where the page is narrow, and of Markdown.
    """

    name: str
    number: bool = False
    wide: bool = False


@dataclass(frozen=True)
class Cell:
    """A cell that is more than its text.

    Args:    tag: a word beside it that must not be missed.  bar: low, value and high on a line from 0 to 100.
    """

    text: str
    bold: bool = False
    code: bool = False
    tag: str = ""
    bar: tuple[float, float, float] | None = None


@dataclass(frozen=True)
class Table:
    """A table.

    Args:    rows: as many cells each as there are columns; a text is a cell.
    """

    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell | str]]
    kind: ClassVar[str] = "table"


@dataclass(frozen=True)
class Square:
    """A cell of a confusion table: a count and its share of the line.

    Args:    sort: "right", "wrong" or "referred".
    """

    count: str
    share: str
    sort: str


@dataclass(frozen=True)
class Confusion:
    """Truth by decision."""

    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Square]]]
    kind: ClassVar[str] = "confusion"


@dataclass(frozen=True)
class Facts:
    """Names and what stands behind them."""

    pairs: Sequence[tuple[str, str]]
    kind: ClassVar[str] = "facts"


@dataclass(frozen=True)
class Code:
    """What is typed, or a file."""

    text: str
    kind: ClassVar[str] = "code"


@dataclass(frozen=True)
class Drawing:
    """A drawing, as SVG of our own making; Markdown leaves it out."""

    svg: str
    kind: ClassVar[str] = "drawing"


@dataclass(frozen=True)
class Step:
    """One step of the dataflow.

    Args:    shape: what leaves it, in words.  glyph: a drawing of that as SVG, or nothing.
             inner: whether it is a part of the step before it.
    """

    name: str
    what: str
    shape: str
    glyph: str = ""
    inner: bool = False


@dataclass(frozen=True)
class Flow:
    """Steps from files to decisions."""

    steps: Sequence[Step]
    kind: ClassVar[str] = "flow"


@dataclass(frozen=True)
class Strip:
    """A recording drawn, and what is said of it.

    Args:    width_mm: of the drawing.  title: in bold.  text: after it.  below: on a line of its own.
             about: the class whose score is coloured in, or nothing.
    """

    svg: str
    width_mm: float
    title: str
    text: str
    below: str
    about: str = ""


@dataclass(frozen=True)
class Strips:
    """Recordings beside and below each other; Markdown leaves them out."""

    strips: Sequence[Strip]
    kind: ClassVar[str] = "strips"


@dataclass(frozen=True)
class People:
    """1,000 people as dots, with what each colour means.

    Args:    key: (style, words, interval) of each kind.
    """

    svg: str
    key: Sequence[tuple[str, str, str]]
    kind: ClassVar[str] = "people"


@dataclass(frozen=True)
class Panel:
    """Blocks on a card of their own.

    Args:    caption: below them.
    """

    title: str
    blocks: "Sequence[Block]"
    caption: str = ""
    kind: ClassVar[str] = "panel"


@dataclass(frozen=True)
class Grid:
    """Panels beside each other.

    Args:    even: whether those of a row are made equally high.
    """

    panels: Sequence[Panel]
    even: bool = True
    kind: ClassVar[str] = "grid"


@dataclass(frozen=True)
class Fold:
    """Blocks that are shown when asked for."""

    summary: str
    blocks: "Sequence[Block]"
    kind: ClassVar[str] = "fold"


Block = (
    Heading
    | Paragraph
    | Note
    | Table
    | Confusion
    | Facts
    | Code
    | Drawing
    | Flow
    | Strips
    | People
    | Panel
    | Grid
    | Fold
)
