from tests.evidence.report.reports import full_report, small_report

from vicinal.evidence.report.blocks import Grid, Note, Paragraph
from vicinal.evidence.report.parts.training import training


def test_curves_and_the_monitors_words() -> None:
    grid, note = training(full_report())
    assert isinstance(grid, Grid)
    assert [panel.title for panel in grid.panels] == ["Loss", "Selection"]
    assert note == Note("overfitting", "overfitting since epoch 3", "warning")


def test_no_history_is_said() -> None:
    assert training(small_report()) == [
        Paragraph("No epochs were recorded.", small=True), Note("monitor", "Nothing known to be wrong."),
    ]  # fmt: skip
