import json
from pathlib import Path

import numpy as np
import pytest

from vicinal.errors import ExperimentError, FormatError, PathError
from vicinal.inputs.splits import Split
from vicinal.workflow import inspecting_run
from vicinal.workflow.inspecting_run import inspect_run, is_run, refuse_options
from vicinal.workflow.running import Run, run

DIGITS = """
title = "Few digits"
[inputs]
dataset = "digits"
task = "classes"
[inputs.contract]
axes = ["height", "width"]
channels = ["grey"]
size = [8, 8]
units = "1"
[inputs.split]
test = 0.2
validation = 0.1
calibration = 0.2
[representations]
network = "conv 4 window 3 same | relu | max window 2 stride 2 | flatten | dense classes"
[training]
epochs = 1
batch = 64
[evidence]
resamples = 100
[decisions]
aim = "argmax"
"""


def ids_of(found: object) -> set[str]:
    return {
        one.id
        for stage in found.detectors.stages  # type: ignore[attr-defined]
        for unit in stage.units
        for one in unit.snippets
    }


@pytest.mark.parametrize("rows", ["validation", "train"])
def test_snippets_come_from_the_rows_that_are_named_and_the_page_says_so(
    finished: Run, tmp_path: Path, rows: str
) -> None:
    found = inspect_run(finished.folder, rows=rows, html=tmp_path / "page.html")  # type: ignore[arg-type]
    split = Split.read(finished.folder / "split.parquet")
    assert ids_of(found) <= set(split.ids[split.indices(rows)].tolist())
    assert (found.detectors.role, found.detectors.n_rows) == (rows, len(split.indices(rows)))
    page = (tmp_path / "page.html").read_text()
    assert f"out of all {found.detectors.n_rows} {rows} rows" in page
    # The signal that is drawn is one of them too, the one that the network is surest of.
    logit = found.detectors.stages[-1].units[0].snippets[0]
    assert f"Drawn over {logit.id}, the {rows} row with the largest logit of disease" in page
    assert page.partition("Drawn over ")[2].partition(",")[0] in split.ids[split.indices(rows)]
    told = json.loads(json.dumps(found.to_dict()))
    assert told["parameters"] == found.inspection.parameters
    assert [stage["text"] for stage in told["learnt"]["stages"]] == [one["text"] for one in told["stages"]]


def test_images_are_inspected_too(tmp_path: Path) -> None:
    (tmp_path / "digits.toml").write_text(DIGITS)
    run(tmp_path / "digits.toml", output=tmp_path / "digits")
    found = inspect_run(tmp_path / "digits", n_units=2, html=tmp_path / "page.html")
    patch = found.detectors.stages[0].units[0].snippets[0]
    assert max(patch.samples.shape) <= 3
    assert len(patch.labels) == 1
    assert found.detectors.stages[-1].units[0].snippets[0].samples.shape == (1, 8, 8)
    assert all(len(stage.units) <= 2 for stage in found.detectors.stages)
    assert "What the network has learnt to detect" in (tmp_path / "page.html").read_text()


def test_another_recording_can_be_drawn(finished: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text(
        "time_s,ECG_mV\n" + "".join(f"{k / 100},{k % 9}\n" for k in range(100))
    )
    inspect_run(finished.folder, html=tmp_path / "page.html", recording=tmp_path / "mine.csv")
    page = (tmp_path / "page.html").read_text()
    assert "Drawn over a recording, as it enters the network" in page
    assert "mine" not in page


def test_of_many_rows_some_are_drawn_always_the_same(finished: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspecting_run, "MOST_ROWS", 5)
    first, again = inspect_run(finished.folder), inspect_run(finished.folder)
    assert first.to_dict() == again.to_dict()
    assert len(ids_of(first)) <= 5
    assert first.detectors.source.startswith("5 of ")
    assert first.detectors.source.endswith("drawn by lot")


def test_a_split_that_the_model_was_not_trained_on_is_refused(finished: Run, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    for name in ("model.vicinal", "experiment.toml"):
        (folder / name).write_bytes((finished.folder / name).read_bytes())
    split = Split.read(finished.folder / "split.parquet")
    # The test rows called validation rows: just what must not be looked at.
    names = {"test": "validation", "validation": "test"}
    Split(split.ids, np.array([names.get(one, one) for one in split.parts])).write(folder / "split.parquet")
    with pytest.raises(FormatError, match=r"its model was not trained on its split\.parquet"):
        inspect_run(folder)


def test_a_run_is_told_from_a_network(finished: Run, crossed: Run, tmp_path: Path) -> None:
    assert is_run(str(finished.folder))
    assert is_run(str(crossed.folder / "folds" / "0"))
    assert not is_run("resnet1d")
    assert not is_run("conv 8 window 20 | relu | " * 60 + "mean | dense 1")
    with pytest.raises(PathError, match="is a cross-validation, with one network for each fold"):
        is_run(str(crossed.folder))
    with pytest.raises(PathError, match=r"has no model\.vicinal"):
        is_run(str(tmp_path))


def test_a_fold_is_a_run_of_its_own(crossed: Run) -> None:
    found = inspect_run(crossed.folder / "folds" / "1")
    split = Split.read(crossed.folder / "folds" / "1" / "split.parquet")
    assert ids_of(found) <= set(split.ids[split.indices("validation")].tolist())


def test_options_of_the_other_kind_are_refused() -> None:
    refuse_options(True, of_text={"--input": None}, of_run={"--rows": "train"})
    with pytest.raises(ExperimentError, match="--input: a run says its own shape"):
        refuse_options(True, of_text={"--input": "1x100"}, of_run={})
    with pytest.raises(ExperimentError, match="--rows, --data: this is no folder of a run"):
        refuse_options(False, of_text={}, of_run={"--rows": "train", "--data": Path("x")})
