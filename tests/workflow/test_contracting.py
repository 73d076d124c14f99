from pathlib import Path

import numpy as np
import pytest

from vicinal.errors import FormatError, PathError
from vicinal.inputs.contract import Contract
from vicinal.workflow.contracting import check_files, infer_contract, load_contract
from vicinal.workflow.running import Run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for name, n, unit in (("a", 1000, "mV"), ("b", 1200, "mV"), ("c", 1000, "uV")):
        values = "\n".join(f"{value:.3f}" for value in rng.normal(size=n) * (1000 if unit == "uV" else 1))
        (tmp_path / f"{name}.csv").write_text(f"II [{unit}]\n{values}\n")
    (tmp_path / "labels.csv").write_text("file,label\na,AF\nb,N\nc,N\n")
    return tmp_path


def test_what_is_proposed_is_met(folder: Path) -> None:
    contract, seen = infer_contract([folder], stated={"rate_hz": 100})
    assert (contract.channels, contract.units, contract.rate_hz, contract.duration_s) == (
        ("II",),
        "mV",
        100.0,
        12.0,
    )
    assert seen.n_signals == 3
    checked = check_files(contract, [folder], stated={"rate_hz": 100})
    assert [(one.name, one.is_broken) for one in checked] == [
        ("a.csv", False),
        ("b.csv", False),
        ("c.csv", False),
    ]
    assert [violation.field for violation in checked[2].violations] == ["units", "duration_s"]


def test_every_file_and_every_violation_is_listed(folder: Path) -> None:
    contract = Contract(channels=("V1",), rate_hz=500, duration_s=10, units="mV", min_duration_s=11)
    (folder / "d.csv").write_text("II [mV]\nx\n")
    checked = {one.name: one for one in check_files(contract, [folder], stated={"rate_hz": 100})}
    fields = [violation.field for violation in checked["a.csv"].violations if not violation.convertible]
    assert fields == ["channels", "rate_hz", "min_duration_s"]
    assert "expected a number" in checked["d.csv"].unreadable
    assert checked["d.csv"].to_dict()["is_broken"] is True


def test_a_contract_is_found_wherever_it_stands(tmp_path: Path, experiment_file: Path, finished: Run) -> None:
    expected = finished.model.contract
    (tmp_path / "c.json").write_text(expected.to_json())
    (tmp_path / "c.toml").write_text(expected.to_toml())
    (tmp_path / "pasted.toml").write_text("[inputs.contract]\n" + expected.to_toml())
    for path in (
        tmp_path / "c.json",
        tmp_path / "c.toml",
        tmp_path / "pasted.toml",
        experiment_file,
        finished.folder / "model.vicinal",
    ):
        assert load_contract(path) == expected


def test_what_is_no_contract_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PathError, match=r"none\.toml does not exist"):
        load_contract(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("channels = [")
    with pytest.raises(FormatError, match="expected a contract in TOML"):
        load_contract(tmp_path / "bad.toml")
    (tmp_path / "bad.toml").write_text("channels = []")
    with pytest.raises(FormatError, match="not a contract: channels"):
        load_contract(tmp_path / "bad.toml")
