import json
import subprocess
import sys
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


PACKED = """
title = "Made-up hearts"
[inputs]
dataset = "synthetic"
task = "binary"
positive = ["disease"]
options = { n_subjects = 8 }
[inputs.contract]
channels = ["ECG"]
rate_hz = 100
duration_s = 1
units = "mV"
[representations]
network = "dense 1"
[training]
epochs = 1
"""


def test_pack_and_verify(tmp_path: Path) -> None:
    (tmp_path / "hearts.toml").write_text(PACKED)
    folder = str(tmp_path / "pack")
    arguments = ["pack", str(tmp_path / "hearts.toml"), "--output", folder, "--dtype", "int16"]
    made = CliRunner().invoke(app, [*arguments, "--json"])
    assert made.exit_code == 0
    told = json.loads(made.stdout)
    assert (told["n"], told["dtype"], told["bytes"]) == (16, "int16", 16 * 100 * 2)
    whole = CliRunner().invoke(app, ["pack", "--verify", folder])
    assert (whole.exit_code, whole.stdout) == (0, f"{folder}: 16 rows, all as they were written\n")
    samples = tmp_path / "pack/samples.bin"
    samples.write_bytes(b"\1" + samples.read_bytes()[1:])
    changed = CliRunner().invoke(app, ["pack", "--verify", folder, "--json"])
    assert changed.exit_code == 1
    assert json.loads(changed.stdout)["changed"] == ["s00000-0"]


def test_packing_loads_neither_torch_nor_matplotlib(tmp_path: Path) -> None:
    (tmp_path / "hearts.toml").write_text(PACKED)
    program = (
        "import sys; from vicinal.cli.app import app; "
        f"app({['pack', str(tmp_path / 'hearts.toml'), '--output', str(tmp_path / 'pack')]!r}, "
        "standalone_mode=False); sys.exit(bool({'torch', 'matplotlib'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
    assert (tmp_path / "pack").is_dir()


@pytest.mark.parametrize(
    "arguments", [["pack"], ["pack", "x.toml", "--verify", "y"], ["pack", "x.toml", "--dtype", "int8"]]
)
def test_pack_wants_an_experiment_or_a_pack(arguments: list[str]) -> None:
    assert CliRunner().invoke(app, arguments).exit_code == 2
