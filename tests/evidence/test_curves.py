import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from vicinal.errors import FormatError
from vicinal.evidence.curves import (
    calibration_points,
    net_benefit,
    precision_recall,
    roc,
    threshold_sweep,
)

TRUTH = np.array([0.0, 0, 1, 1])
P = np.array([0.1, 0.4, 0.35, 0.8])


def drawn(n: int = 300, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    p = np.round(rng.random(n), 2)
    return (rng.random(n) < p).astype(float), p


def test_roc_worked_by_hand() -> None:
    curve = roc(TRUTH, P)
    assert curve.false_alarm_rate.tolist() == [0, 0, 0.5, 0.5, 1]
    assert curve.sensitivity.tolist() == [0, 0.5, 0.5, 1, 1]
    assert curve.thresholds[0] == np.inf


def test_areas_are_the_metrics() -> None:
    y, p = drawn()
    curve = roc(y, p)
    assert np.trapezoid(curve.sensitivity, curve.false_alarm_rate) == pytest.approx(roc_auc_score(y, p))
    pr = precision_recall(y, p)
    area = -np.sum(np.diff(np.append(pr.sensitivity, 0)) * pr.ppv)
    assert area == pytest.approx(average_precision_score(y, p), abs=0.01)
    assert pr.baseline == y.mean()


def test_calibration_error_worked_by_hand() -> None:
    # Bins of width 1/2: {0.1, 0.4, 0.35} and {0.8}; errors |0.85 - 1| / 4 and |0.8 - 1| / 4.
    points = calibration_points(TRUTH, P, n_bins=2)
    assert points.n.tolist() == [3, 1]
    assert points.error == pytest.approx(0.15 / 4 + 0.2 / 4)
    # Bins of equal mass: {0.1, 0.35} and {0.4, 0.8}; errors |0.45 - 1| / 4 and |1.2 - 1| / 4.
    points = calibration_points(TRUTH, P, n_bins=2, equal_mass=True)
    assert points.n.tolist() == [2, 2]
    assert points.error == pytest.approx(0.55 / 4 + 0.2 / 4)


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=1, max_size=40), st.booleans())
def test_every_row_is_in_one_bin(rows: list[tuple[bool, float]], equal_mass: bool) -> None:
    y, p = np.array(rows, dtype=float).T
    points = calibration_points(y, p, equal_mass=equal_mass)
    assert points.n.sum() == len(rows)
    assert (points.n * points.probability).sum() == pytest.approx(p.sum())
    assert 0 <= points.error <= 1


def test_sweep_equals_counting() -> None:
    y, p = drawn()
    sweep = threshold_sweep(y, p)
    for k, t in enumerate(sweep.thresholds):
        called, true = p >= t, y == 1
        assert sweep.sensitivity[k] == pytest.approx(called[true].mean())
        assert sweep.specificity[k] == pytest.approx((~called)[~true].mean())
        assert sweep.alarms_per_1000[k] == pytest.approx(1000 * called.mean())
        assert sweep.f1[k] == pytest.approx(2 * (called & true).sum() / (called.sum() + true.sum()))
        if called.any():
            assert sweep.ppv[k] == pytest.approx(true[called].mean())
        if not called.all():
            assert sweep.npv[k] == pytest.approx((~true)[~called].mean())


def test_a_stated_prevalence_moves_ppv() -> None:
    sweep = threshold_sweep(TRUTH, P, thresholds=np.array([0.35]), prevalence=0.1)
    assert sweep.ppv[0] == pytest.approx(0.1 / (0.1 + 0.9 * 0.5))


def test_net_benefit_equals_counting() -> None:
    y, p = drawn()
    found, n = net_benefit(y, p), len(y)
    for k, t in enumerate(found.thresholds):
        right, wrong = ((p >= t) & (y == 1)).sum(), ((p >= t) & (y == 0)).sum()
        assert found.model[k] == pytest.approx(right / n - wrong / n * t / (1 - t), abs=1e-9)
        assert found.treat_all[k] == pytest.approx(y.mean() - (1 - y.mean()) * t / (1 - t), abs=1e-9)
    assert not found.treat_none.any()


CUTS = (0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9)
DCURVES: dict[float | None, dict[str, list[float]]] = {
    None: {
        "model": [
            0.3982323232323232, 0.37543859649122807, 0.3490740740740741, 0.29999999999999993, 0.2595238095238095,
            0.17500000000000002, 0.10138888888888892, 0.09999999999999999,
        ],
        "treat_all": [
            0.40235690235690236, 0.37719298245614036, 0.34259259259259256, 0.26041666666666663, 0.1547619047619047,
            -0.18333333333333335, -0.972222222222222, -4.916666666666668,
        ],
    },
    0.05: {
        "model": [
            0.04171842018924514, 0.02502155791894223, 0.018150969307910964, 0.010599310146593849, 0.008235125035929866,
            0.008673469387755102, 0.004081632653061224, 0.001020408163265306,
        ],
        "treat_all": [
            0.04040404040404041, 0.0, -0.05555555555555555, -0.1875, -0.35714285714285715, -0.8999999999999999,
            -2.1666666666666665, -8.5,
        ],
    },
}  # fmt: skip
"""By prevalence, of dcurves 1.1.7 (the package of the method's authors) on the rows below. It brings pandas and
lifelines, so its numbers are kept here. They are the `net_benefit` of
`dca(data=DataFrame({"y": y, "p": p}), outcome="y", modelnames=["p"], thresholds=CUTS)`; the second with
`prevalence=0.05`, and p * r / (p * r + 1 - p) in place of p, with r = 5 / 95 * (1 - mean of y) / (mean of y)."""


@pytest.mark.parametrize("prevalence", DCURVES)
def test_net_benefit_is_that_of_dcurves(prevalence: float | None) -> None:
    k = np.arange(240)
    p = ((37 * k) % 241 + 0.5) / 241
    y = ((53 * k) % 97 / 97 < p**1.5).astype(float)
    found = net_benefit(y, p, thresholds=np.array(CUTS), prevalence=prevalence)
    for name, values in DCURVES[prevalence].items():
        assert getattr(found, name) == pytest.approx(values, abs=1e-9)
    assert not found.treat_none.any()


@pytest.mark.parametrize("curve", [roc, precision_recall, threshold_sweep, net_benefit])
def test_one_class_makes_no_curve(curve: object) -> None:
    with pytest.raises(FormatError, match="rows of both classes, got 3 positive rows of 3"):
        curve(np.ones(3), np.array([0.1, 0.2, 0.3]))  # type: ignore[operator]


def test_wrong_rows_are_refused() -> None:
    with pytest.raises(FormatError, match="one shape"):
        roc(np.ones(3), np.ones(2))
    with pytest.raises(FormatError, match="truth of 0 and 1"):
        roc(np.array([0, np.nan]), np.ones(2))
    with pytest.raises(FormatError, match=r"\[0, 1\)"):
        net_benefit(TRUTH, P, thresholds=np.array([1.0]))
