import numpy as np
import pytest
from scipy.stats import t as student
from sklearn.metrics import roc_auc_score
from tests.evidence.ladder.test_sample import scores

from vicinal.errors import FormatError
from vicinal.evidence.intervals import paired_auroc
from vicinal.evidence.ladder.estimate import Spread, between, estimate, spread_of
from vicinal.evidence.ladder.sample import Sample, fixed, sample_of
from vicinal.evidence.metrics import measure
from vicinal.evidence.summary import entries


def test_of_one_seed_it_is_the_interval_of_the_evidence() -> None:
    table = scores(1.0)
    found = estimate(sample_of([table], "auroc", resamples=500))
    entry = entries(table, [one for one in measure(table) if one.name == "auroc"], resamples=500, seed=0)[
        "auroc"
    ]
    assert found.to_dict() == pytest.approx({name: entry[name] for name in ("value", "low", "high")})


def test_of_one_seed_a_difference_is_the_paired_one() -> None:
    a, b = scores(1.0), scores(0.5)
    made = between(sample_of([a], "auroc", resamples=500), sample_of([b], "auroc", resamples=500))
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
    """As of two perfect networks: that nine subjects agree is what is known, as of a share of them (Wilson)."""
    still = Sample(np.zeros(2), np.zeros((2, 50)), 9)
    found = estimate(still, scale="difference")
    reach = 2.306**2 / (9 + 2.306**2)
    assert (found.value, found.p) == (0, 1)
    assert (found.low, found.high) == pytest.approx((-reach, reach), rel=1e-3)
    assert 0.01 < estimate(fixed([0.5, 0.5], still), scale="difference").p < 0.05


@pytest.mark.parametrize(("of_subjects", "of_seeds"), [(0.05, 0.0), (0.05, 0.05), (0.01, 0.05), (0.0, 0.05)])
def test_the_interval_covers_the_truth(of_subjects: float, of_seeds: float) -> None:
    rng, covered = np.random.default_rng(1), 0
    for _ in range(600):
        values = rng.normal(0, of_subjects) + rng.normal(0, of_seeds, 3)
        draws = values[:, None] + rng.normal(0, of_subjects, 200)
        found = estimate(Sample(values, draws, n_fewest=40), scale="difference")
        covered += found.low <= 0 <= found.high
    assert 0.93 <= covered / 600 <= 0.99


def test_two_networks_are_paired_by_subject_and_not_by_seed() -> None:
    rng = np.random.default_rng(0)
    shared, own = rng.normal(0, 0.05, 4000), rng.normal(0, 0.01, 4000)
    a = Sample(np.array([0.7, 0.8, 0.9]), 0.8 + np.stack([shared] * 3), 20)
    b = Sample(np.array([0.55, 0.6]), 0.575 + np.stack([shared + own] * 2), 30)
    made = between(a, b)
    assert made.value == pytest.approx(0.8 - 0.575)
    assert made.subject_error == pytest.approx(own.std(ddof=1))
    assert made.of_subjects == 19
    # Welch: squares of the errors of means, of 3 values whose variance is 0.01 and of 2 whose variance is 0.00125.
    squares = (0.01 / 3, 0.00125 / 2)
    assert made.seed_error == pytest.approx(np.sqrt(sum(squares)))
    assert made.of_seeds == pytest.approx(sum(squares) ** 2 / (squares[0] ** 2 / 2 + squares[1] ** 2 / 1))
    with pytest.raises(FormatError, match="the same resamples, got 4000 and 100"):
        between(a, Sample(np.array([0.5]), np.zeros((1, 100)), 9))


def test_seeds_that_agree_leave_the_subjects() -> None:
    still = Sample(np.full(3, 0.6), np.full((3, 50), 0.6), 9)
    assert between(still, still) == Spread(0.0, 0.0, 8, 0.0, 4)


def test_no_difference_reaches_beyond_what_it_can_be() -> None:
    found = estimate(Spread(0.74, 0.01, 50, 0.2, 2.0), scale="difference")
    assert found.low == pytest.approx(
        0.74 - np.hypot(0.01 * student.ppf(0.975, 50), 0.2 * student.ppf(0.975, 2))
    )
    assert found.low < 0 < found.p
    assert found.high == 1
    assert estimate(Spread(-0.74, 0.01, 50, 0.2, 2.0), scale="difference").low == -1


def test_the_errors_of_one_sample() -> None:
    sample = Sample(np.array([0.7, 0.8, 0.9]), np.zeros((3, 50)), 20)
    assert spread_of(sample) == Spread(pytest.approx(0.8), 0.0, 19, pytest.approx(0.1 / np.sqrt(3)), 2)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("of_subjects", "of_seeds"), [(0.05, (0.01, 0.03)), (0.01, (0.05, 0.05)), (0.0, (0.01, 0.1))]
)
def test_the_interval_of_two_networks_covers_the_truth(
    of_subjects: float, of_seeds: tuple[float, float]
) -> None:
    rng, covered = np.random.default_rng(2), 0
    for _ in range(600):
        a, b = (
            Sample(values, values[:, None] + rng.normal(0, of_subjects, 200), 40)
            for values in (rng.normal(0, of_subjects) + rng.normal(0, one, 3) for one in of_seeds)
        )
        found = estimate(between(a, b), scale="difference")
        covered += found.low <= 0 <= found.high
    assert 0.935 <= covered / 600 <= 0.99
