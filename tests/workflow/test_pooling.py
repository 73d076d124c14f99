import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from vicinal.experiment import load_experiment
from vicinal.scoretable import ScoreTable
from vicinal.workflow.pooling import pooled, pooled_robustness
from vicinal.workflow.running import run


def test_disturbed_rows_of_all_folds_are_judged_together(experiment_file: Path, tmp_path: Path) -> None:
    overrides = [
        "inputs.split={folds = 2, validation = 0.2, calibration = 0.25}", "training.epochs=1",
        'evidence.robustness=["gain", "dropped"]',
    ]  # fmt: skip
    done = run(experiment_file, output=tmp_path / "run", overrides=overrides)
    found = done.evidence["robustness"]["gain"]
    folds = [done.folder / "folds" / str(fold) for fold in range(2)]
    own = [json.loads((fold / "evidence.json").read_text())["robustness"]["gain"] for fold in folds]
    assert found["n_rows"] == found["n_test_rows"] == 120
    assert found["undisturbed"] == done.evidence["metrics"]["auroc"]
    for k, point in enumerate(found["points"]):
        assert point["strength"] == own[0]["points"][k]["strength"]
        assert point["n"] == sum(one["points"][k]["n"] for one in own)
        assert point["refused"] == sum(one["points"][k]["refused"] for one in own)
    # The same by hand: the logits of one strength of both folds, one after the other.
    strength, truth, logits = found["points"][0]["strength"], [], []
    for fold in folds:
        table = ScoreTable.read(fold / "scores" / "disturbed.parquet")
        rows = (table.columns["disturbance"] == "gain") & (table.columns["strength"] == strength)
        truth.append(table.truth[rows, 0])
        logits.append(table.logits[rows, 0])
    expected = roc_auc_score(np.concatenate(truth), np.concatenate(logits))
    assert found["points"][0]["value"] == pytest.approx(expected)
    assert "left_out" in done.evidence["robustness"]["dropped"]  # there is one channel
    assert 'id="robustness"' in (done.folder / "report.html").read_text()


def test_nothing_is_pooled_that_nobody_asked_for(experiment_file: Path) -> None:
    assert pooled_robustness(load_experiment(experiment_file)[0], []) == {}


def test_rows_of_folds_are_one_table_of_no_single_model() -> None:
    def fold(k: int, subjects: list[str] | None) -> ScoreTable:
        return ScoreTable(
            task="binary", classes=("A",), role="test", ids=np.array([f"{k}-0", f"{k}-1"]), truth=np.eye(2)[:, :1],
            logits=np.full((2, 1), float(k)), probabilities=np.full((2, 1), 0.5),
            subjects=None if subjects is None else np.array(subjects), folds=np.full(2, k), model_hash="m",
        )  # fmt: skip

    found = pooled([fold(0, ["a", "b"]), fold(1, ["c", "d"])])
    assert (found.role, found.model_hash, found.n_subjects) == ("out_of_fold", "", 4)
    assert found.folds.tolist() == [0, 0, 1, 1]  # type: ignore[union-attr]
    assert found.logits[:, 0].tolist() == [0, 0, 1, 1]
    assert pooled([fold(0, ["a", "b"]), fold(1, None)]).subjects is None
