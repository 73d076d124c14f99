import copy
from typing import Any

import pytest

from vicinal.evidence.ladder.verdict import verdict


def interval(value: float, half: float = 0.01) -> dict[str, float]:
    return {"value": value, "low": value - half, "high": value + half}


def network(
    value: float, *, gap: float = 0.05, step_ms: float = 2.0, change: float = -0.2, cut: float = 0.1
) -> Any:
    point = {"n_train_subjects": 40, **interval(value - 0.1), "gap": interval(gap)}
    timed = {"median": step_ms, "least": step_ms * 0.95, "most": step_ms * 1.05}
    stage = {
        "receptive_field_ms": 70.0,
        "whole_minus_cut": {**interval(cut), "p": 0.001 if abs(cut) > 0.01 else 0.5},
    }
    return {
        "curve": [point, {**point, "n_train_subjects": 400, **interval(value)}],
        "needed": {"value": 120.0, "low": 90.0, "high": None, "most_tried": 400, "at_most": False},
        "step_ms": timed,
        "infer_per_second": timed,
        "parameters": 1000,
        "match_ratio": 1.0,
        "dense_equivalent_parameters": 50_000,
        "translation": [
            {"shift": 0.1, "change": interval(change), "decisions_changed": 0.25},
        ],
        "stages": [stage, {"receptive_field_ms": 150.0}],
        "concentration": {**interval(0.4), "n_signals": 16},
        "seconds_to_target": {"median": step_ms, "least": 1.0, "most": 9.0, "n_reached": 3, "n_seeds": 3},
        "findings": {},
        "failed": [],
    }


def evidence(**networks: Any) -> dict[str, Any]:
    names = list(networks)
    return {
        "metric": "auroc",
        "target": 0.9,
        "unit": "subjects",
        "match": "parameters",
        "n_seeds": 3,
        "networks": networks,
        "contrasts": [
            {"a": a, "b": b, **interval(0.1), "clear": True}
            for k, a in enumerate(names)
            for b in names[k + 1 :]
        ],
        "needed_ratios": [
            {"a": name, "b": names[0], "bound": "", "value": 0.4, "low": 0.3, "high": 0.6, "clear": True}
            for name in names[1:]
        ],
        "gap_contrasts": [
            {"a": name, "b": names[0], "n_train_subjects": n, **interval(-0.1), "clear": True}
            for n in (40, 400)
            for name in names[1:]
        ],
        "removed": [],
    }


def said(made: dict[str, Any], question: str) -> tuple[str, str]:
    return next(
        (one["answer"], one["sentence"]) for one in verdict(made) if one["question"].startswith(question)
    )


def test_the_best_is_named_only_where_it_beats_the_others() -> None:
    made = evidence(conv=network(0.95), dense=network(0.85))
    assert said(made, "Which is best") == (
        "true",
        "In AUROC, conv is beaten by none; conv is above dense by 0.100 (0.090 to 0.110) (one pair).",
    )
    made["contrasts"][0]["clear"] = False
    assert said(made, "Which is best") == (
        "not shown",
        "No two of conv and dense are shown to differ in AUROC (one pair).",
    )


def test_pairs_with_the_same_other_share_a_sentence() -> None:
    made = evidence(conv=network(0.95), lstm=network(0.95), dense=network(0.85))
    made["contrasts"][0]["clear"] = False
    assert said(made, "Which is best")[1].endswith(
        "conv is above dense by 0.100 (0.090 to 0.110), lstm by 0.100 (0.090 to 0.110) "
        "(Holm's correction over 3 pairs)."
    )


def test_a_pair_the_other_way_round_is_turned() -> None:
    made = evidence(dense=network(0.85), conv=network(0.95))
    made["contrasts"][0] |= {"value": -0.1, "low": -0.11, "high": -0.08}
    assert "conv is above dense by 0.100 (0.080 to 0.110)" in said(made, "Which is best")[1]


def test_fewer_subjects_are_claimed_only_where_the_ratio_is_clear() -> None:
    made = evidence(dense=network(0.85), conv=network(0.95))
    answer, sentence = said(made, "Less data than dense")
    assert answer == "true"
    assert "For AUROC 0.9, dense needs 120 subjects (90 to over 400)" in sentence
    assert "Times as many, shown: conv 0.4 (0.3 to 0.6)." in sentence
    made["needed_ratios"][0] |= {"high": 1.2, "clear": False}
    answer, sentence = said(made, "Less data than dense")
    assert (answer, "Times as many, not shown: conv 0.4 (0.3 to 1.2)." in sentence) == ("not shown", True)
    made["needed_ratios"][0] |= {"value": 3.0, "low": 2.0, "high": None, "clear": True}
    answer, sentence = said(made, "Less data than dense")
    assert (answer, "conv 3 (2 to any number)" in sentence) == ("false", True)
    made["needed_ratios"] = []
    assert "Not there either: conv." in said(made, "Less data than dense")[1]


def test_who_gets_there_alone_and_who_does_not() -> None:
    made = evidence(dense=network(0.85), conv=network(0.95), lstm=network(0.6))
    made["needed_ratios"][0] |= {"bound": "at most", "low": 0.0, "high": 0.7}
    made["needed_ratios"][1] |= {"bound": "at least", "value": 3.0, "low": 0.9, "high": None, "clear": False}
    answer, sentence = said(made, "Less data than dense")
    assert answer == "partly"
    assert "conv at most 0.4 (0 to 0.7)" in sentence
    assert sentence.endswith("not shown: lstm at least 3 (0.9 to any number). Level 0.975 each.")


def test_gaps_differ_where_holm_says_so_with_few_subjects_and_with_all() -> None:
    made = evidence(dense=network(0.85, gap=0.2), conv=network(0.95, gap=0.05))
    answer, sentence = said(made, "Less overfitting than dense")
    assert answer == "true"
    assert sentence == (
        "With 40 training subjects, training minus test AUROC of dense is +0.200 (+0.190 to +0.210). "
        "Smaller: conv +0.050 (+0.040 to +0.060). "
        "With 400 training subjects, training minus test AUROC of dense is +0.200 (+0.190 to +0.210). "
        "Smaller: conv +0.050 (+0.040 to +0.060)."
    )
    few, many = made["gap_contrasts"]
    few["clear"] = False
    answer, sentence = said(made, "Less overfitting")
    assert (answer, sentence.count("Not shown to differ: conv")) == ("partly", 1)
    for one in (*made["gap_contrasts"][:1], *(each["curve"][0] for each in made["networks"].values())):
        one["n_train_subjects"] = 1
    assert said(made, "Less overfitting")[1].startswith("With 1 training subject, training minus")
    few |= {"clear": True, "value": 0.1}
    many["clear"] = False
    assert said(made, "Less overfitting")[0] == "false"
    made["gap_contrasts"] = []
    assert "Less overfitting" not in str(verdict(made))


def test_speed_parameters_shifts_and_stages() -> None:
    made = evidence(dense=network(0.85, step_ms=1.0), conv=network(0.95, step_ms=3.0, change=0.0, cut=0.0))
    assert said(made, "Faster than dense")[0] == "false"
    assert "Seconds of a step, times those of dense: conv 3." in said(made, "Faster than dense")[1]
    assert said(made, "Fewer parameters")[0] == "not shown"
    made["networks"]["conv"]["match_ratio"] = None
    start = "Parameters were matched but for those of conv, dense has 1,000: "
    assert said(made, "Fewer parameters")[1].startswith(start)
    made["networks"]["conv"]["match_ratio"] = 1.0
    assert "as dense layers 50 times its own" in said(made, "Fewer parameters")[1]
    made["match"] = "multiply-adds"
    assert said(made, "Fewer parameters")[0] == "not shown"
    made["networks"]["conv"]["parameters"] = 1200
    assert said(made, "Fewer parameters")[0] == "false"
    made["match"] = "parameters"
    made["networks"]["dense"]["match_ratio"] = made["networks"]["conv"]["match_ratio"] = None
    answer, sentence = said(made, "Fewer parameters")
    assert (answer, sentence.startswith("Nothing was matched, dense has 1,000: ")) == ("false", True)
    answer, sentence = said(made, "Indifferent to shifts")
    assert answer == "partly"
    assert "Falls: dense -0.200 (-0.210 to -0.190) and 25 % of decisions." in sentence
    assert "Loses less than 0.02: conv +0.000 (-0.010 to +0.010)" in sentence
    made["networks"]["conv"]["translation"][0]["change"] = interval(0.03)
    assert "Loses less than 0.02: conv +0.030 (+0.020 to +0.040)" in said(made, "Indifferent to shifts")[1]
    made["networks"]["conv"]["translation"][0]["change"] = interval(-0.1, half=0.4)
    answer, sentence = said(made, "Indifferent to shifts")
    assert (answer, sentence.count("Not shown to be either: conv -0.100")) == ("not shown", 1)
    made["networks"]["dense"]["translation"][0]["change"] = interval(0.001)
    assert said(made, "Indifferent to shifts")[0] == "partly"
    made["networks"]["conv"]["translation"][0]["change"] = interval(0.001)
    assert said(made, "Indifferent to shifts")[0] == "true"
    answer, sentence = said(made, "Does hierarchy help")
    assert answer == "partly"
    assert (
        "dense's 2 stages give +0.100 (+0.090 to +0.110) over its first alone, which sees 70 ms" in sentence
    )
    assert (
        "conv's 2 stages give +0.000 (-0.010 to +0.010) over its first alone, which sees 70 ms, not shown"
        in sentence
    )


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
    assert (
        "gain low 0.7 gives +0.050 (+0.040 to +0.060); polarity gives +0.001 (-0.009 to +0.011), not shown"
        in sentence
    )
    assert sentence.endswith(
        "To be deleted, as nothing was gained by them, and at most 0.000 is within their intervals: shift. "
        "Undecided, better with them by less than chance could make: polarity."
    )
    made["removed"] = made["removed"][1:2]
    assert said(made, "Is every step worth keeping")[0] == "not shown"
    made["removed"][0]["gain"] |= {"value": -0.001}
    answer, sentence = said(made, "Is every step worth keeping")
    assert (answer, sentence.endswith("at most 0.011 is within their intervals: polarity.")) == (
        "not shown",
        True,
    )
    made["removed"][0]["gain"] |= {"clear": True}
    assert said(made, "Is every step worth keeping")[0] == "false"


def test_what_is_not_known_is_said_so() -> None:
    made = evidence(dense=network(0.85), conv=network(0.95))
    made["networks"]["conv"]["curve"][0]["gap"] = {"value": None, "low": None, "high": None}
    made["gap_contrasts"][0] |= {"value": None, "low": None, "high": None, "clear": False}
    assert "Not shown to differ: conv not known." in said(made, "Less overfitting")[1]
    made["networks"]["conv"]["translation"][0]["decisions_changed"] = None
    assert "conv -0.200 (-0.210 to -0.190)" in said(made, "Indifferent")[1]


def test_the_soonest_is_the_one_without_a_finding() -> None:
    made = evidence(
        slow=network(0.9, step_ms=9.0), fast=network(0.9, step_ms=1.0), wild=network(0.9, step_ms=0.5)
    )
    made["networks"]["fast"]["findings"] = {"diverging": 2, "stopped early": 1}
    made["networks"]["wild"]["seconds_to_target"] = {"n_reached": 0, "n_seeds": 3}
    answer, sentence = said(made, "How soon")
    assert answer == "not shown"
    assert (
        "slow after 9.0 s (in 3 of 3); fast after 1.0 s (in 3 of 3), diverging 2 of 3; wild not (in 0 of 3)"
        in sentence
    )
    assert sentence.endswith("Soonest without anything to find: slow.")
    made["networks"]["slow"]["failed"] = ["loss nan"]
    assert "broke off once" in said(made, "How soon")[1]
    assert said(made, "How soon")[1].endswith("None always arrives without a finding.")


@pytest.mark.parametrize("missing", ["translation", "stages", "concentration", "seconds_to_target"])
def test_what_was_not_measured_is_not_judged(missing: str) -> None:
    made = evidence(dense=network(0.85), conv=network(0.95))
    less = copy.deepcopy(made)
    for one in less["networks"].values():
        one[missing] = [] if missing in ("translation", "stages") else None
    assert len(verdict(less)) == len(verdict(made)) - 1


def test_one_seed_tells_of_trainings_alone() -> None:
    made = evidence(conv=network(0.95), dense=network(0.85))
    made["n_seeds"] = 1
    assert said(made, "Which is best")[1].endswith(
        "(one pair, one seed each: of these trainings, not yet of the networks)."
    )


def test_large_ratios_are_whole_numbers() -> None:
    made = evidence(dense=network(0.85), conv=network(0.95))
    made["networks"]["conv"]["parameters"] = 215_400
    made["match"] = "multiply-adds"
    assert "conv 215 times" in said(made, "Fewer parameters")[1]
    made["networks"]["conv"]["step_ms"] = {"median": 4260.0, "least": 4000.0, "most": 5000.0}
    assert "of dense: conv 2,130." in said(made, "Faster")[1]
