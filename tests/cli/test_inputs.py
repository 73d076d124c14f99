import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from vicinal.cli.app import app
from vicinal.errors import PathError


def test_an_unknown_data_set_names_those_there_are() -> None:
    result = CliRunner().invoke(app, ["get", "mitbd"])
    assert isinstance(result.exception, PathError)
    assert "cinc2017" in str(result.exception)


def test_show_prints_facts_as_json(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("time [ms],II [mV]\n0,0.5\n10,\n20,1\n")
    result = CliRunner().invoke(app, ["show", str(tmp_path / "a.csv"), "--json"])
    found = json.loads(result.output)
    assert found["rate_hz"] == 100.0
    assert found["channels"][0]["missing"] == pytest.approx(1 / 3)


def test_init_says_what_it_needs(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["init", str(tmp_path / "nowhere")])
    assert isinstance(result.exception, PathError)
    assert "is not a folder" in str(result.exception)
