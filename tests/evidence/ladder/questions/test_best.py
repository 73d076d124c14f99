from tests.evidence.ladder.comparisons import evidence, network, said


def test_the_best_is_named_only_where_it_beats_the_others() -> None:
    made = evidence(conv=network(0.95), dense=network(0.85))
    assert said(made, "Is one shown to be best") == (
        "true",
        "In AUROC, conv is beaten by none; conv is above dense by 0.100 (0.090 to 0.110) (one pair).",
    )
    made["contrasts"][0]["clear"] = False
    assert said(made, "Is one shown to be best") == (
        "not shown",
        "No two of conv and dense are shown to differ in AUROC (one pair).",
    )


def test_pairs_with_the_same_other_share_a_sentence() -> None:
    made = evidence(conv=network(0.95), lstm=network(0.95), dense=network(0.85))
    made["contrasts"][0]["clear"] = False
    answer, sentence = said(made, "Is one shown to be best")
    assert answer == "partly"
    assert sentence == (
        "In AUROC, conv and lstm are beaten by none; conv is above dense by 0.100 (0.090 to 0.110), "
        "lstm by 0.100 (0.090 to 0.110) (Holm's correction over 3 pairs)."
    )


def test_who_is_below_any_other_is_not_among_the_unbeaten() -> None:
    """Of three only the lower two may differ clearly: the middle one is paired more closely with the last."""
    made = evidence(conv=network(0.95), local=network(0.93), dense=network(0.9))
    for one in made["contrasts"]:
        one["clear"] = (one["a"], one["b"]) == ("local", "dense")
    answer, sentence = said(made, "Is one shown to be best")
    assert answer == "partly"
    assert sentence.startswith("In AUROC, conv and local are beaten by none; local is above dense by")


def test_one_that_is_unbeaten_but_not_above_all_is_best_in_part() -> None:
    made = evidence(conv=network(0.95), local=network(0.93), dense=network(0.9))
    for one in made["contrasts"]:
        one["clear"] = (one["a"], one["b"]) != ("conv", "dense")
    answer, sentence = said(made, "Is one shown to be best")
    assert (answer, sentence.startswith("In AUROC, conv is beaten by none; conv is above local by")) == (
        "partly",
        True,
    )


def test_a_pair_the_other_way_round_is_turned() -> None:
    made = evidence(dense=network(0.85), conv=network(0.95))
    made["contrasts"][0] |= {"value": -0.1, "low": -0.11, "high": -0.08}
    assert "conv is above dense by 0.100 (0.080 to 0.110)" in said(made, "Is one shown to be best")[1]


def test_who_is_told_by_fewer_seeds_is_said() -> None:
    made = evidence(conv=network(0.95), dense=network(0.85))
    made["networks"]["conv"]["curve"][-1]["seeds"] = [0.95, 0.95]
    assert said(made, "Is one shown to be best")[1].endswith(
        "(one pair). Told by the trainings that came to an end: conv by 2 of 3 seeds."
    )


def test_who_is_held_against_no_other_is_named() -> None:
    made = evidence(conv=network(0.95), dense=network(0.85))
    made["networks"] |= {"lstm": network(0.9), "local": network(0.9)}
    made["networks"]["lstm"]["curve"] = made["networks"]["lstm"]["curve"][:1]
    assert said(made, "Is one shown to be best")[1].endswith(
        "(one pair). Not compared, as too few of its trainings came to an end: lstm. "
        "Not compared, as it was tested on other rows: local."
    )
