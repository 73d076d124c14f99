from tests.evidence.ladder.comparisons import evidence, interval, network, said


def test_a_step_that_buys_nothing_is_named_for_deletion() -> None:
    made = evidence(own=network(0.9))
    made["contrasts"] = []
    made["removed"] = [
        {"name": "without gain low 0.7", "gain": {**interval(0.05), "clear": True}},
        {"name": "without polarity", "gain": {**interval(0.001), "clear": False}},
        {"name": "without shift", "gain": {**interval(-0.05), "clear": True}},
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
