from dataclasses import replace

from tests.evidence.report.reports import full_report, small_report

from vicinal.evidence.report.blocks import Fold, Grid, Panel, Paragraph, People
from vicinal.evidence.report.parts.meaning import meaning


def test_one_paragraph_and_a_thousand_people() -> None:
    panel, source = meaning(full_report())
    assert isinstance(source, Paragraph)
    assert isinstance(panel, Panel)
    words, people = panel.blocks
    assert words == Paragraph("Of 1,000 people, 50 have A.")
    assert isinstance(people, People)
    assert people.key[:3] == [
        ("found", "46 found", "43 to 48"), ("missed", "3.6 missed", "1.8 to 7"),
        ("false_alarms", "160 false alarms", "121 to 208"),
    ]  # fmt: skip  # nobody is referred


def test_each_of_several_classes_has_words_and_a_picture_and_those_beyond_six_are_folded() -> None:
    one = full_report().evidence["meaning"]
    told = {"classes": dict.fromkeys("abcdefgh", one), "left_out": ["x"], "sentence": "Of 1,000 people ..."}
    grid, fold, left_out = meaning(replace(small_report(), evidence={"meaning": told}))
    assert isinstance(grid, Grid)
    assert [panel.title for panel in grid.panels] == list("abcdef")
    assert all(isinstance(panel.blocks[0], People) for panel in grid.panels)
    assert isinstance(fold, Fold)
    assert fold.summary == "2 more classes"
    assert isinstance(left_out, Paragraph)
    assert "about x" in left_out.text


def test_nothing_told_is_nothing_shown() -> None:
    assert meaning(small_report()) == []
