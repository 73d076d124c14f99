import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import stdtrit

from vicinal.decisions.proportions import wilson


def test_without_clusters_it_is_wilsons_interval_with_students_t() -> None:
    hits = np.arange(50) < 45
    z, n, p = stdtrit(49, 0.975), 50, 0.9
    # Binomial variance with n - 1 gives deff = n / (n - 1), held at most at 1 for single rows.
    centre, reach = p + z**2 / (2 * n), z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    found = wilson(hits, np.arange(50))
    assert (found.value, found.n, found.n_clusters) == (0.9, 50, 50)
    assert found.low == pytest.approx((centre - reach) / (1 + z**2 / n))
    assert found.high == pytest.approx((centre + reach) / (1 + z**2 / n))


def test_rows_that_repeat_their_subject_count_once() -> None:
    hits = np.arange(50) < 45
    once = wilson(hits, np.arange(50))
    repeated = wilson(np.repeat(hits, 7), np.repeat(np.arange(50), 7))
    assert (repeated.low, repeated.high) == pytest.approx((once.low, once.high))
    assert repeated.high - repeated.low > 2 * (lambda x: x.high - x.low)(
        wilson(np.repeat(hits, 7), np.arange(350))
    )


def test_when_all_rows_agree_the_interval_counts_subjects() -> None:
    found = wilson(np.ones(300, bool), np.repeat(np.arange(30), 10))
    assert found.value == found.high == 1
    assert found.low == pytest.approx(30 / (30 + stdtrit(29, 0.975) ** 2))


def test_no_rows_no_share() -> None:
    found = wilson(np.zeros(0, bool), np.zeros(0))
    assert np.isnan([found.value, found.low, found.high]).all()
    assert found.n == 0


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=1, max_size=60))
def test_the_share_lies_in_its_interval_and_that_in_zero_to_one(rows: list[tuple[bool, int]]) -> None:
    found = wilson(np.array([row[0] for row in rows]), np.array([row[1] for row in rows]))
    assert 0 <= found.low <= found.value <= found.high <= 1


def coverage(share: float, correlation: float, *, draws: int, seed: int, n: int = 50, rows: int = 6) -> float:
    """How often the interval holds the true share: beta-binomial subjects, of `rows` rows each."""
    rng = np.random.default_rng(seed)
    clusters, held = np.repeat(np.arange(n), rows), 0
    for _ in range(draws):
        size = (1 - correlation) / correlation if correlation else np.inf
        own = np.full(n, share) if correlation == 0 else rng.beta(share * size, (1 - share) * size, n)
        found = wilson(rng.random(n * rows) < np.repeat(own, rows), clusters)
        held += found.low <= share <= found.high
    return held / draws


@pytest.mark.slow
@pytest.mark.parametrize(("share", "correlation"), [(0.8, 0.0), (0.9, 0.3)])
def test_coverage(share: float, correlation: float) -> None:
    assert 0.92 <= coverage(share, correlation, draws=1500, seed=3) <= 0.98


@pytest.mark.prove
@pytest.mark.parametrize("share", [0.5, 0.8, 0.9, 0.95])
@pytest.mark.parametrize("correlation", [0.0, 0.1, 0.3, 0.5])
def test_coverage_over_ten_thousand_draws(share: float, correlation: float) -> None:
    assert 0.92 <= coverage(share, correlation, draws=10_000, seed=4) <= 0.98
