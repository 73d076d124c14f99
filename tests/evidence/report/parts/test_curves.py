from dataclasses import replace

import numpy as np
from tests.evidence.report.reports import full_report, small_report

from vicinal.evidence.report.blocks import Grid, Paragraph
from vicinal.evidence.report.parts.curves import curves, drawn_classes, thresholds


def test_one_class_has_four_plots() -> None:
    (grid,) = curves(full_report())
    assert isinstance(grid, Grid)
    titles = [panel.title for panel in grid.panels]
    assert titles == ["ROC", "Precision and recall", "Calibration", "Probabilities"]
    assert thresholds(full_report()) == {"A": 0.42}


def test_classes_of_one_kind_and_rows_of_unknown_truth_are_not_drawn() -> None:
    truth = np.array([[1, 0, 1], [0, 0, np.nan], [1, 0, 0.0]])
    report = replace(small_report(), classes=("a", "b", "c"), truth=truth, probability=np.full((3, 3), 0.5))
    found = drawn_classes(report)
    assert list(found) == ["a", "c"]
    assert found["c"][0].tolist() == [1, 0]


def test_nothing_to_draw_is_said() -> None:
    (said,) = curves(small_report())
    assert isinstance(said, Paragraph)
    assert said.text.startswith("No curves")
