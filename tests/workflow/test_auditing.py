import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from vicinal.errors import ExperimentError, PathError
from vicinal.workflow.auditing import audit
from vicinal.workflow.running import Run


def test_an_experiment_a_run_and_a_cross_validation_without_leaks(
    experiment_file: Path, finished: Run, crossed: Run
) -> None:
    for source in (experiment_file, finished.folder, crossed.folder):
        audited = audit(source)
        assert audited.findings == ()
        assert sum(audited.parts.values()) == audited.n_rows == 120
        assert audited.to_dict()["counts"] == {"leak": 0, "warning": 0, "note": 0}
    assert audit(finished.folder).parts == audit(experiment_file).parts
    assert audit(crossed.folder).parts == {"fold 0": 40, "fold 1": 40, "fold 2": 40}


def test_settings_of_the_command_line_count(experiment_file: Path) -> None:
    assert len(audit(experiment_file, overrides=["inputs.split={folds = 5}"]).parts) == 5


def test_a_run_keeps_its_settings_and_a_folder_without_them_is_none(finished: Run, tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match=r"--set goes with an experiment"):
        audit(finished.folder, overrides=["seed=1"])
    with pytest.raises(PathError, match=r"is not a run: it has no experiment\.toml"):
        audit(tmp_path)


def test_a_changed_split_file_is_a_leak(finished: Run, tmp_path: Path) -> None:
    run = shutil.copytree(finished.folder, tmp_path / "run")
    table = pq.read_table(run / "split.parquet")
    swapped = [{"test": "train", "train": "test"}.get(part, part) for part in table["part"].to_pylist()]
    changed = table.set_column(1, "part", [swapped]).replace_schema_metadata(table.schema.metadata)
    pq.write_table(changed, run / "split.parquet")
    (found,) = audit(run).findings
    assert (found.kind, found.severity) == ("run_file_changed", "leak")
    assert "changed since it was written" in found.message


def test_a_fold_that_was_changed_is_named(crossed: Run, tmp_path: Path) -> None:
    run = shutil.copytree(crossed.folder, tmp_path / "run")
    shutil.copy(run / "folds" / "0" / "split.parquet", run / "folds" / "2" / "split.parquet")
    found = audit(run).findings
    assert {one.kind for one in found} == {
        "split_not_the_one_used",
        "rows_of_another_part",
        "statistics_not_from_train",
    }
    assert all(one.message.startswith("fold 2: ") for one in found)
