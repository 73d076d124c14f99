from dataclasses import replace

from tests.evidence.report.reports import metric, small_report

from vicinal.evidence.report.blocks import Cell, Fold, Table
from vicinal.evidence.report.parts.beats import beats

COUNTS = [[0] * 7 for _ in range(7)]
COUNTS[0][:2], COUNTS[2][2] = [1500, 3], 40
EVIDENCE = {
    "metrics": {"jk": metric(0.7), "jk@ec57-strict": metric(0.6), "beat_ppv[V]": metric(0.9)},
    "beats": {
        "rows": list("NSVFQOX"), "columns": list("NSVFQox"), "counts": {"protocol": COUNTS, "ec57-strict": COUNTS},
    },
}  # fmt: skip


def test_rows_of_results_with_the_tables_behind_them() -> None:
    _, table, _, first, _ = beats(replace(small_report(), evidence=EVIDENCE))
    assert isinstance(table, Table)
    assert [row[0] for row in table.rows] == ["protocol", "ec57-strict"]
    assert [column.name for column in table.columns][-1] == "jk"
    assert [row[-1].text.split(" ")[0] for row in table.rows if isinstance(row[-1], Cell)] == [
        "0.700",
        "0.600",
    ]
    assert isinstance(table.rows[0][2], Cell)
    assert table.rows[1][2] == ""
    assert isinstance(first, Fold)
    (cells,) = first.blocks
    assert isinstance(cells, Table)
    assert [column.name for column in cells.columns] == ["truth", "n", "s", "v"]
    assert cells.rows == [["N", "1,500", "3", "0"], ["V", "0", "0", "40"]]


def test_a_run_without_says_nothing() -> None:
    assert beats(small_report()) == []
