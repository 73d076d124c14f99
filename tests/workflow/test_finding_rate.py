import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from vicinal.cli.app import app
from vicinal.errors import PathError
from vicinal.workflow.finding_rate import find_rate


def test_the_command_says_draws_and_suggests(experiment_file: Path, tmp_path: Path) -> None:
    plot = tmp_path / "rates.svg"
    told = CliRunner().invoke(app, ["train", str(experiment_file), "--find-lr", "--plot", str(plot)])
    assert told.exit_code == 0, told.output
    lines = told.stdout.splitlines()
    marked = [line for line in lines if line.endswith("<- suggested")]
    assert len(marked) == 1
    rate = float(told.stdout.split("learning_rate = ")[1].split(":")[0])
    assert float(marked[0].split()[0]) == pytest.approx(rate, rel=0.5)
    assert 1e-3 < rate < 1
    assert "there the loss falls fastest" in told.stdout
    assert f"{rate:.1e}" in plot.read_text()
    again = json.loads(CliRunner().invoke(app, ["train", str(experiment_file), "--find-lr", "--json"]).stdout)
    assert again["suggested"] == rate
    assert len(again["rates"]) == len(again["losses"])


def test_what_it_cannot_draw_is_said_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(PathError, match=r"--plot rates.pdf: expected a name that ends in .svg or .png"):
        find_rate(tmp_path / "missing.toml", plot=Path("rates.pdf"))


@pytest.mark.parametrize(
    "extra", [["--find-lr", "--output", "x"], ["--plot", "a.svg"], ["--find-lr", "--tensorboard", "x"]]
)
def test_options_that_do_not_go_together(experiment_file: Path, extra: list[str]) -> None:
    told = CliRunner().invoke(app, ["train", str(experiment_file), *extra])
    assert told.exit_code == 2
