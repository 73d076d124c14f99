from vicinal.evidence.report.html import to_html
from vicinal.evidence.report.markdown import to_markdown
from vicinal.evidence.report.section import Head, Section


def test_a_section_has_its_anchor_link_title_and_lead_on_the_page_and_in_the_text() -> None:
    head = Head("one run", "A & B", [], [])
    section = Section("data", "The data", "Data", "What there is.", [])
    page, text = to_html(head, [section]), to_markdown(head, [section])
    assert '<a href="#data">Data</a>' in page
    assert '<section id="data">\n<h2>The data</h2>\n<p class="lead">What there is.</p>' in page
    assert text == "# A & B\n\n## The data\n\nWhat there is.\n"
