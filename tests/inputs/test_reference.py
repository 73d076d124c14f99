import numpy as np
import pytest

from vicinal.inputs.contract import Contract
from vicinal.inputs.reference import describe


class Rows:
    """Ten rows of a 4 Hz sine in one channel and zeros in the other, half of each row."""

    truth = np.zeros((10, 1))

    def rows(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        time = np.arange(200) / 100
        x = np.zeros((len(indices), 2, 400), np.float32)
        x[:, 0, :200] = np.sin(2 * np.pi * 4 * time)
        return x, np.full(len(indices), 200, dtype=np.int64)


def test_range_and_spectrum_of_each_channel() -> None:
    contract = Contract(channels=("I", "II"), rate_hz=100, duration_s=4, units="mV")
    found = describe(Rows(), np.arange(10), contract)

    assert found["n_rows"] == 10
    assert found["channels"]["I"]["percentiles"]["99.9"] == pytest.approx(1.0, abs=0.01)
    assert found["channels"]["I"]["percentiles"]["50"] == pytest.approx(0.0, abs=0.01)
    assert found["channels"]["I"]["band_power"][0] > 0.95  # 4 Hz lies in 0 to 6.25 Hz
    assert sum(found["channels"]["I"]["band_power"]) == pytest.approx(1.0)
    assert found["channels"]["II"]["band_power"] == [0.0] * 8


def test_many_rows_are_thinned_evenly() -> None:
    contract = Contract(channels=("I", "II"), rate_hz=100, duration_s=4, units="mV")
    assert describe(Rows(), np.arange(5000), contract)["n_rows"] == 1000
