import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from vicinal.errors import ExperimentError
from vicinal.experiment import load_experiment
from vicinal.inputs.pack import Pack
from vicinal.inputs.splits import Split
from vicinal.terminal import QUIET
from vicinal.workflow.gathering import gather
from vicinal.workflow.running import Run, run
from vicinal.workflow.varying import vary
from vicinal.workflow.withholding import Share, learn_from


class Said:
    """Keeps what was said."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.progress, self.live = QUIET.progress, QUIET.live

    def say(self, message: str) -> None:
        self.lines.append(message)


def test_a_run_with_a_learning_curve(experiment_file: Path, finished: Run, tmp_path: Path) -> None:
    said = Said()
    overrides = ["evidence.learning_curve=[0.02, 0.5, 1]"]
    done = run(experiment_file, output=tmp_path / "run", overrides=overrides, show=said)
    evidence = json.loads((tmp_path / "run" / "evidence.json").read_text())
    curve = evidence["learning_curve"]
    assert done.evidence["metrics"] == finished.evidence["metrics"]
    none, half, whole = curve["points"]
    split = Split.read(tmp_path / "run" / "split.parquet")
    n_train = split.counts["train"]
    # One clip a subject: rows and subjects are the same here.
    assert (half["train_subjects"], half["train_rows"]) == (round(n_train / 2), round(n_train / 2))
    assert (whole["share"], whole["train_subjects"]) == (1.0, n_train)
    assert none["left_out"]
    assert {name: whole[name] for name in ("value", "low", "high", "n")} == {
        name: evidence["metrics"]["auroc"][name] for name in ("value", "low", "high", "n")
    }
    assert curve["gain"]["value"] == pytest.approx(whole["value"] - half["value"])
    steps = evidence["protocol"]["n_steps"]
    assert "2 more follow" in said.lines[0]
    assert any(f"2 more trainings of {steps:,} steps each; the first took" in line for line in said.lines)
    page = (tmp_path / "run" / "report.html").read_text()
    assert "AUROC against training data" in page
    assert curve["sentence"].split(":")[0] in page
    assert "left out: " in page
    assert "learning_curve" not in finished.evidence

    # `compare` makes the same network from the same subjects, steps and seed.
    (other,) = vary(
        experiment_file,
        [f"inputs.split.train_subjects={half['train_subjects']}"],
        overrides=[f"training.steps={steps}", f"training.validate_after_steps={n_train // 16}"],
    )
    assert other.row.auroc[0] == half["value"]


def test_a_task_is_plain_data(experiment_file: Path) -> None:
    experiment, _ = load_experiment(experiment_file)
    gathered = gather(experiment, data=None, show=QUIET)
    job = Share(1.0, gathered.pack.folder, gathered.split, 60, experiment, experiment.training)
    here, there = learn_from(job), learn_from(pickle.loads(pickle.dumps(job)))
    assert here.scores is not None and there.scores is not None  # noqa: PT018
    np.testing.assert_array_equal(here.scores.logits, there.scores.logits)


def test_a_cohort_of_one_kind_is_left_out(experiment_file: Path) -> None:
    experiment, _ = load_experiment(experiment_file)
    gathered = gather(experiment, data=None, show=QUIET)
    pack: Pack = gathered.pack
    parts = gathered.split.parts.copy()
    parts[(parts == "train") & (pack.truth[:, 0] == 1)] = "unused"
    job = Share(0.5, pack.folder, Split(gathered.split.ids, parts), 30, experiment, experiment.training)
    assert learn_from(job).left_out == "its training rows are all of one kind for disease"


@pytest.mark.parametrize(
    ("value", "problem"),
    [("[0.5, 0.1]", "shares must rise"), ("[0, 1]", "greater than 0"), ("[2]", "equal to 1")],
)
def test_shares_are_checked(experiment_file: Path, value: str, problem: str) -> None:
    with pytest.raises(ExperimentError, match=problem):
        load_experiment(experiment_file, [f"evidence.learning_curve={value}"])
