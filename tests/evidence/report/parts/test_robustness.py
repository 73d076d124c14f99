from dataclasses import replace

from tests.evidence.report.reports import metric, small_report

from vicinal.evidence.report.blocks import Cell, Paragraph, Table
from vicinal.evidence.report.parts.robustness import robustness

POINT = {"refused": 0, "change": None, **metric(0.8, unreliable=True)}
FOUND = {
    "shift": {
        "unit": "s", "n_rows": 4321, "n_test_rows": 4321, "undisturbed": metric(0.9),
        "points": [
            {"strength": 0.02, **POINT},
            {"strength": 0.5, **POINT, "refused": 7, "why": "too short", "change": metric(-0.1)},
        ],
    },
    "hum50": {"unit": "mV", "left_out": "it needs a rate above 100 Hz."},
}  # fmt: skip


def test_each_strength_has_a_row_and_what_has_no_meaning_says_why() -> None:
    blocks = robustness(replace(small_report(), evidence={"robustness": FOUND}))
    (table,) = (block for block in blocks if isinstance(block, Table))
    start = [Cell("0.800", bold=True), Cell("0.749 to 0.821", tag="unreliable")]
    assert table.rows == [
        ["shift", "0.02 s", *start, "", "", "4,321", "0"],
        ["shift", "0.5 s", *start, "-0.100", "-0.151 to -0.079", "4,321", "7"],
    ]
    assert blocks[-2:] == [
        Paragraph("shift, refused: too short.", small=True),
        Paragraph("hum50 was left out: it needs a rate above 100 Hz.", small=True),
    ]


def test_it_says_how_many_recordings_of_how_many() -> None:
    few = {"shift": {**FOUND["shift"], "n_rows": 500}}
    for found, words in (
        (FOUND, "4,321 test recordings."),
        (few, "500 of 4,321 test recordings, drawn by subject."),
    ):
        blocks = robustness(replace(small_report(), evidence={"robustness": found}))
        assert any(isinstance(one, Paragraph) and one.text.startswith(words) for one in blocks)


def test_nothing_but_reasons_where_nothing_could_be_disturbed() -> None:
    blocks = robustness(replace(small_report(), evidence={"robustness": {"hum50": FOUND["hum50"]}}))
    assert [type(one).__name__ for one in blocks] == ["Heading", "Paragraph"]


def test_a_run_without_says_nothing() -> None:
    assert robustness(small_report()) == []
