import json
import re
from pathlib import Path

import pytest

from vicinal.errors import ExperimentError
from vicinal.scoretable import ScoreTable
from vicinal.workflow.running import Run, run


def test_a_run_measures_the_subgroups_it_is_asked_for(experiment_file: Path, tmp_path: Path) -> None:
    overrides = ['evidence.subgroups=["snr_db", "condition"]', "evidence.bands={ snr_db = [0, 10] }"]
    run(experiment_file, output=tmp_path / "run", overrides=overrides)
    evidence = json.loads((tmp_path / "run" / "evidence.json").read_text())
    rows = ScoreTable.read(tmp_path / "run" / "scores" / "test.parquet")
    for column in ("snr_db", "condition"):
        assert sum(group["n"] for group in evidence["subgroups"][column].values()) == len(rows)
    page = (tmp_path / "run" / "report.html").read_text()
    section = page.split('id="subgroups"')[1].split("</div>")[0]
    name = next(iter(evidence["subgroups"]["condition"]))
    assert re.search(f">{name}</td>", section)


def test_a_column_that_is_not_there_is_refused_before_training(experiment_file: Path, tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match="no column 'sex'"):
        run(experiment_file, output=tmp_path / "run", overrides=['evidence.subgroups=["sex"]'])
    assert not (tmp_path / "run").exists()


def test_a_run_that_asks_for_none_has_none(finished: Run) -> None:
    assert "subgroups" not in finished.evidence
