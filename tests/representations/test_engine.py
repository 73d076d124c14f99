import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.metrics import roc_auc_score

from vicinal.errors import ExperimentError
from vicinal.representations import engine as engine_module
from vicinal.representations.engine import Engine, choose, has_fast_bfloat16
from vicinal.representations.network import build

SMALL = """
conv 48 window 7 stride 2 same | norm | relu
residual 48 window 5 | residual 64 window 5 stride 2 | mean | dense classes
"""
SHAPE = (3, 60)


def signals(n, seed=0):
    return np.random.default_rng(seed).standard_normal((n, *SHAPE), dtype=np.float32)


def network(seed=0):
    return build(SMALL, input_shape=SHAPE, n_outputs=2, seed=seed)


def train(engine, *, steps=3, lengths=None):
    net = engine.place(network()).train()
    optimiser = torch.optim.AdamW(net.parameters(), lr=1e-2, fused=True)
    y = torch.arange(8) % 2
    for step in range(steps):
        optimiser.zero_grad()
        with engine.autocast():
            loss = F.cross_entropy(net(engine.tensor(signals(8, step)), engine.tensor(lengths)), y)
        loss.backward()
        optimiser.step()
    return net


def weights(net):
    return {name: value.numpy() for name, value in net.state_dict().items()}


def test_the_processor_chooses_the_precision(monkeypatch):
    for fast, precision in ((True, "bfloat16"), (False, "float32")):
        monkeypatch.setattr(engine_module, "has_fast_bfloat16", lambda _, fast=fast: fast)
        assert choose().precision == precision
        assert choose("float32").precision == "float32"
        assert choose("bfloat16").precision == "bfloat16"


def test_bfloat16_is_fast_with_amx_or_avx512(monkeypatch):
    for amx, avx512 in ((True, False), (False, True), (False, False)):
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda amx=amx: amx)
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda avx512=avx512: avx512)
        assert has_fast_bfloat16() == (amx or avx512)


def test_all_problems_are_told_at_once():
    with pytest.raises(ExperimentError, match=r"precision: .*'float16'; device: .*'tpu'"):
        choose("float16", device="tpu")


@pytest.mark.parametrize("device", ["cuda:99", "cuda:x", "cpu:1", ""])
def test_a_device_that_is_not_there(device):
    with pytest.raises(ExperimentError, match="device: expected"):
        choose(device=device)


def test_signals_enter_channels_last():
    x = signals(2)
    tensor = Engine().tensor(x)
    assert tensor.unsqueeze(2).is_contiguous(memory_format=torch.channels_last)
    assert np.array_equal(tensor.numpy(), x)
    assert Engine().tensor(None) is None


def test_same_seed_and_threads_give_identical_weights():
    first, second = weights(train(Engine())), weights(train(Engine()))
    assert all(np.array_equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("lengths", [None, [60, 41, 7, 60, 33]])
def test_a_scorer_gives_what_the_network_gives(lengths):
    net = train(Engine(), lengths=np.array([60, 60, 50, 40, 30, 20, 60, 60])).eval()
    x, lengths = signals(5), None if lengths is None else np.array(lengths)
    with torch.inference_mode():
        expected = net(torch.from_numpy(x), None if lengths is None else torch.from_numpy(lengths))
    assert np.allclose(Engine().scorer(net, batch=4)(x, lengths), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_score_does_not_depend_on_its_batch_mates(precision):
    x, lengths = signals(11), np.arange(60, 5, -5)
    score = Engine(precision=precision).scorer(train(Engine()), batch=4)
    together, among_others = score(x, lengths), score(x[::-1].copy(), lengths[::-1].copy())[::-1]
    alone = np.concatenate([score(x[i : i + 1], lengths[i : i + 1]) for i in range(len(x))])
    assert np.array_equal(together, alone)
    assert np.array_equal(together, among_others)


def test_a_scorer_keeps_the_weights_it_was_made_with():
    net = train(Engine())
    score = Engine().scorer(net, batch=4)
    before = score(signals(3))
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.zero_()
    assert np.array_equal(score(signals(3)), before)


def test_no_rows_give_no_scores():
    assert Engine().scorer(network(), batch=4)(signals(0)).shape == (0, 2)


def test_a_batch_has_rows():
    with pytest.raises(ExperimentError, match="expected batch >= 1, got 0"):
        Engine().scorer(network(), batch=0)


def test_bfloat16_trains_and_stays_near_float32():
    exact, rough = train(Engine()), train(Engine(precision="bfloat16"))
    assert all(parameter.dtype == torch.float32 for parameter in rough.parameters())
    x = signals(6)
    a = Engine().scorer(exact, batch=6)(x)
    b = Engine(precision="bfloat16").scorer(exact, batch=6)(x)
    c = Engine(precision="bfloat16").scorer(rough, batch=6)(x)
    assert b.dtype == np.float32
    assert np.abs(a - b).max() < 0.05 * np.abs(a).max() + 0.02
    assert np.isfinite(c).all()


def bumps(n, seed):
    """Noise, and in every other row a bump somewhere."""
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((n, 1, 200), dtype=np.float32), np.arange(n) % 2
    for row in np.flatnonzero(y):
        start = rng.integers(0, 180)
        x[row, 0, start : start + 20] += 2 * np.hanning(20)
    return x, y


@pytest.mark.slow
def test_bfloat16_decides_as_float32_on_a_trained_network():
    """AUROC within 0.001 and 99.8 % of decisions equal; `benchmarks/parity.py` says the same of a real run."""
    text = "conv 16 window 9 same | norm | relu | residual 32 window 5 stride 2 * 2 | max | dense classes"
    engine = Engine(precision="bfloat16")
    net = engine.place(build(text, input_shape=(1, 200), n_outputs=1, seed=0)).train()
    optimiser = torch.optim.AdamW(net.parameters(), lr=3e-3, fused=True)
    for step in range(150):
        x, y = bumps(64, step)
        optimiser.zero_grad()
        with engine.autocast():
            logits = net(engine.tensor(x))
        F.binary_cross_entropy_with_logits(logits[:, 0], torch.from_numpy(y).float()).backward()
        optimiser.step()
    x, y = bumps(4000, 10_000)
    scores = [Engine(precision=kind).scorer(net, batch=200)(x)[:, 0] for kind in ("float32", "bfloat16")]
    exact, rough = (roc_auc_score(y, one) for one in scores)
    assert 0.9 < exact < 0.9999  # it learnt, and the task is not trivial
    assert abs(exact - rough) <= 0.001
    assert np.abs(scores[0] - scores[1]).max() > 0
    # The threshold lies where 95 of 100 are found, as a policy may put it.
    threshold = np.quantile(scores[0][y == 1], 0.05)
    assert ((scores[0] >= threshold) == (scores[1] >= threshold)).mean() >= 0.998


def test_a_gpu_compiles_where_it_can_and_says_what_is_missing(monkeypatch):
    monkeypatch.setattr(engine_module, "_is_there", lambda _: True)
    monkeypatch.setattr(engine_module, "has_fast_bfloat16", lambda _: True)
    for triton, compiler, missing in (
        (True, "cc", ""),
        (False, "cc", "there is no Triton"),
        (True, None, "there is no C compiler"),
    ):
        monkeypatch.setattr(engine_module.importlib.util, "find_spec", lambda _, there=triton: there or None)
        monkeypatch.setattr(engine_module.shutil, "which", lambda _, found=compiler: found)
        engine = choose(device="cuda")
        assert engine.compiled is not bool(missing)
        assert engine.why_not_compiled.startswith(missing)
        assert choose(device="cuda", compiled=False) == Engine("cuda", "bfloat16")
        assert not choose().compiled
        assert choose(compiled=True).compiled


def test_a_gpu_gets_graphs(monkeypatch):
    asked = []
    monkeypatch.setattr(torch, "compile", lambda net, **options: asked.append(options) or net)
    for device in ("cuda:1", "cpu"):
        engine_module._compiled(network(), device)
    assert asked == [{"mode": "reduce-overhead", "dynamic": False}, {"mode": None, "dynamic": False}]


def test_where_compiling_fails_scoring_goes_on_and_says_why(monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("the compiler is on holiday\nmore of it")

    monkeypatch.setattr(torch, "compile", lambda *_, **__: broken)
    net, x = network(), signals(9)
    score = Engine(compiled=True).scorer(net, batch=4)
    with pytest.warns(
        UserWarning, match=r"does not work here \(the compiler is on holiday\); .* compiled=False"
    ):
        found = score(x)
    assert np.array_equal(found, Engine().scorer(net, batch=4)(x))
    assert np.array_equal(score(x), found)  # without another word: warnings are errors here


def test_an_error_of_the_network_itself_is_its_own(monkeypatch):
    monkeypatch.setattr(torch, "compile", lambda net, **_: net)
    score = Engine(compiled=True).scorer(network(), batch=4)
    with pytest.raises(ValueError, match=r"expected a torch.float32"):
        score(np.zeros((4, 1, 60), dtype=np.float32))


COMPILED = f"""
import numpy as np
from vicinal.representations.engine import Engine
from vicinal.representations.network import build
network = build({SMALL!r}, input_shape={SHAPE}, n_outputs=2, seed=0)
x = np.random.default_rng(0).standard_normal((5, *{SHAPE}), dtype=np.float32)
plain, compiled = (Engine(compiled=c).scorer(network, batch=4)(x) for c in (False, True))
assert np.allclose(plain, compiled, rtol=1e-4, atol=1e-5)
"""


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="needs a C++ compiler")
def test_a_compiled_scorer_gives_the_same():
    # In a process of its own: the shape checks of the tests cannot be compiled.
    done = subprocess.run([sys.executable, "-c", COMPILED], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_scores_like_a_processor():
    net = train(Engine())
    x = signals(5)
    expected = Engine().scorer(net.cpu(), batch=4)(x)
    for compiled in (False, True):
        ours = Engine(device="cuda", compiled=compiled).scorer(net, batch=4)(x)
        assert np.allclose(ours, expected, rtol=1e-2, atol=1e-2)  # torch multiplies 10 bits there by default
