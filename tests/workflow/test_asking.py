from pathlib import Path

import pytest

from vicinal.errors import ExperimentError
from vicinal.experiment import load_experiment
from vicinal.workflow.asking import Asked, completed, words_of


def test_of_several_networks_rates_shares_and_cuts_are_tried(experiment_file: Path) -> None:
    experiment, _ = load_experiment(experiment_file, ["training.learning_rate=0.01"])
    found = completed(Asked(networks=("dense", "conv")), experiment)
    assert (found.metric, found.cut) == ("auroc", None)
    assert found.shares == (0.1, 0.25, 0.5, 1.0)
    assert found.rates == (0.0033, 0.01, 0.03)


def test_of_one_network_that_varies_only_what_is_asked_is_trained(experiment_file: Path) -> None:
    experiment, _ = load_experiment(experiment_file)
    found = completed(Asked(vary=("training.batch=8,16",)), experiment)
    assert (found.shares, found.rates, found.cut) == ((1.0,), (), ())
    assert completed(Asked(shares=(0.5, 0.5)), experiment).shares == (0.5, 1.0)
    assert completed(Asked(rates=(0.1, 0.1)), experiment).rates == (0.1,)


@pytest.mark.parametrize(
    ("asked", "match"),
    [
        (Asked(seeds=0), "--seeds: expected 1 or more, got 0"),
        (Asked(rates=(30.0,)), "--rates: expected learning rates above 0, at most 10, got 30"),
        (Asked(shares=(0.0,)), "--fractions: expected shares above 0, at most 1, got 0"),
        (Asked(target=1.5), "--target: expected AUROC above 0, at most 1, got 1.5"),
        (Asked(metric="rank"), "--metric 'rank': expected one of auroc"),
    ],
)
def test_what_cannot_be_names_its_option(experiment_file: Path, asked: Asked, match: str) -> None:
    experiment, _ = load_experiment(experiment_file)
    with pytest.raises(ExperimentError, match=match):
        completed(asked, experiment)


def test_the_words_ask_for_the_same() -> None:
    asked = Asked(
        networks=("dense", "conv@4"), vary=("training.batch=8,16",), by="multiply-adds", shares=(0.5, 1.0), seeds=2,
        rates=(0.01,), cut=(), metric="auroc", target=0.9,
    )  # fmt: skip
    assert words_of(asked, ["seed=1"]) == [
        "--networks", "dense,conv@4", "--match", "multiply-adds", "--vary", "training.batch=8,16", "--fractions",
        "0.5,1", "--seeds", "2", "--rates", "0.01", "--metric", "auroc", "--target", "0.9",
        "--cut", "none", "--set", "seed=1",
    ]  # fmt: skip
