from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vicinal.errors import ExperimentError, FormatError
from vicinal.experiment import load_experiment
from vicinal.inputs.datasets import synthetic
from vicinal.inputs.datasets.catalogue import Recording
from vicinal.inputs.quality import quality
from vicinal.scoretable import ScoreTable
from vicinal.signal import Signal
from vicinal.terminal import QUIET
from vicinal.workflow.gathering import gather
from vicinal.workflow.packing import pack
from vicinal.workflow.rating import qualities, with_quality
from vicinal.workflow.running import Run, run


def test_a_run_has_subgroups_by_quality(experiment_file: Path, finished: Run, tmp_path: Path) -> None:
    overrides = ['evidence.subgroups=["quality"]', "evidence.bands={quality=[0.5]}"]
    done = run(experiment_file, output=tmp_path / "run", overrides=overrides)
    table = ScoreTable.read(tmp_path / "run" / "scores" / "test.parquet")
    found = {one.id: quality(synthetic.read(one)) for one in synthetic.catalogue(None, n_subjects=120,
             clips_per_subject=1).recordings}  # fmt: skip
    np.testing.assert_allclose(table.columns["quality"], [found[name] for name in table.ids.tolist()])
    groups = done.evidence["subgroups"]["quality"]
    assert set(groups) <= {"under 0.5", "0.5 and over"}
    assert sum(group["n"] for group in groups.values()) == len(table)
    assert groups["0.5 and over"]["n"] == (table.columns["quality"] >= 0.5).sum()
    assert "quality" not in ScoreTable.read(finished.folder / "scores" / "test.parquet").columns


def test_a_pack_alone_has_no_quality(experiment_file: Path, tmp_path: Path) -> None:
    made = pack(experiment_file, output=tmp_path / "pack")
    experiment, _ = load_experiment(experiment_file, ['evidence.subgroups=["quality"]'])
    with pytest.raises(ExperimentError, match="only a pack of them was given"):
        gather(experiment, data=made.folder, show=QUIET)


def test_a_column_of_the_data_goes_first(finished: Run, experiment_file: Path) -> None:
    table = ScoreTable.read(finished.folder / "scores" / "test.parquet")
    own = replace(table, columns={"quality": np.full(len(table), "good")})
    experiment, _ = load_experiment(experiment_file, ['evidence.subgroups=["quality"]'])
    assert with_quality(experiment, None, own, QUIET) is own


def test_what_cannot_be_read_is_not_known() -> None:
    recordings = synthetic.catalogue(None, n_subjects=4, clips_per_subject=1).recordings

    def read(recording: Recording) -> Signal:
        if recording == recordings[2]:
            raise FormatError("broken.")
        return synthetic.read(recording)

    assert np.isnan(qualities(recordings, read, show=QUIET)).tolist() == [False, False, True, False]
