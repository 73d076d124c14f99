from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vicinal.experiment import load_experiment
from vicinal.workflow.contenders import Contender
from vicinal.workflow.mapping import explained
from vicinal.workflow.measuring import Measures
from vicinal.workflow.trial import Outcome, Trial, gathered_for, perform

Performed = list[tuple[Contender, list[Outcome]]]


@pytest.fixture(scope="module")
def performed(experiment_file: Path) -> Performed:
    experiment, _ = load_experiment(experiment_file, ["training.epochs=1"])
    found = []
    for name, seeds in (("a", (0, 1)), ("b", (0,))):
        trials = [
            Trial(
                name,
                experiment.model_copy(update={"seed": seed}),
                None,
                1.0,
                "auroc",
                Measures(n_explained=3, n_drawn=2),
            )
            for seed in seeds
        ]
        found.append((Contender(name, experiment, 1), [perform(trial) for trial in trials]))
    return found


def test_every_network_explains_the_same_signals(performed: Performed) -> None:
    pack = gathered_for(performed[0][0].experiment, None).pack
    found = explained(performed, pack)
    assert [one.truth for one in found] == ["disease", "not disease"]
    for k, one in enumerate(found):
        assert list(one.adds) == ["a", "b"]
        row = pack.ids.tolist().index(one.id)
        np.testing.assert_array_equal(one.samples, pack.rows(np.array([row]))[0][0])
        first = performed[0][1][0].measured
        assert first is not None
        np.testing.assert_array_equal(one.adds["a"], first.maps[k])


def test_networks_cut_short_and_rates_that_were_only_tried_are_left_out(performed: Performed) -> None:
    (a, (first, _)), (b, (other,)) = performed
    pack = gathered_for(a.experiment, None).pack
    tried = replace(other, facts={**other.facts, "tried": True})
    assert [list(one.adds) for one in explained([(a, [first]), (b, [tried])], pack)] == [["a"], ["a"]]
    assert [list(one.adds) for one in explained([(a, [first]), (replace(b, of="a"), [other])], pack)] == [
        ["a"],
        ["a"],
    ]
    assert explained([(a, [replace(first, measured=None)])], pack) == []
