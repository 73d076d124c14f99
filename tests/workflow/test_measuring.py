from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from vicinal.evidence.robustness import shifted
from vicinal.experiment import load_experiment
from vicinal.scores.score import score_pack
from vicinal.scoretable import ScoreTable
from vicinal.workflow.gathering import Gathered
from vicinal.workflow.measuring import (
    Measured,
    Measures,
    _concentration,
    _in_turn,
    measured,
    metrics_known,
    metrics_of,
)
from vicinal.workflow.running import Run
from vicinal.workflow.trial import gathered_for


@pytest.fixture(scope="module")
def gathered(experiment_file: Path) -> Gathered:
    return gathered_for(load_experiment(experiment_file)[0], None)


@pytest.fixture(scope="module")
def found(experiment_file: Path, finished: Run, gathered: Gathered) -> Measured:
    assert finished.model is not None
    calibration = score_pack(
        finished.model, gathered.pack, gathered.split.indices("calibration"), role="calibration"
    )
    asked = Measures(shifts=(0.05, 0.5), most_rows=20, n_explained=4, n_drawn=2)
    made = measured(asked, finished.model, gathered, calibration, load_experiment(experiment_file)[0])
    assert made is not None
    return made


def test_rows_are_moved_both_ways(found: Measured, finished: Run, gathered: Gathered) -> None:
    assert finished.model is not None
    assert found.rows.tolist() == sorted(
        set(found.rows.tolist()) & set(gathered.split.indices("test").tolist())
    )
    assert found.logits.shape == (2, 2, 20, 1)
    x, lengths = gathered.pack.rows(found.rows)
    scorer = finished.model.scorer()
    for k, n in enumerate((5, 50)):
        for way, sign in enumerate((1, -1)):
            np.testing.assert_array_equal(found.logits[k, way], scorer.logits(shifted(x, sign * n), lengths))
    assert (found.changed >= 0).all()
    assert (found.changed <= 1).all()
    assert found.per_second > 0


def test_the_same_signals_of_each_kind_are_explained(found: Measured, gathered: Gathered) -> None:
    assert gathered.pack.truth[found.explained, 0].tolist() == [1, 0, 1, 0]
    assert found.maps.shape == (2, 1, 100)
    assert np.abs(found.maps).max() > 0
    assert ((found.concentration >= 0.1) & (found.concentration <= 1)).all()


def test_concentration_by_hand() -> None:
    assert _concentration(np.ones(100)) == pytest.approx(0.1)
    assert _concentration(np.r_[np.zeros(95), -np.ones(5)]) == 1.0
    assert np.isnan(_concentration(np.zeros(100)))


def test_kinds_come_in_turn() -> None:
    assert _in_turn(np.array([[0.0], [0], [1], [0], [1]])).tolist() == [2, 0, 4, 1, 3]
    assert _in_turn(np.eye(3)[[2, 0, 0, 1]]).tolist() == [1, 3, 0, 2]


def test_nothing_asked_is_nothing_measured(finished: Run, gathered: Gathered, experiment_file: Path) -> None:
    assert finished.model is not None
    table = score_pack(
        finished.model, gathered.pack, gathered.split.indices("calibration"), role="calibration"
    )
    assert measured(Measures(), finished.model, gathered, table, load_experiment(experiment_file)[0]) is None


def test_every_metric_that_is_known_of_a_task_is_one_of_its_evidence(
    gathered: Gathered, finished: Run
) -> None:
    assert finished.model is not None
    table = score_pack(finished.model, gathered.pack, gathered.split.indices("test"), role="test")
    found = metrics_of(table, [*metrics_known("binary"), "no such metric"])
    assert found["auroc"] == pytest.approx(roc_auc_score(table.truth[:, 0], table.logits[:, 0]))
    assert not np.isnan(found["average_precision"])
    assert np.isnan(found["no such metric"])
    assert metrics_known("classes")[0] == "accuracy"
    rng = np.random.default_rng(0)
    p, truth = rng.dirichlet((1, 1, 1), 60), np.eye(3)[rng.integers(0, 3, 60)]
    three = ScoreTable(
        task="classes", classes=("a", "b", "c"), role="test", ids=np.arange(60).astype(str), truth=truth,
        logits=np.log(p), probabilities=p,
    )  # fmt: skip
    assert not np.isnan(list(metrics_of(three, metrics_known("classes")).values())).any()
