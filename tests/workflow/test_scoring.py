import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vicinal.errors import ExperimentError, PathError
from vicinal.inputs.datasets import synthetic
from vicinal.scoretable import ScoreTable
from vicinal.workflow.running import Run
from vicinal.workflow.scoring import score, trace


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """The cohort of the run as CSV files, one a recording, as anybody might have them."""
    folder = tmp_path / "recordings"
    folder.mkdir()
    for recording in synthetic.catalogue(n_subjects=120, clips_per_subject=1).recordings:
        samples = synthetic.read(recording).samples[0]
        # Nine digits hold a float32 exactly.
        lines = [f"{k / 100:.2f},{value:.9g}" for k, value in enumerate(samples)]
        (folder / f"{recording.id}.csv").write_text("\n".join(["time_s,ECG [mV]", *lines]) + "\n")
    return folder


def test_files_score_as_the_pack_did(finished: Run, recordings: Path, tmp_path: Path) -> None:
    scored = score(finished.folder / "model.vicinal", [recordings], output=tmp_path / "scores.csv")
    test = ScoreTable.read(finished.folder / "scores" / "test.parquet")
    where = {name: k for k, name in enumerate(scored.table.ids.tolist())}
    rows = [where[name] for name in test.ids.tolist()]

    np.testing.assert_array_equal(scored.table.probabilities[rows], test.probabilities)
    assert finished.model.policy is not None
    assert scored.decisions is not None
    np.testing.assert_array_equal(scored.decisions[rows], finished.model.policy.decide(test.probabilities))
    assert scored.skipped == ()


def test_the_csv_has_one_line_a_recording(finished: Run, recordings: Path, tmp_path: Path) -> None:
    score(finished.folder / "model.vicinal", [recordings], output=tmp_path / "scores.csv")
    with (tmp_path / "scores.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 120
    assert list(rows[0]) == [
        "id", "logit:disease", "probability:disease", "field_probability:disease", "decision:disease",
    ]  # fmt: skip
    assert {row["decision:disease"] for row in rows} <= {"positive", "negative"}


def test_probabilities_in_the_field_stand_beside_those_of_the_data_and_decide_alike(
    finished: Run, recordings: Path, tmp_path: Path
) -> None:
    model = finished.model
    assert model is not None
    assert model.policy is not None
    scored = score(finished.folder / "model.vicinal", [recordings], output=tmp_path / "scores.parquet")
    assert scored.prevalence == scored.to_dict()["field_prevalence"] == 0.1
    p, moved = scored.table.probabilities[:, 0], scored.in_the_field[:, 0]
    q = model.policy.rows_prevalence[0]
    np.testing.assert_allclose(moved / (1 - moved), p / (1 - p) * (0.1 / 0.9) / (q / (1 - q)), rtol=1e-12)
    assert (moved < p).all()  # rarer in the field than among the rows
    cut = model.policy.in_the_field(np.array([model.policy.thresholds]))[0, 0]
    np.testing.assert_array_equal(scored.decisions[:, 0], moved >= cut)
    kept = ScoreTable.read(tmp_path / "scores.parquet").columns["field_probability:disease"]
    np.testing.assert_array_equal(kept, moved)
    stated = replace(model.policy, prevalence=None)
    replace(model, policy=stated).save(tmp_path / "plain.vicinal")
    plain = score(tmp_path / "plain.vicinal", [recordings])
    assert plain.lines()[0] == ["id", "logit:disease", "probability:disease", "decision:disease"]
    np.testing.assert_array_equal(plain.decisions, scored.decisions)


def test_a_trace_says_both_probabilities(finished: Run, recordings: Path, tmp_path: Path) -> None:
    file = next(recordings.glob("*.csv"))
    traced = trace(finished.folder / "model.vicinal", file, html=tmp_path / "trace.html")
    policy = finished.model.policy
    assert traced.field_prevalence == 0.1
    (moved,), (cut,) = traced.field_probabilities, traced.field_thresholds
    assert moved == policy.in_the_field(np.array([traced.probabilities]))[0, 0]
    assert (moved >= cut) == (traced.probabilities[0] >= traced.thresholds[0])
    line = f"at the field's prevalence 0.1: probability {moved:.6g}, threshold {cut:.6g}"
    assert any(line in one for one in traced.score_lines())
    assert f"prevalence 0.1: probability {moved:.6g}" in (tmp_path / "trace.html").read_text()


def test_a_parquet_is_a_score_table(finished: Run, recordings: Path, tmp_path: Path) -> None:
    score(finished.folder / "model.vicinal", [recordings], output=tmp_path / "scores.parquet")
    table = ScoreTable.read(tmp_path / "scores.parquet")
    assert table.role == "unlabelled"
    assert np.isnan(table.truth).all()


def test_what_cannot_be_scored_is_listed(finished: Run, recordings: Path) -> None:
    (recordings / "broken.csv").write_text("time_s,ECG [mV]\n0,x\n")
    scored = score(finished.folder / "model.vicinal", [recordings])
    assert [Path(name).name for name, _ in scored.skipped] == ["broken.csv"]
    assert len(scored.table) == 120


def test_clear_errors(finished: Run, tmp_path: Path) -> None:
    model = finished.folder / "model.vicinal"
    with pytest.raises(ExperimentError, match=r"ends in \.csv or \.parquet"):
        score(model, [tmp_path], output=tmp_path / "scores.xls")
    with pytest.raises(PathError, match="does not exist"):
        score(tmp_path / "none.vicinal", [tmp_path])
    with pytest.raises(PathError, match="no recordings there"):
        score(model, [tmp_path])


def test_a_trace_equals_the_score(finished: Run, recordings: Path, tmp_path: Path) -> None:
    model, file = finished.folder / "model.vicinal", sorted(recordings.iterdir())[0]
    traced = trace(model, file, html=tmp_path / "trace.html")
    scored = score(model, [file])
    assert traced.logits == tuple(scored.table.logits[0])
    assert traced.probabilities == tuple(scored.table.probabilities[0])
    assert scored.decisions is not None
    assert traced.decisions == tuple(scored.decisions[0])
    assert "1,000" in traced.meaning
    assert "<svg" in (tmp_path / "trace.html").read_text()
