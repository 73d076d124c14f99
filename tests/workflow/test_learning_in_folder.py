"""`vicinal train`: the same weights as the run, and no look at test rows."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from vicinal.cli.app import app
from vicinal.errors import ExperimentError
from vicinal.inputs.pack import Pack
from vicinal.inputs.splits import Split
from vicinal.scores.model import Model
from vicinal.workflow import learning, learning_in_folder
from vicinal.workflow.history import History
from vicinal.workflow.resuming import resume
from vicinal.workflow.run_folder import hidden_folder
from vicinal.workflow.running import Run, train


def test_it_leaves_the_weights_of_the_run_without_calibration_and_policy(
    experiment_file: Path, finished: Run, tmp_path: Path
) -> None:
    trained = train(experiment_file, output=tmp_path / "trained")
    model = Model.load(tmp_path / "trained" / "model.vicinal")
    assert finished.model is not None
    assert all(np.array_equal(model.weights[name], w) for name, w in finished.model.weights.items())
    assert model.policy is None
    assert model.provenance["split"] == finished.model.provenance["split"]
    assert {path.name for path in (tmp_path / "trained").iterdir()} == {
        "experiment.toml", "split.parquet", "history.jsonl", "last.safetensors", "model.vicinal",
    }  # fmt: skip
    last = (finished.folder / "last.safetensors").read_bytes()
    assert (tmp_path / "trained" / "last.safetensors").read_bytes() == last
    history = [json.loads(line) for line in (tmp_path / "trained" / "history.jsonl").read_text().splitlines()]
    best = next(one for one in history if one.get("epoch") == trained.evidence["best_epoch"])
    assert trained.evidence["validation"] == best["validation"]


def test_no_test_row_plays_a_part(
    experiment_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once the audit is over, which compares the signals of all parts."""
    seen: set[int] = set()
    rows, learn_in = Pack.rows, learning_in_folder.learn_in

    def noted(self: Pack, indices: np.ndarray) -> object:
        seen.update(int(one) for one in indices)
        return rows(self, indices)

    def begin(*arguments: object, **named: object) -> object:
        monkeypatch.setattr(Pack, "rows", noted)
        return learn_in(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(learning_in_folder, "learn_in", begin)
    trained = train(experiment_file, output=tmp_path / "trained")
    split = Split.read(tmp_path / "trained" / "split.parquet")
    assert set(split.indices("train")) <= seen
    assert not seen & {int(one) for part in ("test", "calibration") for one in split.indices(part)}
    assert trained.evidence["rows"]["test"] > 0


def test_an_interrupted_training_goes_on_to_its_end_and_not_to_a_report(
    experiment_file: Path, finished: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def impatient(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(learning_in_folder, "encode_weights", impatient)
        with pytest.raises(KeyboardInterrupt):
            train(experiment_file, output=tmp_path / "run")
    assert hidden_folder(tmp_path / "run").is_dir()
    made = resume(tmp_path / "run")
    assert "metrics" not in made.evidence
    assert not (tmp_path / "run" / "report.html").exists()
    last = (finished.folder / "last.safetensors").read_bytes()
    assert (tmp_path / "run" / "last.safetensors").read_bytes() == last


def test_the_command_tells_validation_and_that_no_test_row_was_scored(
    experiment_file: Path, tmp_path: Path
) -> None:
    command = ["train", str(experiment_file), "--output", str(tmp_path / "run"), "--set", "training.epochs=1"]
    told = CliRunner().invoke(app, command)
    assert told.exit_code == 0, told.output
    assert "Best epoch: 1, by auroc" in told.stdout
    assert "No test row was scored" in told.stdout
    assert f"model: {tmp_path / 'run' / 'model.vicinal'}" in told.stdout


def test_folds_are_refused(experiment_file: Path, tmp_path: Path) -> None:
    folds = "inputs.split={folds = 3, validation = 0.2, calibration = 0.25}"
    with pytest.raises(ExperimentError, match="expected one split to train on, got folds"):
        train(experiment_file, output=tmp_path / "run", overrides=[folds])


def test_every_record_goes_to_the_history_and_to_the_event_files(
    experiment_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("tensorboardX")
    seen = []
    monitor = learning.Monitor
    monkeypatch.setattr(learning, "Monitor", lambda sink: monitor(lambda one: (seen.append(one), sink(one))))
    train(experiment_file, output=tmp_path / "run", tensorboard=tmp_path / "tb")
    assert len((tmp_path / "run" / "history.jsonl").read_text().splitlines()) == len(seen)
    assert len(list((tmp_path / "tb" / "run").iterdir())) == 1


def test_a_clock_that_goes_back_a_day_changes_nothing(
    experiment_file: Path, finished: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, calls = time.time(), 0

    def back() -> float:
        nonlocal calls
        calls += 1
        return now - 86_400 * calls

    monkeypatch.setattr(time, "time", back)
    time.time()
    train(experiment_file, output=tmp_path / "run")
    last = (finished.folder / "last.safetensors").read_bytes()
    assert (tmp_path / "run" / "last.safetensors").read_bytes() == last


def test_rows_whose_files_are_removed_meanwhile_are_still_there(
    experiment_file: Path, finished: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Packs are mapped into memory: what is open stays until it is closed."""
    shutil.copytree(Path(os.environ["XDG_CACHE_HOME"]), tmp_path / "cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    add, n_added = History.add, 0

    def add_and_remove(self: History, record: dict[str, object]) -> None:
        nonlocal n_added
        add(self, record)
        n_added += 1
        if n_added == 6:
            shutil.rmtree(tmp_path / "cache")

    monkeypatch.setattr(History, "add", add_and_remove)
    train(experiment_file, output=tmp_path / "run")
    assert not (tmp_path / "cache").exists()
    last = (finished.folder / "last.safetensors").read_bytes()
    assert (tmp_path / "run" / "last.safetensors").read_bytes() == last


@pytest.mark.slow
def test_sixty_four_open_files_are_enough(experiment_file: Path, tmp_path: Path) -> None:
    program = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))\n"
        "sys.argv = ['vicinal', 'run', *sys.argv[1:]]\n"
        "from vicinal.cli.app import main; main()"
    )
    command = [sys.executable, "-c", program, str(experiment_file), "--output", str(tmp_path / "run")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "report.html").is_file()
