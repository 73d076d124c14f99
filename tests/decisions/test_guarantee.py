import numpy as np
import pytest
from scipy.special import ndtri
from scipy.stats import binom

from vicinal.decisions.guarantee import (
    allowed_misses,
    guaranteed_threshold,
    least_subjects,
    one_row_per_subject,
)
from vicinal.errors import InfeasibleError


@pytest.mark.parametrize(
    ("target", "delta", "least"), [(0.90, 0.1, 22), (0.95, 0.1, 45), (0.99, 0.1, 230), (0.99, 0.05, 299)]
)
def test_least_number_of_subjects(target: float, delta: float, least: int) -> None:
    assert least_subjects(target=target, delta=delta) == least
    assert allowed_misses(least, target=target, delta=delta) == 0
    assert allowed_misses(least - 1, target=target, delta=delta) == -1


def test_allowed_misses_are_the_largest_number_by_the_binomial_table() -> None:
    for n in (1, 22, 45, 76, 77, 100, 333):
        passing = [k for k in range(n + 1) if binom.cdf(k, n, 0.05) <= 0.1]
        assert allowed_misses(n, target=0.95, delta=0.1) == (max(passing) if passing else -1)
    assert allowed_misses(0, target=0.95, delta=0.1) == -1


def args(n: int, **more: object) -> dict[str, object]:
    names = np.array([f"{k:05d}" for k in range(n)])
    return {"subjects": names, "ids": names, "target": 0.95, "confidence": 0.9, "seed": 0, **more}


def test_threshold_is_the_k_plus_first_smallest_positive_score() -> None:
    # n = 77 is the least with one miss allowed at 0.95 and 0.9.
    assert allowed_misses(77, target=0.95, delta=0.1) == 1
    scores = np.linspace(0.2, 0.9, 77)
    threshold, n = guaranteed_threshold(scores, np.ones(77, bool), **args(77))  # type: ignore[arg-type]
    assert (threshold, n) == (scores[1], 77)


def test_specificity_is_the_mirror_image() -> None:
    scores = np.linspace(0.1, 0.8, 77)
    threshold, n = guaranteed_threshold(scores, np.ones(77, bool), **args(77, below=True))  # type: ignore[arg-type]
    assert n == 77
    assert (scores >= threshold).sum() == 1
    with pytest.raises(InfeasibleError, match="calls nobody positive"):
        guaranteed_threshold(np.ones(77), np.ones(77, bool), **args(77, below=True))  # type: ignore[arg-type]


def test_too_few_subjects_are_told_how_many_more() -> None:
    # 60 rows of 30 subjects are 30 independent positives, not 60.
    subjects = np.repeat([f"s{k}" for k in range(30)], 2)
    with pytest.raises(InfeasibleError, match=r"at least 45 positive subjects.*got 30: 15 more"):
        guaranteed_threshold(
            np.linspace(0, 1, 60),
            np.ones(60, bool),
            subjects=subjects,
            ids=np.arange(60).astype(str),
            target=0.95,
            confidence=0.9,
            seed=0,
        )


def test_one_row_is_drawn_for_each_subject_whatever_the_order_of_rows() -> None:
    rng = np.random.default_rng(0)
    subjects = rng.integers(0, 20, 200).astype(str)
    ids = np.array([f"r{k:03d}" for k in range(200)])
    rows = one_row_per_subject(subjects, ids=ids, seed=5)
    assert sorted(subjects[rows]) == sorted(set(subjects))
    order = rng.permutation(200)
    moved = one_row_per_subject(subjects[order], ids=ids[order], seed=5)
    assert set(ids[order][moved]) == set(ids[rows])
    assert set(one_row_per_subject(subjects, ids=ids, seed=6)) != set(rows)


def test_every_row_of_a_subject_is_drawn_equally_often() -> None:
    subjects, ids = np.repeat(["a", "b"], [4, 1]), np.array(["1", "2", "3", "4", "5"])
    drawn = np.concatenate([one_row_per_subject(subjects, ids=ids, seed=seed) for seed in range(2000)])
    counts = np.bincount(drawn)
    assert counts[4] == 2000
    assert (np.abs(counts[:4] - 500) < 5 * np.sqrt(2000 * 0.25 * 0.75)).all()


def share_of_failures(target: float, correlation: float, *, n: int, draws: int, seed: int) -> float:
    """How often the true sensitivity of the guaranteed threshold is below the target, 3 rows a subject."""
    rng = np.random.default_rng(seed)
    subjects = np.repeat(np.arange(n), 3).astype(str)
    ids = np.arange(3 * n).astype(str)
    failures = 0
    for draw in range(draws):
        own = np.repeat(rng.normal(size=n), 3)
        scores = np.sqrt(correlation) * own + np.sqrt(1 - correlation) * rng.normal(size=3 * n)
        threshold, _ = guaranteed_threshold(
            scores,
            np.ones(3 * n, bool),
            subjects=subjects,
            ids=ids,
            target=target,
            confidence=0.9,
            seed=draw,
        )
        failures += threshold > -ndtri(target)  # P(score >= threshold) < target for a standard normal score
    return failures / draws


def limit(draws: int) -> float:
    return 0.1 + 2 * np.sqrt(0.1 * 0.9 / draws)


@pytest.mark.slow
@pytest.mark.parametrize(("target", "correlation"), [(0.90, 0.0), (0.95, 0.5)])
def test_the_guarantee_holds(target: float, correlation: float) -> None:
    assert share_of_failures(target, correlation, n=100, draws=1000, seed=1) <= limit(1000)


@pytest.mark.prove
@pytest.mark.parametrize("target", [0.90, 0.95, 0.99])
@pytest.mark.parametrize("correlation", [0.0, 0.25, 0.5])
@pytest.mark.parametrize("n", [250, 400])
def test_the_guarantee_holds_in_ten_thousand_draws(target: float, correlation: float, n: int) -> None:
    share = share_of_failures(target, correlation, n=n, draws=10_000, seed=n)
    k = allowed_misses(n, target=target, delta=0.1)
    print(
        f"\ntarget {target:.2f}, correlation {correlation:.2f}, {n} subjects, {k} misses allowed: below the target in "
        f"{share:.4f} of draws; by the binomial {binom.cdf(k, n, 1 - target):.4f}; limit {limit(10_000):.4f}"
    )
    assert share <= limit(10_000)


@pytest.mark.slow
def test_the_plain_quantile_would_not_hold() -> None:
    # Why the rule exists: the empirical 5 % quantile misses 0.95 in about half of all draws.
    rng = np.random.default_rng(0)
    failures = np.mean([np.quantile(rng.normal(size=100), 0.05) > ndtri(0.05) for _ in range(1000)])
    assert failures > 0.4
