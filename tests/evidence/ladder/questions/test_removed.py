from typing import Any

from tests.evidence.ladder.comparisons import evidence, interval, network, said

from vicinal.evidence.ladder.questions.removed import removed_rows


def test_a_step_that_buys_nothing_is_named_for_deletion() -> None:
    made = evidence(own=network(0.9))
    made["contrasts"] = []
    made["removed"] = [
        {"name": "without gain low 0.7", "needed": None, "gain": {**interval(0.05), "clear": True}},
        {"name": "without polarity", "needed": None, "gain": {**interval(0.001), "clear": False}},
        {"name": "without shift", "needed": None, "gain": {**interval(-0.05), "clear": True}},
    ]
    answer, sentence = said(made, "Is every step worth keeping")
    assert answer == "partly"
    assert sentence == (
        "Worth keeping, as better with it: gain low 0.7 +0.050 (+0.040 to +0.060). "
        "To be deleted, as worse with it: shift -0.050 (-0.060 to -0.040). "
        "To be deleted, as shown to give less than 0.02: polarity +0.001 (-0.009 to +0.011). "
        "Gains after Holm's correction over 3 steps; intervals of 95 % each."
    )
    made["removed"] = made["removed"][1:2]
    assert said(made, "Is every step worth keeping")[0] == "false"
    made["removed"][0]["gain"] = {**interval(0.015, half=0.1), "clear": False}
    assert said(made, "Is every step worth keeping") == (
        "not shown",
        "Undecided, as neither a gain nor one below 0.02 is shown: polarity +0.015 (-0.085 to +0.115).",
    )
    made["removed"][0]["gain"] = {**interval(-0.015, half=0.1), "clear": False}
    assert said(made, "Is every step worth keeping") == (
        "not shown",
        "To be deleted unless more recordings or seeds show a gain, as none was seen: "
        "polarity -0.015 (-0.115 to +0.085).",
    )
    made["removed"][0]["gain"] = {**interval(0.01, half=0.001), "clear": True}
    assert said(made, "Is every step worth keeping")[0] == "true"
    made["removed"][0]["gain"] = {"value": None, "low": None, "high": None, "clear": False}
    assert said(made, "Is every step worth keeping")[1].endswith("is shown: polarity not known.")


def test_a_step_that_cannot_be_left_out_is_named() -> None:
    made = evidence(own=network(0.9))
    made["removed"] = [
        {"name": "without gain", "gain": {**interval(0.05), "clear": True}, "needed": None},
        {"name": "without resample", "gain": None, "needed": "it has 250 Hz."},
    ]
    assert said(made, "Is every step worth keeping") == (
        "true",
        "Worth keeping, as better with it: gain +0.050 (+0.040 to +0.060). Cannot be left out: resample.",
    )


def test_the_table_of_steps_says_what_to_do_with_each() -> None:
    costs = {
        "kind": "preparation",
        "ms_per_recording": 0.123,
        "packages": ["numpy", "scipy"],
        "contract_fields": 2,
    }
    gains: list[Any] = [
        {**interval(0.05), "clear": True},
        {**interval(-0.05), "clear": True},
        {**interval(0.001), "clear": False},
        {**interval(-0.01, half=0.1), "clear": False},
        {**interval(0.01, half=0.1), "clear": False},
        None,
    ]
    made = [
        {"name": f"own, without {k}", "gain": gain, "needed": None, **costs} for k, gain in enumerate(gains)
    ]
    needed = {"name": "without scale", "gain": None, "needed": "why", **costs, "ms_per_recording": None}
    columns, rows = removed_rows({"removed": [*made, needed]})
    assert all(len(row) == len(columns) for row in rows)
    assert rows[0] == ["0", "preparation", "+0.050 (+0.040 to +0.060)", "0.123", "numpy, scipy", "2", "keep"]
    assert [row[-1] for row in rows] == [
        "keep",
        "delete: worse with it",
        "delete: less than 0.02",
        "delete, unless more show a gain",
        "undecided",
        "not measured",
        "cannot be left out",
    ]
