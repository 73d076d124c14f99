from dataclasses import replace

from tests.evidence.report.reports import full_report, small_report

from vicinal.evidence.report.blocks import Panel, Paragraph, People
from vicinal.evidence.report.parts.meaning import meaning


def test_one_paragraph_and_a_thousand_people() -> None:
    (panel,) = meaning(full_report())
    assert isinstance(panel, Panel)
    words, people = panel.blocks
    assert words == Paragraph("Of 1,000 people, 50 have A.")
    assert isinstance(people, People)
    assert people.key[:3] == [
        ("found", "46 found", "43 to 48"), ("missed", "3.6 missed", "1.8 to 7"),
        ("false_alarms", "160 false alarms", "121 to 208"),
    ]  # fmt: skip  # nobody is referred


def test_several_classes_have_words() -> None:
    told = {"classes": {}, "sentence": "Of 1,000 people ..."}
    (panel,) = meaning(replace(small_report(), evidence={"meaning": told}))
    assert isinstance(panel, Panel)
    assert list(panel.blocks) == [Paragraph("Of 1,000 people ...")]


def test_nothing_told_is_nothing_shown() -> None:
    assert meaning(small_report()) == []
