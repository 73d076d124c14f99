import copy

import pytest
from tests.evidence.ladder.comparisons import evidence, network, said

from vicinal.evidence.ladder.verdict import verdict


def test_what_is_not_known_is_said_so() -> None:
    made = evidence(dense=network(0.85), conv=network(0.95))
    made["networks"]["conv"]["curve"][0]["gap"] = {"value": None, "low": None, "high": None}
    made["gap_contrasts"][0] |= {"value": None, "low": None, "high": None, "clear": False}
    assert "Not shown to differ: conv." in said(made, "Less overfitting")[1]
    made["networks"]["conv"]["translation"][0]["decisions_changed"] = None
    assert "conv -0.200 (-0.210 to -0.190)" in said(made, "Indifferent")[1]


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
    ends = {
        one["question"]: one["sentence"].endswith(
            "One seed each: this is of these trainings, not yet of the networks."
        )
        for one in verdict(made)
    }
    for question in ("Is one", "Less data", "Less overfitting", "Indifferent", "Does hierarchy"):
        assert [end for name, end in ends.items() if name.startswith(question)] == [True]
    assert not ends["Faster than dense?"]
