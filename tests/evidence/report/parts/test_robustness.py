from dataclasses import replace

from tests.evidence.report.reports import metric, small_report

from vicinal.evidence.report.blocks import Cell, Paragraph, Table
from vicinal.evidence.report.parts.robustness import robustness

FOUND = {
    "shift": {"unit": "s", "undisturbed": metric(0.9), "points": [{"strength": 0.02, **metric(0.8, unreliable=True)}]},
    "hum": {"unit": "dB", "left_out": "it needs more than 100 Hz"},
}  # fmt: skip


def test_each_strength_has_a_row_and_what_has_no_meaning_says_why() -> None:
    blocks = robustness(replace(small_report(), evidence={"robustness": FOUND}))
    (table,) = (block for block in blocks if isinstance(block, Table))
    assert table.rows == [
        ["shift", "0.02 s", Cell("0.800", bold=True), Cell("0.749 to 0.821", tag="unreliable")],
    ]  # fmt: skip
    assert blocks[-1] == Paragraph("hum was left out: it needs more than 100 Hz.", small=True)


def test_a_run_without_says_nothing() -> None:
    assert robustness(small_report()) == []
