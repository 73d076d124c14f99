import numpy as np
import pytest

from vicinal.training.mixup import Mixed, mix


def batch(lengths=None):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((6, 2, 5)).astype(np.float32)
    for row, length in enumerate([] if lengths is None else lengths):
        x[row, :, length:] = 0
    y = np.eye(6, 3, dtype=np.float32)
    return Mixed(x, None if lengths is None else np.array(lengths), y)


def test_inputs_and_truths_are_mixed_by_one_share():
    given = batch()
    found = mix(given, alpha=0.4, rng=np.random.default_rng(7))

    again = np.random.default_rng(7)
    share, other = again.beta(0.4, 0.4), again.permutation(6)
    for row in range(6):
        x = share * given.x[row].astype(float) + (1 - share) * given.x[other[row]]
        y = share * given.y[row].astype(float) + (1 - share) * given.y[other[row]]
        assert found.x[row] == pytest.approx(x, abs=1e-6)
        assert found.y[row] == pytest.approx(y, abs=1e-6)
    assert found.x.dtype == found.y.dtype == np.float32
    assert found.lengths is None


def test_a_mixture_is_as_long_as_the_longer_row():
    lengths = [1, 2, 3, 4, 5, 0]
    found = mix(batch(lengths), alpha=1.0, rng=np.random.default_rng(3))

    again = np.random.default_rng(3)
    again.beta(1.0, 1.0)
    other = again.permutation(6)
    assert found.lengths.tolist() == [max(lengths[row], lengths[other[row]]) for row in range(6)]
    for row, length in enumerate(found.lengths):
        assert not found.x[row, :, length:].any()
        assert length == 0 or found.x[row, :, length - 1].any()


def test_shares_are_those_of_the_beta_distribution():
    given, shares = batch(), []
    for seed in range(2000):
        rng = np.random.default_rng(seed)
        found = mix(given, alpha=0.2, rng=rng)
        rng = np.random.default_rng(seed)
        rng.beta(0.2, 0.2)
        other = rng.permutation(6)
        row = next((k for k in range(3) if other[k] != k and other[k] < 3), None)
        if row is not None:
            shares.append(found.y[row, row])
    # Of Beta(a, a): mean 1/2, variance 1 / (4 (2 a + 1)).
    assert np.mean(shares) == pytest.approx(0.5, abs=0.04)
    assert np.var(shares) == pytest.approx(1 / (4 * 1.4), abs=0.02)
