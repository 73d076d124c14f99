import numpy as np
import pytest
from scipy.special import expit

from vicinal.errors import FormatError
from vicinal.evidence.ladder.sample import fixed, sample_of
from vicinal.scoretable import ScoreTable


def scores(signal: float, *, seed: int = 0) -> ScoreTable:
    """Two rows of each of 60 subjects."""
    truth = np.repeat(np.tile([0.0, 1.0], 30), 2)
    z = np.random.default_rng(3).normal(size=120) + signal * truth
    z = z + 0.3 * np.random.default_rng(seed).normal(size=120)
    return ScoreTable(
        task="binary",
        classes=("A",),
        role="test",
        ids=np.arange(120).astype(str),
        truth=truth[:, None],
        logits=z[:, None],
        probabilities=expit(z)[:, None],
        subjects=np.repeat(np.arange(60), 2).astype(str),
    )


def test_a_metric_of_training_rows_is_moved_by_seeds_alone() -> None:
    sample = sample_of([scores(1.0), scores(1.0, seed=1)], "auroc", resamples=200)
    gap = fixed([1.0, 0.9], sample) - sample
    assert gap.values == pytest.approx(np.array([1.0, 0.9]) - sample.values)
    assert gap.subject_error == pytest.approx(sample.subject_error)


def test_what_is_not_the_same_is_refused() -> None:
    a = sample_of([scores(1.0)], "auroc", resamples=200)
    with pytest.raises(FormatError, match="the same seeds and resamples"):
        a - sample_of([scores(1.0), scores(1.0, seed=1)], "auroc", resamples=200)  # it raises
    with pytest.raises(FormatError, match="no metric 'accurcy'"):
        sample_of([scores(1.0)], "accurcy", resamples=200)
    with pytest.raises(FormatError, match="the same test rows"):
        sample_of([scores(1.0), scores(1.0).select(np.arange(119))], "auroc", resamples=200)
