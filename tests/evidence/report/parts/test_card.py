from dataclasses import replace

from tests.evidence.report.reports import small_report

from vicinal.evidence.report.blocks import Code, Column, Heading, Panel, Paragraph, Table
from vicinal.evidence.report.parts.card import card

TEXT = "# Card\n\n## Model\nDecides A.\n\n    conv 64\n    dense 1\n\n| metric | value |\n|---|---|\n| auroc | 0.9 |\n"


def test_the_card_is_taken_apart_into_its_blocks() -> None:
    (panel,) = card(replace(small_report(), card=TEXT))
    assert isinstance(panel, Panel)
    assert list(panel.blocks) == [
        Heading("Card"), Heading("Model"), Paragraph("Decides A."), Code("conv 64\ndense 1"),
        Table([Column("metric"), Column("value")], [["auroc", "0.9"]]),
    ]  # fmt: skip


def test_no_card_is_said() -> None:
    (panel,) = card(small_report())
    assert isinstance(panel, Panel)
    assert panel.blocks == [Paragraph("The model has no card.", small=True)]
