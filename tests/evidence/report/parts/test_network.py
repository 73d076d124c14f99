from tests.evidence.report.reports import full_report, small_report

from vicinal.evidence.report.blocks import Cell, Paragraph, Table
from vicinal.evidence.report.parts.network import network


def test_stages_and_their_sum() -> None:
    (table,) = network(full_report())
    assert isinstance(table, Table)
    assert table.rows[0] == [Cell("conv 64 window 7", code=True), "64 x 1500", "448", "23 ms"]
    assert table.rows[-1][2] == Cell("513", bold=True)


def test_no_network_is_said() -> None:
    assert network(small_report()) == [Paragraph("The run did not describe its network.", small=True)]
