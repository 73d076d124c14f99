import numpy as np
import pytest
from scipy.stats import t as student

from vicinal.evidence.ladder.needed import needed, ratio
from vicinal.evidence.ladder.sample import Sample


def curve(values: dict[int, float], *, spread: float = 1e-9, seed: int = 0) -> dict[int, Sample]:
    noise = np.random.default_rng(seed).normal(0, 1, 500) * spread
    return {n: Sample(np.array([value]), np.array([value + noise]), 30) for n, value in values.items()}


def test_between_two_sizes_the_number_is_read_off_the_logarithm() -> None:
    found = needed(curve({10: 0.6, 100: 0.8, 1000: 0.9}), 0.7)
    assert found.value == pytest.approx(np.sqrt(10 * 100))
    assert (found.low, found.high) == pytest.approx((found.value, found.value))


def test_it_counts_from_where_the_curve_stays_above() -> None:
    assert needed(curve({10: 0.9, 100: 0.7, 1000: 0.9}), 0.8).value == pytest.approx(np.sqrt(100 * 1000))


def test_ends_are_named_for_what_they_are() -> None:
    early = needed(curve({10: 0.9, 100: 0.95}), 0.8)
    assert (early.value, early.to_dict()["at_most"]) == (10, True)
    late = needed(curve({10: 0.5, 100: 0.6}), 0.8)
    assert not late.is_reached
    assert late.to_dict()["value"] is None


def test_a_perfect_network_is_as_uncertain_as_its_few_subjects() -> None:
    """Five subjects that all agree may be 0.61 of all (Wilson), so that 0.95 may need more than there are."""
    perfect = {
        10: Sample(np.array([0.9]), 0.9 + np.random.default_rng(0).normal(0, 0.01, (1, 500)), 5),
        100: Sample(np.array([1.0]), np.ones((1, 500)), 5),
    }
    found = needed(perfect, 0.95)
    assert found.value == pytest.approx(10 * 10**0.5)
    assert np.isinf(found.high)


def test_few_subjects_spread_more_than_their_resamples() -> None:
    few, many = (
        needed({n: Sample(np.array([v]), v + np.random.default_rng(0).normal(0, 0.01, (1, 2000)), n_fewest)
                for n, v in ((10, 0.6), (1000, 0.9))}, 0.75)
        for n_fewest in (6, 600)
    )  # fmt: skip
    # Both ends of the curve move together, by 0.3 over a hundredfold.
    reach = student.ppf(0.975, [5, 599]) * 0.01 * np.sqrt([6 / 5, 600 / 599])
    expected = np.exp(np.log(100) + reach * np.log(100) / 0.3)
    assert few.high > many.high
    assert [few.high, many.high] == pytest.approx(expected.tolist(), rel=0.03)


def test_the_interval_says_when_it_may_not_be_reached() -> None:
    found = needed(curve({10: 0.6, 100: 0.82}, spread=0.05), 0.8)
    assert found.value == pytest.approx(10 * 10 ** (0.2 / 0.22))
    assert found.low < found.value
    assert np.isinf(found.high)


def test_seeds_move_it_too() -> None:
    values = np.array([0.78, 0.8, 0.82])
    one = {
        n: Sample(values + add, np.repeat(values[:, None] + add, 500, axis=1), 30)
        for n, add in ((10, -0.1), (1000, 0.1))
    }
    found = needed(one, 0.8)
    assert found.value == pytest.approx(100)
    assert found.low < 90 < 110 < found.high


def test_a_ratio_is_clear_only_where_its_interval_is() -> None:
    few, many = curve({10: 0.7, 100: 0.9}, spread=0.01), curve({10: 0.6, 100: 0.8}, spread=0.01)
    found = ratio(needed(few, 0.75), needed(many, 0.75))
    assert found is not None
    assert found.value == pytest.approx(10 ** (0.25 - 0.75))
    assert found.is_clear
    assert found.high < 1
    alone = ratio(needed(few, 0.75), needed(curve({10: 0.7, 100: 0.9}, spread=0.05, seed=1), 0.75))
    assert alone is not None
    assert not alone.is_clear


def test_a_level_for_many_is_wider() -> None:
    few, many = (
        needed(curve({10: low, 100: 0.9}, spread=0.02, seed=k), 0.75) for k, low in enumerate((0.7, 0.6))
    )
    one, ten = ratio(few, many), ratio(few, many, n_compared=10)
    assert one is not None and ten is not None  # noqa: PT018
    assert ten.low < one.low < one.high < ten.high


def test_who_does_not_arrive_bounds_the_ratio_from_one_side() -> None:
    arrives, not_there = needed(curve({10: 0.7, 100: 0.9}), 0.8), needed(curve({10: 0.5, 100: 0.6}), 0.8)
    fewer = ratio(arrives, not_there)
    assert fewer is not None
    assert fewer.bound == "at most"
    assert fewer.value == pytest.approx(arrives.value / 100)
    assert (fewer.low, fewer.high, fewer.is_clear) == (0, pytest.approx(fewer.value), True)
    more = ratio(not_there, arrives)
    assert more is not None
    value = pytest.approx(100 / arrives.value)
    assert more.to_dict() == {"value": value, "bound": "at least", "low": value, "high": None, "clear": True}
    assert ratio(not_there, not_there) is None


def test_who_is_there_with_the_fewest_may_need_fewer() -> None:
    early, later = needed(curve({10: 0.9, 100: 0.95}), 0.8), needed(curve({10: 0.7, 100: 0.9}), 0.8)
    fewer = ratio(early, later)
    assert fewer is not None
    value = 10 / later.value
    assert fewer.to_dict() == {
        "value": pytest.approx(value), "bound": "at most", "low": 0, "high": pytest.approx(value), "clear": True
    }  # fmt: skip
    more = ratio(later, early)
    assert more is not None
    value = pytest.approx(later.value / 10)
    assert more.to_dict() == {"value": value, "bound": "at least", "low": value, "high": None, "clear": True}


def test_of_two_that_are_there_with_the_fewest_nothing_is_known() -> None:
    early = needed(curve({10: 0.9, 100: 0.95}), 0.8)
    found = ratio(early, early)
    assert found is not None
    assert found.to_dict() == {"value": 1, "bound": "", "low": 0, "high": None, "clear": False}


@pytest.mark.prove
@pytest.mark.parametrize(("n_subjects", "n_others"), [(6, 1), (6, 9), (21, 9)])
def test_equal_networks_are_seldom_told_apart(n_subjects: int, n_others: int) -> None:
    """Networks with the same true curve, whose subjects differ in how well each network does on them."""
    rng, truth = np.random.default_rng(0), {10: 0.62, 32: 0.72, 100: 0.82}
    n_worlds, n_wrong = 200, 0
    for _ in range(n_worlds):
        shares = rng.multinomial(n_subjects, np.full(n_subjects, 1 / n_subjects), size=500) / n_subjects
        shared = 0.1 * rng.normal(size=n_subjects)
        found = []
        for k in range(n_others + 1):
            own = shared + 0.1 * rng.normal(size=n_subjects)
            each = {n: value + own + 0.03 * rng.normal(size=n_subjects) for n, value in truth.items()}
            samples = {
                n: Sample(np.array([of.mean()]), (shares @ of)[None], n_subjects) for n, of in each.items()
            }
            found.append(needed(samples, 0.72, seed=k))
        ratios = [ratio(one, found[0], n_compared=n_others) for one in found[1:]]
        n_wrong += any(one is not None and one.is_clear for one in ratios)
    # 5 of 100 and three standard errors of 200 draws.
    assert n_wrong / n_worlds < 0.05 + 3 * np.sqrt(0.05 * 0.95 / n_worlds)
