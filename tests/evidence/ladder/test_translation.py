import numpy as np
import pytest
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from vicinal.evidence.ladder.translation import Moved, translation
from vicinal.scoretable import ScoreTable


def test_a_shift_is_the_mean_of_both_ways_against_the_rows_as_they_are() -> None:
    rng = np.random.default_rng(0)
    truth = np.tile([0.0, 1.0], 100)
    z = (truth * 2 + rng.normal(size=200))[:, None]
    table = ScoreTable(
        task="binary", classes=("A",), role="test", ids=np.arange(200).astype(str),
        truth=truth[:, None], logits=z, probabilities=expit(z),
    )  # fmt: skip
    noise = rng.normal(size=(2, 200, 1))
    moved = Moved(table, np.stack([np.stack([z, z]), noise]), np.array([0.0, 0.4]))
    still, same, lost = translation([moved], (0.05, 0.5), "auroc", resamples=300)
    assert (still["shift"], still["change"]) == (0.0, None)
    assert same["change"]["value"] == 0
    assert not same["change"]["clear"]
    areas = [roc_auc_score(truth, noise[way, :, 0]) for way in (0, 1)]
    assert lost["value"] == pytest.approx(np.mean(areas))
    assert lost["change"]["value"] == pytest.approx(np.mean(areas) - roc_auc_score(truth, z[:, 0]))
    assert lost["change"]["clear"]
    assert lost["decisions_changed"] == 0.4


def test_without_decisions_none_can_change() -> None:
    z = np.linspace(-1, 1, 40)[:, None]
    table = ScoreTable(
        task="binary", classes=("A",), role="test", ids=np.arange(40).astype(str),
        truth=np.tile([0.0, 1.0], 20)[:, None], logits=z, probabilities=expit(z),
    )  # fmt: skip
    moved = Moved(table, np.stack([np.stack([z, -z])]), np.array([np.nan]))
    assert translation([moved], (0.1,), "auroc", resamples=100)[1]["decisions_changed"] is None
