"""The strongest signals of every unit against a loop over single signals and single units."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from vicinal.representations.engine import choose
from vicinal.representations.excitation import Excitation, excitations
from vicinal.representations.network import Network, build

ENGINE = choose(precision="float32", compiled=False)
N_ROWS, N_STRONGEST = 23, 4

SIGNALS = [
    "conv 3 window 5 stride 2 same | norm | relu | residual 4 window 3 | mean | dense 2",
    "local 2 window 6 stride 3 | relu | conv 2 window 3 | relu | flatten | relu | dense 2",
    "conv 2 window 4 | flatten | dense 3 | relu | dense 2",
    "lstm 3 both | attention 4 heads 2 | mean-max | dense 2",
    "conv 2 window 1 | max window 3 stride 2 | local 3 window 2 same | max | dense 2",
]
IMAGES = [
    "conv 3 window 3 same | relu | max window 2 stride 2 | conv 2 window 3x2 | relu | flatten | dense 2",
    "local 2 window 3 stride 2 | relu | mean | dense 2",
]


def batches(
    x: np.ndarray, lengths: np.ndarray | None, size: int
) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    for start in range(0, len(x), size):
        yield x[start : start + size], None if lengths is None else lengths[start : start + size]


def slow(
    network: Network, x: np.ndarray, lengths: np.ndarray | None, index: int
) -> list[list[tuple[float, int, int]]]:
    """For each unit of a stage: (value, row, position) of the strongest rows, by plain loops over single rows."""
    kinds = [text.split()[0] for text in network.stage_texts[: index + 1]]
    own = "local" in kinds or "flatten" in kinds
    best: list[list[tuple[float, int, int]]] = []
    for row in range(len(x)):
        length = None if lengths is None else torch.tensor([lengths[row]])
        stages = network.stages(torch.from_numpy(x[row : row + 1]), length)
        values, left = stages[index][1][0].numpy(), stages[index][2]
        n_channels = len(values)
        found: list[tuple[float, int, int] | None] = []
        if values.ndim > 1:
            flat = values.reshape(n_channels, -1)
            n = flat.shape[1] if left is None else int(left[0])
            for channel in range(n_channels):
                if own:
                    found += [
                        (float(flat[channel, p]), row, p) if p < n else None for p in range(flat.shape[1])
                    ]
                else:
                    at = int(flat[channel, :n].argmax())
                    found.append((float(flat[channel, at]), row, at))
        else:
            found = [(float(value), row, -1) for value in values]
            if set(kinds) & {"flatten"} and not set(kinds) & {"dense", "mean", "max", "mean-max"}:
                flat_at = kinds.index("flatten")
                n_positions = stages[flat_at - 1][1].shape[-1]
                real = stages[flat_at - 1][2]
                n = n_positions if real is None else int(real[0])
                found = [one if k % n_positions < n else None for k, one in enumerate(found)]
        for unit, one in enumerate(found):
            if len(best) <= unit:
                best.append([])
            if one is not None:
                best[unit].append(one)
    return [sorted(unit, key=lambda one: (-one[0], one[1]))[:N_STRONGEST] for unit in best]


def compare(found: Excitation, expected: list[list[tuple[float, int, int]]]) -> None:
    assert found.values.shape[1] == len(expected)
    for unit, strongest in enumerate(expected):
        n = len(strongest)
        values, rows = found.values[:, unit], found.rows[:, unit]
        assert np.isneginf(values[n:]).all()
        np.testing.assert_allclose(values[:n], [one[0] for one in strongest], rtol=1e-4, atol=1e-6)
        assert rows[:n].tolist() == [one[1] for one in strongest]
        assert len(set(rows[:n].tolist())) == n  # one place a signal
        if not all(value == 0 for value, _, _ in strongest):
            assert found.positions[:n, unit].tolist() == [one[2] for one in strongest]


@pytest.mark.parametrize("size", [5, N_ROWS])
@pytest.mark.parametrize("text", SIGNALS)
def test_signals_of_unequal_length_against_a_loop(text: str, size: int) -> None:
    rng = np.random.default_rng(1)
    x = rng.standard_normal((N_ROWS, 2, 24)).astype(np.float32)
    lengths = rng.integers(15, 25, N_ROWS)
    network = build(text, input_shape=(2, 24), n_outputs=2, seed=0).eval()
    with torch.no_grad():
        found = excitations(network, batches(x, lengths, size), engine=ENGINE, n_strongest=N_STRONGEST)
        assert [one.text for one in found] == list(network.stage_texts)
        for index, one in enumerate(found):
            compare(one, slow(network, x, lengths, index))


@pytest.mark.parametrize("text", IMAGES)
def test_images_against_a_loop(text: str) -> None:
    x = np.random.default_rng(2).standard_normal((N_ROWS, 1, 9, 8)).astype(np.float32)
    network = build(text, input_shape=(1, 9, 8), n_outputs=2, seed=0).eval()
    with torch.no_grad():
        found = excitations(network, batches(x, None, 7), engine=ENGINE, n_strongest=N_STRONGEST)
        for index, one in enumerate(found):
            compare(one, slow(network, x, None, index))


@pytest.mark.parametrize("text", ["conv 1 window 1 | flatten | dense 1", "local 1 window 1 | mean | dense 1"])
def test_padding_excites_nothing(text: str) -> None:
    # Every real value is below zero, and padding is zero: were it counted, it would win.
    network = build(text, input_shape=(1, 8), n_outputs=1, seed=0).eval()
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if name.startswith("0."):
                value.fill_(-1.0 if name.endswith("weight") else 0.0)
    x = np.full((2, 1, 8), 2.0, dtype=np.float32)
    lengths = np.array([5, 3])
    first, second, _ = excitations(network, [(x, lengths)], engine=ENGINE, n_strongest=2)
    if text.startswith("conv"):
        assert first.values.tolist() == [[-2.0], [-2.0]]
        assert first.positions.max() < 3
        # Behind `flatten` a feature is a place: both signals reach 0 to 2, one 3 and 4, none the others.
        assert second.values[0].tolist() == [-2.0] * 5 + [-np.inf] * 3
        assert second.values[1].tolist() == [-2.0] * 3 + [-np.inf] * 5
    else:
        assert first.values[0].tolist() == [-2.0] * 5 + [-np.inf] * 3


def test_among_equals_the_earlier_signal_stays() -> None:
    network = build("conv 1 window 1 | mean | dense 1", input_shape=(1, 4), n_outputs=1, seed=0).eval()
    x = np.ones((9, 1, 4), dtype=np.float32)
    for size in (2, 9):
        found = excitations(network, batches(x, None, size), engine=ENGINE, n_strongest=3)
        assert [one.rows[:, 0].tolist() for one in found] == [[0, 1, 2]] * 3


def test_units_and_places_have_names() -> None:
    network = build(
        "local 2 window 3 stride 2 | mean | dense 1", input_shape=(1, 7, 9), n_outputs=1, seed=0
    ).eval()
    x = np.random.default_rng(0).standard_normal((2, 1, 7, 9)).astype(np.float32)
    local, mean, _ = excitations(network, [(x, None)], engine=ENGINE, n_strongest=1)
    assert local.shape == (2, 3, 4)
    assert local.unit(1 * 12 + 2 * 4 + 3) == (1, (2, 3))  # a channel at one row and column
    assert local.place(0, 1 * 12 + 2 * 4 + 3) == (2, 3)
    assert mean.unit(1) == (1, None)
    assert mean.place(0, 1) == (1,)
    assert excitations(network, [], engine=ENGINE, n_strongest=1) == []


def test_contrasts_are_differences_of_mean_peaks_in_standard_deviations() -> None:
    rng = np.random.default_rng(3)
    x = rng.standard_normal((N_ROWS, 2, 24)).astype(np.float32)
    lengths = rng.integers(15, 25, N_ROWS)
    groups = (rng.random((N_ROWS, 3)) < 0.4).astype(float)
    groups[::5, 1] = np.nan  # not known of some
    groups[:, 2] = 0.0
    groups[0, 2] = 1.0  # one signal alone has no spread
    text = "conv 3 window 5 stride 2 same | relu | local 2 window 3 | max | dense 2"
    network = build(text, input_shape=(2, 24), n_outputs=2, seed=0).eval()
    stream = batches(x, lengths, 7)
    found = excitations(network, stream, engine=ENGINE, n_strongest=2, groups=groups)
    with torch.no_grad():
        stages = list(network.stages(torch.from_numpy(x), torch.from_numpy(lengths)))
    for one, (_, values, left) in zip(found, stages, strict=True):
        assert one.contrasts.shape == (3, one.values.shape[1])
        assert np.isnan(one.contrasts[2]).all()
        for unit in range(one.values.shape[1]):
            channel, place = one.unit(unit)
            peaks = []
            for row in range(N_ROWS):
                given = values[row, channel].numpy()
                given = given if left is None or given.ndim == 0 else given[: int(left[row])]
                if place is not None:
                    given = given[place[0]] if place[0] < len(given) else np.nan
                peaks.append(float(np.max(given)))
            for group in (0, 1):
                a = [p for p, g in zip(peaks, groups[:, group], strict=True) if g == 1 and not np.isnan(p)]
                b = [p for p, g in zip(peaks, groups[:, group], strict=True) if g == 0 and not np.isnan(p)]
                if min(len(a), len(b)) < 2:
                    assert np.isnan(one.contrasts[group, unit])
                    continue
                spread = (len(a) * np.var(a) + len(b) * np.var(b)) / (len(a) + len(b) - 2)
                if spread < 1e-12:
                    continue
                expected = (np.mean(a) - np.mean(b)) / np.sqrt(spread)
                assert one.contrasts[group, unit] == pytest.approx(expected, rel=1e-3, abs=1e-4)
    assert (
        excitations(network, batches(x, lengths, 7), engine=ENGINE, n_strongest=2)[0].contrasts.shape[0] == 0
    )
