import numpy as np
import pytest
import torch
from tests.training.test_loop import Rows

from vicinal.errors import ExperimentError
from vicinal.representations.engine import Engine
from vicinal.training.config import TrainingConfig
from vicinal.training.criterion import criterion


def loss_of(logits, y, **config):
    found = criterion(Rows(), config=TrainingConfig(epochs=1, **config), task="binary", engine=Engine())
    return float(found(torch.tensor(logits), torch.tensor(y)))


def test_the_loss_is_the_cross_entropy_unless_asked_otherwise():
    logits, y = [[0.3], [-1.2]], [[1.0], [0.0]]
    by_hand = np.mean([np.log1p(np.exp(-0.3)), np.log1p(np.exp(-1.2))])

    assert loss_of(logits, y) == pytest.approx(by_hand)
    assert loss_of(logits, y, loss="focal") < loss_of(logits, y)
    # Half of the rows are positive, so balancing changes nothing.
    assert loss_of(logits, y, class_weights="balanced") == pytest.approx(by_hand)
    assert loss_of([[0.3]], [[1.0]], class_weights=(3.0,)) == pytest.approx(3 * np.log1p(np.exp(-0.3)))


def test_weights_must_be_one_a_class():
    with pytest.raises(ExperimentError, match="expected 1 numbers, one a class, got 2"):
        loss_of([[0.3]], [[1.0]], class_weights=(1.0, 2.0))
