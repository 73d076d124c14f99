from dataclasses import replace

from tests.evidence.report.reports import full_report, metric, small_report

from vicinal.evidence.report.blocks import Cell, Paragraph, Table
from vicinal.evidence.report.parts.metrics import headline, metrics


def test_every_metric_has_a_row_with_interval_rows_and_subjects() -> None:
    table, _ = metrics(full_report())
    assert isinstance(table, Table)
    assert table.rows[0] == [
        "auroc", Cell("0.912", bold=True), Cell("0.861 to 0.933"), Cell("", bar=(86.12, 91.23, 93.34)),
        "4,321", "1,234", "87",
    ]  # fmt: skip
    assert table.rows[1][2] == Cell("0.825 to 0.898", tag="unreliable")


def test_what_lies_outside_0_to_1_has_no_bar() -> None:
    report = replace(small_report(), evidence={"metrics": {"calibration_slope": metric(1.2)}})
    (table,) = metrics(report)
    assert isinstance(table, Table)
    assert table.rows[0][3] == Cell("")


def test_the_headline_is_what_says_most() -> None:
    found = {name: metric(0.5) for name in ("accuracy", "sensitivity", "auroc", "brier")}
    shown = headline(replace(small_report(), evidence={"metrics": found}))
    assert [words for words, *_ in shown] == ["AUROC", "sensitivity"]


def test_what_has_no_value_says_why_below_the_table() -> None:
    found = {
        "auroc": metric(0.9, left_out=["Q"]),
        "calibration_slope": {**metric(1.0), "value": None, "why": "parted"},
    }
    _, first, second = metrics(replace(small_report(), evidence={"metrics": found}))
    assert isinstance(first, Paragraph)
    assert isinstance(second, Paragraph)
    assert first.text.startswith("auroc: without Q")
    assert second.text == "calibration_slope: parted."


def test_after_another_policy_each_metric_says_which_command_made_it() -> None:
    report = full_report()
    protocol = {**report.protocol, "decided_by": "vicinal decide x --aim f1"}
    table, _ = metrics(replace(report, evidence={**report.evidence, "protocol": protocol}))
    assert isinstance(table, Table)
    assert table.columns[-1].name == "made by"
    assert [row[-1] for row in table.rows] == ["1", "2", "2"]
