from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from vicinal.errors import FormatError
from vicinal.scoretable import ScoreTable
from vicinal.workflow.drawable import examples_of, keep_examples
from vicinal.workflow.packing import pack
from vicinal.workflow.running import Run


def test_each_error_is_explained_by_the_model_that_decided_it(
    finished: Run, experiment_file: Path, tmp_path: Path
) -> None:
    model = finished.model
    assert model is not None
    table = ScoreTable.read(finished.folder / "scores" / "test.parquet")
    turned = {name: -array if "dense" in name else array for name, array in model.weights.items()}
    models = [model, replace(model, weights=turned, policy=None)]
    found = []
    for fold in (0, 1):
        folder = tmp_path / str(fold)
        folder.mkdir()
        keep_examples(folder, pack(experiment_file), replace(table, folds=np.full(len(table), fold)), models)
        found.append(examples_of(folder, table, model.contract))
    assert len(found[0]) == len(found[1]) == 24
    for one, other in zip(*found, strict=True):
        assert (one.id, one.about) == (other.id, "disease")
        assert one.adds is not None
        assert other.adds == pytest.approx(-one.adds)
        assert np.abs(one.adds).max() > 1e-4
        flat = np.broadcast_to(one.samples.mean(), one.samples.shape)
        with_flat, scored = (
            model.build()(torch.from_numpy(x[None].astype(np.float32))).item() for x in (flat, one.samples)
        )
        assert one.adds.sum() == pytest.approx(scored - with_flat, abs=0.02)


def test_those_of_folds_are_what_their_own_policies_got_wrong(
    finished: Run, experiment_file: Path, tmp_path: Path
) -> None:
    table, model = ScoreTable.read(finished.folder / "scores" / "test.parquet"), finished.model
    assert model is not None
    decisions = (1 - table.truth).astype(np.int8)  # all wrong
    decisions[3:] = table.truth[3:]
    keep_examples(tmp_path, pack(experiment_file), table, [model], decisions=decisions)
    assert {one.id for one in examples_of(tmp_path, table, model.contract)} == set(table.ids[:3].tolist())


def test_none_kept_is_none_and_a_damaged_file_is_refused(finished: Run, tmp_path: Path) -> None:
    table, model = ScoreTable.read(finished.folder / "scores" / "test.parquet"), finished.model
    assert model is not None
    assert examples_of(tmp_path, table, model.contract) == []
    (tmp_path / "errors.safetensors").write_bytes(b"nothing of the kind")
    with pytest.raises(FormatError, match="not safetensors"):
        examples_of(tmp_path, table, model.contract)
