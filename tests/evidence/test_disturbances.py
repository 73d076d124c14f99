import numpy as np
import pytest

from vicinal.evidence.disturbances import DISTURBANCES, Recorded, impossible

RATE_HZ = 250.0
MILLIVOLT = np.array([1.0, 1000.0, 0.001])
"""Of a recording whose channels are in mV, uV and V."""


def recorded(channels: int = 3, *, seconds: float = 4) -> Recorded:
    rng = np.random.default_rng(0)
    time = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    waves = np.sin(2 * np.pi * rng.integers(1, 5, (channels, 1)) * time)
    # A baseline far off, which is no signal.
    samples = (waves + 5) * MILLIVOLT[np.arange(channels) % 3, None]
    return Recorded(samples.astype(np.float32), RATE_HZ, MILLIVOLT[np.arange(channels) % 3])


def applied(name: str, strength: float, one: Recorded, seed: int = 1) -> Recorded:
    return DISTURBANCES[name].apply(one, strength, np.random.default_rng(seed))


@pytest.mark.parametrize("name", DISTURBANCES)
def test_every_disturbance_keeps_shape_and_input_and_repeats_itself(name: str) -> None:
    one = recorded()
    before = one.samples.copy()
    for strength in DISTURBANCES[name].strengths:
        if impossible(DISTURBANCES[name], strength, one):
            continue
        found, again = applied(name, strength, one), applied(name, strength, one)
        assert (found.samples.shape, found.samples.dtype) == (before.shape, np.float32)
        np.testing.assert_array_equal(found.samples, again.samples)
        assert found.rate_hz == again.rate_hz
        assert not np.array_equal(found.samples, before) or found.rate_hz != RATE_HZ
        np.testing.assert_array_equal(one.samples, before)


@pytest.mark.parametrize(("name", "hz"), [("wander", 0.3), ("hum50", 50), ("hum60", 60)])
@pytest.mark.parametrize("millivolts", [0.05, 2.0])
def test_a_sine_has_its_amplitude_in_millivolts_whatever_the_unit(
    name: str, hz: float, millivolts: float
) -> None:
    one = recorded(seconds=10)
    flat = Recorded(np.zeros_like(one.samples), RATE_HZ, MILLIVOLT)
    added = applied(name, millivolts, flat).samples / MILLIVOLT[:, None]
    # A least-squares fit of a sine and a cosine of that frequency, and nothing left over.
    turns = 2 * np.pi * hz * np.arange(added.shape[1]) / RATE_HZ
    basis = np.stack([np.sin(turns), np.cos(turns)], axis=1)
    fit, *_ = np.linalg.lstsq(basis, added.T, rcond=None)
    np.testing.assert_allclose(np.hypot(*fit), millivolts, rtol=1e-4)
    np.testing.assert_allclose(basis @ fit, added.T, atol=1e-5 * millivolts)
    np.testing.assert_allclose(
        applied(name, millivolts, one).samples - one.samples, added * MILLIVOLT[:, None], rtol=0.01,
        atol=MILLIVOLT.max() * 1e-3,
    )  # fmt: skip


@pytest.mark.parametrize("decibels", [24.0, 0.0, -6.0])
def test_muscle_noise_has_the_stated_power_and_band(decibels: float) -> None:
    one = recorded()
    noise = (applied("muscle", decibels, one).samples - one.samples).astype(np.float64)
    # The waves have whole periods, so their variance is their power; the baseline of 5 mV does not count.
    ratio = 10 * np.log10(one.samples.astype(np.float64).var(axis=1) / (noise**2).mean(axis=1))
    np.testing.assert_allclose(ratio, decibels, atol=0.05)
    power = np.abs(np.fft.rfft(noise, axis=1)) ** 2
    frequency = np.fft.rfftfreq(noise.shape[1], 1 / RATE_HZ)
    assert power[:, frequency >= 20].sum() > 0.999 * power.sum()


def test_missing_samples_stay_missing_and_add_no_noise() -> None:
    one = recorded(channels=1)
    samples = one.samples.copy()
    samples[:, 100:300] = np.nan
    holed = Recorded(samples, RATE_HZ, one.millivolt)
    for name in ("gain", "wander", "hum50", "muscle"):
        found = applied(name, DISTURBANCES[name].strengths[0], holed).samples
        np.testing.assert_array_equal(np.isnan(found), np.isnan(samples))
    flat = Recorded(np.zeros((1, 500), np.float32), RATE_HZ, MILLIVOLT[:1])
    assert not applied("muscle", 0.0, flat).samples.any()


def test_noise_is_the_same_at_every_strength_but_for_its_size() -> None:
    one = recorded()
    weak = applied("muscle", 0.0, one).samples - one.samples
    strong = applied("muscle", -6.0, one).samples - one.samples
    np.testing.assert_allclose(strong, weak * 10 ** (6 / 20), rtol=0.01, atol=2e-3 * np.abs(weak).max())
    dropped = [(applied("dropped", k, recorded(12)).samples == 0).all(axis=1) for k in (1, 2, 3)]
    assert [int(one.sum()) for one in dropped] == [1, 2, 3]
    assert (dropped[0] <= dropped[1]).all()
    assert (dropped[1] <= dropped[2]).all()


def test_shifts_go_either_way_by_the_stated_time_and_repeat_the_edge() -> None:
    ramp = Recorded(np.arange(1000, dtype=np.float32)[None], RATE_HZ)
    moved = [applied("shift", 0.1, ramp, seed).samples[0] for seed in range(20)]
    assert {float(one[500]) - 500 for one in moved} == {25.0, -25.0}
    later = next(one for one in moved if one[500] == 475)
    assert later[:26].tolist() == [0] * 26
    assert applied("shift", 100.0, ramp).samples.shape == (1, 1000)


def test_channels_are_swapped() -> None:
    one = recorded(channels=4)
    samples = one.samples * np.arange(1, 5, dtype=np.float32)[:, None]
    swapped = applied("swapped", 1, Recorded(samples, RATE_HZ)).samples
    origin = [int(np.flatnonzero((samples == row).all(axis=-1))[0]) for row in swapped]
    assert sorted(origin) == [0, 1, 2, 3]
    assert sum(k != place for place, k in enumerate(origin)) == 2


def test_a_wrong_rate_changes_what_the_file_states_alone() -> None:
    one = recorded()
    found = applied("rate", 1.25, one)
    np.testing.assert_array_equal(found.samples, one.samples)
    assert found.rate_hz == 1.25 * RATE_HZ


def test_what_has_no_meaning_is_said() -> None:
    one, alone = recorded(), recorded(channels=1)
    slow = Recorded(one.samples, 100.0, MILLIVOLT)
    sound = Recorded(one.samples, RATE_HZ)
    assert "above 100 Hz" in impossible(DISTURBANCES["hum50"], 1, slow)
    assert "above 120 Hz" in impossible(DISTURBANCES["hum60"], 1, Recorded(one.samples, 120.0, MILLIVOLT))
    assert "is a voltage" in impossible(DISTURBANCES["wander"], 1, sound)
    assert impossible(DISTURBANCES["gain"], 2, sound) == ""
    assert "needs 2 channels, and there is 1" in impossible(DISTURBANCES["swapped"], 1, alone)
    # One channel must remain.
    assert "needs 2 channels" in impossible(DISTURBANCES["dropped"], 1, alone)
    assert "needs 4 channels" in impossible(DISTURBANCES["dropped"], 3, one)
    assert impossible(DISTURBANCES["dropped"], 2, one) == ""
