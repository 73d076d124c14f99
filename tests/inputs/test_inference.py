import tomllib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vicinal.errors import FormatError
from vicinal.inputs.contract import Contract
from vicinal.inputs.inference import infer
from vicinal.inputs.violations import check
from vicinal.signal import Signal


def recording(n=3000, rate_hz=300.0, channels=("I", "II"), unit="mV", *, size=1.0, seed=0):
    samples = np.random.default_rng(seed).uniform(-size, size, (len(channels), n)).astype(np.float32)
    return Signal(samples, tuple(channels), (unit,) * len(channels), rate_hz, id=str(seed))


def image(height, width, top=255.0):
    samples = np.linspace(0, top, height * width, dtype=np.float32).reshape(1, height, width)
    return Signal(samples, ("grey",), ("1",), None, axes=("height", "width"))


def test_equal_recordings_in_millivolts():
    contract, seen = infer(recording(seed=k) for k in range(5))
    assert contract.to_toml() == (
        'channels = ["I", "II"]\nrate_hz = 300\nduration_s = 10\nmin_duration_s = 10\nunits = "mV"\n'
        'limits = [-5, 5]\nsteps = [\n    { step = "high_pass", cutoff_hz = 0.5 },\n'
        '    { step = "scale", by = "recording" },\n]\n'
    )
    assert seen.n_signals == 5
    assert seen.rates == (("300 Hz", 5),)
    assert seen.durations_s == ((10.0, 10.0, 5),)
    assert seen.misfits == ()


def test_what_differs_is_unified_and_counted():
    signals = [recording(seed=k) for k in range(6)]
    signals += [recording(1500, 150.0, ("ii", "V1", "i"), seed=7), recording(1000, 100.0, seed=8)]
    signals += [recording(unit="uV", size=900, seed=9)]
    contract, seen = infer(signals)
    assert contract.channels == ("I", "II")
    assert contract.rate_hz == 300
    assert contract.resamples
    assert contract.limits == (-5, 5)
    assert dict(seen.channels) == {"I, II": 8, "ii, V1, i": 1}
    assert dict(seen.units) == {"mV": 8, "uV": 1}
    assert dict(seen.misfits) == {"rate_hz": 1}  # 100 Hz is below half of 300
    assert any("uV is converted" in reason for reason in seen.reasons)


@pytest.mark.parametrize(
    ("seconds", "duration_s", "rule"),
    [
        ([9, 30, 30, 30, 61], 30, "the median"),
        ([8, 10, 10, 14.996], 15, "the longest"),
        ([10, 10], 10, "that of all"),
    ],
)
def test_the_duration_says_by_which_rule(seconds, duration_s, rule):
    contract, seen = infer(recording(round(300 * s), seed=k) for k, s in enumerate(seconds))
    assert contract.duration_s == duration_s
    assert contract.min_duration_s == min(seconds)
    assert any(reason.startswith(f"duration_s: {rule}") for reason in seen.reasons)


def test_missing_samples_and_constant_channels_are_seen():
    holed = recording()
    holed.samples[0, :50] = np.nan
    flat = recording(seed=1)
    flat.samples[1] = 2
    contract, seen = infer([holed, flat])
    assert contract.missing == 0.017
    assert seen.missing == pytest.approx(1 / 60)
    assert seen.n_constant == 1


def test_one_wild_recording_does_not_move_the_limits_and_is_counted():
    signals = [recording(seed=k) for k in range(150)] + [recording(unit="mV", size=1000, seed=151)]
    contract, seen = infer(signals)
    assert contract.limits == (-5, 5)
    assert seen.misfits == (("limits", 1),)


def test_without_a_shared_channel_the_most_frequent_one_is_taken():
    contract, seen = infer(
        [recording(channels=("MLII", "V1")), recording(channels=("V5",)), recording(channels=("MLII",))]
    )
    assert contract.channels == ("MLII",)
    assert seen.misfits == (("channels", 1),)
    assert "in 2 of 3" in seen.reasons[0]


def test_images_of_one_size_and_of_several():
    contract, _ = infer(image(8, 8, top=16) for _ in range(3))
    assert contract.input_shape == (1, 8, 8)
    assert contract.limits == (0, 16)
    contract, seen = infer([image(8, 9), image(8, 9), image(5, 5)])
    assert contract.size == (8, 9)
    assert contract.limits == (0, 255)
    assert [step.step for step in contract.steps] == ["resize", "scale"]
    assert dict(seen.sizes) == {"8 x 9": 2, "5 x 5": 1}
    assert check(image(5, 5), contract)[0].convertible


def test_failures_are_named_and_nothing_to_infer_from_is_an_error():
    failures = [("a.csv", "empty")]
    _, seen = infer([recording()], failures=failures)
    assert seen.failures == (("a.csv", "empty"),)
    with pytest.raises(FormatError, match=r"none of 1 recordings has a channel.*\n  a.csv: empty"):
        infer([], failures=failures)
    lost = recording()
    lost.samples[:] = np.nan
    with pytest.raises(FormatError, match="none of 1 recordings"):
        infer([lost])


@given(
    st.lists(
        st.tuples(
            st.integers(1, 400),
            st.sampled_from([50.0, 100.0, 128.0, 8000.0]),
            st.sampled_from([("A", "B"), ("b", "a"), ("A", "C"), ("A", "a"), ("D",)]),
            st.sampled_from(["mV", "uV", "g", "1"]),
            st.floats(0, 1e4),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_whatever_is_seen_the_proposal_is_a_contract_and_its_misfits_are_what_check_refuses(shapes):
    signals = [recording(n, rate, names, unit, size=size) for n, rate, names, unit, size in shapes]
    if all(names == ("A", "a") for _, _, names, _, _ in shapes):
        with pytest.raises(FormatError, match="none of"):
            infer(signals)
        return
    contract, seen = infer(signals)
    assert Contract.from_dict(tomllib.loads(contract.to_toml())) == contract
    refused = [{v.field for v in check(signal, contract) if not v.convertible} for signal in signals]
    counts = {field: sum(field in one for one in refused) for field in set().union(*refused)}
    assert dict(seen.misfits) == counts
