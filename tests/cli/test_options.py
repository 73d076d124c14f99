import json

import pytest

from vicinal.cli.options import overrides_of, print_json, with_page_names


def test_options_become_settings_after_those_of_set() -> None:
    assert overrides_of(["seed=1"], 2, 0.5) == ["seed=1", "seed=2", "training.minutes=0.5"]
    assert overrides_of(None, None, None) == []


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
        ("", ""),
    ],
)
def test_a_page_without_a_name_is_called_after_its_command(given: str, named: str) -> None:
    assert with_page_names(given.split()) == named.split()
