from pathlib import Path

import pytest

from vicinal.terminal import Terminal
from vicinal.workflow.comparing import Asked, compare
from vicinal.workflow.telling_comparison import comparison_rows, tell_comparison


def test_a_comparison_is_one_line_a_network_and_a_verdict(
    experiment_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = Asked(vary=("training.batch=8,16",), seeds=1)
    done = compare(
        experiment_file, asked, output=tmp_path, overrides=["training.epochs=1", "evidence.resamples=100"]
    )
    columns, rows = comparison_rows(done.evidence)
    assert [row[0] for row in rows] == ["batch 8", "batch 16"]
    assert all(len(row) == len(columns) for row in rows)
    capsys.readouterr()
    tell_comparison(done, Terminal())
    out = capsys.readouterr().out
    assert "24 test rows of 24 subjects, 1 seed" in out or "test rows of" in out
    point = done.evidence["networks"]["batch 8"]["curve"][-1]
    assert f"{point['value']:.3f} ({point['low']:.3f} to {point['high']:.3f})" in out
    assert "Which is best?" in out
    assert str(tmp_path / "compare.json") in out


def test_what_is_not_known_stays_empty() -> None:
    network = {
        "parameters": 9, "multiply_adds": 9, "activation_bytes": 9, "train_seconds": None, "infer_per_second": None,
        "curve": [], "needed": None, "translation": [], "concentration": None,
    }  # fmt: skip
    evidence = {"metric": "auroc", "unit": "subjects", "target": 0.9, "networks": {"a": network}}
    _, ((name, *cells),) = comparison_rows(evidence)
    assert (name, cells[5], cells[6:]) == ("a", "failed", [""] * 5)
