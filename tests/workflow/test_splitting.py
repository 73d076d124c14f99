from pathlib import Path

import numpy as np
import pytest

from vicinal.errors import ExperimentError
from vicinal.experiment import SplitConfig, load_experiment
from vicinal.terminal import QUIET
from vicinal.workflow.gathering import Packed, pack_of
from vicinal.workflow.splitting import described, folds_of, split_of


@pytest.fixture(scope="module")
def packed(experiment_file: Path) -> Packed:
    return pack_of(load_experiment(experiment_file)[0], data=None, show=QUIET)


def test_a_published_split_is_followed_and_divided_further(packed: Packed) -> None:
    ids = packed.pack.ids.tolist()
    officials = {"halves": {one: "test" if k % 2 else "train" for k, one in enumerate(ids)}}
    split = split_of(SplitConfig(official="halves"), packed.pack, officials)
    assert split.counts == {"train": 48, "validation": 6, "calibration": 6, "test": 60}
    assert split.indices("test").tolist() == list(range(1, 120, 2))
    with pytest.raises(ExperimentError, match=r"no published split 'halfs', did you mean 'halves'\?"):
        split_of(SplitConfig(official="halfs"), packed.pack, officials)


def test_all_folds_together_test_every_row_once(packed: Packed) -> None:
    config = SplitConfig(folds=4)
    splits = [
        split_of(config.model_copy(update={"fold": k}), packed.pack, packed.officials) for k in range(4)
    ]
    assert sorted(np.concatenate([one.indices("test") for one in splits]).tolist()) == list(range(120))
    assert all(one.counts["validation"] and one.counts["calibration"] for one in splits)
    with pytest.raises(ExperimentError, match="expected one fold of several"):
        split_of(config, packed.pack, packed.officials)


def test_leave_one_out_takes_subjects_or_any_column(packed: Packed) -> None:
    assert len(folds_of(SplitConfig(leave_one_out="subject"), packed.pack)) == 120
    by_condition = folds_of(SplitConfig(leave_one_out="condition"), packed.pack)
    assert by_condition.names == ("inverted_t", "normal", "st_deviation", "wide_qrs")
    with pytest.raises(ExperimentError, match=r"no column 'conditoin', did you mean 'condition'\?"):
        folds_of(SplitConfig(leave_one_out="conditoin"), packed.pack)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "drawn by subject, seed 0"),
        ({"file": "a/b.parquet"}, "saved in b.parquet"),
        ({"official": "ds1-ds2"}, "published: ds1-ds2"),
        ({"folds": 5}, "5 folds"),
        ({"leave_one_out": "site", "fold": 2}, "leave one site out, fold 2"),
    ],
)
def test_a_split_is_told_in_words(settings: dict[str, object], words: str) -> None:
    assert described(SplitConfig.model_validate(settings)) == words


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"folds": 5, "official": "x"},
            "give one of file, official, folds, leave_one_out, not official and folds",
        ),
        ({"fold": 1}, "fold goes with folds or leave_one_out"),
        ({"folds": 1}, "greater than or equal to 2"),
        ({"folds": 5, "validation": 0.6, "calibration": 0.5}, "must leave a share to train on"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SplitConfig.model_validate(settings)
