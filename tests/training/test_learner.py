import numpy as np
import pytest
import torch
from tests.training.test_loop import Rows, Small

from vicinal.representations.engine import Engine
from vicinal.training.config import TrainingConfig
from vicinal.training.learner import Learner
from vicinal.training.loss import make_loss


def learner(**config):
    return Learner(Small(), config=TrainingConfig(epochs=1, **config), engine=Engine())


def steps(one, n):
    found = []
    for batch in list(Rows().epoch(0))[:n]:
        found.append(one.gradient(batch, make_loss("binary")).tolist())
        one.update(1e-2)
    return found


@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_a_restored_learner_takes_the_same_steps(ema):
    torch.manual_seed(0)
    first, second = learner(ema=ema), learner(ema=ema)
    steps(first, 3)
    kept = {name: array.copy() for name, array in first.arrays().items()}
    expected = steps(first, 4)
    second.restore(kept)

    assert steps(second, 4) == expected
    a, b = first.arrays(), second.arrays()
    assert a.keys() == b.keys()
    assert all(a[name].tobytes() == b[name].tobytes() for name in a)
    assert (second.judged is second.network) == (ema == 0.0)


def test_the_gradient_is_clipped_and_its_norm_is_that_before():
    one = learner(clip=1e-3)
    (_, norm), *_ = steps(one, 1)

    left = np.sqrt(sum(float((p.grad**2).sum()) for p in one.network.parameters()))
    assert norm > 1e-3
    assert left == pytest.approx(1e-3, rel=1e-3)
