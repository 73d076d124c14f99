import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score

from vicinal.experiment import Experiment, load_experiment
from vicinal.workflow.measuring import Measures
from vicinal.workflow.trial import Trial, gathered_for, n_train_groups, perform


@pytest.fixture(scope="module")
def experiment(experiment_file: Path) -> Experiment:
    return load_experiment(experiment_file, ["training.epochs=1"])[0]


def test_the_key_is_of_all_that_the_outcome_depends_on(experiment: Experiment) -> None:
    first = Trial("a", experiment, None, 1.0, "auroc")
    same = replace(first, name="b", metric="average_precision", kept=Path("elsewhere"))
    assert same.key == first.key
    changed = [
        replace(first, share=0.5),
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
    keys = {first.key, *(one.key for one in changed)}
    n_threads = torch.get_num_threads()
    torch.set_num_threads(n_threads + 1)
    try:
        keys.add(first.key)
    finally:
        torch.set_num_threads(n_threads)
    assert len(keys) == len(changed) + 2


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
    assert trial.kept_outcome() is None
    again = perform(trial)
    assert not again.reused
    assert made.test is not None and again.test is not None  # noqa: PT018
    np.testing.assert_array_equal(made.test.logits, again.test.logits)


def test_another_metric_another_name_and_another_share_of_as_many_take_what_is_kept(
    experiment: Experiment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = perform(Trial("a", experiment, None, 0.5, "auroc", kept=tmp_path))
    monkeypatch.setattr("vicinal.workflow.trial.learn_split", None)
    other = Trial("b", experiment, None, 0.501, "average_precision", kept=tmp_path)
    assert other.is_finished
    again = perform(other)
    assert (again.reused, again.facts["name"], again.facts["share"]) == (True, "b", 0.501)
    assert made.test is not None
    found = average_precision_score(made.test.truth[:, 0], made.test.logits[:, 0])
    assert again.facts["test_metric"] == pytest.approx(found)
    assert again.facts["train_metric"] != made.facts["train_metric"]


def test_what_was_kept_for_one_metric_alone_serves_that_metric(
    experiment: Experiment, tmp_path: Path
) -> None:
    """Trials used to hold the metric that they were asked for, and its name in their key."""
    trial = Trial("a", experiment, None, 0.5, "auroc", kept=tmp_path)
    made = perform(trial)
    path = tmp_path / trial.key / "trial.json"
    facts = {key: value for key, value in made.facts.items() if key != "metrics"}
    path.write_text(json.dumps(facts))
    assert trial.is_finished
    assert perform(trial).facts["train_metric"] == made.facts["train_metric"]
    other = replace(trial, metric="average_precision")
    assert not other.is_finished
    (tmp_path / trial.key).rename(tmp_path / trial._key("average_precision", torch.get_num_threads()))
    assert other.is_finished
    assert other.kept_outcome() is not None
    assert not trial.is_finished


def test_what_was_finished_with_other_threads_is_known_but_not_taken(
    experiment: Experiment, tmp_path: Path
) -> None:
    trial = Trial("a", experiment, None, 0.5, "auroc", kept=tmp_path)
    assert trial.kept_threads() is None
    perform(trial)
    assert trial.kept_threads() is None
    n_threads = torch.get_num_threads()
    torch.set_num_threads(n_threads + 1)
    try:
        assert not trial.is_finished
        assert trial.kept_threads() == n_threads
    finally:
        torch.set_num_threads(n_threads)


def test_at_least_one_subject_is_learnt_from(experiment: Experiment) -> None:
    gathered = gathered_for(experiment, None)
    split = Trial("a", experiment, None, 0.0001, "auroc").split(gathered)
    assert len(split.indices("train")) == 1
    whole = Trial("a", experiment, None, 1.0, "auroc").split(gathered)
    assert whole.hash == gathered.split.hash
