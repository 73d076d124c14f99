import json
from dataclasses import replace

import numpy as np
import pytest

from vicinal.decisions.meaning import alarm_rates, meaning
from vicinal.decisions.policy import Policy, fit_policy
from vicinal.decisions.proportions import wilson
from vicinal.errors import ExperimentError, FormatError, InfeasibleError
from vicinal.scoretable import ScoreTable


def table(truth: np.ndarray, p: np.ndarray, *, task: str = "binary", subjects: bool = True) -> ScoreTable:
    return ScoreTable(
        task=task,  # type: ignore[arg-type]
        classes=tuple("ABC"[: truth.shape[1]]),
        role="test",
        ids=np.arange(len(truth)).astype(str),
        truth=truth,
        logits=np.zeros(truth.shape),
        probabilities=p,
        subjects=np.arange(len(truth)).astype(str) if subjects else None,
    )


def policy(task: str = "binary", k: int = 1, **more: object) -> Policy:
    known = {"thresholds": (0.5,) * k, "refer": None} | more
    return Policy(
        task=task,  # type: ignore[arg-type]
        kind="threshold",
        aim="f1",
        classes=tuple("ABC"[:k]),
        role="calibration",
        n_rows=10,
        n_positive=(5,) * k,
        rows_prevalence=(0.5,) * k,
        **known,  # type: ignore[arg-type]
    )


def hundred() -> ScoreTable:
    """20 positives: 16 at 0.9, 3 at 0.55, 1 at 0.1; 80 negatives: 60 at 0.1, 12 at 0.55, 8 at 0.9."""
    truth = np.repeat([1.0, 0.0], [20, 80])
    p = np.repeat([0.9, 0.55, 0.1, 0.1, 0.55, 0.9], [16, 3, 1, 60, 12, 8])
    return table(truth[:, None], p[:, None])


def test_per_thousand_worked_by_hand() -> None:
    found = meaning(hundred(), policy(refer=((0.5, 0.6),)), prevalence=0.1).classes[0]
    assert found.found.value == pytest.approx(100 * 16 / 20)
    assert found.missed.value == pytest.approx(100 * 1 / 20)
    assert found.false_alarms.value == pytest.approx(900 * 8 / 80)
    assert found.referred.value == pytest.approx(100 * 3 / 20 + 900 * 12 / 80)
    assert found.ppv is not None
    assert found.ppv.value == pytest.approx(80 / (80 + 90))
    assert found.npv is not None
    assert found.npv.value == pytest.approx(675 / (675 + 5))


def test_intervals_come_from_the_shares() -> None:
    found = meaning(hundred(), policy(), prevalence=0.02).classes[0]
    share = wilson(np.arange(20) < 19, np.arange(20))
    assert (found.found.low, found.found.high) == pytest.approx((20 * share.low, 20 * share.high))
    alarms = wilson(np.arange(80) < 20, np.arange(80))
    assert found.ppv is not None
    low = 0.02 * share.low / (0.02 * share.low + 0.98 * alarms.high)
    assert found.ppv.low == pytest.approx(low)
    assert found.ppv.low < found.ppv.value < found.ppv.high


def test_the_rows_prevalence_stands_in_for_an_unstated_one() -> None:
    found = meaning(hundred(), policy()).classes[0]
    assert (found.prevalence, found.stated) == (0.2, False)
    assert meaning(hundred(), policy(prevalence=0.05)).classes[0].prevalence == 0.05


def test_the_sentence_says_it_all() -> None:
    sentence = meaning(hundred(), policy(refer=((0.5, 0.6),)), prevalence=0.1).sentence
    for part in (
        "Of 1,000 people, 100 have A (prevalence 0.1, stated): 80 (",
        "are found and 5 (",
        "are missed; of the 900 without it, 90 (",
        "get a false alarm.",
        "150 (",
        "are referred to a person.",
        "Of 100 alarms, 47 (",
        "from 20 recordings with A and 80 without, of 20 and 80 people.",
    ):
        assert part in sentence
    assert "unreliable" not in sentence


def test_few_subjects_and_unknown_subjects_are_said() -> None:
    few = table(
        np.array([[1.0], [1.0], [0.0], [0.0]]), np.array([[0.9], [0.1], [0.1], [0.9]]), subjects=False
    )
    found = meaning(few, policy())
    assert found.classes[0].unreliable
    assert "unreliable: fewer than 10" in found.sentence
    assert "assumes one recording per person" in found.sentence
    assert found.to_dict()["n_positive_subjects"] is None


@pytest.mark.parametrize(
    ("n_right", "n_false", "expected"),
    [(38, 4, False), (40, 38, True), (20, 20, True), (38, 30, True), (38, 20, False)],
)
def test_decisions_that_may_be_no_better_than_a_lot_are_said(
    n_right: int, n_false: int, expected: bool
) -> None:
    truth = np.repeat([1.0, 0.0], 40)[:, None]
    p = np.repeat([0.9, 0.1, 0.9, 0.1], [n_right, 40 - n_right, n_false, 40 - n_false])[:, None]
    found = meaning(table(truth, p), policy()).classes[0]
    assert found.may_be_chance == expected
    assert (found.sensitivity.low + found.specificity.low <= 1) == expected
    assert ("be no better than giving alarms by lot" in found.sentence) == expected


def test_rows_that_are_no_people_are_called_what_they_are() -> None:
    beats = replace(hundred(), subjects=np.repeat(["x", "y"], 50))
    sentence = meaning(beats, policy(refer=((0.5, 0.6),)), rows="beats").sentence
    assert "people" not in sentence
    for part in (
        "Of 1,000 beats, 200 are A (prevalence 0.2, that of the rows): 160 (",
        "of the 800 others, 80 (",
        "give a false alarm.",
        "Of 1,000 beats decided not to be A, 16 (",
        "are A after all.",
        "from 20 beats with A and 80 without, of 1 and 2 subjects.",
        "unreliable: fewer than 10 subjects of one kind.",
    ):
        assert part in sentence
    several = replace(hundred(), subjects=np.repeat(np.arange(50), 2).astype(str))
    found = meaning(several, policy(), prevalence=0.1)
    assert found.sentence.startswith("Of 1,000 recordings, 100 have A")
    assert "of 10 and 40 people." in found.sentence
    assert found.to_dict()["of"] == "recordings"
    assert meaning(hundred(), policy()).to_dict()["of"] == "people"
    images = meaning(table(hundred().truth, hundred().probabilities, subjects=False), policy(), rows="images")
    assert "(assumes one of each subject)" in images.sentence


def test_nobody_alarmed_leaves_ppv_open() -> None:
    quiet = meaning(hundred(), policy(thresholds=(1.0,)), prevalence=0.1)
    assert quiet.classes[0].ppv is None
    assert quiet.to_dict()["ppv"] is None
    assert "Of 100 alarms" not in quiet.sentence


def test_each_class_has_its_own_and_empty_ones_are_named() -> None:
    truth = np.array([[1.0, 0.0], [0.0, 0.0], [1.0, 0.0]])
    found = meaning(table(truth, truth, task="labels"), policy("labels", 2))
    assert [item.name for item in found.classes] == ["A"]
    assert found.left_out == ("B",)
    assert "Nothing can be said about B" in found.sentence
    assert set(found.to_dict()) == {"classes", "left_out", "rows", "sentence"}
    json.dumps(found.to_dict(), allow_nan=False)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(FormatError, match="does not fit scores of"):
        meaning(hundred(), policy("labels", 2))
    with pytest.raises(ExperimentError, match=r"prevalence 1.5"):
        meaning(hundred(), policy(), prevalence=1.5)
    with pytest.raises(InfeasibleError, match="A lacks one of them"):
        meaning(table(np.zeros((3, 1)), np.zeros((3, 1))), policy())


def test_alarms_are_counted_along_the_recordings_of_each_subject() -> None:
    # Two days of a, with three alarms, and one of b, with none; rows of one record lie apart.
    record = np.array(["a1"] * 24 + ["a2"] * 24 + ["b"] * 24)
    p = np.full(72, 0.1)
    p[[2, 3, 9, 30]] = 0.9
    p[[40, 60]] = 0.5  # two alarms more, which would be too many
    order = np.random.default_rng(0).permutation(72)
    rows = ScoreTable(
        task="binary", classes=("A",), role="test", ids=np.arange(72).astype(str), truth=np.full((72, 1), np.nan),
        logits=np.zeros((72, 1)), probabilities=p[order, None], subjects=np.char.array(record).astype("U1")[order],
        columns={"record": record[order], "position_s": np.tile(3600.0 * np.arange(24), 3)[order]},
    )  # fmt: skip
    policy = fit_policy(replace(rows, role="calibration"), aim="alarms <= 1 per day")
    (rate,) = alarm_rates(rows, policy.alarms(rows), resamples=500, seed=0).values()
    assert policy.thresholds == (0.9,)
    assert (rate["n"], rate["per_day"]) == (3, pytest.approx(1.0))
    assert rate["days"] == pytest.approx(3)
    assert rate["n_subjects"] == 2
    assert (rate["low"], rate["high"]) == (0, pytest.approx(1.5))  # all b, all a
    alone = rows.select(rows.subjects == "a")  # type: ignore[arg-type]
    (rate,) = alarm_rates(alone, policy.alarms(alone), resamples=500, seed=0).values()
    assert (rate["per_day"], rate["low"]) == (pytest.approx(1.5), None)
