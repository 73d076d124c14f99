import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import t as student
from sklearn.metrics import roc_auc_score

from vicinal.errors import FormatError
from vicinal.evidence.intervals import paired_auroc
from vicinal.evidence.ladder.sample import Estimate, Sample, estimate, fixed, sample_of
from vicinal.evidence.metrics import measure
from vicinal.evidence.summary import entries
from vicinal.scoretable import ScoreTable


def scores(signal: float, *, seed: int = 0) -> ScoreTable:
    """Two rows of each of 60 subjects."""
    truth = np.repeat(np.tile([0.0, 1.0], 30), 2)
    z = np.random.default_rng(3).normal(size=120) + signal * truth
    z = z + 0.3 * np.random.default_rng(seed).normal(size=120)
    return ScoreTable(
        task="binary",
        classes=("A",),
        role="test",
        ids=np.arange(120).astype(str),
        truth=truth[:, None],
        logits=z[:, None],
        probabilities=expit(z)[:, None],
        subjects=np.repeat(np.arange(60), 2).astype(str),
    )


def test_of_one_seed_it_is_the_interval_of_the_evidence() -> None:
    table = scores(1.0)
    found = estimate(sample_of([table], "auroc", resamples=500))
    entry = entries(table, [one for one in measure(table) if one.name == "auroc"], resamples=500, seed=0)[
        "auroc"
    ]
    assert found.to_dict() == pytest.approx({name: entry[name] for name in ("value", "low", "high")})


def test_of_one_seed_a_difference_is_the_paired_one() -> None:
    a, b = scores(1.0), scores(0.5)
    made = sample_of([a], "auroc", resamples=500) - sample_of([b], "auroc", resamples=500)
    found, expected = estimate(made, scale="difference"), paired_auroc(a, b, resamples=500)
    assert (found.value, found.low, found.high) == pytest.approx(
        (expected.value, expected.low, expected.high)
    )


def test_of_several_seeds_the_value_is_their_mean_and_the_interval_wider() -> None:
    tables = [scores(1.0, seed=seed) for seed in range(3)]
    sample = sample_of(tables, "auroc", resamples=300)
    areas = [roc_auc_score(one.truth[:, 0], one.logits[:, 0]) for one in tables]
    assert sample.values == pytest.approx(areas)
    assert sample.seed_error == pytest.approx(np.std(areas, ddof=1) / np.sqrt(3))
    without = Sample(np.full(3, sample.value), sample.draws, sample.n_fewest)
    wide, narrow = estimate(sample), estimate(without)
    assert wide.value == pytest.approx(narrow.value)
    assert wide.high - wide.low > narrow.high - narrow.low


def test_two_reaches_are_added_as_squares_each_with_its_own_t() -> None:
    rng = np.random.default_rng(0)
    values, spread = np.array([0.1, 0.2, 0.6]), rng.normal(0, 0.05, 4000)
    sample = Sample(values, values[:, None] + spread, n_fewest=20)
    subjects, seeds = spread.std(ddof=1), values.std(ddof=1) / np.sqrt(3)
    reach = np.hypot(student.ppf(0.975, 19) * subjects, student.ppf(0.975, 2) * seeds)
    found = estimate(sample, scale="difference")
    assert (found.low, found.high) == pytest.approx((0.3 - reach, 0.3 + reach))
    ends_at_0 = estimate(sample, scale="difference", level=1 - found.p)
    assert ends_at_0.low == pytest.approx(0, abs=1e-9)


def test_a_difference_that_nothing_moves() -> None:
    still = Sample(np.zeros(2), np.zeros((2, 50)), 9)
    assert estimate(still, scale="difference") == Estimate(0.0, 0.0, 0.0, 1.0)
    assert estimate(fixed([0.5, 0.5], still), scale="difference").p == 0


@pytest.mark.parametrize(("of_subjects", "of_seeds"), [(0.05, 0.0), (0.05, 0.05), (0.01, 0.05), (0.0, 0.05)])
def test_the_interval_covers_the_truth(of_subjects: float, of_seeds: float) -> None:
    rng, covered = np.random.default_rng(1), 0
    for _ in range(600):
        values = rng.normal(0, of_subjects) + rng.normal(0, of_seeds, 3)
        draws = values[:, None] + rng.normal(0, of_subjects, 200)
        found = estimate(Sample(values, draws, n_fewest=40), scale="difference")
        covered += found.low <= 0 <= found.high
    assert 0.93 <= covered / 600 <= 0.99


def test_a_metric_of_training_rows_is_moved_by_seeds_alone() -> None:
    sample = sample_of([scores(1.0), scores(1.0, seed=1)], "auroc", resamples=200)
    gap = fixed([1.0, 0.9], sample) - sample
    assert gap.values == pytest.approx(np.array([1.0, 0.9]) - sample.values)
    assert gap.subject_error == pytest.approx(sample.subject_error)


def test_what_is_not_the_same_is_refused() -> None:
    a = sample_of([scores(1.0)], "auroc", resamples=200)
    with pytest.raises(FormatError, match="the same seeds and resamples"):
        a - sample_of([scores(1.0), scores(1.0, seed=1)], "auroc", resamples=200)  # it raises
    with pytest.raises(FormatError, match="no metric 'accurcy'"):
        sample_of([scores(1.0)], "accurcy", resamples=200)
    with pytest.raises(FormatError, match="the same test rows"):
        sample_of([scores(1.0), scores(1.0).select(np.arange(119))], "auroc", resamples=200)
