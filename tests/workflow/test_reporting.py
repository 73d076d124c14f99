import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from vicinal.scoretable import ScoreTable
from vicinal.workflow.packing import pack
from vicinal.workflow.reporting import _worst
from vicinal.workflow.running import Run, run


def test_the_report_holds_the_run(finished: Run) -> None:
    page = (finished.folder / "report.html").read_text()
    assert "Made-up hearts, few" in page
    assert f"{finished.evidence['metrics']['auroc']['value']:.3f}" in page
    assert "conv 4 window 20 stride 5" in page
    assert page.count("<svg") >= 5


def test_the_report_asks_for_nothing_from_anywhere(finished: Run) -> None:
    page = (finished.folder / "report.html").read_text()
    assert re.findall(r"""(?:src|href)=["'](?!#|data:)([^"']+)""", page) == []
    assert str(finished.folder) not in page


def test_the_worst_errors_show_what_the_network_looked_at(finished: Run) -> None:
    page = (finished.folder / "report.html").read_text()
    errors = page.split('<section id="errors">')[1].split("</section>")[0]
    assert errors.count("<figcaption>") == errors.count('<span class="raised">raised</span>') > 0
    assert errors.count('<path class="for l4"') + errors.count('<path class="against l4"') >= errors.count(
        "<svg"
    )


def test_the_same_run_gives_the_same_bytes(finished: Run, experiment_file: Path, tmp_path: Path) -> None:
    again = run(experiment_file, output=tmp_path / "again")
    one, other = (
        re.sub(rb"train seconds</dt><dd>[^<]*", b"", (done.folder / "report.html").read_bytes())
        for done in (finished, again)
    )
    assert one == other


def test_each_error_is_explained_by_the_model_that_decided_it(finished: Run, experiment_file: Path) -> None:
    model = finished.model
    table = ScoreTable.read(finished.folder / "scores" / "test.parquet")
    decisions = model.policy.decide(table.probabilities)
    turned = {name: -array if "dense" in name else array for name, array in model.weights.items()}
    models = [model, replace(model, weights=turned, policy=None)]
    found = [
        _worst(pack(experiment_file), replace(table, folds=np.full(len(table), fold)), decisions, models)
        for fold in (0, 1)
    ]

    assert len(found[0]) == len(found[1]) > 0
    for one, other in zip(*found, strict=True):
        assert (one.id, one.about) == (other.id, "disease")
        assert other.adds == pytest.approx(-one.adds)
        assert np.abs(one.adds).max() > 1e-4
        flat = np.broadcast_to(one.samples.mean(), one.samples.shape)
        with_flat, scored = (
            model.build()(torch.from_numpy(x[None].astype(np.float32))).item() for x in (flat, one.samples)
        )
        assert one.adds.sum() == pytest.approx(scored - with_flat, abs=0.02)


def test_a_network_without_gradients_has_its_errors_explained_by_hiding(
    experiment_file: Path, tmp_path: Path
) -> None:
    overrides = ['representations.network="minirocket 84 | norm | dense 1"', "training.epochs=1"]
    done = run(experiment_file, output=tmp_path / "counted", overrides=overrides)
    errors = (
        (done.folder / "report.html").read_text().split('<section id="errors">')[1].split("</section>")[0]
    )
    assert errors.count("<figcaption>") > 0
    assert errors.count('<path class="for l4"') + errors.count('<path class="against l4"') >= errors.count(
        "<svg"
    )
