import json
from pathlib import Path

import pytest

from vicinal.errors import ExperimentError
from vicinal.workflow.comparing import compare, parse_vary


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


@pytest.mark.parametrize("text", ["", "key", "=1", "key="])
def test_what_varies_nothing_is_refused(text: str) -> None:
    with pytest.raises(ExperimentError, match="expected KEY=A,B"):
        parse_vary(text)


def test_every_combination_is_one_row_on_one_split(experiment_file: Path, tmp_path: Path) -> None:
    results = compare(
        experiment_file,
        [
            'representations.network="dense 1","conv 4 window 20 | relu | mean | dense 1"',
            "training.epochs=1,2",
        ],
        output=tmp_path / "out",
    )
    assert [list(one.settings.values()) for one in results] == [
        ["dense 1", 1], ["dense 1", 2],
        ["conv 4 window 20 | relu | mean | dense 1", 1], ["conv 4 window 20 | relu | mean | dense 1", 2],
    ]  # fmt: skip
    assert [one.row.parameters for one in results] == [101, 101, 89, 89]
    assert len({one.row.scores.split_hash for one in results if one.row.scores is not None}) == 1
    for one in results:
        value, low, high = one.row.auroc
        assert low <= value <= high
        assert set(one.row.shifted) == {0, 5}
        assert one.row.shifted[0] == pytest.approx(value)
        assert one.row.n_train_subjects == 42
    saved = json.loads((tmp_path / "out" / "compare.json").read_text())
    assert saved == [one.to_dict() for one in results]


def test_a_typo_in_the_varied_key_is_named(experiment_file: Path) -> None:
    with pytest.raises(ExperimentError, match=r"training.epoch: unknown key, did you mean 'epochs'"):
        compare(experiment_file, ["training.epoch=1,2"])


def test_any_key_can_vary_tables_too(experiment_file: Path) -> None:
    results = compare(
        experiment_file, ['training.augment=[{kind = "gain"}],[]'], overrides=["training.epochs=1"]
    )
    assert [one.settings["training.augment"] for one in results] == [[{"kind": "gain"}], []]
