"""A run that was interrupted, by whatever, ends as one that never was."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from vicinal.cli import app as command_line
from vicinal.errors import ExperimentError, PathError
from vicinal.scores.model import Model
from vicinal.terminal import Terminal
from vicinal.training import checkpoint
from vicinal.workflow import cross_validating, learning_in_folder, running
from vicinal.workflow.history import History
from vicinal.workflow.resuming import resume
from vicinal.workflow.run_folder import hidden_folder
from vicinal.workflow.running import Run, run

TIMES = {"seconds", "rows_per_s"}


def history_of(folder: Path) -> list[dict[str, Any]]:
    records = [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]
    return [{name: value for name, value in record.items() if name not in TIMES} for record in records]


def metrics_of(folder: Path) -> Any:
    return json.loads((folder / "evidence.json").read_text())["metrics"]


def assert_as_if_never_stopped(made: Path, whole: Path) -> None:
    assert history_of(made) == history_of(whole)
    assert metrics_of(made) == metrics_of(whole)
    for path in (whole / "scores").iterdir():
        assert (made / "scores" / path.name).read_bytes() == path.read_bytes()
    for name in ("last.safetensors", "split.parquet"):
        assert (made / name).read_bytes() == (whole / name).read_bytes()
    models = [Model.load(folder / "model.vicinal") for folder in (made, whole)]
    assert models[0].hash == models[1].hash
    assert sorted(path.name for path in made.iterdir()) == sorted(path.name for path in whole.iterdir())


@pytest.fixture
def interrupted(experiment_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run that lost its patience when the report was drawn."""
    own = tmp_path / "hearts.toml"
    shutil.copy(experiment_file, own)
    with monkeypatch.context() as patch:
        patch.setattr(running, "report", _impatient)
        with pytest.raises(KeyboardInterrupt):
            run(own, output=tmp_path / "run")
    return tmp_path / "run"


def test_an_interrupted_run_goes_on_to_its_report(interrupted: Path, finished: Run) -> None:
    made = resume(interrupted)
    assert made.folder == interrupted
    assert made.model.hash == finished.model.hash
    assert_as_if_never_stopped(interrupted, finished.folder)
    with pytest.raises(PathError, match="is finished"):
        resume(interrupted)


def test_a_damaged_checkpoint_is_told_and_the_one_before_it_used(
    interrupted: Path, finished: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    newest = max((hidden_folder(interrupted) / "checkpoints").iterdir())
    newest.write_bytes(newest.read_bytes()[:-1])
    assert resume(interrupted, show=Terminal()).model.hash == finished.model.hash
    said = " ".join(capsys.readouterr().err.split())
    assert f"checkpoint {newest.name} is not as it was written" in said
    assert "training goes on after step" in said
    assert_as_if_never_stopped(interrupted, finished.folder)


def test_a_changed_experiment_is_told(interrupted: Path, finished: Run) -> None:
    own = interrupted.parent / "hearts.toml"
    own.write_text(own.read_text().replace("epochs = 3", "epochs = 4"))
    with pytest.raises(ExperimentError, match=r"hearts.toml is not what it was .*--accept-changes"):
        resume(interrupted)
    assert resume(interrupted, accept_changes=True).model.hash == finished.model.hash


def test_an_experiment_that_is_gone_is_not_needed(interrupted: Path, finished: Run) -> None:
    (interrupted.parent / "hearts.toml").unlink()
    assert resume(interrupted).model.hash == finished.model.hash


def test_a_changed_number_of_threads_is_refused(interrupted: Path) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(before + 1)
    try:
        with pytest.raises(ExperimentError, match=f"begun with threads {before}, now {before + 1}"):
            resume(interrupted)
        assert resume(interrupted, accept_changes=True).folder == interrupted
    finally:
        torch.set_num_threads(before)


def test_folds_that_are_finished_are_not_run_again(
    experiment_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    overrides = ["inputs.split={folds = 3, validation = 0.2, calibration = 0.2}", "training.epochs=1"]
    whole = run(experiment_file, output=tmp_path / "whole", overrides=overrides)
    with monkeypatch.context() as patch:
        patch.setattr(cross_validating, "report", _impatient)
        with pytest.raises(KeyboardInterrupt):
            run(experiment_file, output=tmp_path / "run", overrides=overrides)
    shutil.rmtree(hidden_folder(tmp_path / "run") / "folds" / "2")
    trained = []
    with monkeypatch.context() as patch:
        learn_split = learning_in_folder.learn_split
        patch.setattr(
            learning_in_folder, "learn_split", lambda *a, **k: trained.append(1) or learn_split(*a, **k)
        )
        made = resume(tmp_path / "run")
    assert len(trained) == 1
    assert metrics_of(made.folder) == metrics_of(whole.folder)


def _impatient(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_sigterm_leaves_a_checkpoint_and_exits_143(
    experiment_file: Path, finished: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """The signal comes from the sink of the history, in the middle of the second epoch."""
    add, n_added = History.add, 0

    def add_and_terminate(self: History, record: dict[str, Any]) -> None:
        nonlocal n_added
        add(self, record)
        n_added += 1
        if n_added == 6:
            os.kill(os.getpid(), signal.SIGTERM)

    with monkeypatch.context() as patch:
        patch.setattr(History, "add", add_and_terminate)
        arguments = ["vicinal", "run", str(experiment_file), "--output", str(tmp_path / "run")]
        patch.setattr(sys, "argv", arguments)
        with pytest.raises(SystemExit) as ended:
            command_line.main()
    assert ended.value.code == 143
    said = capsys.readouterr().err
    assert "training was asked to stop, and did after step" in said
    assert f"go on with: vicinal run --resume {tmp_path / 'run'}" in said.replace("\n", " ")
    assert resume(tmp_path / "run").model.hash == finished.model.hash
    assert_as_if_never_stopped(tmp_path / "run", finished.folder)


KILLED = """
import os, random, signal, sys, threading
from pathlib import Path
from vicinal.training import checkpoint
from vicinal.workflow import run_folder
from vicinal.workflow.history import History
from vicinal.terminal import Terminal
from vicinal.workflow import cross_validating, running
from vicinal.workflow.history import History
from vicinal.workflow.resuming import resume
from vicinal.workflow.running import run

experiment, output, seed = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
data = Path(sys.argv[4]) if len(sys.argv) > 4 else None
checkpoint.Checkpoints.__init__.__kwdefaults__["every_s"] = 0.0
rng = random.Random(seed)
calls, last, begun = 0, rng.randrange(1, 4000) if seed else -1, History.__init__  # -1: lives on

def profile(frame, event, argument):
    global calls
    calls += event == "call"
    if calls == last:
        os.kill(os.getpid(), signal.SIGKILL)

def begin(*arguments, **named):
    begun(*arguments, **named)
    sys.setprofile(profile)

History.__init__ = begin
resume(output) if run_folder.is_interrupted(output) else run(experiment, output=output, data=data)
"""


def kill_until_done(experiment: Path, output: Path, *, n: int, data: Path | None = None) -> int:
    """Run, and resume, in processes that kill themselves; return how many died. The last is left alone."""
    seeds = random.Random(n)
    n_killed = 0
    while n_killed < n:
        code = in_a_process(experiment, output, seeds.randrange(1, 10**6), data=data)
        if code == 0:
            shutil.rmtree(output)  # it came through: once more from the beginning
        n_killed += code == -signal.SIGKILL
    assert in_a_process(experiment, output, 0, data=data) == 0
    return n_killed


def in_a_process(experiment: Path, output: Path, seed: int, *, data: Path | None = None) -> int:
    command = [sys.executable, "-c", KILLED, str(experiment), str(output), str(seed)]
    command += [] if data is None else [str(data)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode


@pytest.mark.slow
@pytest.mark.parametrize("n", [5, pytest.param(50, marks=pytest.mark.prove)])
def test_killed_at_random_moments_it_ends_as_if_never_stopped(
    experiment_file: Path, tmp_path: Path, n: int
) -> None:
    # In a process of its own too, since this one may use another number of threads.
    assert in_a_process(experiment_file, tmp_path / "whole", 0) == 0
    assert kill_until_done(experiment_file, tmp_path / "run", n=n) == n
    assert_as_if_never_stopped(tmp_path / "run", tmp_path / "whole")
    assert checkpoint.Checkpoints(tmp_path / "run").newest() is None
