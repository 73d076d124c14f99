import numpy as np
import pytest

from vicinal.errors import ExperimentError
from vicinal.inputs.batches import ArrayRows, Batches


def make_rows(n: int = 10, *, full: bool = True) -> ArrayRows:
    x = np.arange(n * 4, dtype=np.float32).reshape(n, 1, 4)
    lengths = np.full(n, 4) if full else np.arange(n) % 4 + 1
    return ArrayRows(x=x, lengths=lengths, truth=np.arange(n, dtype=np.float64).reshape(n, 1))


def test_an_epoch_holds_each_row_once_in_an_order_of_its_own() -> None:
    batches = Batches(make_rows(), np.arange(10), batch=3, seed=0, drop_last=False)
    assert (batches.n_rows, batches.n_steps) == (10, 4)
    first, second = ([batch.y[:, 0].tolist() for batch in batches.epoch(k)] for k in (0, 1))
    assert [len(rows) for rows in first] == [3, 3, 3, 1]
    for rows in (first, second):
        assert sorted(np.concatenate(rows).tolist()) == list(range(10))
    assert first != second


def test_training_leaves_out_the_last_batch_when_it_is_not_full() -> None:
    batches = Batches(make_rows(), np.arange(10), batch=4, seed=0)
    assert batches.n_steps == 2
    assert [len(batch.y) for batch in batches.epoch(0)] == [4, 4]


def test_fewer_rows_than_a_batch_are_one_batch() -> None:
    batches = Batches(make_rows(), np.arange(3), batch=64, seed=0)
    assert [sorted(batch.y[:, 0].tolist()) for batch in batches.epoch(0)] == [[0, 1, 2]]


def test_same_seed_and_epoch_give_the_same_batches_whatever_was_drawn_before() -> None:
    def make(seed: int) -> Batches:
        return Batches(make_rows(), np.arange(10), batch=4, seed=seed, augment=[{"kind": "noise"}])

    fresh, used = make(5), make(5)
    for _ in used.epoch(0):
        pass
    for one, other in zip(fresh.epoch(3), used.epoch(3), strict=True):
        np.testing.assert_array_equal(one.x, other.x)
        np.testing.assert_array_equal(one.y, other.y)
    assert any((a.y != b.y).any() for a, b in zip(make(5).epoch(0), make(6).epoch(0), strict=True))


def test_only_the_rows_asked_for_are_used_and_x_belongs_to_y() -> None:
    batches = Batches(make_rows(), np.array([7, 2, 5]), batch=2, seed=1, drop_last=False)
    for batch in batches.epoch(0):
        assert batch.x.dtype == batch.y.dtype == np.float32
        np.testing.assert_array_equal(batch.x[:, 0, 0], 4 * batch.y[:, 0])
        assert set(batch.y[:, 0]) <= {7, 2, 5}


def test_augmentation_leaves_the_rows_themselves_alone() -> None:
    rows = make_rows()
    before = rows.x.copy()
    batches = Batches(
        rows, np.arange(10), batch=5, seed=0, augment=[{"kind": "shift", "limit_s": 2}], rate_hz=1.0
    )
    assert any((batch.x[:, 0, 0] != 4 * batch.y[:, 0]).any() for batch in batches.epoch(0))
    np.testing.assert_array_equal(rows.x, before)


def test_lengths_are_none_when_every_row_is_full() -> None:
    assert all(
        batch.lengths is None for batch in Batches(make_rows(), np.arange(10), batch=4, seed=0).epoch(0)
    )
    batches = Batches(make_rows(full=False), np.arange(10), batch=4, seed=0, drop_last=False)
    for batch in batches.epoch(0):
        assert batch.lengths is not None
        assert batch.lengths.tolist() == [int(row) % 4 + 1 for row in batch.y[:, 0]]


def test_what_cannot_be_batched_is_refused() -> None:
    with pytest.raises(ExperimentError, match="there are no rows"):
        Batches(make_rows(), np.array([], dtype=np.int64), batch=2, seed=0)
    with pytest.raises(ExperimentError, match="batch must be at least 1"):
        Batches(make_rows(), np.arange(3), batch=0, seed=0)
    with pytest.raises(ExperimentError, match="no kind 'nois', did you mean 'noise'"):
        Batches(make_rows(), np.arange(3), batch=2, seed=0, augment=[{"kind": "nois"}])
