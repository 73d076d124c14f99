import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit, logit

from vicinal.evidence.metric import Metric
from vicinal.evidence.reliability import N_BINS, n_between, of_probabilities
from vicinal.evidence.resampling import once


def slow_error(y: np.ndarray, p: np.ndarray, *, equal_mass: bool) -> float:
    """The definition, bin by bin and row by row."""
    ranks = sorted(range(len(p)), key=lambda k: (p[k], k))
    total = 0.0
    for b in range(N_BINS):
        if equal_mass:
            rows = [k for rank, k in enumerate(ranks) if rank * N_BINS // len(p) == b]
        else:
            rows = [k for k in range(len(p)) if min(int(p[k] * N_BINS), N_BINS - 1) == b]
        if rows:
            total += len(rows) / len(p) * abs(sum(p[k] for k in rows) - sum(y[k] for k in rows)) / len(rows)
    return total


def rows(n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    p = np.round(expit(rng.normal(0, 2, n)), 2)
    return (rng.random(n) < p**1.4).astype(float), np.clip(p, 0.01, 0.99)


def found(y: np.ndarray, p: np.ndarray) -> dict[str, float]:
    everything = np.ones(len(y), bool)
    metrics = of_probabilities(y, p, np.arange(len(y)), among=everything, about=(y == 1)[:, None], mark="[A]")
    return {metric.name: metric.value for metric in metrics}


def test_calibration_equals_its_definition() -> None:
    y, p = rows()
    values = found(y, p)
    assert values["ece[A]"] == pytest.approx(slow_error(y, p, equal_mass=False))
    assert values["ece_mass[A]"] == pytest.approx(slow_error(y, p, equal_mass=True))
    assert values["brier[A]"] == pytest.approx(sum((a - b) ** 2 for a, b in zip(y, p, strict=True)) / len(y))
    z = logit(p)
    fit = minimize(lambda at: -np.log(expit((2 * y - 1) * (at[0] * z + at[1]))).sum(), [1.0, 0.0])
    assert [values["calibration_slope[A]"], values["calibration_intercept[A]"]] == pytest.approx(
        fit.x, abs=1e-4
    )


def test_four_rows_by_hand() -> None:
    # Bins of a fifteenth: 0.2 twice (one positive), 0.9 twice (both positive).
    values = found(np.array([0.0, 1, 1, 1]), np.array([0.2, 0.2, 0.9, 0.9]))
    assert values["ece[A]"] == pytest.approx(0.5 * 0.3 + 0.5 * 0.1)
    assert values["brier[A]"] == pytest.approx((0.04 + 0.64 + 0.01 + 0.01) / 4)
    assert values["log_loss[A]"] == pytest.approx(-np.log(0.8 * 0.2 * 0.9 * 0.9) / 4)


def test_probabilities_of_0_and_1_have_a_finite_loss() -> None:
    values = found(np.array([0.0, 1.0, 1.0]), np.array([0.0, 1.0, 0.0]))
    assert values["log_loss[A]"] == pytest.approx(-np.log(1e-15) / 3)


def test_no_rows_yield_nothing_and_one_kind_has_no_line() -> None:
    assert found(np.zeros(0), np.zeros(0)) == {}
    assert np.isnan(found(np.ones(4), np.array([0.1, 0.5, 0.6, 0.9]))["calibration_slope[A]"])


def test_a_resample_without_spread_has_no_line() -> None:
    y, p = rows()
    everything = np.ones(len(y), bool)
    metrics = of_probabilities(y, p, np.arange(len(y)), among=everything, about=(y == 1)[:, None])
    (slope,) = [metric for metric in metrics if metric.name == "calibration_slope"]
    assert slope.statistic is not None
    assert slope.statistic(once(len(y)))[0] == pytest.approx(slope.value, abs=1e-5)
    assert np.isnan(slope.statistic(np.zeros((1, len(y)), np.int32))[0])


def line(y: list[float], p: list[float]) -> Metric:
    truth, probability = np.array(y), np.array(p)
    everything = np.ones(len(y), bool)
    metrics = of_probabilities(
        truth, probability, np.arange(len(y)), among=everything, about=(truth == 1)[:, None]
    )
    return next(metric for metric in metrics if metric.name == "calibration_slope")


def test_rows_that_a_threshold_parts_have_no_line_and_say_so() -> None:
    for y in ([0.0, 0, 0, 1, 1], [1.0, 1, 1, 0, 0]):
        found = line(y, [0.1, 0.2, 0.3, 0.8, 0.9])
        assert np.isnan(found.value)
        assert found.statistic is None
        assert "no finite line fits best" in found.why
    # One positive and one negative at the threshold itself: the likelihood still has no maximum.
    assert np.isnan(line([0, 0, 0, 1, 1], [0.1, 0.2, 0.8, 0.8, 0.9]).value)


def test_few_rows_between_the_kinds_give_a_line_without_an_interval() -> None:
    found = line([0.0] * 20 + [1, 0] + [1.0] * 20, [0.1] * 20 + [0.4, 0.6] + [0.9] * 20)
    assert np.isfinite(found.value)
    assert found.statistic is None
    assert "three subjects or fewer" in found.why
    y, p = rows()
    assert line(y.tolist(), p.tolist()).why == ""


def slow_between(y: np.ndarray, z: np.ndarray) -> int:
    """Row by row, every threshold and both ways round."""
    return min(
        sum(1 for a, b in zip(z, y, strict=True) if (a < cut and b != lower) or (a > cut and b == lower))
        for cut in z
        for lower in (0, 1)
    )


def test_rows_between_are_counted_at_the_best_threshold() -> None:
    rng = np.random.default_rng(1)
    for _ in range(200):
        n = int(rng.integers(2, 12))
        y, z = rng.integers(0, 2, n).astype(float), rng.integers(0, 6, n).astype(float)
        assert n_between(y, z, np.arange(n)) == slow_between(y, z)
    # Several rows of one person count once.
    y, z = np.array([0.0, 1, 1, 0, 1]), np.array([0.0, 1, 2, 3, 4])
    assert n_between(y, z, np.array([0, 1, 1, 2, 3])) == 1


def fitted_slope(y: np.ndarray, z: np.ndarray, *, ridge: float) -> float:
    """Return the slope of a logistic regression that is held back by a ridge."""

    def loss(at: np.ndarray) -> float:
        return float(np.logaddexp(0, -(2 * y - 1) * (at[0] * z + at[1])).sum() + ridge * at[0] ** 2)

    def gradient(at: np.ndarray) -> np.ndarray:
        away = expit(at[0] * z + at[1]) - y
        return np.array([(away * z).sum() + 2 * ridge * at[0], away.sum()])

    return float(minimize(loss, [0.0, 0.0], jac=gradient, method="BFGS", options={"gtol": 1e-9}).x[0])


def test_there_is_no_line_exactly_where_a_fit_runs_away_as_nothing_holds_it_back() -> None:
    rng, parted = np.random.default_rng(2), 0
    for _ in range(60):
        n = int(rng.integers(4, 10))
        y, z = rng.integers(0, 2, n).astype(float), rng.integers(-3, 4, n).astype(float)
        if y.min() == y.max() or np.ptp(z) == 0:
            continue
        held, free = (abs(fitted_slope(y, z, ridge=ridge)) for ridge in (1e-4, 1e-7))
        is_parted = n_between(y, z, np.arange(n)) == 0
        assert (free > 1.2 * held + 0.01) == is_parted
        parted += is_parted
    assert parted > 10
