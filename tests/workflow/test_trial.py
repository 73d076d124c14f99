from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vicinal.experiment import Experiment, load_experiment
from vicinal.workflow.measuring import Measures
from vicinal.workflow.trial import Outcome, Trial, gathered_for, n_train_groups, perform


@pytest.fixture(scope="module")
def experiment(experiment_file: Path) -> Experiment:
    return load_experiment(experiment_file, ["training.epochs=1"])[0]


def test_the_key_is_of_all_that_the_outcome_depends_on(experiment: Experiment) -> None:
    first = Trial("a", experiment, None, 1.0, "auroc")
    assert replace(first, name="b", kept=Path("elsewhere")).key == first.key
    changed = [
        replace(first, share=0.5),
        replace(first, metric="average_precision"),
        replace(first, measures=Measures(shifts=(0.1,))),
        replace(first, experiment=experiment.model_copy(update={"seed": 1})),
        replace(
            first,
            experiment=experiment.model_copy(
                update={"training": experiment.training.model_copy(update={"batch": 8})}
            ),
        ),
        replace(
            first,
            experiment=experiment.model_copy(
                update={
                    "representations": experiment.representations.model_copy(update={"network": "dense 1"})
                }
            ),
        ),
        replace(
            first,
            experiment=experiment.model_copy(
                update={"inputs": experiment.inputs.model_copy(update={"options": {"n_subjects": 119}})}
            ),
        ),
    ]
    assert len({first.key, *(one.key for one in changed)}) == len(changed) + 1


def test_what_was_kept_is_read_back(experiment: Experiment, tmp_path: Path) -> None:
    asked = Measures(shifts=(0.1, 0.5), n_explained=3, n_drawn=2)
    trial = Trial("a", experiment, None, 0.5, "auroc", asked, tmp_path)
    assert not trial.is_finished
    made, again = perform(trial), perform(trial)
    assert trial.is_finished
    assert (made.reused, again.reused) == (False, True)
    assert made.test is not None and again.test is not None  # noqa: PT018
    np.testing.assert_array_equal(made.test.logits, again.test.logits)
    assert made.measured is not None and again.measured is not None  # noqa: PT018
    np.testing.assert_array_equal(made.measured.maps, again.measured.maps)
    assert again.measured.per_second == made.measured.per_second
    assert dict(again.facts) == dict(made.facts)
    assert again.facts["n_train_subjects"] == round(n_train_groups(gathered_for(experiment, None)) / 2)


def test_what_stopped_before_its_facts_were_written_does_not_count(
    experiment: Experiment, tmp_path: Path
) -> None:
    trial = Trial("a", experiment, None, 1.0, "auroc", kept=tmp_path)
    made = perform(trial)
    (tmp_path / trial.key / "trial.json").unlink()
    assert not trial.is_finished
    assert Outcome.read(tmp_path / trial.key) is None
    again = perform(trial)
    assert not again.reused
    assert made.test is not None and again.test is not None  # noqa: PT018
    np.testing.assert_array_equal(made.test.logits, again.test.logits)


def test_at_least_one_subject_is_learnt_from(experiment: Experiment) -> None:
    gathered = gathered_for(experiment, None)
    split = Trial("a", experiment, None, 0.0001, "auroc").split(gathered)
    assert len(split.indices("train")) == 1
    whole = Trial("a", experiment, None, 1.0, "auroc").split(gathered)
    assert whole.hash == gathered.split.hash
