import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import stdtrit
from scipy.stats import norm
from sklearn.metrics import average_precision_score, roc_auc_score

from vicinal.evidence.resampling import (
    Drawn,
    Scale,
    Values,
    auroc_statistic,
    average_precision_statistic,
    bootstrap,
    difference_statistic,
    mean_statistic,
    once,
    resampled_interval,
    sums_statistic,
)

rows = st.lists(st.tuples(st.booleans(), st.integers(0, 5), st.integers(0, 3)), min_size=2, max_size=30)
many = st.lists(st.lists(st.integers(0, 3), min_size=4, max_size=4), min_size=1, max_size=3)


@given(rows, many)
def test_weighted_statistics_equal_those_of_repeated_rows(
    found: list[tuple[bool, int, int]], counts: list[list[int]]
) -> None:
    y, scores, index = (np.array(column) for column in zip(*found, strict=True))
    y, drawn = y.astype(float), np.array(counts, np.int32)
    area = auroc_statistic(y, scores.astype(float), index)(drawn)
    precision = average_precision_statistic(y, scores.astype(float), index)(drawn)
    total = sums_statistic(scores[:, None].astype(float), index, lambda sums: sums[:, 0])(drawn)
    for b, times in enumerate(drawn):
        again = np.repeat(np.arange(len(y)), times[index])
        assert total[b] == scores[again].sum()
        if len(again) and y[again].min() != y[again].max():
            assert area[b] == pytest.approx(roc_auc_score(y[again], scores[again]))
            assert precision[b] == pytest.approx(average_precision_score(y[again], scores[again]))
        else:
            assert np.isnan(area[b])


def test_an_auroc_worked_by_hand() -> None:
    # Positives 3, 1, 2; negatives 2, 0: of six pairs four in order, one tied, one not.
    y, scores = np.array([1.0, 1, 1, 0, 0]), np.array([3.0, 1, 2, 2, 0])
    statistic = auroc_statistic(y, scores, np.array([0, 1, 2, 3, 4]))
    assert statistic(once(5)).tolist() == [4.5 / 6]
    # The positive 1 twice, the 2 never: of six pairs (3 > 2, 3 > 0, 1 < 2, 1 > 0, 1 < 2, 1 > 0) four.
    assert statistic(np.array([[1, 2, 0, 1, 1]], np.int32)).tolist() == [4 / 6]


def test_means_and_differences_of_statistics() -> None:
    def first(drawn: Drawn) -> Values:
        return drawn[:, 0].astype(float)

    def second(drawn: Drawn) -> Values:
        return drawn[:, 1].astype(float)

    drawn = np.array([[3, 1], [0, 2]], np.int32)
    assert mean_statistic([first, second])(drawn).tolist() == [2, 1]
    assert difference_statistic(first, second)(drawn).tolist() == [2, -2]


def test_the_bootstrap_draws_subjects_and_repeats_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def statistic(drawn: Drawn) -> Values:
        seen.append(drawn)
        return drawn[:, 0].astype(float)

    first = bootstrap({"a": statistic}, n_subjects=7, resamples=300, seed=1)["a"]
    assert all((drawn.sum(axis=1) == 7).all() for drawn in seen)
    assert first.shape == (300,)
    assert first.mean() == pytest.approx(1, abs=0.2)
    assert first.var() == pytest.approx(6 / 7, abs=0.25)  # binomial with n = 7, p = 1/7
    monkeypatch.setattr("vicinal.evidence.resampling._n_threads", lambda: 5)
    np.testing.assert_array_equal(
        bootstrap({"a": statistic}, n_subjects=7, resamples=300, seed=1)["a"], first
    )
    other = bootstrap({"a": statistic}, n_subjects=7, resamples=300, seed=2)["a"]
    assert (other != first).any()


def test_undefined_resamples_are_left_out_unless_they_are_most() -> None:
    half = np.array([1.0, np.nan, 1.0])
    assert resampled_interval(1.0, half, scale="any", n_fewest=9) == (1.0, 1.0)
    most = np.array([1.0, np.nan, np.nan])
    assert np.isnan(resampled_interval(1.0, most, scale="any", n_fewest=9)).all()
    assert np.isnan(resampled_interval(np.nan, half, scale="any", n_fewest=9)).all()


def test_an_interval_of_a_share_is_symmetric_in_its_log_odds() -> None:
    draws = np.random.default_rng(0).normal(0.9, 0.02, 5000)
    low, high = resampled_interval(0.9, draws, scale="share", n_fewest=40)
    reach = stdtrit(39, 0.975) * draws.std(ddof=1) / (0.9 * 0.1)
    assert np.log(low / (1 - low)) == pytest.approx(np.log(9) - reach)
    assert np.log(high / (1 - high)) == pytest.approx(np.log(9) + reach)


def test_an_interval_of_a_correlation_is_symmetric_in_fishers_z() -> None:
    draws = np.random.default_rng(0).normal(0.6, 0.03, 5000)
    low, high = resampled_interval(0.6, draws, scale="correlation", n_fewest=1000)
    reach = stdtrit(999, 0.975) * draws.std(ddof=1) / (1 - 0.6**2)
    assert np.arctanh([low, high]) == pytest.approx(np.arctanh(0.6) + np.array([-reach, reach]))


def test_an_interval_of_a_difference_is_students() -> None:
    draws = np.random.default_rng(0).normal(0.1, 0.05, 4000)
    low, high = resampled_interval(0.1, draws, scale="difference", n_fewest=20)
    assert (low + high) / 2 == pytest.approx(0.1)
    assert (high - low) / 2 == pytest.approx(stdtrit(19, 0.975) * draws.std(ddof=1))


@pytest.mark.parametrize(("scale", "ends"), [("share", (0.0, 1.0)), ("correlation", (-1.0, 1.0))])
def test_at_an_end_it_is_wilsons_of_subjects_that_all_agree(scale: Scale, ends: tuple[float, float]) -> None:
    for value in ends:
        low, high = resampled_interval(value, np.full(100, value), scale=scale, n_fewest=30)
        away = (ends[1] - ends[0]) * stdtrit(29, 0.975) ** 2 / (30 + stdtrit(29, 0.975) ** 2)
        assert (low, high) == pytest.approx((1 - away, 1) if value == 1 else (value, value + away))


@given(st.floats(0.01, 0.99), st.floats(0.001, 0.5), st.integers(1, 500))
def test_the_interval_holds_the_value_and_passes_no_end(value: float, spread: float, n_fewest: int) -> None:
    draws = value + spread * norm.ppf(np.linspace(0.01, 0.99, 99))
    low, high = resampled_interval(value, draws, scale="share", n_fewest=n_fewest)
    assert 0 <= low < value < high <= 1
