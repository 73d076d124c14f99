import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from vicinal.errors import FormatError
from vicinal.inputs.contract import Contract, choose_channels, rate_ratio, unit_factor

TWO = {"channels": ("I", "II"), "rate_hz": 100.0, "duration_s": 2.0, "units": "mV"}

IMAGE = {
    "axes": ("height", "width"), "channels": ("red", "green", "blue"), "size": (32, 48), "units": "1",
}  # fmt: skip


def contract(**changes):
    return Contract.model_validate(TWO | changes)


def test_the_input_shape_is_channels_by_duration_times_rate():
    assert contract(duration_s=2.5, rate_hz=360).input_shape == (2, 900)


def test_events_make_channels_of_their_own():
    steps = [{"step": "usual_event"}, {"step": "event_intervals", "relative": True}, {"step": "crop"}]
    made = contract(steps=steps)
    assert made.signal_channels == ("I", "II")
    assert made.sampled_channels == ("I", "II", "usual I", "usual II")
    assert made.input_channels[4:6] == ("interval before", "interval after")
    assert made.input_shape == (8, 200)
    assert made.needs_events
    assert not contract().needs_events


def test_a_channel_is_found_by_its_alias_whatever_its_case():
    lead = contract(channels=("II",), aliases={"II": ("MLII", "lead ii")})
    assert choose_channels(("V5", "mlii"), lead) == [[1]]
    assert choose_channels(("Lead II", "MLII"), lead) == [[0, 1]]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"channel": ("I",)}, "Extra inputs"),
        ({"channels": ()}, "at least 1 item"),
        ({"channels": ("I", "i")}, "differ in more than case"),
        ({"aliases": {"III": ("x",)}}, "aliases for III"),
        ({"rate_hz": 0}, "greater than"),
        ({"rate_hz": float("nan")}, "finite"),
        ({"duration_s": 0.001}, "is not one position"),
        ({"limits": (1, 1)}, "low then high"),
        ({"axes": ("width",)}, "expected axes"),
        (
            {"axes": ("height", "width")},
            "axes height, width need size; rate_hz does not go with .*duration_s",
        ),
        ({"rate_hz": None}, "axes time need rate_hz"),
        ({"size": (4, 4)}, "size does not go with axes time"),
        ({"steps": [{"step": "resize"}, {"step": "pad"}]}, "resize, pad does not go with axes time"),
        ({"steps": [{"step": "hipass"}]}, "does not match any of the expected tags"),
        ({"steps": [{"step": "low_pass", "cutoff_hz": 50}]}, "not below half of 100 Hz"),
        ({"steps": [{"step": "notch", "frequency_hz": 49.5}]}, "reaches 50.5 Hz"),
        ({"steps": [{"step": "crop"}, {"step": "clip", "limit": 1}]}, "crop must be the last"),
        ({"steps": [{"step": "resample"}, {"step": "resample"}]}, "only once"),
        (
            {"steps": [{"step": "event_intervals"}, {"step": "resample"}]},
            "only crop may follow event_intervals",
        ),
        ({"steps": [{"step": "usual_event"}, {"step": "clip", "limit": 1}]}, "may follow usual_event"),
        (
            {**IMAGE, "rate_hz": None, "duration_s": None, "steps": [{"step": "usual_event"}]},
            "does not go with",
        ),
    ],
)
def test_a_contract_that_cannot_be_meant_is_refused(changes, message):
    with pytest.raises(ValidationError, match=message):
        contract(**changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size": (0, 3)}, "greater than or equal to 1"),
        ({"missing": 0.1, "min_duration_s": 1}, "min_duration_s does not go with .*missing does not go with"),
        ({"steps": [{"step": "resample"}]}, "resample does not go with axes height, width"),
        ({"steps": [{"step": "crop"}, {"step": "resize"}]}, "crop must be the last"),
    ],
)
def test_an_image_contract_that_cannot_be_meant_is_refused(changes, message):
    with pytest.raises(ValidationError, match=message):
        Contract.model_validate(IMAGE | changes)


def test_an_image_has_a_size_and_no_rate():
    colour = Contract.model_validate(IMAGE | {"steps": [{"step": "crop"}, {"step": "pad"}]})
    assert colour.input_shape == (3, 32, 48)
    assert colour.position_rate_hz is None


def test_a_contract_survives_json():
    full = contract(
        aliases={"I": ("one",)},
        limits=(-5, 5),
        steps=[
            {"step": "resample"},
            {"step": "high_pass", "cutoff_hz": 0.5},
            {"step": "crop", "where": "end"},
        ],
    )
    assert Contract.from_json(full.to_json()) == full


def test_json_that_is_no_contract_names_every_problem():
    with pytest.raises(FormatError, match=r"channels: .*rate_hz: .*colour: "):
        Contract.from_json('{"duration_s": 1, "units": "mV", "rate_hz": -1, "colour": 3}')
    with pytest.raises(FormatError, match="not a contract"):
        Contract.from_json("[")


def test_units_convert_among_volts_only():
    assert unit_factor("uV", "mV") == 1e-3
    assert unit_factor("µV", "V") == 1e-6
    assert unit_factor("V", "uV") == 1e6
    assert unit_factor("g", "g") == 1.0
    assert unit_factor("mv", "mV") is None


def test_a_ratio_of_rates_is_exact():
    assert rate_ratio(360.0, 100.0) == pytest.approx(5 / 18)
    assert (rate_ratio(360.0, 100.0).numerator, rate_ratio(499.7, 100.0).denominator) == (5, 4997)


NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
NUMBERS = st.floats(1e-3, 1e6)


@given(NAMES, NAMES, NUMBERS, NUMBERS, st.floats(-1e9, 0), st.floats(1e-9, 1e9))
def test_a_contract_survives_toml(channel, alias, cutoff_hz, spread, low, high):
    steps = [{"step": "resample"}, {"step": "scale", "by": "constant", "spread": spread, "centre": low}]
    full = contract(
        channels=("I", f"II {channel}"),
        aliases={"I": (f"one {alias}",)},
        limits=(low, high),
        rate_hz=max(cutoff_hz, 1),
        steps=[*steps, {"step": "crop", "where": "end"}],
    )
    assert Contract.from_dict(tomllib.loads(full.to_toml())) == full


def test_toml_leaves_out_what_is_at_its_default():
    image = Contract.model_validate(IMAGE | {"limits": (0, 255), "steps": [{"step": "crop"}]})
    assert image.to_toml() == (
        'axes = ["height", "width"]\nchannels = ["red", "green", "blue"]\nsize = [32, 48]\nunits = "1"\n'
        'limits = [0, 255]\nsteps = [\n    { step = "crop" },\n]\n'
    )
    assert Contract.from_dict(tomllib.loads(image.to_toml())) == image
