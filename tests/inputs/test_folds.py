from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vicinal.errors import ExperimentError, FormatError, PathError
from vicinal.inputs.folds import Folds, leave_one_out, make_folds
from vicinal.inputs.splits import with_drawn_parts


def names(n: int) -> np.ndarray:
    return np.array([f"r{k:04d}" for k in range(n)])


@settings(max_examples=30)
@given(st.lists(st.integers(1, 4), min_size=30, max_size=60), st.integers(2, 6), st.integers(0, 2**32 - 1))
def test_every_row_is_tested_once_and_groups_stay_together(sizes: list[int], n_folds: int, seed: int) -> None:
    groups = np.repeat([f"g{k}" for k in range(len(sizes))], sizes)
    ids, strata = names(len(groups)), np.resize(["A", "N", "N"], len(groups))
    folds = make_folds(ids, groups, strata, n_folds=n_folds, seed=seed)
    splits = [folds.split(k, groups) for k in range(n_folds)]
    tested = np.stack([split.parts == "test" for split in splits])
    assert (tested.sum(axis=0) == 1).all()
    for split in splits:
        assert set(split.parts.tolist()) == {"train", "test"}
        whole = with_drawn_parts(
            split, groups, strata, shares={"validation": 0.2, "calibration": 0.2}, seed=seed
        )
        for group in np.unique(groups):
            assert len(np.unique(whole.parts[groups == group])) == 1
    order = np.random.default_rng(seed).permutation(len(ids))
    assert make_folds(ids[order], groups[order], strata[order], n_folds=n_folds, seed=seed).hash == folds.hash


def test_folds_are_stratified() -> None:
    strata = np.repeat(["N", "A"], [90, 10])
    folds = make_folds(names(100), names(100), strata, n_folds=5, seed=1)
    for k in range(5):
        assert abs(int((folds.folds == k).sum()) - 20) <= 1
        assert abs(int(((folds.folds == k) & (strata == "A")).sum()) - 2) <= 1


def test_leave_one_out_follows_the_values_in_their_order() -> None:
    folds = leave_one_out(names(5), np.array(["s10", "s2", "s2", "s1", "s10"]), name="site")
    assert folds.names == ("s1", "s2", "s10")
    assert folds.folds.tolist() == [2, 1, 1, 0, 2]
    assert leave_one_out(names(3), np.array([2.0, 10.0, 2.0]), name="fold").names == ("2", "10")


def test_a_person_seen_at_two_sites_is_tested_at_one_and_unused_at_the_other() -> None:
    folds = leave_one_out(names(4), np.array(["x", "y", "y", "x"]), name="site")
    split = folds.split(0, np.array(["p", "p", "q", "r"]))
    assert split.parts.tolist() == ["test", "unused", "train", "test"]


BAD = {
    "26 fold 'ten' among numbers": (
        ["1", "2", "ten"],
        "expected all numbers or all words, got ten among 1, 2",
    ),
    "27 fold missing": (["1", "", "2"], r"1 rows have no value \(first r0001\)"),
    "27 fold missing among numbers": ([1.0, np.nan, 2.0], r"1 rows have no value \(first r0001\)"),
    "one fold only": (["1", "1", "1"], "expected at least two values, got 1"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_fold_columns_are_refused(case: str) -> None:
    values, message = BAD[case]
    with pytest.raises(ExperimentError, match=message):
        leave_one_out(names(3), np.array(values), name="fold")


def test_a_fold_numbered_otherwise_is_a_fold_by_its_name() -> None:
    """BAD_INPUTS 26: fold 0 and fold 11 are folds like others; what they hold is counted by name."""
    assert leave_one_out(names(3), np.array(["0", "11", "2"]), name="fold").names == ("0", "2", "11")


def test_impossible_folds_are_refused() -> None:
    with pytest.raises(ExperimentError, match="expected 2 to 3 folds, as many as there are groups"):
        make_folds(names(3), names(3), names(3), n_folds=4, seed=0)
    folds = make_folds(names(4), names(4), names(4), n_folds=2, seed=0)
    with pytest.raises(ExperimentError, match="expected a fold from 0 to 1, got 2"):
        folds.split(2, names(4))
    with pytest.raises(ExperimentError, match="leaves nothing to train on"):
        folds.split(0, np.array(["p"] * 4))
    with pytest.raises(FormatError, match="rows in each of 3 folds"):
        Folds(names(2), np.array([0, 2]), ("a", "b", "c"))
    with pytest.raises(FormatError, match="ids repeat"):
        Folds(np.array(["a", "a"]), np.array([0, 1]), ("a", "b"))


def test_written_and_read_they_are_the_same_and_changes_are_noticed(tmp_path: Path) -> None:
    path, folds = tmp_path / "folds.parquet", make_folds(names(20), names(20), names(20), n_folds=4, seed=0)
    folds.write(path)
    again = Folds.read(path)
    assert (again.hash, again.names) == (folds.hash, folds.names)
    table = pq.read_table(path)
    moved = np.where(folds.folds == 0, 1, np.where(folds.folds == 1, 0, folds.folds))
    changed = table.set_column(1, "fold", [moved]).replace_schema_metadata(table.schema.metadata)
    pq.write_table(changed, path)
    with pytest.raises(FormatError, match="changed since it was written"):
        Folds.read(path)
    path.write_bytes(b"PAR1 no")
    with pytest.raises(FormatError, match="holds no folds"):
        Folds.read(path)
    with pytest.raises(PathError, match="does not exist"):
        Folds.read(tmp_path / "other.parquet")
