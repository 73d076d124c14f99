import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.workflow.test_evidence_schema import SCHEMA, problems

from vicinal.errors import ExperimentError, FormatError, PathError
from vicinal.evidence.metrics import compute
from vicinal.evidence.pairs import differences
from vicinal.inputs.datasets import synthetic
from vicinal.inputs.splits import Split
from vicinal.scores.model import Model
from vicinal.scores.score import score_paths
from vicinal.scoretable import ScoreTable
from vicinal.workflow.evaluating import evaluate
from vicinal.workflow.running import Run, run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty recordings of twenty people: one too short to say anything, some in another unit."""
    made = tmp_path_factory.mktemp("external")
    rows = []
    catalogue = synthetic.catalogue(None, n_subjects=40, clips_per_subject=1)
    for k, one in enumerate(catalogue.recordings):
        samples = synthetic.read(one).samples[0]
        unit, factor = ("uV", 1000) if k % 4 == 1 else ("mV", 1)
        lines = [f"{10 * at},{factor * value:.5f}" for at, value in enumerate(samples)]
        name = "II" if k == 7 else "ECG"
        (made / f"{k:03d}.csv").write_text("\n".join([f"time [ms],{name} [{unit}]", *lines]))
        rows.append([f"{k:03d}", *one.labels[:1], f"p{k // 2}", "f" if k % 3 else "m"])
    with (made / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["file", "label", "patient", "sex"], *rows])
    return made


@pytest.fixture(scope="module")
def other(experiment_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    output = tmp_path_factory.mktemp("other") / "run"
    return run(experiment_file, output=output, overrides=["seed=5", "training.epochs=1"])


def test_an_external_evaluation_is_what_scoring_and_measuring_give(
    finished: Run, folder: Path, tmp_path: Path
) -> None:
    done = evaluate([finished.folder], data=folder, columns=["sex"], output=tmp_path / "out", resamples=100)
    (evidence,) = done.evidence
    model = Model.load(finished.folder / "model.vicinal")
    files = [path for path in sorted(folder.glob("*.csv")) if path.stem not in ("labels", "007")]
    scored, _ = score_paths(model, files)
    table = ScoreTable.read(tmp_path / "out" / "scores.parquet")
    assert table.ids.tolist() == scored.ids.tolist()
    np.testing.assert_array_equal(table.logits, scored.logits)
    assert table.n_subjects == 20
    assert model.policy is not None
    expected = compute(table, model.policy.decide(table.probabilities))
    assert {name: one["value"] for name, one in evidence["metrics"].items()} == expected
    assert evidence["subgroups"]["sex"]["f"]["n"] == (table.columns["sex"] == "f").sum()
    assert evidence["policy"]["thresholds"] == list(model.policy.thresholds)
    assert evidence == json.loads((tmp_path / "out" / "evidence.json").read_text())
    assert str(tmp_path) not in (tmp_path / "out" / "evidence.json").read_text()


def test_contract_findings_come_first(finished: Run, folder: Path, tmp_path: Path) -> None:
    done = evaluate([finished.folder], data=folder, output=tmp_path / "out", resamples=100)
    (fitness,) = done.fitness
    assert (fitness.n, fitness.n_exact) == (40, 29)
    assert fitness.converted == {"units": (10, "uV for mV (001)")}
    ((name, why),) = fitness.refused
    assert name == "007"
    assert "ECG" in why
    assert done.evidence[0]["contract"]["refused"] == [["007", why]]
    assert done.evidence[0]["metrics"]["auroc"]["n"] == 39
    page = (tmp_path / "out" / "report.html").read_text()
    assert "Vicinal · evaluation of a saved model" in page
    assert "1 of 40 recordings do not fit the model" in page
    assert "units: converted in 10 of 40 recordings" in page


def test_two_models_are_compared_on_the_same_rows(
    finished: Run, other: Run, folder: Path, tmp_path: Path
) -> None:
    done = evaluate([finished.folder, other.folder], data=folder, output=tmp_path / "out", resamples=100)
    a, b = (ScoreTable.read(tmp_path / "out" / f"scores-{name}.parquet") for name in "ab")
    assert a.ids.tolist() == b.ids.tolist()
    policies = [Model.load(one.folder / "model.vicinal").policy for one in (finished, other)]
    decided = tuple(
        policy.decide(table.probabilities)
        for policy, table in zip(policies, (a, b), strict=True)
        if policy is not None
    )
    assert done.differences == differences(a, b, decisions=decided, resamples=100)  # type: ignore[arg-type]
    for name, entry in done.differences.items():
        assert entry["a"] == done.evidence[0]["metrics"][name]["value"]
        assert entry["b"] == done.evidence[1]["metrics"][name]["value"]
    assert json.loads((tmp_path / "out" / "differences.json").read_text()) == done.differences
    alone = evaluate([other.folder], data=folder, resamples=100)
    assert alone.evidence[0]["metrics"] == done.evidence[1]["metrics"]


def test_the_inputs_of_an_experiment_say_where_data_are(
    finished: Run, experiment_file: Path, tmp_path: Path
) -> None:
    done = evaluate([finished.folder], data=experiment_file, resamples=100)
    assert done.evidence[0]["metrics"]["auroc"]["n"] == 120
    split = Split.read(finished.folder / "split.parquet")
    n = {part: len(split.indices(part)) for part in ("train", "validation", "calibration")}
    assert done.fitness[0].known == n  # all but the test rows, by what they are and not by their names
    assert done.evidence[0]["data"]["findings"][0][:2] == ["novelty", "warning"]
    assert f"{sum(n.values())} of the 120 recordings were there" in done.fitness[0].novelty[1]
    assert list(problems(done.evidence[0], SCHEMA)) == []
    # A file without fingerprints leaves the title, which is only a hint.
    model = Model.load(finished.folder / "model.vicinal")
    reference = {name: value for name, value in model.reference.items() if name != "fingerprints"}
    replace(model, reference=reference).save(tmp_path / "model.vicinal")
    old = evaluate([tmp_path / "model.vicinal"], data=experiment_file, resamples=100)
    assert (old.fitness[0].known, old.fitness[0].novelty) == (None, ("note", ""))
    assert any("rows are not new" in note for note in old.evidence[0]["protocol"]["notes"])
    text = experiment_file.read_text().replace("Made-up hearts, few", "Others")
    (tmp_path / "others.toml").write_text(text)
    done = evaluate(
        [finished.folder], data=tmp_path / "others.toml", overrides=["options.n_subjects=30"], resamples=100
    )
    assert done.evidence[0]["metrics"]["auroc"]["n"] == 30
    assert not any("not new" in note for note in done.evidence[0]["protocol"]["notes"])


def test_what_cannot_be_evaluated_is_refused(finished: Run, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match="one model, or two to compare, got 3"):
        evaluate([finished.folder] * 3, data=folder)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    with pytest.raises(PathError, match="is not an empty folder"):
        evaluate([finished.folder], data=folder, output=tmp_path / "full")
    with pytest.raises(ExperimentError, match=r"inputs\.labl_column: unknown key, did you mean"):
        evaluate([finished.folder], data=folder, overrides=["labl_column=x"])
    with pytest.raises(ExperimentError, match="no class 'disease'"):
        evaluate([finished.folder], data=folder, overrides=["label_column=sex"])


def test_nothing_that_fits_says_why(finished: Run, folder: Path, tmp_path: Path) -> None:
    for k in range(2):
        text = (folder / f"{k:03d}.csv").read_text().replace("ECG", "II")
        (tmp_path / f"{k}.csv").write_text(text)
    (tmp_path / "labels.csv").write_text("file,label\n0,normal\n1,disease\n")
    with pytest.raises(FormatError, match="none of 2 recordings could be scored"):
        evaluate([finished.folder], data=tmp_path)


def test_an_external_evaluation_has_the_evidence_of_a_run(
    finished: Run, folder: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    done = evaluate(
        [finished.folder],
        data=folder,
        columns=["sex", "quality=0.5"],
        robustness=["gain", "shift", "hum50"],
        robustness_rows=20,
        output=output,
        resamples=100,
    )
    (evidence,) = done.evidence
    made_by_a_run = set(finished.evidence) - {"network", "dataflow", "training", "versions"}
    assert made_by_a_run <= set(evidence) | {"learning_curve"}
    table = ScoreTable.read(output / "scores.parquet")
    groups = evidence["subgroups"]["quality"]
    assert groups["0.5 and over"]["n"] == (table.columns["quality"] >= 0.5).sum()
    assert set(groups) <= {"under 0.5", "0.5 and over"}
    # Two recordings a person, and the one that could not be scored: 20 rows or 21.
    found = evidence["robustness"]["gain"]
    assert found["n_test_rows"] == len(table)
    assert found["n_rows"] in (20, 21)
    assert found["undisturbed"]["n"] == found["n_rows"]
    # Half of the recordings are in mV and half in uV, and a gain does not depend on it.
    assert {point["n"] for point in found["points"]} == {found["n_rows"]}
    assert "above 100 Hz" in evidence["robustness"]["hum50"]["left_out"]
    page = (output / "report.html").read_text()
    errors = page.split('id="errors"')[1]
    model = Model.load(finished.folder / "model.vicinal")
    assert model.policy is not None
    wrong = model.policy.decide(table.probabilities)[:, 0] != table.truth[:, 0]
    assert wrong.any()
    assert errors.count('class="strip"') > 0
    assert any(str(name) in errors for name in table.ids[wrong])
    assert "AUROC under gain" in page
    assert "--robustness gain --robustness shift" in evidence["protocol"]["command"]


def test_differences_stand_in_both_reports_and_the_json(
    finished: Run, other: Run, folder: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    done = evaluate([finished.folder, other.folder], data=folder, output=output, resamples=100)
    for mark, evidence in zip("ab", done.evidence, strict=True):
        assert evidence["differences"]["metrics"] == done.differences
        assert json.loads((output / f"evidence-{mark}.json").read_text()) == evidence
        for name in (f"report-{mark}.html", f"report-{mark}.md"):
            text = (output / name).read_text()
            assert "Two models on the same rows" in text
            assert f"{done.differences['auroc']['value']:.3f}" in text
        assert (output / f"errors-{mark}.safetensors").is_file()
    assert done.to_dict()["differences"] == done.differences


def test_columns_are_looked_for_before_anything_is_scored(finished: Run, folder: Path) -> None:
    with pytest.raises(
        ExperimentError, match=r"no column 'sx' \(did you mean 'sex'\?\); the data have the columns"
    ):
        evaluate([finished.folder], data=folder, columns=["sx"])
    with pytest.raises(ExperimentError, match="expected numbers between commas"):
        evaluate([finished.folder], data=folder, columns=["sex=a"])
    with pytest.raises(ExperimentError, match="must rise"):
        evaluate([finished.folder], data=folder, columns=["quality=0.5,0.1"])
    with pytest.raises(ExperimentError, match=r"evidence.robustness.0: .*'shift'"):
        evaluate([finished.folder], data=folder, robustness=["shitf"])
