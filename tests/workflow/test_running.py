import json
from pathlib import Path

import numpy as np
import pytest

from vicinal.errors import ExperimentError, NetworkError, PathError
from vicinal.inputs.splits import Split
from vicinal.scores.model import Model
from vicinal.scores.weights import decode_weights
from vicinal.scoretable import ScoreTable
from vicinal.terminal import Terminal
from vicinal.workflow.running import Run, run


def test_a_run_leaves_the_whole_folder(finished: Run) -> None:
    left = sorted(
        str(path.relative_to(finished.folder)) for path in finished.folder.rglob("*") if path.is_file()
    )
    assert left == [
        "errors.safetensors", "evidence.json", "experiment.toml", "history.jsonl", "last.safetensors",
        "model.vicinal", "report.html", "report.md",
        "scores/calibration.parquet", "scores/test.parquet", "scores/validation.parquet", "split.parquet",
    ]  # fmt: skip


def test_every_part_names_the_same_model_and_split(finished: Run) -> None:
    model = Model.load(finished.folder / "model.vicinal")
    split = Split.read(finished.folder / "split.parquet")
    assert model.policy is not None
    assert model.policy.model_hash == model.hash
    for role in ("validation", "calibration", "test"):
        table = ScoreTable.read(finished.folder / "scores" / f"{role}.parquet")
        assert table.role == role
        assert (table.model_hash, table.split_hash) == (model.hash, split.hash)
        assert sorted(table.ids) == sorted(split.ids[split.indices(role)])  # type: ignore[arg-type]


def test_parts_share_no_subject(finished: Run) -> None:
    tables = [ScoreTable.read(path) for path in sorted((finished.folder / "scores").iterdir())]
    subjects = [set(table.subjects.tolist()) for table in tables if table.subjects is not None]
    assert len(subjects) == 3
    assert not subjects[0] & subjects[1] | subjects[1] & subjects[2] | subjects[0] & subjects[2]


def test_evidence_is_about_test_rows_and_says_how_it_was_made(finished: Run) -> None:
    evidence = json.loads((finished.folder / "evidence.json").read_text())
    assert evidence == finished.evidence
    test = ScoreTable.read(finished.folder / "scores" / "test.parquet")
    auroc = evidence["metrics"]["auroc"]
    assert auroc["n"] == len(test)
    assert auroc["n_subjects"] == test.n_subjects
    assert auroc["low"] <= auroc["value"] <= auroc["high"]
    assert evidence["protocol"]["n_steps"] > 0
    assert evidence["protocol"]["rows"]["test"] == len(test)
    assert evidence["policy"]["role"] == "calibration"
    assert evidence["meaning"]["prevalence"] == 0.1
    assert str(finished.folder) not in json.dumps(evidence)


def test_the_threshold_meets_its_aim_on_the_rows_it_was_fitted_on(finished: Run) -> None:
    table = ScoreTable.read(finished.folder / "scores" / "calibration.parquet")
    policy = finished.model.policy
    assert policy is not None
    positive = table.truth[:, 0] == 1
    assert (policy.decide(table.probabilities)[positive, 0] == 1).mean() >= 0.8


def test_history_has_every_step_and_epoch(finished: Run) -> None:
    records = [json.loads(line) for line in (finished.folder / "history.jsonl").read_text().splitlines()]
    assert sum(record["kind"] == "step" for record in records) == finished.evidence["protocol"]["n_steps"]
    assert sum(record["kind"] == "epoch" for record in records) == 3


def test_the_same_seed_gives_the_same_model(finished: Run, experiment_file: Path, tmp_path: Path) -> None:
    again = run(experiment_file, output=tmp_path / "again")
    assert again.model.hash == finished.model.hash
    other = run(experiment_file, output=tmp_path / "other", overrides=["seed=1"])
    assert other.model.hash != finished.model.hash
    assert other.evidence["protocol"]["split_hash"] == finished.evidence["protocol"]["split_hash"]


def test_a_full_folder_is_never_written_into(finished: Run, experiment_file: Path) -> None:
    with pytest.raises(PathError, match="is not an empty folder"):
        run(experiment_file, output=finished.folder)


def test_a_default_folder_is_numbered(
    experiment_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "hearts").mkdir(parents=True)
    (tmp_path / "runs" / "hearts" / "x").write_text("")
    done = run(experiment_file, overrides=["training.epochs=1"])
    assert done.folder == Path("runs/hearts-2")


def test_what_is_wrong_is_found_before_anything_is_made(experiment_file: Path, tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match=r"'windw': unknown key, did you mean 'window'"):
        run(
            experiment_file,
            output=tmp_path / "a",
            overrides=["representations.network=conv 4 windw 5 | mean"],
        )
    with pytest.raises(ExperimentError, match=r"synthtic.*did you mean 'synthetic'"):
        run(experiment_file, output=tmp_path / "b", overrides=["inputs.dataset=synthtic"])
    with pytest.raises(ExperimentError, match="lesion"):
        run(experiment_file, output=tmp_path / "c", overrides=['inputs.positive=["lesion"]'])
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_before_any_checkpoint_leaves_nothing(
    experiment_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("vicinal.workflow.learning_in_folder.learn_split", interrupted)
    with pytest.raises(KeyboardInterrupt, match=r"^$"):
        run(experiment_file, output=tmp_path / "stopped", overrides=["training.epochs=1"])
    assert list(tmp_path.iterdir()) == []


def test_no_path_of_this_machine_is_written(finished: Run) -> None:
    for name in ("evidence.json", "report.html"):
        assert str(finished.folder.parent.parent) not in (finished.folder / name).read_text()
    assert str(finished.folder.parent.parent) not in finished.model.card


def test_an_aim_that_makes_no_sense_is_refused_before_training(experiment_file: Path, tmp_path: Path) -> None:
    for aim in ("sensitivty >= 0.9", "argmax"):
        with pytest.raises(ExperimentError, match="aim"):
            run(experiment_file, output=tmp_path / "a", overrides=[f"decisions.aim={aim}"])
    assert list(tmp_path.iterdir()) == []


def test_several_seeds_share_one_pack(finished: Run, experiment_file: Path, tmp_path: Path) -> None:
    other = run(experiment_file, output=tmp_path / "other", overrides=["seed=3", "training.epochs=1"])
    assert other.evidence["protocol"]["pack_hash"] == finished.evidence["protocol"]["pack_hash"]
    assert np.isfinite(other.evidence["metrics"]["auroc"]["value"])


def test_early_stopping_is_told_and_both_weights_are_kept(
    experiment_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # A learning rate of nearly nothing: no validation is better than the first by more than chance.
    overrides = ["training.epochs=40", "training.patience=2", "training.learning_rate=1e-9"]
    made = run(experiment_file, output=tmp_path / "run", overrides=overrides, show=Terminal())
    protocol = made.evidence["protocol"]
    records = [json.loads(line) for line in (tmp_path / "run" / "history.jsonl").read_text().splitlines()]
    n_epochs = sum(record["kind"] == "epoch" for record in records)
    assert n_epochs == protocol["best_epoch"] + 2 < 40
    assert protocol["n_steps"] == protocol["n_planned_steps"] * n_epochs // 40
    assert records[-1]["stopped_early"]
    assert f"stopped after epoch {n_epochs}" in " ".join(capsys.readouterr().err.split())
    assert f"stopped after epoch {n_epochs}" in (tmp_path / "run" / "report.html").read_text()
    last = decode_weights((tmp_path / "run" / "last.safetensors").read_bytes())
    best = made.model.weights
    assert {name: value.shape for name, value in last.items()} == {
        name: value.shape for name, value in best.items()
    }
    assert any((last[name] != best[name]).any() for name in last)
