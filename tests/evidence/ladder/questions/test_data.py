from tests.evidence.ladder.comparisons import evidence, network, said

from vicinal.evidence.ladder.verdict import verdict


def test_fewer_subjects_are_claimed_only_where_the_ratio_is_clear() -> None:
    made = evidence(dense=network(0.85), conv=network(0.95))
    answer, sentence = said(made, "Less data than dense")
    assert answer == "true"
    assert "For AUROC 0.9, dense needs 120 (90 to over 400) subjects." in sentence
    assert (
        "Times as many by the curves (by their intervals), shown: conv 0.4 (0.3 to 0.6). Between" in sentence
    )
    made["needed_ratios"][0] |= {"high": 1.2, "clear": False}
    answer, sentence = said(made, "Less data than dense")
    assert (
        answer,
        "Times as many by the curves (by their intervals), not shown: conv 0.4 (0.3 to 1.2)." in sentence,
    ) == ("not shown", True)
    made["needed_ratios"][0] |= {"value": 3.0, "low": 2.0, "high": None, "clear": True}
    answer, sentence = said(made, "Less data than dense")
    assert (answer, "conv 3 (2 to any number)" in sentence) == ("false", True)
    made["needed_ratios"] = []
    assert said(made, "Less data than dense")[1].endswith(
        "dense and conv do not get there, so no ratio of them is known."
    )
    made["networks"]["dense"]["needed"] = None
    assert "dense needs an unknown number of subjects." in said(made, "Less data than dense")[1]


def test_who_gets_there_alone_and_who_does_not() -> None:
    made = evidence(dense=network(0.85), conv=network(0.95), lstm=network(0.6))
    made["needed_ratios"][0] |= {"bound": "at most", "low": 0.0, "high": 0.7}
    made["needed_ratios"][1] |= {"bound": "at least", "value": 3.0, "low": 0.9, "high": None, "clear": False}
    answer, sentence = said(made, "Less data than dense")
    assert answer == "partly"
    assert "conv at most 0.4 (0 to 0.7)" in sentence
    assert sentence.endswith(
        "not shown: lstm at least 3 (0.9 to any number). Level 0.975 each. "
        "Between the numbers tried curves are taken for straight."
    )


def test_gaps_differ_where_holm_says_so_with_few_subjects_and_with_all() -> None:
    made = evidence(dense=network(0.85, gap=0.2), conv=network(0.95, gap=0.05))
    answer, sentence = said(made, "Less overfitting than dense")
    assert answer == "true"
    assert sentence == (
        "With 40 training subjects, training minus test AUROC of dense is +0.200 (+0.190 to +0.210). "
        "Smaller: conv by 0.100 (0.090 to 0.110). "
        "With 400 training subjects, training minus test AUROC of dense is +0.200 (+0.190 to +0.210). "
        "Smaller: conv by 0.100 (0.090 to 0.110). Holm's correction over 2 differences."
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
    assert said(made, "Less overfitting")[0] == "not shown"
    many |= {"clear": True, "value": 0.1}
    assert said(made, "Less overfitting")[0] == "false"
    made["gap_contrasts"] = []
    assert "Less overfitting" not in str(verdict(made))
