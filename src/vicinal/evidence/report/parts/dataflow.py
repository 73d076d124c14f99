"""The dataflow of a run: each step from files to decisions, with the shape that leaves it."""

from vicinal.evidence.report.blocks import Block, Flow, Paragraph, Step
from vicinal.evidence.report.content import Report

__all__ = ["dataflow"]


def dataflow(report: Report) -> list[Block]:
    """Return the steps of the run."""
    if not report.dataflow:
        return [Paragraph("The run did not describe its dataflow.", small=True)]
    return [Flow([Step(name, what, shape) for name, what, shape in report.dataflow])]
