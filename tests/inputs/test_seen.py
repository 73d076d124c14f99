import json

import numpy as np

from vicinal.inputs.contract import Contract
from vicinal.inputs.digest import digest
from vicinal.inputs.seen import look_back
from vicinal.signal import Signal

CONTRACT = Contract(channels=("I",), rate_hz=100, duration_s=2, min_duration_s=1, units="mV", limits=(-5, 5))


def recording(n=200, *, rate_hz=100.0, name="I", unit="mV", top=1.0):
    samples = np.linspace(0, top, n, dtype=np.float32)[None]
    return digest(Signal(samples, (name,), (unit,), rate_hz, id="a"))


def seen(*digests):
    having = [one for one in digests if "i" in one.channels]
    return look_back(digests, (("b.csv", "empty"),), having, ["i"], CONTRACT, ["units: the only one"])


def test_signals_are_counted_and_measured():
    found = seen(recording(), recording(), recording(n=400, top=3.0), recording(name="II"))
    assert found.n_signals == 4
    assert found.channels == (("I", 3), ("II", 1))
    assert found.rates == (("100 Hz", 4),)
    assert (found.low, found.high) == (0.0, 3.0)
    assert sum(count for *_, count in found.durations_s) == 4
    assert (found.durations_s[0][0], found.durations_s[-1][1]) == (2.0, 4.0)
    assert sum(count for *_, count in found.amplitudes) == 3
    assert json.loads(json.dumps(found.to_dict()))["failures"] == [["b.csv", "empty"]]


def test_equal_values_are_one_bin():
    assert seen(recording(), recording()).durations_s == ((2.0, 2.0, 2),)


def test_what_the_contract_refuses_is_counted_by_field():
    found = seen(
        recording(), recording(name="II"), recording(unit="g"), recording(top=9.0), recording(rate_hz=50.0),
        recording(n=50),
    )  # fmt: skip
    assert dict(found.misfits) == {"channels": 1, "units": 1, "limits": 1, "rate_hz": 1, "min_duration_s": 1}


def test_a_channel_that_never_changes_is_constant():
    assert seen(recording(), recording(top=0.0)).n_constant == 1
