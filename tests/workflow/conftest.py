"""One small run on made-up hearts, shared by the tests of the workflow."""

from pathlib import Path

import pytest

from vicinal.workflow.running import Run, run

EXPERIMENT = """
title = "Made-up hearts, few"
[inputs]
dataset = "synthetic"
task = "binary"
positive = ["disease"]
[inputs.options]
n_subjects = 120
clips_per_subject = 1
[inputs.contract]
channels = ["ECG"]
rate_hz = 100
duration_s = 1
units = "mV"
[inputs.split]
test = 0.3
validation = 0.15
calibration = 0.2
[representations]
network = "conv 4 window 20 stride 5 | relu | mean | dense 1"
[training]
epochs = 3
batch = 16
learning_rate = 1e-2
[evidence]
resamples = 100
shifts_samples = [0, 5]
[decisions]
aim = "sensitivity >= 0.8"
prevalence = 0.1
"""


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> object:
    """Packs of the tests go to a folder of their own, not to the user's cache."""
    patch = pytest.MonkeyPatch()
    patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    yield
    patch.undo()


@pytest.fixture(scope="session")
def experiment_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("experiment") / "hearts.toml"
    path.write_text(EXPERIMENT)
    return path


@pytest.fixture(scope="session")
def finished(experiment_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run(experiment_file, output=tmp_path_factory.mktemp("runs") / "hearts")


@pytest.fixture(scope="session")
def crossed(experiment_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A cross-validation of three folds."""
    overrides = [
        "inputs.split={folds = 3, validation = 0.2, calibration = 0.25}", "training.epochs=2",
    ]  # fmt: skip
    return run(experiment_file, output=tmp_path_factory.mktemp("runs") / "crossed", overrides=overrides)
