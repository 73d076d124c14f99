"""Rows on a device: the logic on a processor that says it is one; `gpu` tests ask a real one."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from vicinal.inputs.batches import ArrayRows, Batches
from vicinal.representations import resident as resident_module
from vicinal.representations.engine import Engine
from vicinal.representations.network import build
from vicinal.representations.resident import ResidentRows, free_bytes, resident
from vicinal.training.mixup import mix

AUGMENT = ({"kind": "gain"}, {"kind": "shift"}, {"kind": "noise", "share": 0.5}, {"kind": "dropout"})


def rows(n=20, shape=(3, 30)):
    rng = np.random.default_rng(0)
    lengths = rng.integers(10, shape[-1] + 1, n)
    x = rng.standard_normal((n, *shape), dtype=np.float32)
    if len(shape) == 2:
        x[np.broadcast_to(np.arange(shape[-1]) >= lengths[:, None, None], x.shape)] = 0
    return ArrayRows(x, lengths, rng.integers(0, 2, (n, 2)).astype(np.float64))


@pytest.fixture
def _room(monkeypatch):
    monkeypatch.setattr(resident_module, "free_bytes", lambda _: 1e9)


def held(given, indices, device="cpu"):
    found = resident(given.rows, indices, truth=given.truth[indices], shape=given.x.shape[1:], device=device)
    assert isinstance(found, ResidentRows)
    return found


@pytest.mark.usefixtures("_room")
@pytest.mark.parametrize("read_bytes", [1, 1000, 1 << 28])
def test_they_are_the_rows_that_were_read(read_bytes, monkeypatch):
    monkeypatch.setattr(resident_module, "READ_BYTES", read_bytes)
    given, indices = rows(), np.array([7, 3, 19, 0, 4])
    kept = held(given, indices)
    x, lengths = kept.rows(np.array([4, 0, 0]))
    assert np.array_equal(x.numpy(), given.x[[4, 7, 7]])
    assert np.array_equal(lengths, given.lengths[[4, 7, 7]])
    assert np.array_equal(kept.truth, given.truth[indices])


@pytest.mark.usefixtures("_room")
def test_they_are_laid_out_once():
    """A batch is channels-last as it is cut: the engine need not move anything."""
    kept = held(rows(), np.arange(20))
    x, _ = kept.rows(np.arange(6))
    assert x.unsqueeze(2).is_contiguous(memory_format=torch.channels_last)
    assert Engine().tensor(x).data_ptr() == x.data_ptr()


@pytest.mark.usefixtures("_room")
@pytest.mark.parametrize("augment", [(), AUGMENT])
def test_batches_are_the_same_from_a_device(augment):
    given, indices = rows(), np.array([1, 4, 5, 9, 12, 13, 17, 19])
    options = {"batch": 3, "seed": 5, "augment": augment, "rate_hz": 50.0, "drop_last": False}
    usual = Batches(given, indices, **options)
    ours = Batches(held(given, indices), np.arange(len(indices)), **options)
    for expected, found in zip(usual.epoch(2), ours.epoch(2), strict=True):
        assert isinstance(found.x, torch.Tensor)
        np.testing.assert_allclose(found.x.numpy(), expected.x, rtol=1e-6, atol=1e-6)
        assert np.array_equal(found.y, expected.y)
        assert (found.lengths is None) == (expected.lengths is None)
        mixed = [mix(one, alpha=0.4, rng=np.random.default_rng(1)) for one in (found, expected)]
        np.testing.assert_allclose(mixed[0].x.numpy(), mixed[1].x, rtol=1e-6, atol=1e-6)
        assert np.array_equal(mixed[0].y, mixed[1].y)


@pytest.mark.usefixtures("_room")
def test_images_too():
    given = rows(shape=(2, 6, 30))
    assert np.array_equal(held(given, np.arange(20)).rows(np.array([3]))[0].numpy(), given.x[[3]])


def test_half_of_the_free_memory_is_theirs(monkeypatch):
    given, n_bytes = rows(), 20 * 3 * 30 * 4
    for free, fits in ((2 * n_bytes + 1, True), (2 * n_bytes, False), (0, False)):
        monkeypatch.setattr(resident_module, "free_bytes", lambda _, free=free: free)
        found = resident(given.rows, np.arange(20), truth=given.truth, shape=(3, 30), device="cpu")
        assert (found is not None) is fits


def test_a_processor_reads_packs_where_they_lie():
    given = rows()
    assert free_bytes("cpu") == 0
    for indices in (np.arange(20), np.arange(0)):
        assert resident(given.rows, indices, truth=given.truth, shape=(3, 30), device="cpu") is None


def test_a_device_is_asked_what_is_free(monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (device.index or 0, 99))
    assert free_bytes("cuda:3") == 3


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_training_from_a_gpu():
    given = rows()
    kept = held(given, np.arange(20), device="cuda")
    engine = Engine(device="cuda", precision="bfloat16")
    net = engine.place(
        build("conv 8 window 5 | norm | relu | mean | dense classes", input_shape=(3, 30), n_outputs=2)
    )
    batches = Batches(kept, np.arange(20), batch=8, seed=0, augment=AUGMENT, rate_hz=50.0)
    for batch in batches.epoch(0):
        assert batch.x.device.type == "cuda"
        with engine.autocast():
            logits = net(engine.tensor(batch.x), engine.tensor(batch.lengths))
        F.binary_cross_entropy_with_logits(logits, engine.tensor(batch.y)).backward()
    assert all(torch.isfinite(p.grad).all() for p in net.parameters())
