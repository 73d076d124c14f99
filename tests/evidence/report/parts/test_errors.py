from tests.evidence.report.reports import full_report, small_report

from vicinal.evidence.report.blocks import Paragraph, Strips
from vicinal.evidence.report.parts.errors import errors


def test_each_error_is_drawn_with_what_it_was_taken_for() -> None:
    colours, strips = errors(full_report())
    assert isinstance(colours, Paragraph)
    assert isinstance(strips, Strips)
    first, second = strips.strips
    assert (first.title, first.about) == ("A0009", "A")
    assert first.text == "A, decided not A (probability 0.031), ECG"
    assert "drawn 3.5 times as large" in first.below
    assert second.below.endswith("gaps are missing samples")


def test_none_is_said() -> None:
    assert errors(small_report()) == [Paragraph("None to show.", small=True)]
