import json

import numpy as np
import pytest
from scipy.special import expit, stdtrit

from vicinal.decisions.meaning import meaning
from vicinal.decisions.policy import fit_policy
from vicinal.evidence.summary import remarks, summarise
from vicinal.scoretable import ScoreTable

ENTRY = {"value", "low", "high", "n", "n_subjects", "n_positive_subjects"}


def table(n: int = 300, *, subjects: bool = True, role: str = "test", share: float = 0.4) -> ScoreTable:
    rng = np.random.default_rng(0)
    y = (np.arange(n) < share * n).astype(float)
    z = 2 * y - 1 + rng.normal(0, 1.5, n)
    return ScoreTable(
        task="binary",
        classes=("A",),
        role=role,  # type: ignore[arg-type]
        ids=np.arange(n).astype(str),
        truth=y[:, None],
        logits=z[:, None],
        probabilities=expit(z)[:, None],
        subjects=(np.arange(n) // 2).astype(str) if subjects else None,
    )


def test_the_whole_of_evidence_json() -> None:
    policy = fit_policy(table(role="calibration"), aim="sensitivity >= 0.9", prevalence=0.05)
    rows = table()
    evidence = summarise(
        rows,
        decisions=policy.decide(rows.probabilities),
        policy=policy.to_dict(),
        meaning=meaning(rows, policy).to_dict(),
        protocol={"title": "a test"},
        resamples=200,
    )
    assert set(evidence) == {
        "metrics", "policy", "meaning", "protocol", "confusion", "errors",
    }  # fmt: skip
    assert json.loads(json.dumps(evidence, allow_nan=False)) == evidence
    for name, entry in evidence["metrics"].items():
        assert set(entry) == ENTRY, name
        assert entry["low"] <= entry["value"] <= entry["high"], name
    assert evidence["metrics"]["auroc"]["n"] == 300
    assert evidence["metrics"]["auroc"]["n_subjects"] == 150
    assert evidence["metrics"]["auroc"]["n_positive_subjects"] == 60
    assert evidence["metrics"]["sensitivity"]["n"] == 120
    assert evidence["protocol"] == {"title": "a test", "role": "test", "resamples": 200, "seed": 0}
    again = summarise(rows, decisions=policy.decide(rows.probabilities), resamples=200)
    assert again["metrics"] == evidence["metrics"]


def test_without_subjects_their_numbers_are_null() -> None:
    entry = summarise(table(subjects=False), resamples=50)["metrics"]["auroc"]
    assert (entry["n_subjects"], entry["n_positive_subjects"]) == (None, None)
    assert "unreliable" not in entry


def test_fewer_than_ten_positive_subjects_are_unreliable() -> None:
    assert summarise(table(90, share=0.2), resamples=50)["metrics"]["brier"]["unreliable"]  # 18 rows of 9
    assert "unreliable" not in summarise(table(100, share=0.2), resamples=50)["metrics"]["brier"]  # 20 of 10


def test_a_perfect_score_has_the_interval_of_subjects_that_all_agree() -> None:
    rows = table()
    perfect = ScoreTable(
        task="binary",
        classes=("A",),
        role="test",
        ids=rows.ids,
        truth=rows.truth,
        logits=rows.truth,
        probabilities=rows.truth,
    )
    metrics = summarise(perfect, resamples=50)["metrics"]
    t = stdtrit(119, 0.975)  # 120 positive rows, 180 negative ones
    assert metrics["auroc"]["value"] == metrics["auroc"]["high"] == 1
    assert metrics["auroc"]["low"] == pytest.approx(120 / (120 + t**2))
    assert metrics["brier"]["low"] == metrics["brier"]["high"] == 0
    assert metrics["brier"]["unreliable"]  # no width


def test_undefined_metrics_are_null_and_left_out_classes_are_named() -> None:
    rng = np.random.default_rng(1)
    z = rng.normal(size=(100, 2))
    truth = np.stack([z[:, 0] > rng.normal(size=100), np.zeros(100)], axis=1).astype(float)
    rows = ScoreTable(
        task="labels",
        classes=("A", "B"),
        role="test",
        ids=np.arange(100).astype(str),
        truth=truth,
        logits=z,
        probabilities=expit(z),
    )
    metrics = summarise(rows, resamples=50)["metrics"]
    assert metrics["auroc[B]"]["value"] is metrics["auroc[B]"]["low"] is None
    assert metrics["auroc"]["left_out"] == ["B"]
    assert metrics["auroc"]["value"] == pytest.approx(metrics["auroc[A]"]["value"])


def test_remarks_name_what_was_left_out_and_what_has_no_value() -> None:
    entry = {"value": 0.9, "low": 0.8, "high": 1.0}
    found = {
        "auroc": {**entry, "left_out": ["Q", "F"]},
        "brier": entry,
        "calibration_slope": {"value": None, "why": "parted"},
        "calibration_intercept": {"value": None, "why": "parted"},
    }
    assert remarks(found) == [
        "auroc: without Q, F, which the rows do not hold or do not lack.",
        "calibration_slope, calibration_intercept: parted.",
    ]
