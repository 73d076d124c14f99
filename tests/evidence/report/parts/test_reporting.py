from dataclasses import replace

from tests.evidence.report.reports import full_report

from vicinal.evidence.report.blocks import Fold, Paragraph, Table
from vicinal.evidence.report.parts.reporting import reporting


def test_every_item_is_listed_and_the_three_kinds_are_counted() -> None:
    words, fold = reporting(full_report())
    assert isinstance(words, Paragraph)
    assert isinstance(fold, Fold)
    table = fold.blocks[0]
    assert isinstance(table, Table)
    here = [row[1] for row in table.rows]
    assert len(here) == 52
    assert words.text == (
        f"Of the 52 items and sub-items of TRIPOD+AI this report fills {here.count('filled')} and says a part of "
        f"{here.count('in part')}; {here.count('yours')} are left to the person."
    )
    assert all(row[4] == "" for row in table.rows if row[1] == "yours")


def test_more_evidence_fills_more() -> None:
    report = full_report()
    before, _ = reporting(report)
    after, _ = reporting(replace(report, evidence={**report.evidence, "subgroups": {}}))
    assert before != after
