import numpy as np
import pytest
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from vicinal.errors import FormatError
from vicinal.evidence.intervals import paired_auroc
from vicinal.evidence.learning_curve import Cohort, learning_curve
from vicinal.scoretable import ScoreTable


def scores(signal: float, *, ids: int = 0, seed: int = 3) -> ScoreTable:
    """Two rows of each of 100 subjects, better told apart the stronger the signal."""
    rng = np.random.default_rng(seed)
    truth = np.repeat(np.tile([0.0, 1.0], 50), 2)
    z = rng.normal(size=200) + signal * truth
    return ScoreTable(
        task="binary",
        classes=("A",),
        role="test",
        ids=np.arange(ids, ids + 200).astype(str),
        truth=truth[:, None],
        logits=z[:, None],
        probabilities=expit(z)[:, None],
        subjects=np.repeat(np.arange(100), 2).astype(str),
    )


def test_each_point_is_the_metric_of_its_table_and_the_gain_is_paired() -> None:
    small, large = scores(0.5), scores(2.0)
    found = learning_curve([Cohort(0.1, 10, 20, small), Cohort(1.0, 100, 200, large)], resamples=300)
    for point, table in zip(found["points"], (small, large), strict=True):
        assert point["value"] == pytest.approx(roc_auc_score(table.truth[:, 0], table.logits[:, 0]))
        assert point["low"] < point["value"] < point["high"]
        assert (point["n"], point["n_subjects"], point["n_positive_subjects"]) == (200, 100, 50)
    assert [point["train_subjects"] for point in found["points"]] == [10, 100]
    gain = paired_auroc(large, small, resamples=300)
    assert (found["gain"]["value"], found["gain"]["low"], found["gain"]["high"]) == pytest.approx(
        (gain.value, gain.low, gain.high)
    )
    assert "From 10 to 100 training subjects" in found["sentence"]
    assert "still rises" in found["sentence"]


def test_the_sentence_claims_no_more_than_the_interval() -> None:
    same = learning_curve(
        [Cohort(0.5, 50, 99, scores(1.0)), Cohort(1, 100, 200, scores(1.0, seed=4))], resamples=300
    )
    assert "holds 0" in same["sentence"]
    worse = learning_curve(
        [Cohort(0.5, 50, 99, scores(2.0)), Cohort(1, 100, 200, scores(0.5))], resamples=300
    )
    assert "made it worse" in worse["sentence"]
    alone = learning_curve([Cohort(1, 100, 200, scores(1.0))], resamples=100)
    assert (alone["gain"], alone["sentence"]) == (None, "")


def test_what_could_not_be_trained_is_named_and_passed_over() -> None:
    cohorts = [
        Cohort(0.01, 1, 2, left_out="no rows of A"),
        Cohort(0.5, 50, 99, scores(1.0)),
        Cohort(1, 100, 200, scores(1.2)),
    ]
    found = learning_curve(cohorts, unit="recordings", resamples=100)
    assert found["points"][0] == {
        "share": 0.01,
        "train_subjects": 1,
        "train_rows": 2,
        "left_out": "no rows of A",
    }
    assert "From 50 to 100 training recordings" in found["sentence"]


def test_other_test_rows_are_refused() -> None:
    with pytest.raises(FormatError, match="the same test rows"):
        learning_curve([Cohort(0.5, 50, 99, scores(1.0, ids=5)), Cohort(1, 100, 200, scores(1.0))])
