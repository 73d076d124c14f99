from dataclasses import replace

from tests.evidence.report.reports import full_report, small_report

from vicinal.evidence.report.blocks import Confusion, Grid, Paragraph, Square
from vicinal.evidence.report.parts.decisions import decisions


def test_confusion_policy_sweep_and_decision_curve() -> None:
    first, drawn, source = decisions(full_report())
    assert isinstance(first, Grid)
    assert isinstance(drawn, Grid)
    assert [panel.title for panel in (*first.panels, *drawn.panels)] == [
        "Confusion: A", "Policy", "Threshold sweep", "Decision curve",
    ]  # fmt: skip
    (table,) = first.panels[0].blocks
    assert isinstance(table, Confusion)
    assert table.rows[1] == (
        "not A",
        [Square("20", "25.0 %", "wrong"), Square("58", "72.5 %", "right"), Square("2", "2.5 %", "referred")],
    )
    assert isinstance(source, Paragraph)
    assert source.text.startswith("Made by: vicinal run experiments/af.toml · from 120 test rows")


def test_the_refer_band_is_drawn_and_said() -> None:
    report = full_report()
    policy = {**report.evidence["policy"], "refer": [[0.3, 0.5]]}
    drawn = decisions(replace(report, evidence={**report.evidence, "policy": policy}))[1]
    assert isinstance(drawn, Grid)
    assert drawn.panels[0].caption.endswith("Shaded: referred to a person.")


def test_without_rows_there_is_nothing() -> None:
    assert decisions(small_report()) == []


def test_a_stated_prevalence_says_what_the_threshold_is_there() -> None:
    report = full_report()
    policy = {**report.evidence["policy"], "prevalence": 0.05, "rows_prevalence": [0.5]}
    grid = decisions(replace(report, evidence={**report.evidence, "policy": policy}))[0]
    assert isinstance(grid, Grid)
    # odds 0.42 / 0.58 * 0.05 / 0.95 = 0.0381
    assert (
        "At the stated prevalence 0.05 the same threshold is a probability of 0.0367"
        in grid.panels[1].caption
    )
