from dataclasses import replace
from pathlib import Path

import pytest

from vicinal.experiment import load_experiment
from vicinal.workflow.measuring import NOTHING, Measures
from vicinal.workflow.pacing import Pace, expected_s, pace_of, resampling_s, total_s
from vicinal.workflow.trial import Trial, gathered_for


def trial(path: Path, *overrides: str) -> Trial:
    return Trial("a", load_experiment(path, overrides)[0], None, 1.0, "auroc", Measures(shifts=(0.1, 0.2)))


def test_a_trial_takes_its_steps_its_validations_and_its_scorings(experiment_file: Path) -> None:
    made = trial(experiment_file, "training.steps=100", "training.validate_after_steps=20")
    assert expected_s(made, Pace(0.1, 1.0, 2.0)) == pytest.approx(100 * 0.1 + 6 * 1.0 + 2.0 * 6)
    assert expected_s(trial(experiment_file, "training.minutes=2"), Pace(0.1, 1.0, 2.0)) == pytest.approx(132)
    assert total_s([made, made], {"a": Pace(0.1, 1.0, 2.0)}) == pytest.approx(56)
    assert total_s([made], {}) == 0


def test_resampling_takes_as_long_as_there_are_scores_to_resample(
    experiment_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = iter(range(100))
    monkeypatch.setattr("vicinal.workflow.pacing.time.perf_counter", lambda: float(next(ticks)))
    made = trial(experiment_file, "evidence.resamples=100")
    plain = replace(made, measures=NOTHING)
    assert resampling_s([plain]) == 1
    assert resampling_s([plain, plain, made]) == 3 + 1 + 2 * 2
    n_test = len(gathered_for(made.experiment, None).split.indices("test"))
    few = replace(made, measures=replace(made.measures, most_rows=n_test // 2))
    assert resampling_s([few]) == pytest.approx(1 + 5 * (n_test // 2) / n_test)


def test_a_pace_is_timed(experiment_file: Path) -> None:
    found = pace_of(trial(experiment_file))
    assert found.step_s > 0
    assert found.check_s > 0
    assert found.scoring_s > 0
