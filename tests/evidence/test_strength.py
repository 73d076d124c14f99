import numpy as np
import pytest
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from vicinal.evidence.intervals import paired_auroc
from vicinal.evidence.strength import Level, against_strength
from vicinal.scoretable import ScoreTable


def scores(noise: float) -> ScoreTable:
    rng = np.random.default_rng(0)
    truth = np.tile([0.0, 1.0], 100)
    z = truth + 0.5 * rng.normal(size=200) + noise * np.random.default_rng(1).normal(size=200)
    return ScoreTable(
        task="binary",
        classes=("A",),
        role="test",
        ids=np.arange(200).astype(str),
        truth=truth[:, None],
        logits=z[:, None],
        probabilities=expit(z)[:, None],
    )


def test_each_strength_has_its_auroc_and_its_paired_change() -> None:
    whole, weak, strong = scores(0), scores(0.2), scores(3)
    levels = {"muscle": [Level(24, weak), Level(-6, strong.select(np.arange(20, 200)), 20, "too loud")]}
    found = against_strength(whole, levels, n_test_rows=999, resamples=200)["muscle"]
    assert (found["unit"], found["n_rows"], found["n_test_rows"]) == ("dB", 200, 999)
    assert found["undisturbed"]["value"] == pytest.approx(
        roc_auc_score(whole.truth[:, 0], whole.logits[:, 0])
    )
    first, second = found["points"]
    assert first["value"] == pytest.approx(roc_auc_score(weak.truth[:, 0], weak.logits[:, 0]))
    assert (first["refused"], second["refused"], second["n"], second["why"]) == (0, 20, 180, "too loud")
    same = whole.select(np.arange(20, 200))
    change = paired_auroc(strong.select(np.arange(20, 200)), same, resamples=200)
    assert [second["change"][key] for key in ("value", "low", "high")] == pytest.approx(
        [change.value, change.low, change.high]
    )
    assert second["change"]["clear"]
    assert second["change"]["high"] < 0


def test_a_strength_that_no_recording_survives_has_no_value() -> None:
    levels = {
        "rate": [Level(0.5, None, 200, "refused"), Level(0.9, scores(0.2))],
        "gain": [Level(4, None, 200, "no")],
    }
    found = against_strength(scores(0), levels, n_test_rows=200, resamples=100)
    gone, there = found["rate"]["points"]
    assert (gone["value"], gone["n"], gone["change"], gone["why"]) == (None, 0, None, "refused")
    assert there["value"] > 0.5
    assert found["gain"] == {"unit": "times", "left_out": "no"}
