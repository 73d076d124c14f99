import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from vicinal.cli.app import app


def vicinal(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "vicinal", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)


@pytest.mark.parametrize("arguments", [["--help"], [], *([name, "--help"] for name in
                         ("demo", "get", "init", "pack", "run", "score", "compare", "trace", "inspect",
                          "bench"))])  # fmt: skip
def test_every_command_explains_itself(arguments: list[str]) -> None:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code in ({0, 2} if not arguments else {0})
    assert "Usage:" in result.output


def test_the_version() -> None:
    assert CliRunner().invoke(app, ["--version"]).output == "0.1.0\n"


@pytest.mark.parametrize(
    "arguments",
    [["rum"], ["run"], ["run", "x.toml", "--sed", "3"], ["run", "x.toml", "--seed", "-1"], ["bench", "--batch", "0"],
     ["run", "x.toml", "--seed"], ["compare"]],
)  # fmt: skip
def test_wrong_usage_exits_2(arguments: list[str]) -> None:
    result = vicinal(*arguments)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_a_clear_failure_exits_1_with_one_message(tmp_path: Path) -> None:
    result = vicinal("run", "missing.toml", cwd=tmp_path)
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.startswith("vicinal: experiment file missing.toml does not exist.")
    assert "Traceback" not in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments", ["founding --input 1x100@100 --html", "--html founding --input 1x100@100"]
)
def test_a_page_needs_no_name(arguments: str, tmp_path: Path) -> None:
    result = vicinal("inspect", *arguments.split(), cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "page: inspect.html\n")
    assert "225 parameters" in result.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["inspect.html"]
    assert (tmp_path / "inspect.html").read_text().startswith("<!doctype html>")


def test_a_reader_that_stops_reading_is_no_failure() -> None:
    command = f"{sys.executable} -m vicinal inspect resnet1d --input 12x1000@100 --json | head -1"
    result = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert result.stdout == "{\n"
    assert "Traceback" not in result.stderr
