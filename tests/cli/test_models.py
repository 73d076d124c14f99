import json

from typer.testing import CliRunner

from vicinal.cli.app import app
from vicinal.errors import NetworkError


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
