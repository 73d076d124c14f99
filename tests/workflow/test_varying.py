from pathlib import Path

import pytest

from vicinal.errors import ExperimentError
from vicinal.workflow.varying import vary


def test_every_combination_is_one_row_on_one_split(experiment_file: Path) -> None:
    results = vary(
        experiment_file,
        [
            'representations.network="dense 1","conv 4 window 20 | relu | mean | dense 1"',
            "training.epochs=1,2",
        ],
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
    assert set(results[0].to_dict()) >= {
        "settings",
        "parameters",
        "auroc",
        "auroc_under_shifts",
        "validation",
    }


def test_a_typo_in_the_varied_key_is_named(experiment_file: Path) -> None:
    with pytest.raises(ExperimentError, match=r"training.epoch: unknown key, did you mean 'epochs'"):
        vary(experiment_file, ["training.epoch=1,2"])


def test_any_key_can_vary_tables_too(experiment_file: Path) -> None:
    results = vary(
        experiment_file, ['training.augment=[{kind = "gain"}],[]'], overrides=["training.epochs=1"]
    )
    assert [one.settings["training.augment"] for one in results] == [[{"kind": "gain"}], []]
