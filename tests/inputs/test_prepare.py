import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vicinal.errors import ContractError
from vicinal.inputs.contract import Contract
from vicinal.inputs.prepare import prepare
from vicinal.signal import Events, Signal

STEPS = [
    {"step": "resample"},
    {"step": "high_pass", "cutoff_hz": 0.5},
    {"step": "low_pass", "cutoff_hz": 40},
    {"step": "scale", "by": "recording"},
    {"step": "clip", "limit": 3},
]


def contract(**changes):
    given = {"channels": ("A", "B"), "rate_hz": 100.0, "duration_s": 0.05, "units": "mV"}
    return Contract.model_validate(given | changes)


def signal(samples, **changes):
    given = {"channels": ("A", "B"), "units": ("mV", "mV"), "rate_hz": 100.0, "id": "a"}
    return Signal(samples=np.asarray(samples, dtype=np.float32), **(given | changes))


def noise(n=900, rate_hz=300.0, seed=0):
    samples = np.random.default_rng(seed).normal(size=(2, n))
    return signal(samples, rate_hz=rate_hz, events=Events(np.array([0, n // 2, n - 1]), ("N", "V", "N")))


@pytest.mark.parametrize(
    ("where", "n", "expected", "length", "offset"),
    [
        ("centre", 5, [0, 1, 2, 3, 4], 5, 0),
        ("centre", 8, [1, 2, 3, 4, 5], 5, 1),
        ("start", 8, [0, 1, 2, 3, 4], 5, 0),
        ("end", 8, [3, 4, 5, 6, 7], 5, 3),
        ("centre", 3, [0, 1, 2, 0, 0], 3, 0),
    ],
)
def test_the_last_thing_is_to_crop_or_to_pad(where, n, expected, length, offset):
    ramp = signal([np.arange(n), np.arange(n)], events=Events(np.arange(n), ("N",) * n))
    prepared = prepare(ramp, contract(steps=[{"step": "crop", "where": where}]))
    assert prepared.samples.tolist() == [expected, expected]
    assert (prepared.length, prepared.offset) == (length, offset)
    assert prepared.valid.tolist() == [j < length for j in range(5)]
    assert prepared.event_positions is not None
    assert prepared.event_positions.tolist() == [
        i - offset if 0 <= i - offset < length else -1 for i in range(n)
    ]


def test_the_output_is_float32_contiguous_and_has_no_events_without_events():
    prepared = prepare(signal(np.ones((2, 5))), contract())
    assert prepared.samples.dtype == np.float32
    assert prepared.samples.flags.c_contiguous
    assert prepared.event_positions is None


def test_units_are_converted_channel_by_channel():
    prepared = prepare(signal(np.ones((2, 5)), units=("uV", "V")), contract())
    assert prepared.samples[:, 0].tolist() == pytest.approx([1e-3, 1e3])


@given(st.permutations(["A", "B", "C", "D"]))
def test_the_order_and_number_of_channels_in_the_file_do_not_matter(order):
    samples = dict(zip("ABCD", np.random.default_rng(1).normal(size=(4, 60)).astype(np.float32), strict=True))
    shuffled = signal([samples[name] for name in order], channels=tuple(order), units=("mV",) * 4)
    plain = signal([samples["A"], samples["B"]])
    wanted = contract(steps=STEPS, duration_s=0.6)
    assert prepare(shuffled, wanted).samples.tobytes() == prepare(plain, wanted).samples.tobytes()


def test_the_result_is_the_same_to_the_bit_whatever_was_prepared_before():
    wanted = contract(steps=STEPS, duration_s=3)
    first = prepare(noise(), wanted)
    for n in (100, 901, 5000):
        prepare(noise(n, seed=n), wanted)
    backwards = signal(np.asfortranarray(noise().samples), rate_hz=300.0)
    assert first.samples.tobytes() == prepare(backwards, wanted).samples.tobytes()


def test_the_signal_itself_is_not_changed():
    given_signal = noise()
    before = given_signal.samples.copy()
    prepare(given_signal, contract(steps=STEPS, duration_s=3))
    assert np.array_equal(given_signal.samples, before)


def test_events_and_length_follow_the_new_rate():
    prepared = prepare(noise(900), contract(steps=[{"step": "resample"}], duration_s=4))
    assert prepared.length == 300
    assert prepared.event_positions is not None
    assert prepared.event_positions.tolist() == [0, 150, 299]
    assert not prepared.samples[:, 300:].any()


def test_a_beat_stays_under_its_event_through_all_filters():
    pulse = np.exp(-0.5 * ((np.arange(3600) - 1800) / 5.0) ** 2)
    beat = signal([pulse, pulse], rate_hz=360.0, events=Events(np.array([1800]), ("N",)))
    prepared = prepare(beat, contract(steps=STEPS[:3], duration_s=10))
    assert prepared.event_positions is not None
    assert prepared.samples[0].argmax() == prepared.event_positions[0] == 500


def test_missing_samples_are_a_straight_line_and_marked():
    samples = [[np.nan, 1, np.nan, 3, 4], [0, 0, 0, 0, np.nan]]
    prepared = prepare(signal(samples), contract(missing=0.5))
    assert prepared.samples.tolist() == [[1, 1, 2, 3, 4], [0, 0, 0, 0, 0]]
    assert prepared.valid.tolist() == [False, True, False, True, False]


def test_scaling_by_the_recording_gives_mean_0_and_spread_1_and_leaves_a_constant_channel_at_0():
    samples = [[1, 2, 3, 4, 5], [0.1, 0.1, 0.1, 0.1, 0.1]]
    prepared = prepare(signal(samples), contract(steps=[{"step": "scale", "by": "recording"}]))
    assert prepared.samples[0].tolist() == pytest.approx([-(2**0.5), -(0.5**0.5), 0, 0.5**0.5, 2**0.5])
    assert not prepared.samples[1].any()


def test_scaling_by_constants_and_clipping():
    steps = [{"step": "scale", "by": "constant", "centre": 1, "spread": 2}, {"step": "clip", "limit": 1.5}]
    prepared = prepare(signal([[1, 2, 3, 4, 5]] * 2), contract(steps=steps))
    assert prepared.samples[0].tolist() == [0, 0.5, 1, 1.5, 1.5]


def test_a_notch_removes_the_mains():
    mains = np.sin(2 * np.pi * 50 * np.arange(2000) / 200)
    quiet = prepare(
        signal([mains, mains], rate_hz=200.0),
        contract(rate_hz=200, duration_s=5, steps=[{"step": "notch", "frequency_hz": 50}]),
    )
    assert np.abs(quiet.samples).max() < 0.01


def test_all_violations_are_raised_at_once():
    bad = signal([[9.0] * 5, [np.nan] * 5], units=("mV", "g"), rate_hz=200.0, source="x.csv")
    wanted = contract(limits=(-5, 5), min_duration_s=1)
    with pytest.raises(
        ContractError, match=r"'a' \(x.csv\): units: .*rate_hz: .*min_duration_s: .*limits: .*missing: "
    ):
        prepare(bad, wanted)


@given(st.integers(1, 700), st.sampled_from([99.0, 100.0, 128.0, 250.0, 360.0]), st.integers(0, 5))
def test_whatever_enters_what_leaves_has_the_contracts_shape(n, rate_hz, seed):
    wanted = contract(steps=STEPS, duration_s=1)
    prepared = prepare(noise(n, rate_hz, seed), wanted)
    assert prepared.samples.shape == wanted.input_shape
    assert np.isfinite(prepared.samples).all()
    assert not prepared.samples[:, prepared.length :].any()
    assert prepared.valid.sum() == prepared.length


def picture(height, width, **changes):
    given = {"channels": ("grey",), "units": ("1",), "rate_hz": None, "axes": ("height", "width")} | changes
    samples = np.arange(len(given["channels"]) * height * width, dtype=np.float32)
    return Signal(samples.reshape(-1, height, width), **given)


def image_contract(*steps, **changes):
    given = {"axes": ("height", "width"), "channels": ("grey",), "size": (3, 4), "units": "1"}
    return Contract.model_validate(given | {"steps": [{"step": step} for step in steps]} | changes)


def test_an_image_of_the_right_size_stays_as_it_is_and_is_whole():
    prepared = prepare(picture(3, 4), image_contract())
    assert prepared.samples.tolist() == picture(3, 4).samples.tolist()
    assert (prepared.length, prepared.offset, prepared.event_positions) == (12, 0, None)
    assert prepared.valid.all()


def test_the_colours_of_an_image_are_put_in_order():
    colour = picture(3, 4, channels=("blue", "alpha", "red", "green"), units=("1",) * 4)
    prepared = prepare(colour, image_contract(channels=("red", "green", "blue")))
    assert prepared.samples[:, 0, 0].tolist() == [24, 36, 0]


def test_a_smaller_image_is_framed_and_a_larger_one_cropped():
    prepared = prepare(picture(1, 6), image_contract("crop", "pad"))
    assert prepared.samples[0].tolist() == [[0, 0, 0, 0], [1, 2, 3, 4], [0, 0, 0, 0]]
    assert prepared.valid.tolist() == [[False] * 4, [True] * 4, [False] * 4]
    assert prepared.length == 12
    with pytest.raises(ContractError, match="add the step pad"):
        prepare(picture(1, 6), image_contract("crop"))


def test_an_image_is_resized_scaled_and_clipped():
    steps = [
        {"step": "resize"},
        {"step": "scale", "by": "constant", "centre": 20, "spread": 10},
        {"step": "clip", "limit": 1},
    ]
    prepared = prepare(picture(6, 8), image_contract(steps=steps))
    assert prepared.samples.shape == (1, 3, 4)
    assert prepared.valid.all()
    assert (prepared.samples.min(), prepared.samples.max()) == (-1, 1)


def with_events(symbols, positions, n=400):
    samples = np.random.default_rng(0).standard_normal((2, n)).astype(np.float32)
    return signal(samples, events=Events(np.array(positions), tuple(symbols)))


def test_only_the_events_that_are_asked_for_are_heard_of():
    chosen = contract(
        duration_s=3.0, steps=[{"step": "events", "symbols": ["N", "V"]}, {"step": "crop", "where": "start"}]
    )
    prepared = prepare(with_events("N+VN", [10, 20, 30, 350]), chosen)
    assert prepared.event_positions.tolist() == [10, -1, 30, -1]


def test_channels_of_events_follow_them_at_the_new_rate_and_know_no_labels():
    steps = [
        {"step": "events", "symbols": ["N", "V"]},
        {"step": "resample"},
        {"step": "usual_event", "before_s": 0.05, "after_s": 0.05},
        {"step": "event_intervals"},
        {"step": "crop", "where": "start"},
    ]
    wanted = contract(rate_hz=50.0, duration_s=2.0, steps=steps)
    made = [prepare(with_events(symbols, [40, 90, 140, 240]), wanted) for symbols in ("N+VN", "V+NV")]
    assert (made[0].samples == made[1].samples).all()
    x = made[0].samples
    assert x.shape == wanted.input_shape == (6, 100)
    # At 50 Hz the events lie at 20, 70 and 120: a second from each to the next.
    assert (x[4:] == 0).all()
    plain = contract(rate_hz=50.0, duration_s=4.0, steps=[{"step": "resample"}])
    whole = prepare(with_events("N", [0]), plain).samples[0]
    usual = np.median([whole[at - 2 : at + 2] for at in (20, 70, 120)], axis=0)
    assert x[2, 18:22] == pytest.approx(usual, abs=1e-6)
    assert (x[2, 18:22] == x[2, 68:72]).all()
    assert (x[2, 25:60] == 0).all()


@pytest.mark.parametrize("step", ["usual_event", "event_intervals"])
def test_a_recording_without_annotations_cannot_be_prepared(step):
    with pytest.raises(ContractError, match="events: expected annotated events, got none"):
        prepare(signal(np.zeros((2, 200), np.float32)), contract(steps=[{"step": step}]))
