from pathlib import Path

from typer.testing import CliRunner

from vicinal.cli.app import app
from vicinal.errors import ExperimentError, PathError


def test_settings_reach_the_experiment(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text('title = "x"')
    result = CliRunner().invoke(app, ["run", str(tmp_path / "x.toml"), "--set", "training.batsh=3"])
    assert isinstance(result.exception, ExperimentError)
    assert "did you mean 'batch'?" in str(result.exception)


def test_decide_needs_an_aim_and_a_run(tmp_path: Path) -> None:
    assert CliRunner().invoke(app, ["decide", str(tmp_path)]).exit_code == 2
    result = CliRunner().invoke(app, ["decide", str(tmp_path), "--aim", "f1", "--json"])
    assert isinstance(result.exception, PathError)
    assert "Give the folder of a finished run" in str(result.exception)


def test_report_needs_a_run(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["report", str(tmp_path)])
    assert isinstance(result.exception, PathError)
    assert "not the folder of a finished run" in str(result.exception)
