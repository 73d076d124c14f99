from dataclasses import replace

from tests.evidence.report.reports import metric, small_report

from vicinal.evidence.report.blocks import Cell, Paragraph, Table
from vicinal.evidence.report.parts.learning_curve import learning_curve

CURVE = {
    "metric": "auroc", "unit": "subjects", "sentence": "It rises.", "gain": None,
    "points": [
        {"share": 0.1, "train_subjects": 7, "train_rows": 9, "left_out": "its training rows are all of one kind"},
        {"share": 1.0, "train_subjects": 1234, "train_rows": 2345, **metric(0.8)},
    ],
}  # fmt: skip


def test_the_points_are_listed_and_one_that_could_not_be_had_says_why() -> None:
    blocks = learning_curve(replace(small_report(), evidence={"learning_curve": CURVE}))
    assert Paragraph("It rises.") in blocks
    table = blocks[-1]
    assert isinstance(table, Table)
    assert table.rows[0] == ["0.1", "7", "9", "–", "left out: its training rows are all of one kind"]
    assert table.rows[1][1:4] == ["1,234", "2,345", Cell("0.800", bold=True)]


def test_a_run_without_one_says_nothing() -> None:
    assert learning_curve(small_report()) == []
