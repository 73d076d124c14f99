import json
from dataclasses import replace

import numpy as np
import pytest

from vicinal.decisions.aim import Aim
from vicinal.decisions.events import EventTimes, find_alarms, observed_days
from vicinal.decisions.exclusive import alarm_aims, decide_exclusive, spell_alarm_aims
from vicinal.decisions.policy import Policy, fit_policy
from vicinal.errors import ExperimentError, FormatError, InfeasibleError
from vicinal.scoretable import ScoreTable

CLASSES = ("N", "S", "V")
TRUTH = np.eye(3)[[0, 0, 0, 1, 2, 0]]


def beats(role: str = "calibration", *, n: int = 400, seed: int = 0) -> ScoreTable:
    """Beats of two records, one an hour, whose probabilities sum to 1."""
    rng = np.random.default_rng(seed)
    which = rng.choice(3, n, p=[0.8, 0.1, 0.1])
    logits = rng.normal(0, 1, (n, 3)) + 2.5 * np.eye(3)[which]
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    columns = {"record": np.repeat(["r", "s"], n // 2), "position_s": 3600.0 * np.tile(np.arange(n // 2), 2)}
    return ScoreTable(
        task="classes", classes=CLASSES, role=role, ids=np.arange(n).astype(str), truth=np.eye(3)[which],  # type: ignore[arg-type]
        logits=logits, probabilities=p, subjects=columns["record"], columns=columns, model_hash="m",
    )  # fmt: skip


def test_words_name_the_classes_that_alarm() -> None:
    aims = alarm_aims("S: alarms <= 5 per day; V: alarms <= 2 per day", classes=CLASSES, truth=TRUTH)
    assert aims == (None, Aim("daily", 5.0), Aim("daily", 2.0))
    assert alarm_aims(spell_alarm_aims(aims, CLASSES), classes=CLASSES, truth=TRUTH) == aims
    assert alarm_aims("V: alarms <= 2 per day", classes=CLASSES, truth=TRUTH)[:2] == (None, None)
    # Without a name it is each class but the one that most rows have.
    usual = alarm_aims("alarms <= 2 per day", classes=CLASSES, truth=TRUTH)
    assert spell_alarm_aims(usual, CLASSES) == "S: alarms <= 2 per day; V: alarms <= 2 per day"
    turned = alarm_aims("alarms <= 2 per day", classes=CLASSES, truth=TRUTH[:, ::-1])
    assert [aim is None for aim in turned] == [False, False, True]


def test_words_that_leave_nothing_over_are_refused() -> None:
    with pytest.raises(ExperimentError, match="every class alarms"):
        alarm_aims("; ".join(f"{one}: alarms <= 1 per day" for one in CLASSES), classes=CLASSES, truth=TRUTH)
    with pytest.raises(ExperimentError, match="'W' is no class"):
        alarm_aims("W: alarms <= 1 per day", classes=CLASSES, truth=TRUTH)
    with pytest.raises(ExperimentError, match="argmax is about all classes at once"):
        alarm_aims("V: argmax", classes=CLASSES, truth=TRUTH)
    with pytest.raises(InfeasibleError, match="no row says which that is"):
        alarm_aims("alarms <= 1 per day", classes=CLASSES, truth=np.full((4, 3), np.nan))


def test_the_most_probable_class_above_its_threshold_wins_else_the_most_probable_quiet_one() -> None:
    p = np.array([[0.7, 0.2, 0.1], [0.5, 0.3, 0.2], [0.2, 0.3, 0.5], [0.1, 0.8, 0.1], [0.0, 0.05, 0.95]])
    found = decide_exclusive(p, (None, 0.3, 0.4))
    assert found.argmax(axis=1).tolist() == [0, 1, 2, 1, 2]
    assert (found.sum(axis=1) == 1).all()
    # Below every threshold: the likelier of the two quiet ones, though the third is likelier than both.
    assert decide_exclusive(np.array([[0.3, 0.2, 0.5]]), (None, None, 0.9)).tolist() == [[1, 0, 0]]


def test_alarms_per_day_of_exclusive_classes_meet_their_limits() -> None:
    rows = beats()
    policy = fit_policy(rows, aim="S: alarms <= 1 per day; V: alarms <= 0.25 per day")
    assert (policy.kind, policy.events) == ("alarms", EventTimes())
    assert policy.thresholds[0] is None
    days = observed_days(rows.columns["record"], rows.columns["position_s"])
    for name, limit in (("S", 1.0), ("V", 0.25)):
        k, cut = CLASSES.index(name), policy.thresholds[CLASSES.index(name)]
        assert cut is not None
        assert 0 < len(policy.alarms(rows)[name]) <= limit * days
        # The next candidate below would alarm too often.
        lower = rows.probabilities[rows.probabilities[:, k] < cut, k].max()
        again = find_alarms(
            rows.columns["record"], rows.columns["position_s"], rows.probabilities[:, k], onset=lower,
            times=EventTimes(),
        )  # fmt: skip
        assert len(again) > limit * days
    assert set(policy.alarms(rows)) == {"S", "V"}
    decisions = policy.decide(rows.probabilities)
    over = rows.probabilities[:, 1:] >= np.array(policy.thresholds[1:], dtype=float)
    assert (decisions.argmax(axis=1) == 0).tolist() == (~over.any(axis=1)).tolist()
    assert Policy.from_dict(json.loads(json.dumps(policy.to_dict()))) == policy
    assert fit_policy(rows, aim=policy.aim) == policy


def test_what_alarms_of_exclusive_classes_cannot_have_is_refused() -> None:
    rows, aim = beats(), "V: alarms <= 1 per day"
    with pytest.raises(ExperimentError, match="no other but alarms per day; got 'f1'"):
        fit_policy(rows, aim="V: f1")
    with pytest.raises(ExperimentError, match=r"confidence guarantees.*several classes"):
        fit_policy(rows, aim=aim, confidence=0.9, prevalence=0.1)
    with pytest.raises(ExperimentError, match="a refer band lies around one threshold"):
        fit_policy(rows, aim=aim, refer={"share": 0.1})
    with pytest.raises(FormatError, match="record and position_s are not there"):
        fit_policy(replace(rows, columns={}), aim=aim)
    policy = fit_policy(rows, aim=aim)
    with pytest.raises(FormatError, match="a class without a threshold goes with alarms"):
        replace(policy, thresholds=(0.1, 0.2, 0.3))
    with pytest.raises(FormatError, match="have events and no refer band"):
        replace(policy, events=None)
    with pytest.raises(FormatError, match="goes with alarms of exclusive classes, and only"):
        replace(policy, task="labels", kind="threshold")
