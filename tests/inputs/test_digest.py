import math

import numpy as np
import pytest

from vicinal.inputs.digest import digest, folded, value_range
from vicinal.signal import Signal


def signal(names=("I ", "ii"), units=("mV", "uV"), n=1000):
    samples = np.stack([np.linspace(-2, 1, n), np.linspace(0, 500, n)]).astype(np.float32)
    return Signal(samples, names, units, 500.0, id="a")


def test_what_stays_of_a_signal():
    found = digest(signal())
    assert (found.axes, found.rate_hz, found.shape, found.names) == (("time",), 500.0, (1000,), ("I ", "ii"))
    assert found.duration_s == 2
    assert sorted(found.channels) == ["i", "ii"]
    first = found.channels["i"]
    assert (first.name, first.unit, first.low, first.high, first.missing) == ("I", "mV", -2.0, 1.0, 0.0)
    assert first.size == pytest.approx(2, abs=0.01)


def test_missing_values_are_left_out_and_an_empty_channel_is_none():
    holed = signal()
    holed.samples[0, :250], holed.samples[1] = np.nan, np.nan
    found = digest(holed)
    assert list(found.channels) == ["i"]
    assert found.missing(["i"]) == 0.25
    assert found.channels["i"].low == pytest.approx(-1.25, abs=0.01)


def test_a_name_that_two_channels_bear_points_at_neither():
    assert digest(signal(names=("I", " i"))).channels == {}
    assert folded(" aVR ") == "avr"


def test_measures_are_in_the_unit_that_is_asked_for():
    found = digest(signal())
    assert found.amplitude(["i", "ii"], "mV") == pytest.approx(2, abs=0.01)
    assert found.amplitude(["i", "ii"], "uV") == pytest.approx(2000, abs=5)
    assert value_range([found], ["i", "ii"], "mV") == (-2.0, 1.0)
    assert value_range([found], ["ii"], "mV") == (0.0, pytest.approx(0.5))
    other = digest(signal(units=("g", "mV")))
    assert math.isnan(other.channels["i"].factor_to("mV"))
    assert value_range([other], ["i", "ii"], "mV") == (0.0, 500.0)
