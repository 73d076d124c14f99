import sys

import pytest

from vicinal.errors import ExtraError
from vicinal.evidence.report.blocks import Cell, Column, Fold, Grid, Note, Panel, Paragraph, Table
from vicinal.evidence.report.html import to_html
from vicinal.evidence.report.section import Head, Section


def page_of(*blocks: object) -> str:
    page = to_html(Head("run", "title", [], []), [Section("a", "A", "A", "lead", blocks)])
    return page.split('<p class="lead">lead</p>')[1].split("</section>")[0]


def test_a_cell_shows_its_weight_its_warning_and_its_bar() -> None:
    columns = [Column("x"), Column("n", number=True), Column("bar", wide=True)]
    row = ["<b>", Cell("0.5", bold=True, tag="unreliable"), Cell("", bar=(10.0, 20.0, 40.0))]
    page = page_of(Table(columns, [row]))
    assert '<td class="line">&lt;b&gt;</td>' in page
    assert '<td class="n"><b>0.5</b><span class="tag">unreliable</span></td>' in page
    assert '<i style="left:10.0%;width:30.0%"></i><b style="left:20.0%"></b>' in page


def test_the_page_names_the_files_beside_it() -> None:
    page = to_html(Head("run", "title", [], [], ("this.md", "this.json")), [])
    assert "<code>this.md</code> and <code>this.json</code>" in page


def test_blocks_within_blocks_are_shown() -> None:
    page = page_of(Fold("more", [Grid([Panel("one", [Paragraph("words")], "below")], even=False)]))
    assert "<details><summary>more</summary>" in page
    assert '<div class="grid start">' in page
    for said in ("<h3>one</h3>", "<p>words</p>", "<figcaption>below</figcaption>"):
        assert said in page


def test_nothing_that_is_said_becomes_markup() -> None:
    page = page_of(Note("<i>", "<script>", "warning"), Paragraph("<script>"))
    assert "<script" not in page
    assert '<div class="note warning"><b>&lt;i&gt;</b>&lt;script&gt;</div>' in page


def test_without_jinja2_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(ExtraError, match=r"pip install 'vicinal\[report\]'"):
        page_of()
