import numpy as np
import pytest
from scipy.special import expit

from vicinal.evidence.ladder.contrasts import compared
from vicinal.scoretable import ScoreTable
from vicinal.workflow.summing_curves import curve_of, gap_contrasts, gaps_of, points_of
from vicinal.workflow.trial import Outcome


def outcome(n_subjects: int, *, seed: int, train: float, tried: bool = False) -> Outcome:
    """Say the truth of 60 test subjects the better the more there were to learn from."""
    truth = np.tile([0.0, 1.0], 30)
    z = truth * np.log(n_subjects) / 3 + np.random.default_rng(seed).normal(size=60)
    table = ScoreTable(
        task="binary",
        classes=("A",),
        role="test",
        ids=np.arange(60).astype(str),
        truth=truth[:, None],
        logits=z[:, None],
        probabilities=expit(z)[:, None],
        subjects=np.arange(60).astype(str),
    )
    facts = {
        "n_train_subjects": n_subjects,
        "n_train_rows": 2 * n_subjects,
        "share": n_subjects / 100,
        "seed": seed,
    }
    return Outcome({**facts, "train_metric": train, **({"tried": True} if tried else {})}, table)


OURS = [
    *(outcome(n, seed=seed, train=0.9) for n in (100, 10) for seed in range(3)),
    outcome(100, seed=9, train=0.1, tried=True),
]
FIRM = [outcome(n, seed=seed, train=1.0 if n == 10 else 0.9) for n in (10, 100) for seed in range(3)]


def test_a_curve_has_every_seed_of_every_size_and_no_rate_that_was_only_tried() -> None:
    curve = curve_of(OURS, "auroc", resamples=100, seed=0)
    assert list(curve) == [10, 100]
    assert [len(sample.values) for sample in curve.values()] == [3, 3]
    few, many = points_of(OURS, curve)
    assert (few["n_train_rows"], few["share"], many["share"]) == (20, 0.1, 1.0)
    assert few["train"] == pytest.approx(0.9)
    assert few["gap"]["value"] == pytest.approx(0.9 - few["value"])
    assert few["seeds"] == curve[10].values.tolist()


def test_shares_that_round_to_the_same_number_of_subjects_count_a_seed_once() -> None:
    again = [
        Outcome({**one.facts, "share": one.facts["share"] * 0.99}, one.test)
        for one in OURS
        if one.facts["share"] == 1
    ]
    once, twice = (curve_of(made, "auroc", resamples=100, seed=0) for made in (OURS, [*again, *OURS]))
    assert twice[100].values.tolist() == once[100].values.tolist()
    assert points_of([*again, *OURS], twice)[1]["share"] == 1


def test_one_training_of_several_that_came_to_an_end_says_nothing_of_seeds() -> None:
    def broken(seed: int) -> Outcome:
        return Outcome({"n_train_subjects": 100, "share": 1.0, "seed": seed, "failed": "loss is nan"}, None)

    kept = [one for one in OURS if one.facts["share"] < 1 or one.facts["seed"] == 0]
    assert list(curve_of([*kept, broken(1), broken(2)], "auroc", resamples=100, seed=0)) == [10]
    kept = [one for one in OURS if one.facts["share"] < 1 or one.facts["seed"] < 2]
    assert list(curve_of([*kept, broken(2)], "auroc", resamples=100, seed=0)) == [10, 100]
    alone = [one for one in OURS if one.facts["seed"] == 0]
    assert list(curve_of(alone, "auroc", resamples=100, seed=0)) == [10, 100]


def test_gaps_are_compared_with_the_fewest_subjects_and_with_all() -> None:
    curves = {
        name: curve_of(made, "auroc", resamples=200, seed=0) for name, made in (("a", OURS), ("b", FIRM))
    }
    gaps = {"a": gaps_of(OURS, curves["a"]), "b": gaps_of(FIRM, curves["b"])}
    few, many = gap_contrasts(gaps, "b")
    assert (few["a"], few["b"], few["n_train_subjects"], many["n_train_subjects"]) == ("a", "b", 10, 100)
    # The same test scores; b remembers more of 10 subjects.
    assert few["value"] == pytest.approx(-0.1)
    assert many["value"] == pytest.approx(0)
    assert not many["clear"]
    # Holm over both: what is 0 has p 1, so the other counts twice.
    alone = compared([("a", "b", gaps["a"][10], gaps["b"][10])])
    assert few["p_holm"] == pytest.approx(2 * alone[0].p)
    assert gap_contrasts({"b": gaps["b"]}, "b") == []
