"""Near-duplicates are found through what does not change what was recorded, and nothing else is called one."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.signal import resample_poly

from vicinal.inputs.leakage import copies
from vicinal.inputs.leakage.copies import find_copies

Rows = np.ndarray


def rhythms(n: int, positions: int, *, channels: int = 1, seed: int = 0) -> Rows:
    """Beats of one shape for everybody, at each one's own rate, under red noise: alike, but no copies."""
    rng = np.random.default_rng(seed)
    made = np.empty((n, channels, positions), np.float32)
    beat = np.exp(-0.5 * (np.arange(-12, 13) / 2.5) ** 2)
    for row in made:
        gaps = rng.normal(rng.uniform(60, 100), 3, size=positions // 40 + 3)
        at = np.cumsum(gaps).astype(int) - rng.integers(60)
        line = np.zeros(positions + 200)
        line[at[(at >= 0) & (at < positions + 100)]] = 1
        line = np.convolve(line, beat, mode="same")[:positions]
        row[:] = line * rng.uniform(0.5, 1.5, size=(channels, 1))
        row += np.cumsum(rng.normal(0, 0.02, size=(channels, positions)), axis=1)
        row += rng.normal(0, 0.1, size=(channels, positions))
    return made


def rate(row: Rows, up: int, down: int) -> Rows:
    """Keep a copy at another rate, and bring it back."""
    there = resample_poly(row, up, down, axis=1, padtype="line")
    return np.asarray(resample_poly(there, down, up, axis=1, padtype="line")[:, : row.shape[1]])


def shifted(row: Rows, by: int) -> Rows:
    return np.concatenate([row[:, by:], np.repeat(row[:, -1:], by, axis=1)], axis=1)


def search(x: Rows, parts: np.ndarray, lengths: np.ndarray | None = None) -> copies.Search:
    n = np.full(len(x), x.shape[2]) if lengths is None else lengths
    return find_copies(lambda rows: (x[rows], n[rows]), n, parts, n_channels=x.shape[1])


CHANGES: dict[str, Callable[[Rows], Rows]] = {
    "gain": lambda row: 3 * row,
    "offset": lambda row: row + 5,
    "polarity": lambda row: -row,
    "shift": lambda row: shifted(row, 7),
    "noise": lambda row: row + 0.03 * row.std() * np.random.default_rng(9).normal(size=row.shape),
    "resampling": lambda row: rate(row, 5, 6),
    "all": lambda row: shifted(rate(-0.5 * row + 2, 5, 6), 3),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(("positions", "channels"), [(1000, 1), (800, 3)])
def test_a_changed_copy_is_found_and_nothing_else(change: str, positions: int, channels: int) -> None:
    x = rhythms(40, positions, channels=channels)
    x = np.concatenate([x, np.stack([CHANGES[change](x[3].astype(float)), CHANGES[change](x[17])])])
    found = search(x.astype(np.float32), np.array([0] * 40 + [1, 1]))
    assert {(copy.first, copy.second) for copy in found.copies} == {(3, 40), (17, 41)}
    assert all(copy.whole for copy in found.copies)


@pytest.mark.parametrize("change", ["gain", "offset", "polarity"])
def test_a_short_copy_is_found_when_it_is_all_but_equal(change: str) -> None:
    x = rhythms(60, 100)
    x = np.concatenate([x, CHANGES[change](x[3])[None], shifted(x[9], 4)[None]]).astype(np.float32)
    found = search(x, np.array([0] * 60 + [1, 1]))
    assert {(copy.first, copy.second) for copy in found.copies} == {(3, 60), (9, 61)}


def test_windows_that_overlap_by_half_are_found_with_their_lag() -> None:
    long = rhythms(20, 1500)
    x = np.concatenate([long[:, :, :1000], long[:, :, 500:]])
    found = search(x, np.repeat([0, 1], 20))
    assert {(copy.first, copy.second) for copy in found.copies} == {(k, k + 20) for k in range(20)}
    assert {(copy.lag, copy.shared, copy.whole) for copy in found.copies} == {(500, 500, False)}
    assert found.least_shared <= 500


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("positions", [100, 400, 1000])
def test_different_recordings_are_no_copies(seed: int, positions: int) -> None:
    x = rhythms(120, positions, seed=seed)
    assert search(x, np.arange(120)).copies == ()


def test_rows_of_one_part_and_rows_left_out_are_not_compared() -> None:
    x = rhythms(10, 1000)
    x = np.concatenate([x, x[:1], x[1:2]])
    assert search(x, np.array([0] * 5 + [1] * 5 + [0, -1])).copies == ()
    assert search(x, np.zeros(12, int)).copies == ()
    assert search(x[:, :, :8], np.arange(12)).n_rows == 0


def test_a_shorter_recording_inside_a_longer_one_is_a_whole_copy() -> None:
    x = rhythms(20, 1000)
    lengths = np.full(21, 1000)
    inside = np.zeros((1, 1, 1000), np.float32)
    inside[0, :, :600] = x[4, :, 300:900]
    lengths[20] = 600
    (found,) = search(np.concatenate([x, inside]), np.array([0] * 20 + [1]), lengths).copies
    assert (found.first, found.second, found.lag, found.shared, found.whole) == (4, 20, 300, 600, True)


def test_more_rows_than_can_be_compared_are_drawn_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "_MOST_LANDMARKS", 200)
    found = search(rhythms(100, 1000), np.arange(100))
    assert 10 < found.n_rows < 100
    assert found == search(rhythms(100, 1000), np.arange(100))
