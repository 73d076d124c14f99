import numpy as np
import pytest
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from vicinal.evidence.strength import Change, against_strength
from vicinal.scoretable import ScoreTable


def test_auroc_falls_with_the_strength_of_what_the_score_rests_on() -> None:
    rng = np.random.default_rng(0)
    truth = np.tile([0.0, 1.0], 100)
    samples = rng.normal(0, 0.3, (200, 1, 250)).astype(np.float32)
    samples[truth == 1, 0, 100:110] += 3

    def score(change: Change) -> ScoreTable:
        # A fixed place, whose height is compared with nothing.
        z = change(samples)[:, 0, 100:110].mean(axis=-1, dtype=np.float64)
        return ScoreTable(
            task="binary",
            classes=("A",),
            role="test",
            ids=np.arange(200).astype(str),
            truth=truth[:, None],
            logits=z[:, None],
            probabilities=expit(z)[:, None],
        )

    found = against_strength(
        score, ["shift", "gain", "hum", "swapped"], rate_hz=250, n_channels=1, resamples=50
    )
    assert found["swapped"] == {"unit": "pairs", "left_out": "needs 2 channels, and there are 1"}
    shift = {point["strength"]: point["value"] for point in found["shift"]["points"]}
    whole = roc_auc_score(truth, score(lambda x: x).logits[:, 0])
    assert found["shift"]["undisturbed"]["value"] == pytest.approx(whole)
    assert shift[0.5] < 0.7 < 0.95 < shift[0.02]
    # A positive factor keeps the order.
    assert [point["value"] for point in found["gain"]["points"]] == pytest.approx([whole] * 6)
    hum = [point["value"] for point in found["hum"]["points"]]
    assert hum[-1] <= hum[0]
    assert all(point["low"] <= point["value"] <= point["high"] for point in found["shift"]["points"])
    again = against_strength(score, ["hum"], rate_hz=250, n_channels=1, resamples=50)
    assert again["hum"] == found["hum"]
