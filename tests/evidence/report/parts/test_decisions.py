from dataclasses import replace

import numpy as np
from tests.evidence.report.reports import full_report, small_report

from vicinal.evidence.report.blocks import Confusion, Grid, Square
from vicinal.evidence.report.parts.decisions import decisions


def test_confusion_policy_sweep_and_decision_curve() -> None:
    first, drawn = decisions(full_report())
    assert isinstance(first, Grid)
    assert isinstance(drawn, Grid)
    assert [panel.title for panel in (*first.panels, *drawn.panels)] == [
        "Confusion: A", "Policy", "Threshold sweep", "Decision curve",
    ]  # fmt: skip


def test_exclusive_classes_share_one_table_with_a_column_for_the_referred() -> None:
    report = replace(
        small_report(),
        evidence={"policy": {"kind": "argmax"}},
        classes=("a", "b"),
        truth=np.array([[1.0, 0], [1, 0], [0, 1], [np.nan, np.nan]]),
        probability=np.full((4, 2), 0.5),
        decisions=np.array([[1, 0], [0, 1], [-1, -1], [1, 0]], np.int8),
    )
    grid = decisions(report)[0]
    assert isinstance(grid, Grid)
    (table,) = grid.panels[0].blocks
    assert isinstance(table, Confusion)
    assert table.columns == ["a", "b", "referred"]
    assert table.rows[0] == (
        "a",
        [Square("1", "50.0 %", "right"), Square("1", "50.0 %", "wrong"), Square("0", "0.0 %", "referred")],
    )
    assert table.rows[1][1][2] == Square("1", "100.0 %", "referred")


def test_without_rows_there_is_nothing() -> None:
    assert decisions(small_report()) == []
