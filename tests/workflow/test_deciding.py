"""Another policy for a finished run: the policy changes, the weights do not, and nothing but its own rows fit it."""

import json
import re
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vicinal.decisions.events import EventTimes, observed_days
from vicinal.decisions.policy import fit_policy
from vicinal.errors import ExperimentError, FormatError, InfeasibleError, PathError, RoleError
from vicinal.experiment import load_experiment
from vicinal.files import write_json
from vicinal.inputs.splits import Split
from vicinal.scores.model import Model
from vicinal.scoretable import ScoreTable
from vicinal.terminal import QUIET, Terminal
from vicinal.workflow.checking import check_run
from vicinal.workflow.deciding import decide
from vicinal.workflow.gathering import pack_of
from vicinal.workflow.running import Run, run
from vicinal.workflow.telling import tell_decision


@pytest.fixture
def folder(finished: Run, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished.folder, tmp_path / "hearts"))


def members(folder: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(folder / "model.vicinal") as model:
        return {name: model.read(name) for name in model.namelist()}


def table_of(folder: Path, role: str) -> ScoreTable:
    return ScoreTable.read(folder / "scores" / f"{role}.parquet")


def test_the_policy_changes_and_not_one_bit_of_what_scores(folder: Path) -> None:
    before, old = members(folder), Model.load(folder / "model.vicinal")
    decided = decide(folder, aim="specificity >= 0.9", prevalence=0.02)
    after, new = members(folder), Model.load(folder / "model.vicinal")
    for name in (
        "weights.safetensors",
        "network.txt",
        "contract.json",
        "calibration.json",
        "provenance.json",
    ):
        assert after[name] == before[name]
    assert new.hash == old.hash
    assert old.policy is not None
    assert new.policy == decided.policy != old.policy
    assert new.policy_history == (old.policy.to_dict(),)
    assert decided.earlier == old.policy
    assert decided.policy == fit_policy(
        table_of(folder, "calibration"), aim="specificity >= 0.9", prevalence=0.02, model_hash=old.hash
    )
    again = decide(folder, aim="f1")
    assert [one["aim"] for one in Model.load(folder / "model.vicinal").policy_history] == [
        "sensitivity >= 0.8", "specificity >= 0.9",
    ]  # fmt: skip
    assert again.n_policies == 3


def test_the_same_words_give_the_policy_and_the_evidence_of_the_run(folder: Path, finished: Run) -> None:
    decided = decide(folder, aim="sensitivity >= 0.8", prevalence=0.1)
    assert decided.policy == finished.model.policy
    assert decided.evidence["metrics"] == finished.evidence["metrics"]
    assert decided.evidence["meaning"] == finished.evidence["meaning"]


def test_evidence_card_and_trace_speak_of_the_new_policy(folder: Path) -> None:
    decided = decide(folder, aim="ppv >= 0.05", prevalence=0.02, refer="share=0.2")
    evidence = json.loads((folder / "evidence.json").read_text())
    assert evidence == decided.evidence
    assert evidence["meaning"]["prevalence"] == 0.02
    assert evidence["meaning"]["referred"]["value"] > 0
    assert evidence["policy"]["aim"] == "ppv >= 0.05"
    assert evidence["protocol"]["decided_by"] == (
        "vicinal decide hearts --aim 'ppv >= 0.05' --prevalence 0.02 --refer share=0.2"
    )
    test = table_of(folder, "test")
    decisions, sick = decided.policy.decide(test.probabilities)[:, 0], test.truth[:, 0] == 1
    assert evidence["metrics"]["sensitivity"]["value"] == pytest.approx((decisions[sick] == 1).mean())
    model = Model.load(folder / "model.vicinal")
    assert model.reference["meaning"] == evidence["meaning"]
    assert evidence["meaning"]["sentence"] in model.card
    assert str(folder.parent) not in json.dumps(evidence) + model.card


def test_what_was_measured_of_scores_alone_stays(folder: Path) -> None:
    evidence = json.loads((folder / "evidence.json").read_text())
    write_json(folder / "evidence.json", evidence | {"shifted": {"5": 0.75}})
    found = decide(folder, aim="f1").evidence
    assert found["shifted"] == {"5": 0.75}
    assert found["metrics"]["auroc"] == evidence["metrics"]["auroc"]


def test_the_whole_report_is_about_the_new_policy_and_remembers_the_old_one(folder: Path) -> None:
    before = json.loads((folder / "evidence.json").read_text())
    decide(folder, aim="specificity >= 0.9", prevalence=0.02, refer="share=0.2")
    decided = decide(folder, aim="f1")
    page, text = (folder / "report.html").read_text(), (folder / "report.md").read_text()
    said = decided.evidence["meaning"]["sentence"]
    assert said in page
    assert before["meaning"]["sentence"] not in page
    # Paragraph, dataflow, confusion, policy and errors are all of the policy that decides now.
    assert "| decisions | f1 | disease |" in text
    assert "- aim: f1" in text
    counts = decided.evidence["confusion"][0]["rows"][0]["counts"]
    assert f"| disease | {counts[0]} (" in text
    n_missed = decided.evidence["errors"]["disease"]["missed"]["n"]
    assert n_missed == counts[1]
    assert f"disease, missed{f': {n_missed}' if n_missed else ''}" in text
    table = text.split("### Policies this model has had")[1].split("## Worst errors")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")][2:]
    assert [row.split(" |")[0] for row in rows] == [
        "| sensitivity >= 0.8, at prevalence 0.1", "| specificity >= 0.9, at prevalence 0.02", "| f1",
    ]  # fmt: skip
    assert f"{before['metrics']['sensitivity']['value']:.3f} (" in rows[0]
    assert "vicinal run hearts.toml" in rows[0]
    assert "vicinal decide hearts --aim f1" in rows[2]
    assert decided.evidence["earlier_policies"][0]["policy"] == before["policy"]


def test_going_back_gives_the_first_page_but_for_its_history(folder: Path) -> None:
    parts = ("dataflow", "data", "network", "training", "errors", "card")

    def sections() -> list[str]:
        page = (folder / "report.html").read_text()
        page = re.sub(r'<p class="small">Made by: .*?</p>', "", page)
        return [page.split(f'<section id="{name}">')[1].split("</section>")[0] for name in parts]

    before = sections()
    decide(folder, aim="specificity >= 0.9")
    decide(folder, aim="sensitivity >= 0.8", prevalence=0.1)
    assert sections() == before


def test_a_guarantee_comes_from_the_calibration_rows_or_is_refused(folder: Path) -> None:
    calibration = table_of(folder, "calibration")
    positives = int(calibration.truth.sum())
    before = members(folder)
    with pytest.raises(
        InfeasibleError, match=rf"45 positive subjects.*got {positives}: {45 - positives} more"
    ):
        decide(folder, aim="sensitivity >= 0.95", confidence=0.9)
    assert members(folder) == before
    decided = decide(folder, aim="sensitivity >= 0.7", confidence=0.8)
    assert decided.policy.guaranteed
    assert decided.policy.n_guarantee == (positives,)


def test_test_rows_fit_nothing_whatever_they_are_called(folder: Path) -> None:
    test = table_of(folder, "test")
    path = folder / "scores" / "calibration.parquet"
    path.write_bytes(test.to_parquet())
    with pytest.raises(RoleError, match="got 'test' rows"):
        decide(folder, aim="f1")
    path.write_bytes(replace(test, role="calibration").to_parquet())
    with pytest.raises(FormatError, match="not the calibration rows of split"):
        decide(folder, aim="f1")


def test_files_that_do_not_belong_together_are_refused(folder: Path) -> None:
    path = folder / "scores" / "calibration.parquet"
    path.write_bytes(replace(table_of(folder, "calibration"), model_hash="0" * 64).to_parquet())
    with pytest.raises(FormatError, match="model 000000000000 scored it"):
        decide(folder, aim="f1")
    write_json(folder / "evidence.json", {"protocol": 5})
    with pytest.raises(FormatError, match="expected the `protocol` of a run"):
        decide(folder, aim="f1")


def test_a_cross_validation_is_decided_fold_by_fold(crossed: Run, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(crossed.folder, tmp_path / "crossed"))
    with pytest.raises(PathError, match=r"has a model, such as .*folds.0"):
        decide(folder, aim="f1")
    assert decide(folder / "folds" / "0", aim="f1").policy.aim == "f1"


def test_words_that_make_no_sense_change_nothing(folder: Path) -> None:
    before = members(folder)
    for words, message in (
        ({"aim": "sensitivty >= 0.9"}, "did you mean 'sensitivity'"),
        ({"aim": "f1", "refer": "a tenth"}, "expected share=0.1"),
        ({"aim": "f1", "prevalence": 2.0}, "prevalence must lie"),
    ):
        with pytest.raises(ExperimentError, match=message):
            decide(folder, **words)  # type: ignore[arg-type]
    assert members(folder) == before


def test_the_audit_of_a_run_decided_again_finds_nothing(folder: Path) -> None:
    experiment, _ = load_experiment(folder / "experiment.toml")
    pack, split = pack_of(experiment, data=None, show=QUIET).pack, Split.read(folder / "split.parquet")
    decide(folder, aim="specificity >= 0.9", prevalence=0.3, refer="share=0.1")
    assert check_run(folder, experiment, pack, split) == []
    model = Model.load(folder / "model.vicinal")
    assert model.policy is not None
    moved = replace(model.policy, thresholds=(float(np.nextafter(model.policy.thresholds[0] - 0.1, 0)),))
    replace(model, policy=moved).save(folder / "model.vicinal")
    kinds = [one.kind for one in check_run(folder, experiment, pack, split)]
    assert kinds == ["threshold_not_from_calibration"]


def test_alarms_per_day_come_from_rows_that_say_where_they_lie(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(FormatError, match="need the columns record and position_s"):
        decide(folder, aim="alarms <= 2 per day")
    for role in ("calibration", "test"):
        table = table_of(folder, role)
        record = np.array(["r", "s", "t"])[np.arange(len(table)) * 3 // len(table)]
        columns = {"record": record, "position_s": 7200.0 * np.arange(len(table))}
        (folder / "scores" / f"{role}.parquet").write_bytes(replace(table, columns=columns).to_parquet())
    with (folder / "experiment.toml").open("a") as experiment:
        experiment.write("[decisions.events]\nmerge_s = 7200\n")
    decided = decide(folder, aim="alarms <= 2 per day")
    assert decided.policy.events == EventTimes(merge_s=7200)
    calibration, test = table_of(folder, "calibration"), table_of(folder, "test")
    days = observed_days(calibration.columns["record"], calibration.columns["position_s"])
    assert 0 < len(decided.policy.alarms(calibration)["disease"]) <= 2 * days
    rate = json.loads((folder / "evidence.json").read_text())["alarms"]["disease"]
    assert rate["n"] == len(decided.policy.alarms(test)["disease"])
    tell_decision(decided, Terminal())
    assert f"Alarms of disease: {rate['n']} in" in capsys.readouterr().out
    assert Model.load(folder / "model.vicinal").policy == decided.policy


def test_a_run_without_calibration_rows_decides_and_is_followed_by_its_validation_rows(
    experiment_file: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "few"
    done = run(experiment_file, output=folder, overrides=["inputs.split.calibration=0", "training.epochs=1"])
    assert done.model is not None
    assert done.model.policy is not None
    assert done.model.policy.role == "validation"
    assert done.evidence["protocol"]["threshold_rows"] == "validation"
    assert not (folder / "scores" / "calibration.parquet").exists()
    experiment = load_experiment(folder / "experiment.toml")[0]
    pack = pack_of(experiment, data=None, show=QUIET).pack
    kinds = {one.kind for one in check_run(folder, experiment, pack, Split.read(folder / "split.parquet"))}
    assert not kinds
    assert decide(folder, aim="specificity >= 0.6").policy.role == "validation"
    with pytest.raises(RoleError, match="calibration"):
        decide(folder, aim="sensitivity >= 0.6", confidence=0.9)


def test_alarms_of_rows_without_a_place_are_refused_before_anything_is_learnt(
    experiment_file: Path, tmp_path: Path
) -> None:
    with pytest.raises(ExperimentError, match="record and position_s are not there"):
        run(experiment_file, output=tmp_path / "run", overrides=['decisions.aim="alarms <= 2 per day"'])
    assert not (tmp_path / "run").exists()


def test_a_guarantee_without_calibration_rows_is_refused_before_anything_is_learnt(
    experiment_file: Path, tmp_path: Path
) -> None:
    overrides = ["inputs.split.calibration=0", "decisions.confidence=0.9"]
    with pytest.raises(ExperimentError, match="needs calibration rows"):
        run(experiment_file, output=tmp_path / "run", overrides=overrides)
    assert not (tmp_path / "run").exists()
