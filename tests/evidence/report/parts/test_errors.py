from dataclasses import replace

import numpy as np
from tests.evidence.report.reports import full_report, small_report

from vicinal.evidence.report.blocks import Fold, Heading, Paragraph, Strips, Table
from vicinal.evidence.report.parts.errors import errors


def test_each_kind_is_counted_drawn_and_listed() -> None:
    blocks = errors(full_report())
    assert [block.text for block in blocks if isinstance(block, Heading)] == [
        "A, missed: 9; the 1 most confident drawn", "A, false alarms: 1; the 1 most confident drawn",
    ]  # fmt: skip
    missed, alarms = (block for block in blocks if isinstance(block, Strips))
    (first,), (second,) = missed.strips, alarms.strips
    assert (first.title, first.about) == ("A0009", "A")
    assert first.text == "A, decided not A (probability 0.031), ECG"
    assert "drawn 3.5 times as large" in first.below
    assert second.text == "not A, decided A (probability 0.970)"
    assert second.below.endswith("gaps are missing samples")
    fold = next(block for block in blocks if isinstance(block, Fold))
    (table, more) = fold.blocks
    assert fold.summary == "2 recordings listed"
    assert isinstance(table, Table)
    assert table.rows == [["A0009", "0.031"], ["A0011", "0.044"]]
    assert more == Paragraph("and 7 more, in the table of scores.", small=True)


def test_exclusive_classes_say_what_a_recording_was_taken_for() -> None:
    line = {"id": "A0009", "decided": "B", "probability": 0.8}
    found = {"A": {"missed": {"n": 1, "listed": [line]}}, "B": {"missed": {"n": 0, "listed": []}}}
    blocks = errors(replace(full_report(), evidence={"errors": found}))
    strips = next(block for block in blocks if isinstance(block, Strips))
    assert strips.strips[0].text == "A, taken for B (probability 0.800), ECG"
    assert Paragraph("None.", small=True) in blocks


def test_what_cannot_be_drawn_is_listed_all_the_same() -> None:
    blocks = errors(replace(full_report(), examples=()))
    assert not any(isinstance(block, Strips) for block in blocks)
    assert Heading("A, missed: 9") in blocks


def test_nothing_decided_is_said() -> None:
    assert errors(small_report()) == [Paragraph("Nothing was decided.", small=True)]


def test_the_first_few_are_in_the_open_and_the_others_folded() -> None:
    report = full_report()
    (example, _) = report.examples
    for n_channels, n_open in ((1, 4), (12, 1)):
        samples = np.tile(np.sin(np.arange(300)), (n_channels, 1))
        examples = [replace(example, id=str(k), samples=samples, adds=None) for k in range(6)]
        listed = [{"id": str(k), "probability": 0.1} for k in range(6)]
        evidence = {"errors": {"A": {"missed": {"n": 6, "listed": listed}}}}
        blocks = errors(replace(report, evidence=evidence, examples=examples))
        strips = next(block for block in blocks if isinstance(block, Strips))
        fold = next(block for block in blocks if isinstance(block, Fold))
        assert len(strips.strips) == n_open
        assert fold.summary == f"{6 - n_open} more drawn"
