import numpy as np
import pytest

from vicinal.inputs.quality import quality
from vicinal.signal import Signal

RATE_HZ = 200.0
TIME = np.arange(2000) / RATE_HZ
CLEAN = np.sin(2 * np.pi * 7 * TIME)


def signal(samples: np.ndarray, unit: str = "mV") -> Signal:
    rows = np.atleast_2d(samples).astype(np.float32)
    names = tuple("abc"[: len(rows)])
    return Signal(rows, names, (unit,) * len(rows), RATE_HZ)


def test_a_clean_wave_is_1_and_a_line_is_0() -> None:
    assert quality(signal(CLEAN + 5)) == pytest.approx(1, abs=0.01)
    assert quality(signal(np.zeros(2000))) == 0
    assert quality(signal(np.full(2000, np.nan))) == 0


@pytest.mark.parametrize("hz", [0.3, 50, 60, 90])
@pytest.mark.parametrize("amplitude", [0.5, 1.0, 2.0])
def test_what_lies_outside_the_band_counts_by_its_power(hz: float, amplitude: float) -> None:
    noise = amplitude * np.sin(2 * np.pi * hz * TIME)
    assert quality(signal(CLEAN + noise)) == pytest.approx(1 / (1 + amplitude**2), abs=0.01)


def test_inside_the_band_it_is_signal() -> None:
    assert quality(signal(CLEAN + 2 * np.sin(2 * np.pi * 30 * TIME))) == pytest.approx(1, abs=0.01)


def test_what_is_missing_flat_or_clipped_is_not_usable() -> None:
    rng = np.random.default_rng(0)
    rough = (CLEAN + 0.01 * rng.normal(size=2000)) * 2
    whole = quality(signal(rough, "1"))
    assert whole == pytest.approx(1)
    holed, flat, clipped = rough.copy(), rough.copy(), np.clip(rough, -1e9, 1)
    holed[:500] = np.nan
    flat[:500] = 0.5
    assert quality(signal(holed, "1")) == pytest.approx(0.75)
    assert quality(signal(flat, "1")) == pytest.approx(0.75)
    assert quality(signal(clipped, "1")) == pytest.approx((rough < 1).mean(), abs=0.01)


def test_the_mean_over_channels_in_any_unit_of_voltage() -> None:
    both = np.stack([CLEAN, np.zeros(2000)])
    assert quality(signal(both)) == pytest.approx(0.5, abs=0.01)
    noisy = CLEAN + np.sin(2 * np.pi * 50 * TIME)
    assert quality(signal(1000 * noisy, "uV")) == pytest.approx(quality(signal(noisy)) or 0, abs=1e-4)
    # A sound may have its power anywhere.
    assert quality(signal(noisy, "1")) == pytest.approx(1)


def test_an_image_has_none() -> None:
    image = Signal(np.zeros((1, 4, 4), np.float32), ("grey",), ("1",), None, axes=("height", "width"))
    assert quality(image) is None
