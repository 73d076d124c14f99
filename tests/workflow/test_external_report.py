from pathlib import Path

import numpy as np
import pytest

from vicinal.inputs.datasets import synthetic
from vicinal.inputs.prepare import prepare
from vicinal.scores.model import Model
from vicinal.scoretable import ScoreTable
from vicinal.workflow.drawable import examples_of
from vicinal.workflow.evaluating import evaluate
from vicinal.workflow.external import Fitness
from vicinal.workflow.external_report import described_data
from vicinal.workflow.running import Run


def test_the_errors_are_drawn_from_the_recordings_themselves(
    finished: Run, experiment_file: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    evaluate([finished.folder], data=experiment_file, output=output, resamples=100)
    table, model = ScoreTable.read(output / "scores.parquet"), Model.load(finished.folder / "model.vicinal")
    assert model.policy is not None
    wrong = model.policy.decide(table.probabilities)[:, 0] != table.truth[:, 0]
    recordings = {
        one.id: one for one in synthetic.catalogue(None, n_subjects=120, clips_per_subject=1).recordings
    }
    drawn = examples_of(output, table, model.contract)
    assert drawn
    for one in drawn:
        expected = prepare(synthetic.read(recordings[one.id]), model.contract)
        np.testing.assert_array_equal(one.samples, expected.samples)
        assert one.id in table.ids[wrong]
        assert one.adds is not None


def test_what_was_evaluated_is_counted(finished: Run) -> None:
    table = ScoreTable.read(finished.folder / "scores" / "test.parquet")
    fitness = Fitness(len(table) + 1, len(table), {}, (("x", "too short"),))
    found = described_data(table, fitness, ["a note"])
    assert found["parts"]["evaluated"]["rows"] == len(table)
    assert found["parts"]["evaluated"]["disease"] == pytest.approx(table.truth.sum())
    assert found["skipped"] == [["x", "too short"]]
    assert [severity for _, severity, _ in found["findings"]] == ["warning", "note", "note"]
