from pathlib import Path

import numpy as np
import pytest

from vicinal.errors import ExperimentError
from vicinal.experiment import load_experiment
from vicinal.terminal import QUIET
from vicinal.training.config import TrainingConfig
from vicinal.workflow.gathering import gather
from vicinal.workflow.lesson import lesson_of_split


def test_a_lesson_is_made_ready_without_a_step(experiment_file: Path) -> None:
    experiment, _ = load_experiment(experiment_file)
    gathered = gather(experiment, data=None, show=QUIET)
    one = lesson_of_split(experiment, gathered.pack, gathered.split)
    other = lesson_of_split(experiment, gathered.pack, gathered.split)
    states = [lesson.network.state_dict() for lesson in (one, other)]
    assert all(np.array_equal(states[0][name], states[1][name]) for name in states[0])
    assert one.trained is one.network
    assert (one.config.select, one.task, one.decided, one.classes) == (
        "auroc",
        "binary",
        "binary",
        ("disease",),
    )
    assert one.batches.n_steps == len(gathered.split.indices("train")) // 16
    assert set(one.validate(one.network.eval())) == {"loss", "auroc", "average_precision", "ece"}
    assert one.sample is not None


def test_the_metric_is_known_before_anything_is_built(experiment_file: Path) -> None:
    experiment, _ = load_experiment(experiment_file)
    gathered = gather(experiment, data=None, show=QUIET)
    config = TrainingConfig(epochs=1, select="f1[disease]")
    with pytest.raises(ExperimentError, match=r"training\.select: expected one of the validation metrics"):
        lesson_of_split(experiment, gathered.pack, gathered.split, config=config)
