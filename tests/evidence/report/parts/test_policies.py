from dataclasses import replace

from tests.evidence.report.reports import full_report, metric, small_report

from vicinal.evidence.report.blocks import Cell, Table
from vicinal.evidence.report.parts.policies import policies


def test_every_policy_has_its_words_its_numbers_and_its_command() -> None:
    report = full_report()
    old = {
        "made_by": "vicinal run x.toml",
        "policy": {"aim": "f1", "thresholds": [0.5], "confidence": 0.9, "prevalence": 0.02},
        "metrics": {"specificity": metric(0.75)},
    }
    protocol = {**report.protocol, "decided_by": "vicinal decide x --aim f1"}
    evidence = {**report.evidence, "protocol": protocol, "earlier_policies": [old]}
    table = policies(replace(report, evidence=evidence))[-1]
    assert isinstance(table, Table)
    assert [column.name for column in table.columns] == [
        "policy", "threshold", "sensitivity", "specificity", "made by",
    ]  # fmt: skip
    assert table.rows[0] == [
        "f1, guaranteed with confidence 0.9, at prevalence 0.02", "0.500", "–", "0.750 (0.699 to 0.771)",
        Cell("vicinal run x.toml", code=True),
    ]  # fmt: skip
    assert table.rows[1][:3] == ["sensitivity >= 0.95", "0.420", "0.876 (0.825 to 0.898)"]


def test_the_first_policy_has_no_history() -> None:
    assert policies(full_report()) == policies(small_report()) == []
