import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from vicinal.terminal import Terminal
from vicinal.workflow.deciding import decide
from vicinal.workflow.inspecting import inspect
from vicinal.workflow.running import Run
from vicinal.workflow.telling import tell_bench, tell_decision, tell_inspection, tell_run


def test_a_run_is_told_with_intervals_and_meaning(finished: Run, capsys: pytest.CaptureFixture[str]) -> None:
    tell_run(finished, Terminal())
    out = capsys.readouterr().out
    auroc = finished.evidence["metrics"]["auroc"]
    assert f"{auroc['value']:.3f}" in out
    assert f"{auroc['low']:.3f} to {auroc['high']:.3f}" in out
    assert "Of 1,000 people" in out
    assert "report.html" in out


def test_what_more_data_buy_and_what_has_no_value_is_told(
    finished: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = {**finished.evidence["metrics"]["calibration_slope"], "value": None, "why": "parted"}
    evidence = finished.evidence | {
        "metrics": {"calibration_slope": entry},
        "learning_curve": {"sentence": "From 10 to 20 subjects it rises."},
    }
    tell_run(replace(finished, evidence=evidence), Terminal())
    out = capsys.readouterr().out
    assert "calibration_slope: parted." in out
    assert "From 10 to 20 subjects it rises." in out


def test_a_decision_is_told_beside_the_earlier_one_with_what_it_rests_on(
    finished: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Path(shutil.copytree(finished.folder, tmp_path / "hearts"))
    first = decide(folder, aim="sensitivity >= 0.7", confidence=0.8, refer="share=0.2")
    tell_decision(first, Terminal())
    out = capsys.readouterr().out
    assert (
        f"policy:  sensitivity >= 0.7 (disease at {first.policy.thresholds[0]:.4g}, disease referred from"
        in out
    )
    assert f"guaranteed with confidence 0.8, by {first.policy.n_guarantee[0]} subjects" in out  # type: ignore[index]
    assert "earlier: sensitivity >= 0.8 (disease at" in out
    assert "On the test rows: Of 1,000 people" in " ".join(out.split())
    assert "policies" not in out
    tell_decision(decide(folder, aim="f1"), Terminal())
    assert "has had 3 policies" in capsys.readouterr().out


def test_an_inspection_is_told_stage_by_stage(capsys: pytest.CaptureFixture[str]) -> None:
    tell_inspection(inspect("conv 8 window 20 | relu | mean | dense 1", shape="1x100@100"), Terminal())
    out = capsys.readouterr().out
    assert "conv 8 window 20" in out
    assert "8 x 81" in out
    assert "200" in out  # 20 samples at 100 Hz
    assert "177 parameters" in out


def test_an_inspection_ends_with_what_locality_saves_and_what_a_stream_needs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    tell_inspection(inspect("founding", shape="1x100@100"), Terminal())
    out = capsys.readouterr().out
    assert "136 B of activations" in out
    assert "965 parameters, 4.3 times as many" in out
    assert "sees 60 samples, 600.0 ms." in out
    assert "Streamable: no, stage 1, 'local 1 window 20 stride 10', ties its weights" in out
    tell_inspection(inspect("conv 2 window 5 | last | dense 1", shape="1x100@100"), Terminal())
    assert "Streamable: yes, 40.0 ms late, with a state of 6 numbers." in capsys.readouterr().out


def test_a_bench_is_told_as_ratios(capsys: pytest.CaptureFixture[str]) -> None:
    measured = {
        "resnet1d": {
            "train_ratio": 1.5, "infer_ratio": 2.25, "train_gflops": 100.0, "infer_gflops": 200.0,
            "train_share": 0.5, "infer_share": 0.75, "overhead_share": 0.034,
        },
        "peak_gflops": {"float32": 150.0, "bfloat16": 0.3},
        "load": 0.4, "device": "cuda", "precision": "float32", "compiled": False, "why_not_compiled": "no Triton",
    }  # fmt: skip
    tell_bench(measured, Terminal())
    out = capsys.readouterr().out
    assert "1.50" in out
    assert "2.25" in out
    assert "float32 150" in out
    assert "3.4 %" in out
    assert "cuda, float32, not compiled: no Triton" in " ".join(out.split())
