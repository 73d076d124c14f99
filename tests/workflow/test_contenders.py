from pathlib import Path

import pytest

from vicinal.errors import ExperimentError, NetworkError
from vicinal.representations.inspection import inspect
from vicinal.workflow.contenders import Contender, contenders, cuts_of, parse_vary, settings_of

OWN = "conv 4 window 20 stride 5 | relu | mean | dense 1"


def found(
    path: Path, *networks: str, vary: tuple[str, ...] = (), overrides: tuple[str, ...] = ()
) -> list[Contender]:
    return contenders(path, networks, vary, by="parameters", overrides=overrides, n_outputs=1)


def test_values_are_toml_or_bare_words() -> None:
    assert parse_vary("training.learning_rate=1e-3,1e-2") == [
        ("training.learning_rate", 0.001), ("training.learning_rate", 0.01),
    ]  # fmt: skip
    assert parse_vary('representations.network="dense 2, x","conv 3"') == [
        ("representations.network", "dense 2, x"), ("representations.network", "conv 3"),
    ]  # fmt: skip
    assert parse_vary("representations.network=resnet1d, founding") == [
        ("representations.network", "resnet1d"), ("representations.network", "founding"),
    ]  # fmt: skip
    assert parse_vary("inputs.options.aligned=true,false")[1] == ("inputs.options.aligned", False)


@pytest.mark.parametrize("text", ["key=conv@8,", "key=conv@8,,conv@4", "key=,"])
def test_an_empty_value_is_refused(text: str) -> None:
    with pytest.raises(ExperimentError, match="expected values between commas, and one is empty"):
        parse_vary(text)


@pytest.mark.parametrize("text", ["", "key", "=1", "key="])
def test_what_varies_nothing_is_refused(text: str) -> None:
    with pytest.raises(ExperimentError, match="expected KEY=A,B"):
        parse_vary(text)


def test_a_family_takes_the_width_of_the_experiments_own_network(experiment_file: Path) -> None:
    names = ("own", "dense", "conv@8", "dense 3 | relu | dense 1", "minirocket")
    own, dense, stated, text, preset = found(experiment_file, *names)
    target = inspect(OWN, input_shape=(1, 100), rate_hz=None).parameters
    assert (own.network, own.inspect().parameters) == (OWN, target)
    assert dense.ratio == pytest.approx(dense.inspect().parameters / target)
    assert abs(dense.ratio - 1) < 0.6  # type: ignore[operator]
    assert f"of the reference's {target}" not in dense.match
    assert f"times the reference's {target}" in dense.match
    assert (stated.width, "conv 8 window 7" in stated.network, stated.ratio) == (8, True, None)
    assert (text.network, text.match) == ("dense 3 | relu | dense 1", "as given, not matched")
    assert preset.match.startswith("fixed, not matched: ")


def test_the_reference_may_itself_be_a_family_at_a_width(experiment_file: Path) -> None:
    own, conv = found(experiment_file, "own", "conv", overrides=("representations.network=conv@8",))
    assert own.network == conv.network
    assert conv.ratio == 1


def test_a_family_may_be_cut_to_its_first_stages(experiment_file: Path) -> None:
    whole, cut, dense = found(experiment_file, "conv@4", "conv@4x2", "dense@3x1")
    assert (cut.name, cut.width, cut.match) == ("conv@4x2", 4, "width 4, 2 stages, as asked")
    assert cut.network == cuts_of(whole)[1].network
    assert dense.network == "dense 3 | norm | relu | dense classes"
    (varied,) = found(experiment_file, vary=("representations.network=conv@4x2",))
    assert (varied.name, varied.network) == ("conv@4x2", cut.network)
    with pytest.raises(NetworkError, match="'conv@4x9': expected 1 to 4 blocks to cut to, got 9"):
        found(experiment_file, "conv@4x9")


def test_what_does_not_fit_is_named(experiment_file: Path) -> None:
    with pytest.raises(NetworkError, match="expected FAMILY@WIDTH"):
        found(experiment_file, "conv@wide")
    with pytest.raises(NetworkError, match="'conv@': expected FAMILY@WIDTH"):
        found(experiment_file, "conv@")
    with pytest.raises(NetworkError, match="window 200 is longer than"):
        found(experiment_file, "conv 4 window 200 | mean | dense 1")
    with pytest.raises(ExperimentError, match="conv@4 stands twice"):
        found(experiment_file, "conv@4", "conv@4")


def test_networks_and_settings_are_combined_and_named(experiment_file: Path) -> None:
    both = found(experiment_file, "conv@4", "dense@2", vary=("training.batch=8,16",))
    assert [one.name for one in both] == [
        "conv@4, batch 8", "dense@2, batch 8", "conv@4, batch 16", "dense@2, batch 16",
    ]  # fmt: skip
    assert [one.experiment.training.batch for one in both] == [8, 8, 16, 16]
    alone = found(experiment_file, vary=("representations.network=conv@4,conv@8",))
    assert [one.name for one in alone] == ["conv@4", "conv@8"]
    assert "conv 8 window 7" in alone[1].network
    assert [one.match for one in alone] == ["as varied", "as varied"]
    own, dense = found(experiment_file, "own", "dense", vary=("representations.network=conv@8",))
    assert own.match == "as varied: the reference of its setting"
    assert dense.match.endswith(f"times the reference's {own.inspect().parameters:,}")
    (kept,) = found(experiment_file, vary=("training.batch=8",))
    assert kept.match == "the experiment's own network: the reference"


def test_lists_are_shortened_one_entry_at_a_time(experiment_file: Path) -> None:
    steps = 'inputs.contract.steps=[{step="resample"},{step="high_pass",cutoff_hz=0.5}]'
    made = list(settings_of(experiment_file, ["inputs.contract.steps=without"], [steps]))
    assert [removed and removed[1]["step"] for _, removed in made] == [None, "resample", "high_pass"]
    assert [one["step"] for one in made[1][0][0][1]] == ["high_pass"]
    names = [
        one.name
        for one in found(experiment_file, vary=("inputs.contract.steps=without",), overrides=(steps,))
    ]
    assert names == ["own", "without resample", "without high_pass"]
    twice = 'inputs.contract.steps=[{step="high_pass",cutoff_hz=0.5},{step="high_pass",cutoff_hz=1}]'
    _, first, second = found(experiment_file, vary=("inputs.contract.steps=without",), overrides=(twice,))
    assert (first.name, second.name) == ("without high_pass cutoff_hz 0.5", "without high_pass cutoff_hz 1.0")
    with pytest.raises(ExperimentError, match="expected a list that has entries"):
        list(settings_of(experiment_file, ["training.batch=without"], []))


def test_a_network_is_cut_to_each_smaller_number_of_stages(experiment_file: Path) -> None:
    (conv,) = found(experiment_file, "conv@4")
    cuts = cuts_of(conv)
    assert [cut.name for cut in cuts] == [f"conv@4, {k} of 4 stages" for k in (1, 2, 3)]
    assert [cut.network.count("conv 4") for cut in cuts] == [1, 2, 3]
    assert all((cut.of, cut.ratio) == ("conv@4", None) for cut in cuts)
    (own,) = found(experiment_file, "own")
    assert cuts_of(own) == []
