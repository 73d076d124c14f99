import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripts.write_dcurves import reference, rows
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


DCURVES = json.loads((Path(__file__).parent / "dcurves.json").read_text())
"""What dcurves, the package of the method's authors, says of the rows that `scripts/write_dcurves.py` makes. It brings
pandas, statsmodels and lifelines, so its numbers are kept; where it is installed they are made again."""


@pytest.mark.parametrize("kept", DCURVES["net_benefit"], ids=lambda one: f"prevalence {one['prevalence']}")
def test_net_benefit_is_that_of_dcurves(kept: dict[str, Any]) -> None:
    y, p = rows()
    found = net_benefit(y, p, thresholds=np.array(DCURVES["cuts"]), prevalence=kept["prevalence"])
    for name in ("model", "treat_all"):
        assert getattr(found, name) == pytest.approx(kept[name], abs=1e-9)
    assert not found.treat_none.any()


def test_the_kept_numbers_are_those_of_dcurves() -> None:
    pytest.importorskip("dcurves", reason="its numbers are kept; pip install dcurves makes them again")
    again = reference()
    assert again["cuts"] == DCURVES["cuts"]
    for now, kept in zip(again["net_benefit"], DCURVES["net_benefit"], strict=True):
        assert now["prevalence"] == kept["prevalence"]
        for name in ("model", "treat_all"):
            assert now[name] == pytest.approx(kept[name], abs=1e-12)


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
