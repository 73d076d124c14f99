import json
from pathlib import Path

import numpy as np
import pytest

from vicinal.errors import ExperimentError
from vicinal.experiment import load_experiment
from vicinal.scoretable import ScoreTable
from vicinal.workflow.disturbing import drawn, refuse_images
from vicinal.workflow.packing import pack
from vicinal.workflow.running import Run, run


def test_a_run_disturbs_its_test_recordings_when_asked(
    experiment_file: Path, finished: Run, tmp_path: Path
) -> None:
    overrides = ['evidence.robustness=["shift", "gain", "hum50", "rate"]']
    run(experiment_file, output=tmp_path / "run", overrides=overrides)
    evidence = json.loads((tmp_path / "run" / "evidence.json").read_text())
    found = evidence["robustness"]
    assert set(found) == {"shift", "gain", "hum50", "rate"}
    for name in ("shift", "gain"):
        # Read and prepared again, they are what the pack holds.
        assert found[name]["undisturbed"] == evidence["metrics"]["auroc"]
        assert {point["n"] for point in found[name]["points"]} == {evidence["metrics"]["auroc"]["n"]}
        assert all(point["refused"] == 0 for point in found[name]["points"])
    assert "above 100 Hz" in found["hum50"]["left_out"]
    # The contract takes 100 Hz and nothing else.
    assert "rate_hz: expected 100 Hz" in found["rate"]["left_out"]
    page = (tmp_path / "run" / "report.html").read_text()
    assert "AUROC under shift" in page
    assert "hum50 was left out: it needs a rate above 100 Hz" in page
    assert "robustness" not in finished.evidence


def test_of_many_test_rows_some_are_drawn(experiment_file: Path, tmp_path: Path) -> None:
    overrides = ['evidence.robustness=["gain"]', "evidence.robustness_rows=20"]
    done = run(experiment_file, output=tmp_path / "run", overrides=overrides)
    found = done.evidence["robustness"]["gain"]
    n_test = len(ScoreTable.read(tmp_path / "run" / "scores" / "test.parquet"))
    assert (found["n_rows"], found["n_test_rows"]) == (20, n_test)
    assert found["undisturbed"]["n"] == 20
    assert f"20 of {n_test} test recordings" in (tmp_path / "run" / "report.html").read_text()


def test_a_pack_alone_has_no_recordings_to_disturb(experiment_file: Path, tmp_path: Path) -> None:
    pack(experiment_file, output=tmp_path / "pack")
    done = run(
        experiment_file,
        output=tmp_path / "run",
        data=tmp_path / "pack",
        overrides=['evidence.robustness=["gain"]'],
    )
    assert "only a pack of them was given" in done.evidence["robustness"]["gain"]["left_out"]


def test_whole_subjects_are_drawn() -> None:
    clusters = np.repeat(np.arange(100), 3).astype(str)
    rows = drawn(clusters, n=40, seed=0)
    assert 40 <= len(rows) <= 42
    chosen = np.unique(clusters[rows])
    assert np.isin(clusters, chosen).sum() == len(rows)
    assert (np.diff(rows) > 0).all()
    np.testing.assert_array_equal(rows, drawn(clusters, n=40, seed=0))
    assert not np.array_equal(rows, drawn(clusters, n=40, seed=1))
    np.testing.assert_array_equal(drawn(clusters, n=300, seed=0), np.arange(300))


def test_images_are_refused(experiment_file: Path) -> None:
    experiment, _ = load_experiment(experiment_file, ['evidence.robustness=["shift"]'])
    refuse_images(experiment)
    contract = experiment.inputs.contract.model_copy(update={"rate_hz": None})
    inputs = experiment.inputs.model_copy(update={"contract": contract})
    with pytest.raises(ExperimentError, match="images have none"):
        refuse_images(experiment.model_copy(update={"inputs": inputs}))
