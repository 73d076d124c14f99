import json
from pathlib import Path

import pytest
from PIL import Image
from sklearn.datasets import load_digits
from typer.testing import CliRunner

from vicinal.cli.app import app
from vicinal.errors import ExperimentError, NetworkError
from vicinal.workflow.running import run

DIGITS = Path(__file__).parents[2] / "experiments" / "digits.toml"


def test_inspect_prints_json_or_a_table() -> None:
    text = "local 1 window 20 stride 10 | relu | local 1 window 5 | relu | flatten | dense 1"
    found = json.loads(CliRunner().invoke(app, ["inspect", text, "--input", "1x100@100", "--json"]).output)
    assert found["parameters"] == 225
    assert found["receptive_field_samples"] == 60
    assert found["receptive_field_ms"] == 600.0
    table = CliRunner().invoke(app, ["inspect", text, "--input", "1x100@100"]).output
    assert "225 parameters" in table


def test_a_typo_in_a_network_is_pointed_at() -> None:
    result = CliRunner().invoke(app, ["inspect", "conv 8 windw 5 | mean | dense 1", "--input", "1x100"])
    assert isinstance(result.exception, NetworkError)
    assert "'windw': unknown key, did you mean 'window'?" in str(result.exception)


_HEARTS = """
title = "Few hearts"
[inputs]
dataset = "synthetic"
task = "binary"
positive = ["disease"]
options = { n_subjects = 60, clips_per_subject = 1 }
contract = { channels = ["ECG"], rate_hz = 100, duration_s = 1, units = "mV" }
split = { test = 0.3, validation = 0.2, calibration = 0.2 }
[representations]
network = "conv 4 window 20 stride 5 | relu | mean | dense 1"
[training]
epochs = 1
batch = 16
[evidence]
resamples = 100
[decisions]
aim = "sensitivity >= 0.5"
"""


def test_a_run_is_inspected_with_what_excites_its_units(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "hearts.toml").write_text(_HEARTS)
    folder = str(run(tmp_path / "hearts.toml", output=tmp_path / "run").folder)
    asked = [folder, "--rows", "train", "--units", "2", "--html", str(tmp_path / "page.html")]
    told = CliRunner().invoke(app, ["inspect", *asked]).output
    assert "What excites the units of each stage most, of all 18 train rows of 18 subjects" in told
    assert "conv 4 window 20 stride 5 | relu" in told
    assert (tmp_path / "page.html").is_file()
    found = json.loads(CliRunner().invoke(app, ["inspect", *asked, "--json"]).stdout)
    assert found["learnt"]["role"] == "train"
    assert [len(stage["units"]) for stage in found["learnt"]["stages"]] == [2, 2, 2, 1]
    result = CliRunner().invoke(app, ["inspect", folder, "--input", "1x100"])
    assert isinstance(result.exception, ExperimentError)
    assert "--input: a run says its own shape" in str(result.exception)


@pytest.mark.slow
def test_an_image_is_traced_with_a_network_that_has_learnt_digits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    overrides = ["training.steps=150", "evidence.resamples=100"]
    folder = run(DIGITS, output=tmp_path / "run", overrides=overrides).folder
    digits = load_digits()
    right, drawn = 0, (3, 4, 6, 7, 10)
    for index in drawn:
        Image.fromarray((digits.images[index] * 255 / 16).round().astype("uint8")).save(tmp_path / "one.png")
        asked = ["trace", str(folder / "model.vicinal"), str(tmp_path / "one.png")]
        found = json.loads(CliRunner().invoke(app, [*asked, "--json"]).stdout)
        right += found["decision"] == str(digits.target[index])
        assert found["size"] == [8, 8]
        assert found["attribution"]["name"] == found["decision"]
        assert {len(one["window"]) for one in found["stages"]} == {2}
        assert {one["rows"][1] - one["rows"][0] for one in found["attribution"]["windows"]} == {2}
    assert right >= 4  # of five
    page = tmp_path / "way.html"
    told = CliRunner().invoke(app, [*asked, "--html", str(page), "--explain", "3"])
    assert told.exit_code == 0
    for words in ("image      one  (one.png)", "prepared   grey, 8 x 8 pixels", "rests on   3: log-odds"):
        assert words in told.stdout
    assert "by hiding: how far the log-odds fall" in page.read_text()
