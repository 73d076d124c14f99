from dataclasses import replace

from tests.evidence.report.reports import full_report, small_report

from vicinal.evidence.report.blocks import Fold, Note, Paragraph, Table
from vicinal.evidence.report.parts.data import data


def test_counts_findings_and_what_was_left_out() -> None:
    table, note, fold = data(full_report())
    assert isinstance(table, Table)
    assert table.rows == [["train", "5,116", "455"], ["test", "1,706", "152"]]
    assert note == Note("warning: identical signals", "A00227 and A01176 are the same.", "warning")
    assert isinstance(fold, Fold)
    assert fold.summary == "1 recording left out"


def test_many_exclusions_are_counted_beyond_two_hundred() -> None:
    skipped = [[str(k), "short"] for k in range(200)]
    report = replace(small_report(), evidence={"data": {"n_skipped": 1234, "skipped": skipped}})
    fold = data(report)[-1]
    assert isinstance(fold, Fold)
    assert fold.summary == "1,234 recordings left out"
    assert fold.blocks[-1] == Paragraph("and 1,034 more.", small=True)


def test_nothing_found_is_not_called_safe() -> None:
    note, none = data(small_report())
    assert isinstance(note, Note)
    assert "not proven absent" in note.message
    assert none == Paragraph("No recording was left out.", small=True)
