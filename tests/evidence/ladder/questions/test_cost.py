import pytest
from tests.evidence.ladder.comparisons import evidence, network, said

from vicinal.evidence.ladder.verdict import verdict


def test_parameters_are_counted_and_judged_where_they_were_not_matched() -> None:
    made = evidence(dense=network(0.85, step_ms=1.0), conv=network(0.95, step_ms=3.0))
    assert "Fewer parameters" not in str(verdict(made))
    made["networks"]["conv"]["parameters"] = 1100
    assert said(made, "Fewer parameters")[0] == "told"
    made["networks"]["conv"]["match_ratio"] = None
    start = "Parameters were matched but for those of conv, dense has 1,000: "
    assert said(made, "Fewer parameters")[1].startswith(start)
    made["networks"]["conv"]["match_ratio"] = 1.0
    assert said(made, "Fewer parameters")[1].endswith(
        "Dense layers between the same values would have: dense 50 times its own, conv 45 times its own."
    )
    made["match"] = "multiply-adds"
    made["networks"]["conv"]["parameters"] = 900
    assert said(made, "Fewer parameters")[0] == "true"
    made["networks"]["conv"]["parameters"] = 1200
    assert said(made, "Fewer parameters")[0] == "false"
    made["match"] = "parameters"
    made["networks"]["dense"]["match_ratio"] = made["networks"]["conv"]["match_ratio"] = None
    answer, sentence = said(made, "Fewer parameters")
    assert (answer, sentence.startswith("Nothing was matched, dense has 1,000: ")) == ("false", True)


@pytest.mark.parametrize(
    ("step_ms", "answer", "words"),
    [
        (3.0, "false", "Time of a step, longer: conv 3. Time of scoring a recording, longer: conv 3."),
        (0.4, "true", "Time of a step, shorter: conv 0.4. Time of scoring a recording, shorter: conv 0.4."),
        (1.05, "not shown", "Time of a step, not told apart: conv 1.1. "),
        (1.15, "not shown", "Time of a step, not told apart: conv 1.1. "),
    ],
)
def test_times_are_told_apart_where_all_trainings_are(step_ms: float, answer: str, words: str) -> None:
    made = evidence(dense=network(0.85, step_ms=1.0), conv=network(0.95, step_ms=step_ms))
    for one in made["networks"].values():
        step = one["step_ms"]
        one["infer_per_second"] = {
            "median": 1 / step["median"], "least": 1 / step["most"], "most": 1 / step["least"]
        }  # fmt: skip
    found, sentence = said(made, "Faster than dense")
    assert (found, sentence.startswith(f"As multiples of dense's. {words}")) == (answer, True)
    for few in made["networks"].values():
        few["history"] = few["history"][:2]
    made["n_seeds"] = 2
    found, sentence = said(made, "Faster than dense")
    assert found == "not shown"
    assert sentence.endswith("Fewer than 3 trainings each tell no times apart.")


def test_faster_steps_and_slower_scores_are_faster_in_part() -> None:
    made = evidence(dense=network(0.85, step_ms=2.0), conv=network(0.95, step_ms=1.0))
    answer, sentence = said(made, "Faster than dense")
    assert answer == "partly"
    assert sentence.endswith("step, shorter: conv 0.5. Time of scoring a recording, longer: conv 2.")


def test_the_soonest_is_the_one_without_a_finding() -> None:
    made = evidence(
        slow=network(0.9, step_ms=9.0), fast=network(0.9, step_ms=1.0), wild=network(0.9, step_ms=0.5)
    )
    made["networks"]["fast"]["findings"] = {"diverging": 2, "stopped early": 1}
    made["networks"]["wild"]["seconds_to_target"] = {"n_reached": 0, "n_seeds": 3}
    answer, sentence = said(made, "How soon")
    assert answer == "told"
    assert sentence == (
        "Validation AUROC 0.9: slow after 9.0 s (1.0 to 9.0, 3 of 3 seeds); "
        "fast after 1.0 s (1.0 to 9.0, 3 of 3 seeds) with diverging 2 of 3; "
        "wild never (0 of 3 seeds). slow alone always arrives without a finding."
    )
    made["networks"]["slow"]["failed"] = ["loss nan"]
    assert "with broke off once" in said(made, "How soon")[1]
    assert said(made, "How soon")[1].endswith("None always arrives without a finding.")


def test_the_soonest_names_who_may_be_as_soon() -> None:
    made = evidence(slow=network(0.9), near=network(0.9), first=network(0.9))
    for name, (least, most) in {"slow": (9.0, 11.0), "near": (3.0, 5.0), "first": (2.0, 4.0)}.items():
        made["networks"][name]["seconds_to_target"] |= {
            "median": (least + most) / 2,
            "least": least,
            "most": most,
        }
    assert said(made, "How soon")[1].endswith("Soonest without a finding: first, not told apart from near.")
    for one in made["networks"].values():
        one["seconds_to_target"] |= {"n_reached": 2, "n_seeds": 2}
    assert said(made, "How soon")[1].endswith(
        "By its median first arrives first; 3 seeds would tell times apart."
    )


def test_who_always_broke_off_is_told_too() -> None:
    made = evidence(dense=network(0.9), conv=network(0.9), wild=network(0.9))
    made["networks"]["wild"] |= {"seconds_to_target": None, "history": [], "failed": ["loss nan"] * 3}
    assert "; wild with broke off 3 times." in said(made, "How soon")[1]


def test_large_ratios_are_whole_numbers() -> None:
    made = evidence(dense=network(0.85), conv=network(0.95))
    made["networks"]["conv"]["parameters"] = 215_400
    made["match"] = "multiply-adds"
    assert "conv 215 times" in said(made, "Fewer parameters")[1]
    made["networks"]["conv"]["step_ms"] = {"median": 4260.0, "least": 4000.0, "most": 5000.0}
    assert "Time of a step, longer: conv 2,130." in said(made, "Faster")[1]
