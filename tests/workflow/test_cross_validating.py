import json
from pathlib import Path

import numpy as np
import pytest

from vicinal.inputs.folds import Folds
from vicinal.scores.model import Model
from vicinal.scoretable import ScoreTable
from vicinal.workflow.running import Run, run


def test_it_leaves_a_run_for_each_fold_and_one_table_on_top(crossed: Run) -> None:
    top = sorted(path.name for path in crossed.folder.iterdir())
    assert top == [
        "errors.safetensors",
        "evidence.json",
        "experiment.toml",
        "folds",
        "folds.parquet",
        "report.html",
        "report.md",
        "scores",
    ]
    assert sorted(path.name for path in (crossed.folder / "folds").iterdir()) == ["0", "1", "2"]
    assert [path.name for path in (crossed.folder / "scores").iterdir()] == ["out_of_fold.parquet"]
    assert crossed.model is None


def test_every_row_is_scored_and_decided_by_its_own_fold(crossed: Run) -> None:
    folds = Folds.read(crossed.folder / "folds.parquet")
    table = ScoreTable.read(crossed.folder / "scores" / "out_of_fold.parquet")
    assert (table.role, len(table)) == ("out_of_fold", 120)
    fold_of = dict(zip(folds.ids.tolist(), folds.folds.tolist(), strict=True))
    assert [fold_of[one] for one in table.ids.tolist()] == table.folds.tolist()  # type: ignore[union-attr]
    hits = []
    for fold in range(3):
        where = crossed.folder / "folds" / str(fold)
        rows = table.select(table.folds == fold)  # type: ignore[arg-type]
        own = ScoreTable.read(where / "scores" / "test.parquet")
        assert own.ids.tolist() == rows.ids.tolist()
        assert np.array_equal(own.probabilities, rows.probabilities)
        policy = Model.load(where / "model.vicinal").policy
        assert policy is not None
        hits.append(policy.decide(own.probabilities)[own.truth[:, 0] == 1, 0] == 1)
    assert crossed.evidence["metrics"]["sensitivity"]["value"] == pytest.approx(np.concatenate(hits).mean())
    found = crossed.evidence["meaning"]["found"]["value"]
    assert found == pytest.approx(100 * np.concatenate(hits).mean())


def test_the_evidence_says_what_it_is_about(crossed: Run) -> None:
    evidence = json.loads((crossed.folder / "evidence.json").read_text())
    assert evidence == crossed.evidence
    assert evidence["protocol"]["model"].startswith("none: the evidence is about the procedure")
    assert evidence["protocol"]["rows"] == {"fold 0": 40, "fold 1": 40, "fold 2": 40}
    assert evidence["protocol"]["split"] == "3 folds"
    assert evidence["metrics"]["auroc"]["n"] == 120
    page = (crossed.folder / "report.html").read_text()
    assert "none: the evidence is about the procedure" in page
    assert "Vicinal · report of a cross-validation" in page


def test_one_fold_alone_is_an_ordinary_run_and_the_same(
    crossed: Run, experiment_file: Path, tmp_path: Path
) -> None:
    overrides = [
        "inputs.split={folds = 3, validation = 0.2, calibration = 0.25, fold = 1}", "training.epochs=2",
    ]  # fmt: skip
    alone = run(experiment_file, output=tmp_path / "alone", overrides=overrides)
    assert alone.model is not None
    assert alone.model.hash == Model.load(crossed.folder / "folds" / "1" / "model.vicinal").hash
