import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, log_expit, softmax

from vicinal.decisions.calibration import Calibration, fit_calibration, identity
from vicinal.errors import ExperimentError, FormatError, InfeasibleError, RoleError
from vicinal.scoretable import ScoreTable


def table(
    truth: np.ndarray, logits: np.ndarray, *, task: str = "binary", role: str = "validation"
) -> ScoreTable:
    truth, logits = np.atleast_2d(truth.T).T, np.atleast_2d(logits.T).T
    return ScoreTable(
        task=task,  # type: ignore[arg-type]
        classes=tuple("ABCDE"[: truth.shape[1]]),
        role=role,  # type: ignore[arg-type]
        ids=np.arange(len(truth)).astype(str),
        truth=truth,
        logits=logits,
        probabilities=expit(logits),
    )


def over_confident(n: int = 4000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    true_logits = rng.normal(0, 2, n)
    return (rng.random(n) < expit(true_logits)).astype(float), 3 * true_logits


def test_temperature_recovers_the_factor_by_which_logits_were_stretched() -> None:
    truth, logits = over_confident(40_000)
    found = fit_calibration(table(truth, logits), "temperature")
    assert found.parameters["temperature"][0] == pytest.approx(3, rel=0.05)


def test_temperature_is_where_the_log_loss_is_least_on_a_fine_grid() -> None:
    truth, logits = over_confident()

    def loss(t: float) -> float:
        return float(-np.mean(log_expit(np.where(truth == 1, logits, -logits) / t)))

    grid = np.exp(np.linspace(math.log(0.05), math.log(20), 801))
    best = grid[np.argmin([loss(t) for t in grid])]
    found = fit_calibration(table(truth, logits)).parameters["temperature"][0]
    assert found == pytest.approx(best, rel=1e-2)
    assert loss(found) <= min(loss(t) for t in grid) + 1e-12


def test_one_temperature_serves_all_exclusive_classes() -> None:
    rng = np.random.default_rng(1)
    true_logits = rng.normal(0, 1.5, (20_000, 3))
    drawn = (softmax(true_logits, axis=1).cumsum(axis=1) > rng.random((20_000, 1))).argmax(axis=1)
    found = fit_calibration(table(np.eye(3)[drawn], 0.5 * true_logits, task="classes"))
    assert found.kind == "temperature"
    assert found.parameters["temperature"][0] == pytest.approx(0.5, rel=0.05)


def test_platt_recovers_slope_and_intercept_of_each_class() -> None:
    rng = np.random.default_rng(2)
    logits = rng.normal(0, 2, (40_000, 2))
    truth = (rng.random(logits.shape) < expit(logits * [0.5, 2.0] + [1.0, -1.0])).astype(float)
    found = fit_calibration(table(truth, logits, task="labels"))
    assert found.kind == "platt"
    assert found.parameters["slope"] == pytest.approx((0.5, 2.0), rel=0.08)
    assert found.parameters["intercept"] == pytest.approx((1.0, -1.0), abs=0.1)


def test_platt_stays_finite_where_classes_are_separated_or_absent() -> None:
    logits = np.array([[-2.0, 1.0], [-1.0, 2.0], [1.0, 3.0], [2.0, 4.0]])
    truth = np.array([[0.0, 0.0], [0.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
    p = fit_calibration(table(truth, logits, task="labels")).apply(logits)
    assert ((p > 0) & (p < 1)).all()
    assert (p[:, 1] < 0.5).all()


@given(
    st.lists(st.floats(-50, 50), min_size=2, max_size=20),
    st.sampled_from(["none", "temperature", "platt", "isotonic"]),
)
def test_no_calibration_changes_a_ranking(values: list[float], kind: str) -> None:
    parameters = {
        "none": {},
        "temperature": {"temperature": (2.5,)},
        "platt": {"slope": (0.3,), "intercept": (1.0,)},
        "isotonic": {"logit[A]": (-3.0, 0.0, 2.0), "probability[A]": (0.1, 0.1, 0.7)},
    }
    logits = np.sort(values)[:, None]
    found = Calibration("binary", ("A",), kind, parameters[kind]).apply(logits)  # type: ignore[arg-type]
    assert (np.diff(found[:, 0]) >= 0).all()


def test_rows_of_unknown_truth_are_left_out() -> None:
    truth, logits = over_confident()
    with_unknown = fit_calibration(table(np.append(truth, np.nan), np.append(logits, 1e6)))
    assert with_unknown == fit_calibration(table(truth, logits))


@pytest.mark.parametrize("role", ["train", "test", "unlabelled"])
@pytest.mark.parametrize("kind", ["auto", "temperature", "platt", "isotonic"])
def test_rows_that_may_not_fit_are_refused(role: str, kind: str) -> None:
    with pytest.raises(RoleError, match="validation or calibration or out_of_fold"):
        fit_calibration(table(*over_confident(50), role=role), kind)


@pytest.mark.parametrize("role", ["validation", "calibration", "out_of_fold"])
def test_rows_that_may_fit_do(role: str) -> None:
    assert fit_calibration(table(*over_confident(50), role=role)).kind == "temperature"


def test_wrong_kinds_are_refused() -> None:
    with pytest.raises(ExperimentError, match="'isotone' is unknown, did you mean 'isotonic'"):
        fit_calibration(table(*over_confident(50)), "isotone")
    for kind in ("platt", "isotonic"):
        with pytest.raises(ExperimentError, match=f"{kind} .*share one softmax"):
            fit_calibration(table(np.eye(3), np.eye(3), task="classes"), kind)


def test_a_class_without_known_truth_is_named() -> None:
    truth = np.array([[0.0, np.nan], [1.0, np.nan]])
    for kind in ("platt", "isotonic"):
        with pytest.raises(InfeasibleError, match="B has none"):
            fit_calibration(table(truth, np.zeros((2, 2)), task="labels"), kind)


@given(st.lists(st.tuples(st.booleans(), st.integers(-4, 4)), min_size=1, max_size=25))
def test_isotonic_is_the_max_min_of_means(rows: list[tuple[bool, int]]) -> None:
    """The formula of Barlow et al. 1972: at the i-th value, max over j <= i of min over k >= i of mean(j..k)."""
    y, z = np.array([row[0] for row in rows], float), np.array([row[1] for row in rows], float)
    n_positive = y.sum()
    target = np.where(y == 1, (n_positive + 1) / (n_positive + 2), 1 / (len(y) - n_positive + 2))
    values = sorted(set(z))
    expected = [
        max(
            min(target[(z >= low) & (z <= high)].mean() for high in values if high >= at)
            for low in values
            if low <= at
        )
        for at in values
    ]
    found = fit_calibration(table(y, z), "isotonic")
    np.testing.assert_allclose(found.apply(np.array(values)[:, None])[:, 0], expected, atol=1e-12)
    # Level outside the knots, straight between them.
    np.testing.assert_array_equal(
        found.apply(np.array([[-99.0], [99.0]])), found.apply(np.array([[min(values)], [max(values)]]))
    )


def test_isotonic_recovers_a_curve_that_is_no_sigmoid() -> None:
    rng = np.random.default_rng(3)
    logits = rng.uniform(-3, 3, 40_000)

    def curve(z: np.ndarray) -> np.ndarray:
        return np.where(z < 0, 0.1, 0.6 + 0.1 * z)

    rows = table((rng.random(40_000) < curve(logits)).astype(float), logits)
    at = np.linspace(-2.5, 2.5, 41)
    at = at[np.abs(at) > 0.2]
    error = {
        kind: np.abs(fit_calibration(rows, kind).apply(at[:, None])[:, 0] - curve(at)).max()
        for kind in ("isotonic", "platt")
    }
    assert error["isotonic"] < 0.05 < error["platt"]


def test_rows_of_one_class_cannot_calibrate() -> None:
    with pytest.raises(InfeasibleError, match="at least two classes"):
        fit_calibration(table(np.ones(10), np.arange(10.0)))
    with pytest.raises(InfeasibleError, match="at least two classes"):
        fit_calibration(table(np.eye(3)[[0, 0, 0]], np.eye(3), task="classes"))


def test_identity_is_plain_sigmoid_or_softmax() -> None:
    logits = np.array([[0.0, 1.0], [2.0, -1.0]])
    np.testing.assert_allclose(identity("labels", ("A", "B")).apply(logits), expit(logits))
    np.testing.assert_allclose(identity("classes", ("A", "B")).apply(logits), softmax(logits, axis=1))


def test_logits_of_another_shape_are_refused() -> None:
    with pytest.raises(FormatError, match=r"\(n, 1\).*got \(3, 2\)"):
        identity("binary", ("A",)).apply(np.zeros((3, 2)))


@pytest.mark.parametrize(
    "found",
    [
        Calibration("binary", ("A",), "temperature", {"temperature": (0.1 + 0.2,)}),
        Calibration("labels", ("A", "B"), "platt", {"slope": (1.0, 2.0), "intercept": (-1.0, 0.3)}),
        identity("classes", ("A", "B", "C")),
        fit_calibration(table(*over_confident(500)), "isotonic"),
    ],
)
def test_calibrations_survive_json(found: Calibration) -> None:
    assert Calibration.from_dict(json.loads(json.dumps(found.to_dict()))) == found


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"parameters": {"temperature": [0.0]}}, "must be positive"),
        ({"parameters": {"temperature": [-1.0]}}, "must be positive"),
        ({"parameters": {"temperature": [math.nan]}}, "must be finite"),
        ({"parameters": {"temperature": [math.inf]}}, "must be finite"),
        ({"parameters": {"temperature": [1.0, 2.0]}}, "must have 1 numbers, got 2"),
        ({"parameters": {"temperature": ["1.0"]}}, "valid number"),
        ({"parameters": {"temperature": [True]}}, "valid number"),
        ({"parameters": {}}, "has parameters"),
        ({"parameters": None}, "parameters"),
        ({"kind": "magic"}, "kind"),
        ({"task": "guess"}, "task"),
        ({"classes": []}, "at least one"),
        ({"classes": ["A", "A"]}, "distinct"),
        ({"classes": "A"}, "classes"),
        ({"extra": 1}, "expected an object"),
    ],
)
def test_what_is_no_calibration_is_refused(change: dict[str, object], message: str) -> None:
    value = Calibration("binary", ("A",), "temperature", {"temperature": (1.0,)}).to_dict() | change
    with pytest.raises(FormatError, match=message):
        Calibration.from_dict(value)


@pytest.mark.parametrize(
    ("logits", "shares", "message"),
    [
        ((), (), "at least one, got 0 and 0"),
        ((0.0, 1.0), (0.5,), "got 2 and 1"),
        ((1.0, 0.0), (0.2, 0.5), r"logit\[A\] must rise"),
        ((0.0, 0.0), (0.2, 0.5), r"logit\[A\] must rise"),
        ((0.0, 1.0), (0.5, 0.2), r"probability\[A\] must lie above 0"),
        ((0.0, 1.0), (0.0, 0.2), r"probability\[A\] must lie above 0"),
        ((0.0, 1.0), (0.2, math.nan), "finite"),
    ],
)
def test_knots_that_are_no_curve_are_refused(logits: tuple, shares: tuple, message: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(FormatError, match=message):
        Calibration("binary", ("A",), "isotonic", {"logit[A]": logits, "probability[A]": shares})


def test_platt_slopes_must_rise() -> None:
    with pytest.raises(FormatError, match="slope must be positive"):
        Calibration("labels", ("A",), "platt", {"slope": (-1.0,), "intercept": (0.0,)})
    with pytest.raises(FormatError, match="expected an object"):
        Calibration.from_dict([])


@pytest.mark.parametrize("task", ["binary", "labels", "classes"])
@pytest.mark.parametrize("kind", ["none", "temperature", "platt", "isotonic"])
def test_probabilities_are_the_sigmoid_or_softmax_of_the_log_odds(task: str, kind: str) -> None:
    if task == "classes" and kind in ("platt", "isotonic"):
        return  # they map each class alone
    rng = np.random.default_rng(0)
    n_outputs = 1 if task == "binary" else 3
    logits = rng.normal(0, 3, (200, n_outputs))
    truth = (
        np.eye(3)[logits.argmax(axis=1)]
        if task == "classes"
        else (rng.random(logits.shape) < expit(logits)).astype(float)
    )
    found = fit_calibration(table(truth, logits, task=task), kind)
    odds = found.log_odds(logits)
    undone = softmax(odds, axis=1) if task == "classes" else expit(odds)
    np.testing.assert_allclose(undone, found.apply(logits), atol=1e-12)
    # Where probabilities can no longer be told from 1, log odds still can.
    far = np.array([[60.0] * n_outputs, [90.0] * n_outputs]) * np.array([1.0] + [-1.0] * (n_outputs - 1))
    if kind != "isotonic":
        assert (np.diff(found.log_odds(far)[:, 0]) > 0).all()
