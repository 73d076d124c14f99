from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from vicinal.errors import FormatError
from vicinal.evidence.intervals import paired_auroc
from vicinal.evidence.metrics import compute
from vicinal.evidence.pairs import differences, in_order_of
from vicinal.evidence.resampling import bootstrap
from vicinal.scoretable import ScoreTable


def two(n: int = 240, *, noise: float = 1.0) -> tuple[ScoreTable, ScoreTable]:
    rng = np.random.default_rng(0)
    y = (np.arange(n) % 3 == 0).astype(float)
    z = 1.5 * y - 0.7 + rng.normal(0, 1, n)
    a = ScoreTable(
        task="binary",
        classes=("A",),
        role="test",
        ids=np.arange(n).astype(str),
        truth=y[:, None],
        logits=z[:, None],
        probabilities=expit(z)[:, None],
        subjects=(np.arange(n) // 6).astype(str),
    )
    other = z + rng.normal(0, noise, n)
    return a, replace(a, logits=other[:, None], probabilities=expit(other)[:, None])


def called(table: ScoreTable) -> np.ndarray:
    return (table.probabilities >= 0.5).astype(np.int8)


def test_every_difference_is_that_of_the_values_and_holds_it() -> None:
    a, b = two()
    found = differences(a, b, decisions=(called(a), called(b)), resamples=300)
    first, second = compute(a, called(a)), compute(b, called(b))
    assert set(found) == set(first)
    for name, entry in found.items():
        assert entry["value"] == pytest.approx(first[name] - second[name])
        assert (entry["a"], entry["b"]) == (first[name], second[name])
        assert entry["low"] <= entry["value"] <= entry["high"], name
        assert entry["clear"] == (entry["low"] > 0 or entry["high"] < 0)
    assert found["auroc"]["n_subjects"] == 40


def test_that_of_auroc_is_the_paired_one() -> None:
    a, b = two()
    entry, expected = differences(a, b, resamples=300)["auroc"], paired_auroc(a, b, resamples=300)
    assert (entry["low"], entry["high"]) == pytest.approx((expected.low, expected.high))


def test_resamples_are_those_of_repeated_rows() -> None:
    """Slow and independent: the rows of the drawn subjects are copied, and both models measured again."""
    a, b = two(120)
    found = differences(a, b, decisions=(called(a), called(b)), resamples=100, seed=3)
    drawn = []
    bootstrap(
        {"": lambda counts: (drawn.extend(counts), np.zeros(len(counts)))[1]},
        n_subjects=20,
        resamples=100,
        seed=3,
    )
    index = np.unique(a.clusters, return_inverse=True)[1]
    values = []
    for counts in drawn:
        rows = np.repeat(np.arange(120), counts[index])
        copied = [
            compute(
                replace(
                    one,
                    ids=np.arange(len(rows)).astype(str),
                    truth=one.truth[rows],
                    logits=one.logits[rows],
                    probabilities=one.probabilities[rows],
                    subjects=None,
                ),
                called(one)[rows],
            )
            for one in (a, b)
        ]
        values.append({name: copied[0][name] - copied[1][name] for name in ("auroc", "sensitivity", "mcc")})
    for name in ("auroc", "sensitivity", "mcc"):
        error = np.std([one[name] for one in values], ddof=1)
        half = (found[name]["high"] - found[name]["low"]) / 2
        assert half / error == pytest.approx(2.0930, abs=1e-3), name  # t of 19 degrees of freedom


def test_a_model_does_not_differ_from_itself_in_any_order() -> None:
    a, _ = two()
    shuffled = np.random.default_rng(1).permutation(len(a))
    b = replace(
        a,
        ids=a.ids[shuffled],
        truth=a.truth[shuffled],
        logits=a.logits[shuffled],
        probabilities=a.probabilities[shuffled],
        subjects=a.subjects[shuffled],
    )
    again = in_order_of(a, b)
    assert again.ids.tolist() == a.ids.tolist()
    found = differences(a, again, resamples=100)
    assert {(one["value"], one["low"], one["high"], one["clear"]) for one in found.values()} == {
        (0, 0, 0, False)
    }


def test_a_clear_difference_is_called_one() -> None:
    a, b = two(noise=4.0)
    assert differences(a, b, resamples=200)["auroc"]["clear"]


def test_other_truth_is_refused() -> None:
    a, _ = two()
    with pytest.raises(FormatError, match="same truth"):
        in_order_of(a, replace(a, truth=1 - a.truth))
    with pytest.raises(FormatError, match="same classes and ids"):
        in_order_of(a, a.select(np.arange(240) < 200))


def test_few_positive_subjects_are_unreliable() -> None:
    a, b = two(48)
    assert differences(a, b, resamples=100)["auroc"]["unreliable"]
    assert "unreliable" not in differences(*two(), resamples=100)["auroc"]


def test_a_difference_is_held_within_what_two_shares_can_differ_by() -> None:
    # Three subjects of each kind: t of two degrees of freedom would reach far beyond 1.
    truth = np.array([0.0, 0, 0, 1, 1, 1])
    a, b = (
        ScoreTable(
            task="binary", classes=("A",), role="test", ids=np.arange(6).astype(str), truth=truth[:, None],
            logits=z[:, None], probabilities=expit(z)[:, None],
        )
        for z in (np.array([0.0, 3, 1, 2, 1, 4]), np.array([3.0, 0, 4, 2, 1, 3.5]))
    )  # fmt: skip
    found = differences(a, b, resamples=300)
    assert found["auroc"]["low"] == -1
    assert found["auroc"]["high"] == 1
