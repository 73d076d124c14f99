from dataclasses import replace

from tests.evidence.report.reports import full_report, small_report

from vicinal.evidence.report.blocks import Cell, Paragraph, Table
from vicinal.evidence.report.parts.alarms import alarms


def test_alarms_have_their_rate_its_interval_and_what_an_alarm_is() -> None:
    report = full_report()
    policy = {
        "aim": "S: alarms <= 5 per day; V: alarms <= 2 per day", "classes": ["N", "S", "V"],
        "thresholds": [None, 0.25, 0.75],
        "events": {"release": 0.8, "merge_s": 10.0, "least_s": 0.0, "refractory_s": 60.0},
    }  # fmt: skip
    rate = {"n": 12, "days": 2.5, "per_day": 4.8, "low": 1.2, "high": 9.6, "n_subjects": 22}
    alone = {"n": 0, "days": 2.5, "per_day": 0.0, "low": None, "high": None, "n_subjects": None}
    evidence = {**report.evidence, "policy": policy, "alarms": {"S": rate, "V": alone}}
    blocks = alarms(replace(report, evidence=evidence))
    (table,) = (one for one in blocks if isinstance(one, Table))
    assert table.rows == [
        ["S", "0.25", "12", "2.5", Cell("4.8", bold=True), "1.2 to 9.6", "22"],
        ["V", "0.75", "0", "2.5", Cell("0", bold=True), "–", "–"],
    ]
    words = next(one.text for one in blocks if isinstance(one, Paragraph))
    for part in (
        "V: alarms <= 2 per day",
        "at least 0.8 times that",
        "at most 10 s apart are one",
        "within 60 s of",
    ):
        assert part in words
    assert "shorter" not in words


def test_policies_that_decide_rows_have_no_alarms() -> None:
    assert alarms(full_report()) == alarms(small_report()) == []
