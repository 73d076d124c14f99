import json
import math
from dataclasses import replace

import numpy as np
import pytest

from vicinal.decisions.events import EventTimes
from vicinal.decisions.policy import Policy, fit_policy
from vicinal.errors import ExperimentError, FormatError, InfeasibleError, RoleError
from vicinal.scoretable import ScoreTable

TRUTH = np.array([0, 0, 1, 0, 0, 1, 1, 0, 1, 1])
P = np.array([0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])


def table(
    truth: np.ndarray = TRUTH,
    p: np.ndarray = P,
    *,
    task: str = "binary",
    role: str = "calibration",
    subjects: np.ndarray | None = None,
) -> ScoreTable:
    truth, p = np.atleast_2d(truth.T).T, np.atleast_2d(p.T).T
    return ScoreTable(
        task=task,  # type: ignore[arg-type]
        classes=tuple("ABCDE"[: truth.shape[1]]),
        role=role,  # type: ignore[arg-type]
        ids=np.arange(len(truth)).astype(str),
        truth=truth,
        logits=np.zeros(truth.shape),
        probabilities=p,
        subjects=subjects,
        model_hash="m",
    )


def test_a_tie_at_the_threshold_is_positive() -> None:
    truth, p = np.array([0, 1, 1, 0, 1, 0]), np.array([0.2, 0.5, 0.5, 0.5, 0.9, 0.1])
    policy = fit_policy(table(truth, p), aim="sensitivity >= 0.5")
    assert policy.thresholds == (0.5,)  # 0.9 finds 1 of 3; at 0.5 the tied rows come together
    assert policy.decide(p[:, None])[:, 0].tolist() == [0, 1, 1, 1, 1, 0]


def test_the_prevalence_of_the_field_reaches_the_threshold() -> None:
    # PPV at 0.5 is 0.8 * q / (0.8 * q + 0.2 * (1 - q)): 0.308 at q = 0.1, and one half when all are positive.
    assert fit_policy(table(), aim="ppv >= 0.31").thresholds == (0.05,)
    assert fit_policy(table(), aim="ppv >= 0.31", prevalence=0.1).thresholds == (0.8,)


def test_labels_have_a_threshold_for_each_class_and_name_those_that_cannot() -> None:
    truth, p = np.stack([TRUTH, 1 - TRUTH], axis=1), np.stack([P, 1 - P], axis=1)
    assert fit_policy(table(truth, p, task="labels"), aim="sensitivity >= 0.8").thresholds == (0.5, 0.6)
    empty = table(
        np.stack([TRUTH, np.zeros(10), np.full(10, np.nan)], axis=1), np.stack([P] * 3, axis=1), task="labels"
    )
    with pytest.raises(InfeasibleError, match=r"(?s)^B: .*got 0 and 10.*C: .*got 0 and 0"):
        fit_policy(empty, aim="sensitivity >= 0.8")


def test_each_label_may_have_its_own_aim() -> None:
    truth, p = np.stack([TRUTH, 1 - TRUTH], axis=1), np.stack([P, 1 - P], axis=1)
    policy = fit_policy(table(truth, p, task="labels"), aim="B: specificity >= 0.81; A: sensitivity >= 0.81")
    alone = [
        fit_policy(table(truth[:, k], p[:, k]), aim=aim).thresholds[0]
        for k, aim in enumerate(("sensitivity >= 0.81", "specificity >= 0.81"))
    ]
    assert list(policy.thresholds) == alone
    assert policy.aim == "B: specificity >= 0.81; A: sensitivity >= 0.81"
    with pytest.raises(ExperimentError, match="not 'f1'; leave it out"):
        fit_policy(table(truth, p, task="labels"), aim="A: f1; B: sensitivity >= 0.5", confidence=0.6)


def test_a_risk_limit_refers_until_the_rest_is_right_often_enough() -> None:
    p = np.array([0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.82, 0.9])
    # Wrong at the threshold of 0.5: 0.2 (a miss) and 0.7 (a false alarm), 2 of 10.
    assert fit_policy(table(TRUTH, p), aim="f1", refer={"risk": 0.2}).refer == (None,)
    policy = fit_policy(table(TRUTH, p), aim="f1", refer={"risk": 0.15})
    # Without 0.3 to 0.7 one of the five others is wrong, which is too many.
    assert policy.decide(p[:, None])[:, 0].tolist() == [0, 0, -1, -1, -1, -1, -1, -1, 1, 1]
    labels = table(np.stack([TRUTH, TRUTH], 1), np.stack([P, np.full(10, 0.5)], 1), task="labels")
    with pytest.raises(InfeasibleError, match=r"^B: no refer band leaves at most 0.1 .*nearest leaves 0.5"):
        fit_policy(labels, aim="f1", refer={"risk": 0.1})


def test_a_risk_of_exclusive_classes_is_that_of_the_class_decided() -> None:
    p = np.array([[0.8, 0.1, 0.1], [0.5, 0.3, 0.2], [0.1, 0.6, 0.3], [0.4, 0.3, 0.3]])
    truth = np.eye(3)[[0, 1, 1, 0]]
    policy = fit_policy(table(truth, p, task="classes"), aim="argmax", refer={"risk": 0.1})
    assert policy.decide(p).tolist() == [[1, 0, 0], [-1, -1, -1], [0, 1, 0], [-1, -1, -1]]


def test_exclusive_classes_are_decided_by_the_largest_probability() -> None:
    p = np.array([[0.2, 0.5, 0.3], [0.4, 0.4, 0.2], [0.1, 0.1, 0.8]])
    policy = fit_policy(table(np.eye(3), p, task="classes"), aim="argmax")
    assert policy.kind == "argmax"
    assert policy.decide(p).tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 1]]
    referring = fit_policy(table(np.eye(3), p, task="classes"), aim="argmax", refer={"share": 0.34})
    assert referring.decide(p).tolist() == [[0, 1, 0], [-1, -1, -1], [0, 0, 1]]
    assert referring.decide(np.array([[np.nan, 0.5, 0.5]])).tolist() == [[-1, -1, -1]]


def test_a_refer_share_refers_the_rows_nearest_to_the_threshold() -> None:
    policy = fit_policy(table(), aim="sensitivity >= 0.8", refer={"share": 0.3})
    assert policy.decide(P[:, None])[:, 0].tolist() == [0, 0, 0, 0, -1, -1, -1, 1, 1, 1]
    assert fit_policy(table(), aim="sensitivity >= 0.8", refer={"share": 0.05}).refer == (None,)


def test_an_explicit_band_is_half_open() -> None:
    policy = fit_policy(table(), aim="sensitivity >= 0.8", refer=(0.3, 0.8))
    assert policy.decide(P[:, None])[:, 0].tolist() == [0, 0, 0, -1, -1, -1, -1, -1, 1, 1]


def test_nan_is_referred_and_never_called_negative() -> None:
    policy = fit_policy(table(), aim="f1")
    assert policy.decide(np.array([[np.nan], [0.0]]))[:, 0].tolist() == [-1, 0]


def test_probabilities_of_another_shape_or_range_are_refused() -> None:
    policy = fit_policy(table(), aim="f1")
    with pytest.raises(FormatError, match=r"must be \(n, 1\)"):
        policy.decide(np.zeros((2, 2)))
    with pytest.raises(FormatError, match="were these logits"):
        policy.decide(np.array([[2.0]]))
    assert policy.decide(np.zeros((0, 1))).shape == (0, 1)


@pytest.mark.parametrize("role", ["train", "test", "unlabelled"])
def test_rows_that_may_not_fit_are_refused(role: str) -> None:
    with pytest.raises(RoleError, match="fitting a policy"):
        fit_policy(table(role=role), aim="f1")


@pytest.mark.parametrize("role", ["train", "test", "unlabelled", "validation", "out_of_fold"])
def test_a_guarantee_takes_calibration_rows_only(role: str) -> None:
    with pytest.raises(RoleError, match="with a guarantee needs rows of role calibration, got"):
        fit_policy(table(role=role), aim="sensitivity >= 0.5", confidence=0.5)


def test_a_guarantee_is_stricter_than_the_quantile_and_says_what_it_rests_on() -> None:
    rng = np.random.default_rng(0)
    truth = np.repeat([0.0, 1.0], 200)
    p = np.clip(rng.normal(0.3 + 0.4 * truth, 0.15), 0, 1)
    rows = table(truth, p, subjects=np.arange(400).astype(str))
    plain, sure = (fit_policy(rows, aim="sensitivity >= 0.95", confidence=c) for c in (None, 0.9))
    assert sure.thresholds < plain.thresholds
    assert (sure.guaranteed, sure.confidence, sure.n_guarantee) == (True, 0.9, (200,))
    assert (plain.guaranteed, plain.n_guarantee) == (False, None)
    assert sure.n_positive_subjects == (200,)


def test_too_few_positives_for_a_guarantee() -> None:
    with pytest.raises(
        InfeasibleError, match=r"A: sensitivity >= 0.95 with confidence 0.9.*45 positive.*40 more"
    ):
        fit_policy(table(), aim="sensitivity >= 0.95", confidence=0.9)


def test_arguments_that_do_not_fit_are_all_named() -> None:
    with pytest.raises(ExperimentError, match=r"'argmax'.*confidence guarantees.*prevalence must"):
        fit_policy(table(), aim="argmax", confidence=0.9, prevalence=1.0)
    with pytest.raises(ExperimentError, match="'argmax' is for tasks with exclusive classes"):
        fit_policy(table(np.eye(3), np.eye(3), task="classes"), aim="f1")
    with pytest.raises(ExperimentError, match="several classes"):
        fit_policy(table(np.eye(3), np.eye(3), task="labels"), aim="f1", prevalence=0.1)


def along_a_day(p: np.ndarray, role: str = "calibration") -> ScoreTable:
    """One row an hour."""
    where = {"record": np.full(len(p), "r"), "position_s": 3600.0 * np.arange(len(p))}
    return replace(table(np.zeros(len(p)), p, role=role), columns=where)


def test_alarms_per_day_are_counted_on_events() -> None:
    p = np.full(24, 0.1)
    p[[2, 3, 4, 10, 11, 20]] = 0.9, 0.8, 0.9, 0.7, 0.6, 0.5  # three stretches in a day
    policy = fit_policy(along_a_day(p), aim="alarms <= 2 per day")
    assert policy.thresholds == (0.6,)
    assert policy.events == EventTimes()
    found = policy.alarms(along_a_day(p, "test"))["A"]
    assert (found.start_s / 3600).tolist() == [2, 10]
    merged = fit_policy(along_a_day(p), aim="alarms <= 1 per day", events=EventTimes(merge_s=6 * 3600))
    assert merged.thresholds == (0.6,)
    assert Policy.from_dict(json.loads(json.dumps(merged.to_dict()))) == merged
    assert "events" not in fit_policy(table(), aim="f1").to_dict()


def test_events_that_do_not_fit_are_refused() -> None:
    with pytest.raises(FormatError, match="record and position_s are not there"):
        fit_policy(table(), aim="alarms <= 2 per day")
    wrong = replace(table(), columns={"record": np.full(10, "r"), "position_s": np.full(10, "soon")})
    with pytest.raises(FormatError, match="position_s must be seconds"):
        fit_policy(wrong, aim="alarms <= 2 per day")
    with pytest.raises(ExperimentError, match="which 'argmax' does not have"):
        fit_policy(table(np.eye(3), np.eye(3), task="classes"), aim="argmax", events=EventTimes())
    with pytest.raises(ExperimentError, match="decides rows, not events"):
        fit_policy(table(), aim="f1").alarms(along_a_day(P))
    with pytest.raises(InfeasibleError, match=r"^A: no threshold gives at most 0.5 alarms per day"):
        fit_policy(along_a_day(np.tile([0.1, 0.9], 12)), aim="alarms <= 0.5 per day")


def test_policies_survive_json() -> None:
    rows = table(
        np.stack([TRUTH, 1 - TRUTH], 1),
        np.stack([P, 1 - P], 1),
        task="labels",
        subjects=np.arange(10).astype(str),
    )
    for policy in (
        fit_policy(rows, aim="f1", refer={"share": 0.2}),
        fit_policy(table(), aim="cost miss=50 alarm=1", prevalence=0.02, refer={"share": 0.01}),
        fit_policy(table(np.eye(3), np.eye(3), task="classes"), aim="argmax"),
        fit_policy(table(), aim="sensitivity >= 0.5", confidence=0.6),
    ):
        assert Policy.from_dict(json.loads(json.dumps(policy.to_dict()))) == policy
        assert policy.model_hash == "m"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"thresholds": [math.nan]}, "thresholds must lie in 0 to 1"),
        ({"thresholds": [1.5]}, "thresholds must lie in 0 to 1"),
        ({"thresholds": ["0.5"]}, "valid number"),
        ({"thresholds": []}, "thresholds must have 1 entries"),
        ({"refer": [[0.9, 0.1]]}, "low < high"),
        ({"refer": [[0.1, 0.2, 0.3]]}, "refer"),
        ({"role": "test"}, "role"),
        ({"kind": "argmax"}, "does not fit task"),
        ({"prevalence": 2.0}, "prevalence must lie"),
        ({"guaranteed": True}, "belong together"),
        ({"n_positive": [1, 2]}, "n_positive must have 1 entries"),
        ({"classes": []}, "at least one"),
        ({"seed": "0"}, "seed"),
        ({"more": 1}, "expected an object"),
    ],
)
def test_what_is_no_policy_is_refused(change: dict[str, object], message: str) -> None:
    value = fit_policy(table(), aim="f1").to_dict() | change
    with pytest.raises(FormatError, match=message):
        Policy.from_dict(value)


def test_the_fields_prevalence_moves_probabilities_and_no_decision() -> None:
    rng = np.random.default_rng(0)
    truth = (rng.random((400, 1)) < 0.3).astype(float)
    p = np.clip(0.3 + 0.3 * (truth - 0.3) + rng.normal(0, 0.1, truth.shape), 0, 1)
    table = ScoreTable(
        task="binary", classes=("A",), role="calibration", ids=np.arange(400).astype(str), truth=truth,
        logits=np.zeros((400, 1)), probabilities=p,
    )  # fmt: skip
    policy = fit_policy(table, aim="sensitivity >= 0.9", prevalence=0.02, refer={"share": 0.1})
    moved = policy.in_the_field(p)
    assert moved is not None
    q = truth.mean()
    odds = p / (1 - p) * (0.02 / 0.98) / (q / (1 - q))
    np.testing.assert_allclose(moved, odds / (1 + odds), rtol=1e-12)
    cut = policy.in_the_field(np.array([policy.thresholds]))
    assert cut is not None
    assert policy.refer is not None
    (low, high) = policy.refer[0]
    edges = policy.in_the_field(np.array([[low], [high]]))
    assert edges is not None
    inside = (moved >= edges[0]) & (moved < edges[1])
    np.testing.assert_array_equal(policy.decide(p), np.where(inside, -1, moved >= cut[0, 0]))
    assert fit_policy(table, aim="f1").in_the_field(p) is None


def test_certainty_stays_certain_in_any_field() -> None:
    table = ScoreTable(
        task="binary", classes=("A",), role="calibration", ids=np.array(["a", "b"]), truth=np.array([[1.0], [0.0]]),
        logits=np.zeros((2, 1)), probabilities=np.array([[0.9], [0.1]]),
    )  # fmt: skip
    moved = fit_policy(table, aim="f1", prevalence=0.02).in_the_field(np.array([[0.0], [1.0]]))
    assert moved is not None
    assert moved.tolist() == [[0.0], [1.0]]
