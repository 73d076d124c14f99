import json
from pathlib import Path

import pytest

from vicinal.errors import ExperimentError
from vicinal.experiment import load_experiment
from vicinal.workflow.disturbing import refuse_images
from vicinal.workflow.running import Run, run


def test_a_run_disturbs_its_test_rows_when_asked(
    experiment_file: Path, finished: Run, tmp_path: Path
) -> None:
    overrides = ['evidence.robustness=["shift", "gain", "hum"]']
    run(experiment_file, output=tmp_path / "run", overrides=overrides)
    evidence = json.loads((tmp_path / "run" / "evidence.json").read_text())
    found = evidence["robustness"]
    assert set(found) == {"shift", "gain", "hum"}
    for name in ("shift", "gain"):
        assert found[name]["undisturbed"] == evidence["metrics"]["auroc"]
        assert {point["n"] for point in found[name]["points"]} == {evidence["metrics"]["auroc"]["n"]}
    assert "above 100 Hz" in found["hum"]["left_out"]
    page = (tmp_path / "run" / "report.html").read_text()
    assert "AUROC under shift" in page
    assert "hum was left out: needs a rate above 100 Hz" in page
    assert "robustness" not in finished.evidence


def test_images_are_refused(experiment_file: Path) -> None:
    experiment, _ = load_experiment(experiment_file, ['evidence.robustness=["shift"]'])
    refuse_images(experiment)
    contract = experiment.inputs.contract.model_copy(update={"rate_hz": None})
    inputs = experiment.inputs.model_copy(update={"contract": contract})
    with pytest.raises(ExperimentError, match="images have none"):
        refuse_images(experiment.model_copy(update={"inputs": inputs}))
