import numpy as np
import pytest
import torch

from vicinal.bench import bench, peak_gflops, plain
from vicinal.errors import ExperimentError, NetworkError
from vicinal.representations.engine import Engine
from vicinal.representations.network import build

SMALL = "conv 8 window 5 stride 2 same | norm | relu | residual 8 window 3 | mean | dense classes"


def test_it_measures_what_it_promises():
    told = []
    result = bench(
        [SMALL],
        batch=4,
        rounds=1,
        input_shape=(2, 50),
        engine=Engine(),
        peak_size=64,
        progress=lambda *step: told.append(step),
    )
    assert set(result) == {SMALL, "peak_gflops", "load"}
    assert set(result["peak_gflops"]) == {"float32", "bfloat16"}
    row = result[SMALL]
    assert set(row) == {
        f"{part}_{what}" for part in ("train", "infer") for what in ("ratio", "gflops", "share")
    }
    assert all(np.isfinite(value) and value > 0 for value in row.values())
    assert row["train_share"] == pytest.approx(row["train_gflops"] / result["peak_gflops"]["float32"])
    assert [step[:2] for step in told] == [(0, 3), (1, 3), (2, 3)]


@pytest.mark.parametrize("text", [SMALL, "resnet1d"])
def test_the_baseline_is_the_same_network(text):
    network = build(text, input_shape=(2, 50), n_outputs=3, seed=0)
    usual = plain(network)
    x = torch.randn(4, 2, 50, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(usual(x), network(x), rtol=1e-3, atol=1e-4)
    assert sum(p.numel() for p in usual.parameters()) == sum(p.numel() for p in network.parameters())
    kinds = {type(module).__module__.split(".")[0] for module in usual.modules()}
    assert kinds == {"torch", "vicinal"}
    assert not any(
        type(module).__module__.startswith("vicinal.representations") for module in usual.modules()
    )


def test_a_network_without_a_plain_counterpart():
    network = build("local 2 window 5 | relu | flatten | dense classes", input_shape=(1, 20), n_outputs=1)
    with pytest.raises(NetworkError, match="got local"):
        plain(network)


@pytest.mark.parametrize(("batch", "rounds"), [(1, 7), (8, 0)])
def test_nothing_to_measure(batch, rounds):
    with pytest.raises(ExperimentError, match="expected batch >= 2 and rounds >= 1"):
        bench([SMALL], batch=batch, rounds=rounds)


def test_the_peak_is_a_rate():
    assert peak_gflops("float32", size=64) > 0
