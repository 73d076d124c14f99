from tests.evidence.ladder.comparisons import evidence, interval, network, said


def test_who_falls_by_a_shift_and_who_loses_less_than_the_margin() -> None:
    made = evidence(dense=network(0.85), conv=network(0.95, change=0.0, cut=0.0))
    answer, sentence = said(made, "Indifferent to shifts")
    assert answer == "partly"
    assert "Falls: dense -0.200 (-0.210 to -0.190) and 25 % of decisions." in sentence
    assert "Loses less than 0.02: conv +0.000 (-0.010 to +0.010)" in sentence
    made["networks"]["conv"]["translation"][0]["change"] = interval(0.03)
    assert "Loses less than 0.02: conv +0.030 (+0.020 to +0.040)" in said(made, "Indifferent to shifts")[1]
    made["networks"]["conv"]["translation"][0]["change"] = interval(-0.1, half=0.4)
    answer, sentence = said(made, "Indifferent to shifts")
    assert (answer, sentence.count("Not shown to be either: conv -0.100")) == ("not shown", 1)
    made["networks"]["conv"]["translation"][0]["change"] = interval(-0.1)
    answer, sentence = said(made, "Indifferent to shifts")
    assert (answer, sentence.endswith("of 95 %: of many, one may be named by chance.")) == ("false", True)
    made["networks"]["conv"]["translation"][0]["change"] = interval(-0.1, half=0.4)
    made["networks"]["dense"]["translation"][0]["change"] = interval(0.001)
    assert said(made, "Indifferent to shifts")[0] == "partly"
    made["networks"]["conv"]["translation"][0]["change"] = interval(0.001)
    assert said(made, "Indifferent to shifts")[0] == "true"


def test_a_network_near_chance_has_nothing_to_lose() -> None:
    made = evidence(dense=network(0.5, change=0.0), conv=network(0.95, change=0.0))
    for name, low in (("dense", 0.49), ("conv", 0.94)):
        made["networks"][name]["translation"].insert(0, {"shift": 0.0, "low": low, "change": None})
    answer, sentence = said(made, "Indifferent to shifts")
    assert answer == "partly"
    assert "Loses less than 0.02: conv +0.000 (-0.010 to +0.010)" in sentence
    assert "Not shown to be above chance, so with nothing to lose: dense." in sentence
    made["metric"] = "accuracy"
    assert said(made, "Indifferent to shifts")[0] == "true"


def test_hierarchy_helps_where_the_whole_is_above_its_first_stage() -> None:
    made = evidence(dense=network(0.85), conv=network(0.95, change=0.0, cut=0.0))
    answer, sentence = said(made, "Does hierarchy help")
    assert answer == "partly"
    assert sentence == (
        "The whole network against its first stage alone. "
        "Better, shown: dense (2 stages) +0.100 (+0.090 to +0.110) over a first that sees 7 samples (70 ms). "
        "Not shown: conv (2 stages) +0.000 (-0.010 to +0.010) over a first that sees 7 samples (70 ms). "
        "Holm's correction over 2; intervals of 95 % each."
    )
