import json
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score, roc_auc_score
from tests.workflow.test_evidence_schema import problems
from tests.workflow.test_summing_up import SCHEMA

from vicinal.errors import ExperimentError, NetworkError, TrainingError
from vicinal.scoretable import ScoreTable
from vicinal.terminal import QUIET
from vicinal.workflow import comparing
from vicinal.workflow.asking import Asked
from vicinal.workflow.comparing import Comparison, compare
from vicinal.workflow.pacing import Pace
from vicinal.workflow.summing_up import sum_up
from vicinal.workflow.trial import Outcome, Trial, perform

ASKED = Asked(networks=("dense", "conv@4"), shares=(0.5,), seeds=2, rates=(0.001, 0.01), cut=("conv@4",))
FAST = ["training.epochs=1", "evidence.resamples=100"]


class Said:
    """Keeps what was said."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.progress = QUIET.progress

    def say(self, message: str) -> None:
        self.lines.append(message)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("compared") / "hearts"


@pytest.fixture(scope="module")
def told() -> Said:
    return Said()


@pytest.fixture(scope="module")
def compared(experiment_file: Path, folder: Path, told: Said) -> Comparison:
    return compare(experiment_file, ASKED, output=folder, overrides=FAST, show=told)


def trials(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted((folder / "trials").glob("*/trial.json"))]


def test_every_network_is_trained_on_every_share_with_every_seed(compared: Comparison, folder: Path) -> None:
    made = trials(folder)
    # Two networks: two shares, two seeds, and one more learning rate; then conv cut to each smaller number of stages.
    n_cuts = len(compared.evidence["networks"]["conv@4"]["stages"]) - 1
    assert len(made) == 2 * (2 * 2 + 1) + 2 * n_cuts
    assert [one["n_reused"] for one in compared.evidence["networks"].values()] == [0, 0]
    for name in ("dense", "conv@4"):
        points = compared.evidence["networks"][name]["curve"]
        assert [point["n_train_subjects"] for point in points] == [21, 42]
        assert all(len(point["seeds"]) == 2 for point in points)
        assert all(point["low"] < point["value"] < point["high"] for point in points)
        assert all(
            point["gap"]["value"] == pytest.approx(point["train"] - point["value"]) for point in points
        )


def test_a_page_and_a_text_lie_beside_the_numbers(compared: Comparison, folder: Path) -> None:
    page = (folder / "compare.html").read_text()
    assert compared.evidence["verdict"][0]["sentence"].split(",")[0] in page
    assert page.count('class="paper"') == 4 * 2
    assert "conv@4" in (folder / "compare.md").read_text()


def test_its_numbers_are_those_of_the_kept_scores(compared: Comparison, folder: Path) -> None:
    network = compared.evidence["networks"]["dense"]
    areas = []
    for path in (folder / "trials").glob("*/trial.json"):
        facts = json.loads(path.read_text())
        if (
            facts["name"] == "dense"
            and facts["share"] == 1
            and facts["learning_rate"] == network["learning_rate"]
        ):
            table = ScoreTable.read(path.parent / "test.parquet")
            areas.append((facts["seed"], roc_auc_score(table.truth[:, 0], table.logits[:, 0])))
    assert network["curve"][-1]["seeds"] == pytest.approx([area for _, area in sorted(areas)])


def test_the_learning_rate_is_chosen_on_validation_rows(compared: Comparison, folder: Path) -> None:
    for name, network in compared.evidence["networks"].items():
        tried = {
            facts["learning_rate"]: facts["metrics"]["validation"]["auroc"]
            for facts in trials(folder)
            if facts["name"] == name and facts["share"] == 1 and facts["seed"] == 0
        }
        assert set(tried) == {0.001, 0.01}
        assert tried[network["learning_rate"]] == max(tried.values())
        assert network["rates_tried"] == pytest.approx({f"{rate:g}": value for rate, value in tried.items()})


def test_smaller_shares_lie_within_larger_ones_and_take_as_many_steps(
    experiment_file: Path, compared: Comparison
) -> None:
    del compared
    experiment = comparing._with_steps(comparing.load_experiment(experiment_file, FAST)[0], None)
    gathered = comparing.gathered_for(experiment, None)
    parts = {
        share: set(
            np.flatnonzero(Trial("x", experiment, None, share, "auroc").split(gathered).parts == "train")
        )
        for share in (0.1, 0.5, 1.0)
    }
    assert parts[0.1] < parts[0.5] < parts[1.0]
    assert experiment.training.steps == len(parts[1.0]) // 16
    other = experiment.model_copy(update={"seed": 1})
    assert (
        set(np.flatnonzero(Trial("x", other, None, 0.5, "auroc").split(gathered).parts == "train"))
        != parts[0.5]
    )


def test_the_way_is_said_before_it_is_gone(compared: Comparison, told: Said) -> None:
    said = "\n".join(told.lines)
    assert "dense: width" in said
    assert "times the reference's" in said
    assert "conv@4: width 4, as asked" in said
    n = sum(one["n_trials"] for one in compared.evidence["networks"].values())
    n_cuts = len(compared.evidence["networks"]["conv@4"]["stages"]) - 1
    assert f"{n + 2 * n_cuts} trainings of {2 + n_cuts} networks, 0 of them finished before; about " in said
    assert "learning rates tried for each on validation rows: 0.001, 0.01" in said
    assert compared.evidence["protocol"]["expected_seconds"] > 0
    assert compared.evidence["protocol"]["command"].startswith(
        "vicinal compare hearts.toml --networks dense,conv@4"
    )


def test_a_finished_comparison_trains_nothing_again(
    experiment_file: Path, compared: Comparison, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vicinal.workflow.trial.learn_split", None)
    summed = []

    def timed(*args: Any, **asked: Any) -> dict[str, Any]:
        start = time.monotonic()
        found = sum_up(*args, **asked)
        summed.append(time.monotonic() - start)
        return found

    monkeypatch.setattr(comparing, "sum_up", timed)
    start = time.monotonic()
    again = compare(experiment_file, ASKED, output=folder, overrides=FAST)
    summing_s, asked_s = summed[0], time.monotonic() - start
    assert summing_s < again.evidence["protocol"]["seconds"] < asked_s
    assert again.evidence["networks"]["dense"]["n_reused"] == again.evidence["networks"]["dense"]["n_trials"]
    # What is resampled is resampled again.
    assert 0 < again.evidence["protocol"]["expected_seconds"] < 60
    for key in ("contrasts", "verdict", "needed_ratios", "target"):
        assert again.evidence[key] == compared.evidence[key]
    assert json.loads((folder / "compare.json").read_text())["contrasts"] == compared.evidence["contrasts"]


def test_a_finished_comparison_reads_every_trial_once(
    experiment_file: Path, compared: Comparison, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []
    monkeypatch.setattr(comparing, "perform", lambda trial: read.append(trial.key) or perform(trial))
    again = compare(experiment_file, ASKED, output=folder, overrides=FAST)
    assert len(read) == len(set(read)) == len(trials(folder))
    assert again.evidence["contrasts"] == compared.evidence["contrasts"]


def test_another_metric_trains_nothing_again(
    experiment_file: Path, compared: Comparison, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(folder / "trials", tmp_path / "trials")
    monkeypatch.setattr("vicinal.workflow.trial.learn_split", None)
    asked = replace(ASKED, metric="average_precision")
    found = compare(experiment_file, asked, output=tmp_path, overrides=FAST).evidence
    network = found["networks"]["dense"]
    assert network["n_reused"] == network["n_trials"]
    values = []
    for path in (tmp_path / "trials").glob("*/trial.json"):
        facts = json.loads(path.read_text())
        if (facts["name"], facts["share"], facts["learning_rate"]) == ("dense", 1, network["learning_rate"]):
            table = ScoreTable.read(path.parent / "test.parquet")
            test = average_precision_score(table.truth[:, 0], table.logits[:, 0])
            values.append((facts["seed"], test, facts["metrics"]["train"]["average_precision"] - test))
    last = network["curve"][-1]
    assert last["seeds"] == pytest.approx([test for _, test, _ in sorted(values)])
    assert last["gap"]["value"] == pytest.approx(np.mean([gap for *_, gap in values]))
    assert compared.evidence["networks"]["dense"]["curve"][-1]["value"] != last["value"]


def test_shares_of_as_many_subjects_are_trained_once(experiment_file: Path, tmp_path: Path) -> None:
    asked = Asked(networks=("dense",), shares=(0.5, 0.501, 0.99), seeds=2, rates=(0.01,), cut=())
    found = compare(experiment_file, asked, output=tmp_path, overrides=FAST).evidence["networks"]["dense"]
    assert [(point["n_train_subjects"], point["share"]) for point in found["curve"]] == [(21, 0.501), (42, 1)]
    assert (found["n_trials"], found["n_reused"], len(trials(tmp_path))) == (4, 0, 4)


def test_what_other_threads_finished_is_said(
    experiment_file: Path, folder: Path, compared: Comparison, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del compared
    shutil.copytree(folder / "trials", tmp_path / "trials")
    n_threads, said = torch.get_num_threads(), Said()
    monkeypatch.setattr(comparing, "perform", None)
    monkeypatch.setattr(comparing, "pace_of", lambda _: Pace(0.0, 0.0, 0.0))
    torch.set_num_threads(n_threads + 1)
    try:
        with pytest.raises(TypeError, match="not callable"):
            compare(experiment_file, ASKED, output=tmp_path, overrides=FAST, show=said)
    finally:
        torch.set_num_threads(n_threads)
    assert any(f"were finished with {n_threads} thread" in line for line in said.lines)


def test_a_network_that_breaks_off_while_it_is_timed_does_not_end_the_others(
    experiment_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def diverging(trial: Trial) -> Pace:
        if trial.name == "dense":
            raise TrainingError("training stopped at step 2: the loss is nan.")
        return Pace(0.0, 0.0, 0.0)

    monkeypatch.setattr(comparing, "pace_of", diverging)
    asked, said = Asked(networks=("dense", "conv@4"), shares=(1.0,), seeds=1, rates=(0.01,), cut=()), Said()
    found = compare(experiment_file, asked, output=tmp_path, overrides=FAST, show=said).evidence
    assert "dense: training stopped at step 2: the loss is nan." in said.lines
    assert all(one["curve"] for one in found["networks"].values())


def test_a_share_too_small_for_a_network_ends_no_comparison(experiment_file: Path, tmp_path: Path) -> None:
    """One row without positions has no variance for a batch norm."""
    asked = Asked(networks=("dense", "conv@4"), shares=(0.01, 1.0), seeds=1, rates=(0.01,), cut=())
    said = Said()
    found = compare(experiment_file, asked, output=tmp_path, overrides=FAST, show=said).evidence
    assert any(
        line.startswith("dense, 0.01 of the training subjects, seed 0: batch norm") for line in said.lines
    )
    assert [point["share"] for point in found["networks"]["dense"]["curve"]] == [1]
    assert "broke off once" in (tmp_path / "compare.md").read_text()


def test_a_killed_comparison_goes_on(
    experiment_file: Path, compared: Comparison, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = []

    def killed(trial: Trial) -> Outcome:
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(trial.key)
        return perform(trial)

    monkeypatch.setattr(comparing, "perform", killed)
    with pytest.raises(KeyboardInterrupt):
        compare(experiment_file, ASKED, output=tmp_path, overrides=FAST)
    monkeypatch.setattr(comparing, "perform", perform)
    gone_on = compare(experiment_file, ASKED, output=tmp_path, overrides=FAST)
    n_reused = sum(one["n_reused"] for one in gone_on.evidence["networks"].values())
    assert n_reused >= 3
    # The same seeds and steps give the same weights, so the same evidence, whatever was interrupted.
    assert gone_on.evidence["contrasts"] == compared.evidence["contrasts"]


def test_what_cannot_be_is_refused_before_anything_is_trained(experiment_file: Path, tmp_path: Path) -> None:
    for asked, error, match in (
        (
            Asked(networks=("dnse",)),
            NetworkError,
            "'dnse': no family, preset or network text, did you mean 'dense'",
        ),
        (Asked(networks=("dense", "dense")), ExperimentError, "dense stands twice"),
        (
            Asked(networks=("dense",), metric="accuracy"),
            ExperimentError,
            "--metric 'accuracy': expected one of auroc",
        ),
        (Asked(networks=("dense",), shares=(1.5,)), ExperimentError, "--fractions: expected shares"),
        (
            Asked(networks=("dense",), shares=(0.5, float("nan"))),
            ExperimentError,
            "--fractions: expected shares above 0, at most 1, got 0.5, nan",
        ),
        (Asked(networks=("dense",), seeds=0), ExperimentError, "--seeds: expected 1 or more, got 0"),
        (Asked(networks=("dense",), rates=(float("inf"),)), ExperimentError, "--rates: expected .* got inf"),
        *(
            (
                Asked(networks=("dense",), target=target),
                ExperimentError,
                f"--target: expected AUROC above 0, at most 1, got {target:g}. Leave it out",
            )
            for target in (1.5, 2.0, float("nan"), -1.0, 0.0)
        ),
        (Asked(networks=("conv@",)), NetworkError, "'conv@': expected FAMILY@WIDTH"),
        (
            Asked(networks=("dense", "conv"), vary=("training.augment=without",)),
            ExperimentError,
            "KEY=without: expected one network and nothing else that varies",
        ),
        (
            Asked(networks=("dense", "conv"), rates=(-1.0,)),
            ExperimentError,
            "--rates: expected learning rates above 0",
        ),
        (
            Asked(vary=("training.learning_rate=1e-3,1e-2",), rates=(1e-3,)),
            ExperimentError,
            "training.learning_rate cannot vary too",
        ),
        (
            Asked(networks=("dense", "conv@4"), cut=("conv",)),
            ExperimentError,
            "--cut 'conv': it is none of the networks that are compared, did you mean 'conv@4'",
        ),
        (Asked(vary=("training.epoch=1,2",)), ExperimentError, "unknown key, did you mean 'epochs'"),
    ):
        with pytest.raises(error, match=match):
            compare(experiment_file, asked, output=tmp_path, overrides=FAST)
    assert not (tmp_path / "trials").exists()


def test_keys_can_vary_and_steps_be_taken_out_one_by_one(experiment_file: Path, tmp_path: Path) -> None:
    augment = 'training.augment=[{kind="gain",low=0.8,high=1.25},{kind="polarity",share=0.3}]'
    asked = Asked(vary=("training.augment=without",), seeds=2)
    found = compare(experiment_file, asked, output=tmp_path, overrides=[*FAST, augment]).evidence
    assert list(found["networks"]) == [
        "own", "without gain", "without polarity",
    ]  # fmt: skip
    assert [one["entry"]["kind"] for one in found["removed"]] == ["gain", "polarity"]
    for one in found["removed"]:
        assert (one["kind"], one["packages"], one["contract_fields"]) == ("augmentation", ["numpy"], 0)
        assert one["ms_per_recording"] > 0
        assert one["gain"]["low"] <= one["gain"]["value"] <= one["gain"]["high"]
    assert any(one["question"] == "Is every step worth keeping?" for one in found["verdict"])
    kept = json.loads((tmp_path / "compare.json").read_text())
    assert list(problems(kept, SCHEMA, root=SCHEMA)) == []


def test_a_step_that_recordings_need_is_named_and_the_others_go_on(
    experiment_file: Path, tmp_path: Path
) -> None:
    faster = [
        "inputs.options.rate_hz=200",
        'inputs.contract.steps=[{step="resample"},{step="clip",limit=5.0}]',
    ]
    said = Said()
    done = compare(
        experiment_file,
        Asked(vary=("inputs.contract.steps=without",), seeds=1),
        output=tmp_path,
        overrides=[*FAST, *faster],
        show=said,
    )
    assert list(done.evidence["networks"]) == ["own", "without clip"]
    clip, resample = done.evidence["removed"]
    assert (clip["needed"], resample["gain"]) == (None, None)
    assert "200" in resample["needed"]
    assert len(resample["needed"].splitlines()) == 1
    assert any(line.startswith("without resample: it cannot be left out: ") for line in said.lines)
    assert "cannot be left out" in (tmp_path / "compare.md").read_text()


def test_training_that_fails_is_an_outcome(experiment_file: Path, tmp_path: Path) -> None:
    asked = Asked(vary=("training.learning_rate=1e-2,10.0",), seeds=1)
    wild = [*FAST, "training.clip=1e30", "training.epochs=30"]
    found = compare(experiment_file, asked, output=tmp_path, overrides=wild).evidence
    assert set(found["networks"]) == {"learning_rate 0.01", "learning_rate 10.0"}
    assert found["networks"]["learning_rate 0.01"]["curve"]
    kept = json.loads((tmp_path / "compare.json").read_text())
    assert list(problems(kept, SCHEMA, root=SCHEMA)) == []
