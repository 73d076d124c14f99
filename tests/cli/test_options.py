import json
import shlex
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from vicinal.cli.app import app
from vicinal.cli.options import names_of, numbers_of, overrides_of, print_json, with_page_names


def test_options_become_settings_after_those_of_set() -> None:
    assert overrides_of(["seed=1"], 2, 0.5) == ["seed=1", "seed=2", "training.minutes=0.5"]
    assert overrides_of(None, None, None) == []


@pytest.mark.parametrize("text", ["", ",", "dense,", ",dense", "dense,,conv", " , "])
def test_an_empty_name_between_commas_is_refused(text: str) -> None:
    with pytest.raises(
        typer.BadParameter, match=r"--networks: expected names between commas, got .* one is empty"
    ):
        names_of(text, "--networks")


def test_names_and_numbers_lie_between_commas() -> None:
    assert names_of(None, "--cut") == ()
    assert names_of("dense, conv@8 , mean | dense 1", "--cut") == ("dense", "conv@8", "mean | dense 1")
    assert numbers_of("0.1,1", "--fractions") == (0.1, 1.0)
    with pytest.raises(
        typer.BadParameter, match=r"--fractions: expected numbers between commas, got '0\.1,x'"
    ):
        numbers_of("0.1,x", "--fractions")
    with pytest.raises(typer.BadParameter, match="--rates: expected names between commas"):
        numbers_of("0.1,", "--rates")


def test_json_has_no_nan(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"value": float("nan")})
    assert json.loads(capsys.readouterr().out) == {"value": None}


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ("inspect founding --html", "inspect founding --html inspect.html"),
        ("inspect --html --json founding", "inspect --html inspect.html --json founding"),
        ("trace model.vicinal a.csv --html way.html", "trace model.vicinal a.csv --html way.html"),
        ("show a.csv", "show a.csv"),
        ("inspect --html founding --json", "inspect --html inspect.html founding --json"),
        ("inspect --html 'mean | dense 1'", "inspect --html inspect.html 'mean | dense 1'"),
        ("inspect --html foundin", "inspect --html foundin"),
        ("show --html a.csv", "show --html show.html a.csv"),
        ("show --html b.csv", "show --html b.csv"),
        ("show --html here.html a.csv", "show --html here.html a.csv"),
        ("trace --html founding a.csv", "trace --html founding a.csv"),
        ("", ""),
    ],
)
def test_a_page_without_a_name_is_called_after_its_command(
    given: str, named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.csv", "here.html"):
        (tmp_path / name).touch()
    assert with_page_names(shlex.split(given)) == shlex.split(named)


@pytest.mark.parametrize(
    "command", [["inspect", "founding"], ["trace", "m.vicinal", "a.csv"], ["show", "a.csv"]]
)
def test_a_page_that_does_not_end_as_one_is_refused(command: list[str]) -> None:
    result = CliRunner().invoke(app, [*command, "--html", "page"])
    assert result.exit_code == 2
    told = " ".join(result.output.split())
    assert "expected a page's name that ends in .html, got 'page'. Write --html page.html" in told
