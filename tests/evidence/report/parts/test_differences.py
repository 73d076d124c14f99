from dataclasses import replace

from tests.evidence.report.reports import metric, small_report

from vicinal.evidence.report.blocks import Cell, Paragraph, Table
from vicinal.evidence.report.parts.differences import differences

FOUND = {
    "a": "old.vicinal",
    "b": "new.vicinal",
    "metrics": {"auroc": {**metric(-0.1), "a": 0.8, "b": 0.9, "clear": True}},
}


def test_both_values_and_their_difference() -> None:
    _, words, table = differences(replace(small_report(), evidence={"differences": FOUND}))
    assert isinstance(words, Paragraph)
    assert words.text.startswith("a: old.vicinal; b: new.vicinal.")
    assert isinstance(table, Table)
    assert table.rows == [
        [
            "auroc",
            "0.800",
            "0.900",
            Cell("-0.100", bold=True),
            Cell("-0.151 to -0.079"),
            "yes",
            "4,321",
            "1,234",
        ]
    ]


def test_one_model_has_none() -> None:
    assert differences(small_report()) == []
