import numpy as np
import pytest

from vicinal.bench import feeding
from vicinal.bench.feeding import overhead
from vicinal.inputs import batches as inputs_batches
from vicinal.representations.engine import Engine
from vicinal.representations.network import build

SMALL = "conv 8 window 5 stride 2 same | norm | relu | mean | dense classes"


def network():
    return build(SMALL, input_shape=(2, 50), n_outputs=3, seed=0)


def test_it_is_a_share_of_the_step():
    assert 0 < overhead(network(), batch=8, n_steps=3, engine=Engine()) < 1


class FakeTime:
    """Time that passes only where a test says."""

    now = 100.0

    def perf_counter(self) -> float:
        return self.now


def test_what_takes_time_beside_the_network_is_seen(monkeypatch):
    """By hand: 1 s for a batch, 3 x 0.5 s to lay it out, 0.5 s to record, 7 s in the network: 3 of 10."""
    clock = FakeTime()
    monkeypatch.setattr(feeding, "time", clock)

    def slow(holder, name, seconds):
        usual = getattr(holder, name)

        def later(*arguments, **options):
            clock.now += seconds
            return usual(*arguments, **options)

        monkeypatch.setattr(holder, name, later)

    slow(inputs_batches, "_batch", 1.0)
    slow(Engine, "tensor", 0.5)
    slow(feeding.Monitor, "step", 0.5)
    net = network()
    slow(net, "forward", 7.0)
    assert overhead(net, batch=8, n_steps=5, engine=Engine()) == pytest.approx(0.3)


def test_rows_are_noise_of_their_own():
    read = feeding._Noise(("a", "b"), 30)
    one, again, other = (read(feeding.Recording("x", None, None, "x", (), seed=k)) for k in (1, 1, 2))
    assert np.array_equal(one.samples, again.samples)
    assert not np.array_equal(one.samples, other.samples)
