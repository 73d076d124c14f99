import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from vicinal.cli.app import app
from vicinal.errors import ExperimentError, NetworkError
from vicinal.workflow.running import run


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
