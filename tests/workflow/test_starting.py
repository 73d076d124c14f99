import csv
from pathlib import Path

import numpy as np
import pytest

from vicinal.errors import ExperimentError, FormatError, PathError
from vicinal.experiment import load_experiment
from vicinal.inputs.datasets import synthetic
from vicinal.inputs.formats import READERS
from vicinal.workflow.running import run
from vicinal.workflow.starting import init


def write_ecgs(folder: Path, *, n_subjects: int = 60) -> Path:
    """Write made-up ECGs as CSVs, with a table whose columns are named as nobody expects."""
    (folder / "rec").mkdir(parents=True)
    rows = [("EKG-Datei", "Befund", "PatientNr", "Alter")]
    for k, one in enumerate(synthetic.catalogue(None, n_subjects=n_subjects, clips_per_subject=1).recordings):
        signal = synthetic.read(one)
        with (folder / "rec" / f"ekg_{k}.csv").open("w", newline="") as stream:
            table = csv.writer(stream)
            table.writerow(["time [ms]", "II [mV]"])
            table.writerows([j * 10, f"{value:.4f}"] for j, value in enumerate(signal.samples[0]))
        rows.append(
            (f"ekg_{k}.csv", "krank" if "disease" in one.labels else "gesund", f"p{k // 2}", str(40 + k))
        )
    with (folder / "patients.csv").open("w", newline="") as stream:
        csv.writer(stream, delimiter=";").writerows(rows)
    return folder


def test_a_folder_that_nobody_prepared_becomes_an_experiment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    started = init(write_ecgs(tmp_path / "my-ecgs"))
    assert started.path == Path("my-ecgs.toml")
    experiment, text = load_experiment(started.path)
    assert text == started.text
    assert "my-ecgs/patients.csv" in text
    assert str(tmp_path) not in text
    inputs = experiment.inputs
    assert (inputs.file_column, inputs.label_column, inputs.subject_column) == (
        "EKG-Datei",
        "Befund",
        "PatientNr",
    )
    assert (inputs.task, inputs.positive) == ("binary", ("krank",))
    assert (inputs.contract.channels, inputs.contract.rate_hz, inputs.contract.units) == (("II",), 100, "mV")
    assert [question.key for question in started.questions] == ["decisions.prevalence"]
    with pytest.raises(PathError, match=r"my-ecgs.toml exists"):
        init(tmp_path / "my-ecgs")


def arrays(folder: Path, n: int = 80) -> Path:
    rng = np.random.default_rng(0)
    y = np.arange(n) % 2
    folder.mkdir()
    np.save(folder / "X.npy", rng.normal(size=(n, 40)).astype(np.float32) + 2 * y[:, None])
    np.save(folder / "y.npy", np.array(["no", "yes"])[y])
    np.save(folder / "groups.npy", np.arange(n) // 2 // 2)
    return folder


def test_what_the_files_do_not_say_is_asked(tmp_path: Path) -> None:
    started = init(arrays(tmp_path / "a"), output=tmp_path / "a.toml")
    keys = [(question.key, question.option) for question in started.questions]
    assert keys[:2] == [("inputs.options.rate_hz", "--rate-hz"), ("inputs.options.units", "--units")]
    assert load_experiment(tmp_path / "a.toml")[0].inputs.options == {"rate_hz": 1.0, "units": "1"}
    assert "# ? inputs.options.rate_hz: " in started.text
    told = init(tmp_path / "a", output=tmp_path / "b.toml", stated={"rate_hz": 250.0, "units": "mV"})
    assert [question.key for question in told.questions] == ["decisions.prevalence"]
    assert load_experiment(tmp_path / "b.toml")[0].inputs.contract.duration_s == 0.16


def test_a_run_takes_the_file_as_it_is(tmp_path: Path) -> None:
    init(arrays(tmp_path / "a"), output=tmp_path / "a.toml")
    done = run(tmp_path / "a.toml", output=tmp_path / "run", overrides=["training.epochs=2"])
    assert done.evidence["protocol"]["rows"]["test"] > 0
    assert done.evidence["protocol"]["subjects"] == "known"


def test_recordings_without_labels_are_allowed_for_and_said(tmp_path: Path) -> None:
    folder = arrays(tmp_path / "a")
    np.save(folder / "y.npy", np.where(np.arange(80) % 5 == 0, "", np.load(folder / "y.npy")))
    started = init(folder, output=tmp_path / "a.toml")
    assert load_experiment(started.path)[0].inputs.max_skipped == 0.25
    run(started.path, output=tmp_path / "run", overrides=["training.epochs=1"])


def test_nothing_is_written_when_something_is_wrong(tmp_path: Path) -> None:
    folder = arrays(tmp_path / "a")
    np.save(folder / "y.npy", np.zeros(80))
    with pytest.raises(ExperimentError, match="at least two classes"):
        init(folder, output=tmp_path / "a.toml")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FormatError, match="expected recordings, got none"):
        init(tmp_path / "empty", output=tmp_path / "a.toml")
    assert not (tmp_path / "a.toml").exists()


@pytest.mark.skipif(".png" not in READERS, reason="no reader of images here")
def test_images_in_class_folders_become_an_experiment(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    rng = np.random.default_rng(0)
    for k in range(60):
        name = ("bright", "dark")[k % 2]
        (tmp_path / "images" / name).mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 100, (8, 8)) + 150 * (name == "bright")
        image.fromarray(pixels.astype(np.uint8)).save(tmp_path / "images" / name / f"{k}.png")
    init(tmp_path / "images", output=tmp_path / "i.toml")
    experiment, _ = load_experiment(tmp_path / "i.toml")
    assert experiment.inputs.contract.axes == ("height", "width")
    run(tmp_path / "i.toml", output=tmp_path / "run", overrides=["training.epochs=1"])
