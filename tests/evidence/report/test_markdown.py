from typing import get_args

import pytest

from vicinal.evidence.report.blocks import (
    Block,
    Cell,
    Code,
    Column,
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
    Square,
    Step,
    Strip,
    Strips,
    Table,
)  # fmt: skip
from vicinal.evidence.report.markdown import to_markdown
from vicinal.evidence.report.section import Head, Section

WRITTEN = [
    (Heading("More", "more"), "### More"),
    (Paragraph("a *b* <c>"), r"a \*b\* \<c\>"),
    (Note("audit", "fine"), "> **audit** fine"),
    (
        Table(
            [Column("x"), Column("n", number=True), Column("bar", wide=True)],
            [["a|b", Cell("1", bold=True, tag="unreliable"), Cell("", bar=(1, 2, 3))], [Cell("f", code=True), "2", ""]],
        ),
        "| x | n |\n| --- | ---: |\n| a&#124;b | 1 unreliable |\n| `f` | 2 |",
    ),
    (
        Confusion(["A", "B"], [("A", [Square("3", "75.0 %", "right"), Square("1", "25.0 %", "wrong")])]),
        "| truth \\ decided | A | B |\n| --- | --- | --- |\n| A | 3 (75.0 %) | 1 (25.0 %) |",
    ),
    (Facts([("n rows", "3")]), "- n rows: 3"),
    (Code("one\ntwo"), "    one\n    two"),
    (
        Flow([Step("inputs", "read", "1 x 5"), Step("conv", "", "2 x 5", inner=True)]),
        "| step | what | shape |\n| --- | --- | --- |\n| inputs | read | 1 x 5 |\n| – conv |  | 2 x 5 |",
    ),
    (People("<svg>", [("found", "3 found", "1 to 5")]), "- 3 found (1 to 5)"),
    (Panel("P", [Paragraph("in")], "below"), "**P**\n\nin\n\nbelow"),
    (Grid([Panel("P", [Paragraph("in")])]), "**P**\n\nin"),
    (Fold("more", [Paragraph("in")]), "**more**\n\nin"),
    (Drawing("<svg>"), ""),
    (Strips([Strip("<svg>", 10.0, "a", "b", "c")]), ""),
]  # fmt: skip


def test_every_block_is_tried() -> None:
    assert {type(block) for block, _ in WRITTEN} == set(get_args(Block))


@pytest.mark.parametrize(("block", "expected"), WRITTEN, ids=lambda one: getattr(one, "kind", ""))
def test_a_block_as_text(block: Block, expected: str) -> None:
    text = to_markdown(Head("run", "T", [], []), [Section("a", "A", "A", "lead", [block])])
    assert text == "\n\n".join(filter(None, ["# T", "## A", "lead", expected])) + "\n"


def test_a_panel_of_drawings_alone_leaves_no_empty_title() -> None:
    section = Section("a", "A", "A", "lead", [Panel("ROC", [Drawing("<svg>")], "caption")])
    assert "ROC" not in to_markdown(Head("run", "T", [], []), [section])


def test_the_headline_is_a_table() -> None:
    text = to_markdown(Head("run", "T", [("AUROC", "0.912", "0.8 to 0.9", "unreliable")], []), [])
    assert "| AUROC | 0.912 | 0.8 to 0.9 unreliable |" in text
