from tests.evidence.report.reports import full_report, small_report

from vicinal.evidence.report.blocks import Flow, Paragraph
from vicinal.evidence.report.parts.dataflow import dataflow


def test_each_step_with_its_shape_as_a_box() -> None:
    (flow,) = dataflow(full_report())
    assert isinstance(flow, Flow)
    first, stage, last = flow.steps
    assert (first.name, first.shape, first.glyph) == ("inputs", "1 lead, 300 Hz", "")
    assert stage.inner
    # 6 + 11 log2(1500) wide, half of 6 + 11 log2(64) high.
    assert 'width="122.1" height="36"' in stage.glyph
    assert last.what == "sensitivity >= 0.95"  # of the present policy


def test_no_dataflow_is_said() -> None:
    assert dataflow(small_report()) == [Paragraph("The run did not describe its dataflow.", small=True)]
