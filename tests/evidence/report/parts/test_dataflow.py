from tests.evidence.report.reports import full_report, small_report

from vicinal.evidence.report.blocks import Flow, Paragraph
from vicinal.evidence.report.parts.dataflow import dataflow


def test_each_step_with_its_shape() -> None:
    (flow,) = dataflow(full_report())
    assert isinstance(flow, Flow)
    assert [(one.name, one.shape) for one in flow.steps][:1] == [("inputs", "1 lead, 300 Hz")]


def test_no_dataflow_is_said() -> None:
    assert dataflow(small_report()) == [Paragraph("The run did not describe its dataflow.", small=True)]
