from typer.testing import CliRunner

from vicinal.cli.app import app
from vicinal.errors import PathError


def test_an_unknown_data_set_names_those_there_are() -> None:
    result = CliRunner().invoke(app, ["get", "mitbd"])
    assert isinstance(result.exception, PathError)
    assert "cinc2017" in str(result.exception)
