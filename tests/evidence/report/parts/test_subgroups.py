from dataclasses import replace

from tests.evidence.report.reports import metric, small_report

from vicinal.evidence.report.blocks import Cell, Table
from vicinal.evidence.report.parts.subgroups import subgroups

SIZES = {"n": 87, "n_others": 1500}
GROUPS = {
    "sex": {
        "f": {
            "metrics": {"auroc": metric(0.9), "brier": metric(0.1)},
            "gaps": {"auroc": {"value": 0.0123, "low": -0.01, "high": 0.03, "unreliable": True, **SIZES}},
        },
        "m": {"metrics": {"sensitivity": metric(0.7)}, "gaps": {}},
    }
}  # fmt: skip


def test_groups_with_their_gaps() -> None:
    table = subgroups(replace(small_report(), evidence={"subgroups": GROUPS}))[-1]
    assert isinstance(table, Table)
    assert [row[:3] for row in table.rows] == [["sex", "f", "auroc"], ["sex", "m", "sensitivity"]]
    assert table.rows[0][-3:] == ["0.012", Cell("-0.010 to 0.030", tag="unreliable"), "87 and 1,500"]
    assert table.rows[1][-3:] == ["", "", ""]


def test_a_run_without_says_nothing() -> None:
    assert subgroups(small_report()) == []
