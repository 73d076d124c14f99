from pathlib import Path

from typer.testing import CliRunner

from vicinal.cli.app import app
from vicinal.errors import ExperimentError


def test_settings_reach_the_experiment(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text('title = "x"')
    result = CliRunner().invoke(app, ["run", str(tmp_path / "x.toml"), "--set", "training.batsh=3"])
    assert isinstance(result.exception, ExperimentError)
    assert "did you mean 'batch'?" in str(result.exception)
