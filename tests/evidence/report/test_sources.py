from dataclasses import replace

import pytest
from tests.evidence.report.reports import full_report, small_report

from vicinal.evidence.report.sources import commands, marked, source, sources

ONE, TWO = {"command": "vicinal run x"}, {"command": "vicinal run x", "decided_by": "vicinal decide x"}


@pytest.mark.parametrize(
    ("name", "by"),
    [
        ("auroc", "1"), ("auroc[A]", "1"), ("calibration_slope", "1"), ("ece_mass", "1"), ("brier", "1"),
        ("sensitivity", "2"), ("f1[A]", "2"), ("jk@strict", "2"), ("referred", "2"), ("average_precision[B]", "1"),
    ],
)  # fmt: skip
def test_scores_are_of_the_run_and_decisions_of_what_decided_again(name: str, by: str) -> None:
    assert source(name, TWO) == by
    assert source(name, ONE) == "1"


def test_a_mark_is_needed_when_there_are_two_commands() -> None:
    assert (marked(ONE), marked(TWO)) == (False, True)
    assert commands(TWO) == ["vicinal run x", "vicinal decide x"]


def test_the_line_names_command_rows_and_subjects() -> None:
    report = full_report()
    evidence = {**report.evidence, "protocol": {**TWO, "role": "test"}}
    (line,) = sources(replace(report, evidence=evidence), what="both")
    assert line.text == (
        "Made by: 1 vicinal run x; 2 vicinal decide x · from 120 test rows of 1,234 subjects"
    )
    (line,) = sources(replace(report, evidence=evidence), what="decisions")
    assert line.text.startswith("Made by: vicinal decide x · ")
    assert sources(small_report()) == []
