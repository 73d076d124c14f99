import json
import tomllib
from pathlib import Path

import numpy as np
from typer.testing import CliRunner

from vicinal.cli.app import app


def recording(folder: Path, name: str, *, gain: float = 1.0) -> None:
    values = np.sin(np.arange(1000) / 7) * gain
    (folder / name).write_text("II [mV]\n" + "\n".join(f"{value:.4f}" for value in values) + "\n")


def test_infer_prints_a_contract_that_check_takes(tmp_path: Path) -> None:
    recording(tmp_path, "a.csv")
    recording(tmp_path, "b.csv")
    shown = CliRunner().invoke(app, ["contract", "infer", str(tmp_path), "--rate-hz", "100"])
    assert shown.exit_code == 0
    assert "2 recordings looked at" in shown.output
    pasted = shown.output[shown.output.index("[inputs.contract]") :]
    assert tomllib.loads(pasted)["inputs"]["contract"]["units"] == "mV"
    (tmp_path / "c.toml").write_text(pasted)
    arguments = ["contract", "check", str(tmp_path / "c.toml"), str(tmp_path), "--rate-hz", "100"]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    recording(tmp_path, "wrong.csv", gain=1000.0)
    result = CliRunner().invoke(app, [*arguments, "--json"])
    assert result.exit_code == 1
    found = {one["name"]: one for one in json.loads(result.stdout)}
    assert [violation["field"] for violation in found["wrong.csv"]["violations"]] == ["limits"]
    assert "wrong.csv: REFUSED: limits" in CliRunner().invoke(app, arguments).output
