from pathlib import Path

import pytest

from vicinal.experiment import load_experiment
from vicinal.workflow.measuring import Measures
from vicinal.workflow.pacing import Pace, expected_s, pace_of, total_s
from vicinal.workflow.trial import Trial


def trial(path: Path, *overrides: str) -> Trial:
    return Trial("a", load_experiment(path, overrides)[0], None, 1.0, "auroc", Measures(shifts=(0.1, 0.2)))


def test_a_trial_takes_its_steps_its_validations_and_its_scorings(experiment_file: Path) -> None:
    made = trial(experiment_file, "training.steps=100", "training.validate_after_steps=20")
    assert expected_s(made, Pace(0.1, 1.0, 2.0)) == pytest.approx(100 * 0.1 + 6 * 1.0 + 2.0 * 6)
    assert expected_s(trial(experiment_file, "training.minutes=2"), Pace(0.1, 1.0, 2.0)) == pytest.approx(132)
    assert total_s([made, made], {"a": Pace(0.1, 1.0, 2.0)}) == pytest.approx(56)
    assert total_s([made], {}) == 0


def test_a_pace_is_timed(experiment_file: Path) -> None:
    found = pace_of(trial(experiment_file))
    assert found.step_s > 0
    assert found.check_s > 0
    assert found.scoring_s > 0
