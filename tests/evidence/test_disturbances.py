import numpy as np
import pytest

from vicinal.evidence.disturbances import DISTURBANCES, possible

RATE_HZ = 250.0


def signals(channels: int = 3) -> np.ndarray:
    rng = np.random.default_rng(0)
    time = np.arange(1000) / RATE_HZ
    waves = np.sin(2 * np.pi * rng.uniform(1, 5, (8, channels, 1)) * time)
    return (waves + rng.normal(size=(8, channels, 1))).astype(np.float32)


def applied(name: str, strength: float, samples: np.ndarray) -> np.ndarray:
    return DISTURBANCES[name].apply(samples, strength, RATE_HZ, np.random.default_rng(1))


@pytest.mark.parametrize("name", DISTURBANCES)
def test_every_disturbance_keeps_shape_and_input_and_repeats_itself(name: str) -> None:
    samples = signals()
    before = samples.copy()
    for strength in DISTURBANCES[name].strengths:
        found = applied(name, strength, samples)
        assert (found.shape, found.dtype) == (samples.shape, np.float32)
        assert np.isfinite(found).all()
        np.testing.assert_array_equal(found, applied(name, strength, samples))
        if name != "swapped":
            assert not np.array_equal(found, samples)
        np.testing.assert_array_equal(samples, before)


@pytest.mark.parametrize("name", ["wander", "hum", "muscle"])
@pytest.mark.parametrize("decibels", [24.0, 0.0, -6.0])
def test_noise_has_the_stated_power(name: str, decibels: float) -> None:
    samples = signals()
    noise = applied(name, decibels, samples) - samples
    ratio = 10 * np.log10(samples.var(axis=-1) / (noise**2).mean(axis=-1))
    np.testing.assert_allclose(ratio, decibels, atol=0.01)


@pytest.mark.parametrize(
    ("name", "low", "high"), [("hum", 49.5, 50.5), ("muscle", 20, 125), ("wander", 0, 0.8)]
)
def test_noise_has_its_frequencies(name: str, low: float, high: float) -> None:
    samples = signals()
    power = np.abs(np.fft.rfft(applied(name, 0.0, samples) - samples, axis=-1)) ** 2
    frequency = np.fft.rfftfreq(1000, 1 / RATE_HZ)
    inside = (frequency >= low) & (frequency <= high)
    assert power[..., inside].sum() > 0.95 * power.sum()


def test_shifts_go_both_ways_by_the_stated_time() -> None:
    ramp = np.tile(np.arange(1000, dtype=np.float32), (64, 1, 1))
    moved = ramp[:, 0, 500] - applied("shift", 0.1, ramp)[:, 0, 500]
    assert set(moved.tolist()) == {25.0, -25.0}


def test_channels_are_dropped_and_swapped() -> None:
    samples = signals(channels=4)
    dropped = applied("dropped", 2, samples)
    assert ((dropped == 0).all(axis=-1).sum(axis=1) == 2).all()
    swapped = applied("swapped", 1, samples)
    for before, after in zip(samples, swapped, strict=True):
        origin = [int(np.flatnonzero((before == one).all(axis=-1))[0]) for one in after]
        assert sorted(origin) == [0, 1, 2, 3]
        assert sum(k != place for place, k in enumerate(origin)) == 2


def test_a_wrong_rate_stretches_time() -> None:
    ramp = np.arange(100, dtype=np.float32).reshape(1, 1, 100)
    np.testing.assert_allclose(applied("rate", 2.0, ramp)[0, 0], np.arange(100) / 2, atol=1e-5)
    np.testing.assert_allclose(
        applied("rate", 0.5, ramp)[0, 0], np.minimum(np.arange(100) * 2, 99), atol=1e-5
    )


def test_gain_multiplies_and_a_flat_channel_stays_flat() -> None:
    samples = signals()
    np.testing.assert_array_equal(applied("gain", 2.0, samples), 2 * samples)
    assert not applied("muscle", 0.0, np.zeros((2, 1, 100), np.float32)).any()


def test_what_has_no_meaning_is_said() -> None:
    assert "above 100 Hz" in possible(DISTURBANCES["hum"], rate_hz=100, n_channels=1)
    assert "2 channels" in possible(DISTURBANCES["swapped"], rate_hz=100, n_channels=1)
    assert possible(DISTURBANCES["muscle"], rate_hz=100, n_channels=1) == ""
