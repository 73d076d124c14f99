import json

import pytest

from vicinal.cli.options import overrides_of, print_json


def test_options_become_settings_after_those_of_set() -> None:
    assert overrides_of(["seed=1"], 2, 0.5) == ["seed=1", "seed=2", "training.minutes=0.5"]
    assert overrides_of(None, None, None) == []


def test_json_has_no_nan(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"value": float("nan")})
    assert json.loads(capsys.readouterr().out) == {"value": None}
