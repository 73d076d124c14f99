"""The training of a run: how the network learnt, in curves and in the monitor's words."""

from vicinal.evidence.report.blocks import Block, Drawing, Grid, Note, Panel, Paragraph
from vicinal.evidence.report.content import Report
from vicinal.evidence.report.plots import learning_plot

__all__ = ["training"]


def training(report: Report) -> list[Block]:
    """Return curves and findings."""
    found = report.evidence.get("training", {})
    said = [Note(kind, message, "warning") for kind, message in found.get("findings", ())] or [
        Note("monitor", "Nothing known to be wrong.")
    ]
    if not report.history:
        return [Paragraph("No epochs were recorded.", small=True), *said]
    losses, metric = learning_plot(report.history, select=found.get("select"))
    panels = [
        Panel("Loss", [Drawing(losses)], "Mean over each epoch, and on validation rows after it."),
    ]
    if metric:
        caption = "The validation metric that chose. The weights of the dashed epoch were kept."
        panels.append(Panel("Selection", [Drawing(metric)], caption))
    return [Grid(panels), *said]
