import numpy as np
import pytest
import torch

from vicinal.bench.measuring import bench, peak_gflops
from vicinal.errors import ExperimentError

SMALL = "conv 8 window 5 stride 2 same | norm | relu | residual 8 window 3 | mean | dense classes"


def test_it_measures_what_it_promises():
    told = []
    result = bench(
        [SMALL],
        batch=4,
        rounds=1,
        input_shape=(2, 50),
        precision="float32",
        peak_size=64,
        progress=lambda *step: told.append(step),
    )
    assert set(result) == {
        SMALL, "peak_gflops", "load", "device", "precision", "compiled", "why_not_compiled",
    }  # fmt: skip
    assert (result["device"], result["precision"], result["compiled"]) == ("cpu", "float32", False)
    assert set(result["peak_gflops"]) == {"float32", "bfloat16"}
    row = result[SMALL]
    assert set(row) == {
        f"{part}_{what}" for part in ("train", "infer") for what in ("ratio", "gflops", "share")
    } | {"overhead_share"}
    assert row["overhead_share"] < 1
    assert all(np.isfinite(value) and value > 0 for value in row.values())
    assert row["train_share"] == pytest.approx(row["train_gflops"] / result["peak_gflops"]["float32"])
    assert [step[:2] for step in told] == [(0, 4), (1, 4), (2, 4), (3, 4)]


@pytest.mark.parametrize(("batch", "rounds"), [(1, 7), (8, 0)])
def test_nothing_to_measure(batch, rounds):
    with pytest.raises(ExperimentError, match="expected batch >= 2 and rounds >= 1"):
        bench([SMALL], batch=batch, rounds=rounds)


def test_a_device_that_is_not_there_is_a_clear_error():
    with pytest.raises(
        ExperimentError,
        match=r"device: expected cpu or a CUDA device of this machine, got 'cuda:99' where PyTorch sees \d+",
    ):
        bench([SMALL], device="cuda:99")


def test_the_peak_is_a_rate():
    assert peak_gflops("float32", size=64) > 0


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_gives_the_same_table():
    result = bench([SMALL], batch=4, rounds=1, input_shape=(2, 50), device="cuda", peak_size=64)
    assert result["device"] == "cuda"
    assert all(np.isfinite(value) and value > 0 for value in result[SMALL].values())
