from pathlib import Path

import pytest

from vicinal.evidence.ladder.table import comparison_rows
from vicinal.terminal import Terminal
from vicinal.workflow.asking import Asked
from vicinal.workflow.comparing import compare
from vicinal.workflow.telling_comparison import tell_comparison


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
    test = done.evidence["test"]
    assert f"{test['n']} test rows of {test['n_subjects']} subjects, 1 seed" in out
    point = done.evidence["networks"]["batch 8"]["curve"][-1]
    assert f"{point['value']:.3f} ({point['low']:.3f} to {point['high']:.3f})" in out
    assert "Is one shown to be best?" in out
    assert str(tmp_path / "compare.json") in out
