import numpy as np
import pytest
from pydantic import ValidationError

from vicinal.errors import FormatError
from vicinal.inputs.contract import Contract, check, choose_channels, rate_ratio, unit_factor
from vicinal.signal import Signal

TWO = {"channels": ("I", "II"), "rate_hz": 100.0, "duration_s": 2.0, "units": "mV"}


def contract(**changes):
    return Contract.model_validate(TWO | changes)


def signal(samples=None, **changes):
    given = {"channels": ("I", "II"), "units": ("mV", "mV"), "rate_hz": 100.0, "id": "a"} | changes
    samples = np.zeros((len(given["channels"]), 200)) if samples is None else samples
    return Signal(samples=np.asarray(samples, dtype=np.float32), **given)


def fields(violations):
    return [(violation.field, violation.convertible) for violation in violations]


def test_a_signal_that_fits_has_no_violations():
    assert check(signal(), contract()) == []


def test_the_input_shape_is_channels_by_duration_times_rate():
    assert contract(duration_s=2.5, rate_hz=360).input_shape == (2, 900)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"channels": ("II", "I")}, [("channels", True)]),
        ({"channels": ("I", "II", "V1"), "units": ("mV",) * 3}, [("channels", True)]),
        ({"channels": ("i", "ii ")}, []),
        ({"channels": ("I", "V1")}, [("channels", False)]),
        ({"channels": ("I", "II", "ii"), "units": ("mV",) * 3}, [("channels", False)]),
        ({"units": ("uV", "uV")}, [("units", True)]),
        ({"units": ("uV", "furlong")}, [("units", True), ("units", False)]),
        ({"rate_hz": 150.0}, [("rate_hz", True), ("duration_s", True)]),
        ({"rate_hz": 49.0}, [("rate_hz", False), ("duration_s", True)]),
        ({"rate_hz": 100.0004}, []),
        ({"rate_hz": 359.971}, [("rate_hz", False), ("duration_s", True)]),
    ],
)
def test_what_differs_is_a_violation_and_says_whether_it_converts(changes, expected):
    assert fields(check(signal(**changes), contract(steps=[{"step": "resample"}]))) == expected


def test_another_rate_without_a_resample_step_does_not_convert():
    assert fields(check(signal(rate_hz=200.0), contract())) == [("rate_hz", False), ("duration_s", True)]


@pytest.mark.parametrize(
    ("values", "changes", "expected"),
    [
        ([np.nan] + [0.0] * 199, {}, [("missing", False)]),
        ([np.nan] * 2 + [0.0] * 198, {"missing": 0.01}, []),
        ([np.nan] * 3 + [0.0] * 197, {"missing": 0.01}, [("missing", False)]),
        ([np.nan] * 200, {"missing": 1.0}, [("missing", False)]),
        ([np.inf] + [0.0] * 199, {}, [("samples", False)]),
        ([5.1] + [0.0] * 199, {"limits": (-5, 5)}, [("limits", False)]),
        ([5.0] + [0.0] * 199, {"limits": (-5, 5)}, []),
        (
            [5.1, np.nan, np.inf] + [0.0] * 197,
            {"limits": (-5, 5)},
            [("samples", False), ("missing", False), ("limits", False)],
        ),
        ([0.0], {"min_duration_s": 0.5}, [("min_duration_s", False)]),
        ([0.0], {}, [("duration_s", True)]),
        ([0.0] * 300, {}, [("duration_s", True)]),
        ([], {}, [("duration_s", False)]),
    ],
)
def test_samples_are_looked_at(values, changes, expected):
    samples = np.stack([np.zeros(len(values)), np.asarray(values)])
    assert fields(check(signal(samples), contract(**changes))) == expected


def test_limits_hold_in_the_units_of_the_contract():
    samples = np.full((2, 200), 4000.0)
    microvolts = signal(samples, units=("uV", "uV"))
    assert fields(check(microvolts, contract(limits=(-5, 5)))) == [("units", True)]
    assert fields(check(signal(samples), contract(limits=(-5, 5)))) == [("limits", False)] * 2


def test_a_channel_is_found_by_its_alias_whatever_its_case():
    lead = contract(channels=("II",), aliases={"II": ("MLII", "lead ii")})
    assert choose_channels(("V5", "mlii"), lead) == [[1]]
    assert choose_channels(("Lead II", "MLII"), lead) == [[0, 1]]


def test_a_filter_before_resampling_must_fit_the_rate_of_the_recording():
    early = contract(steps=[{"step": "low_pass", "cutoff_hz": 30}, {"step": "resample"}])
    assert ("steps", False) in fields(check(signal(rate_hz=60.0), early))
    assert ("steps", False) not in fields(check(signal(rate_hz=100.0), early))


def test_other_axes_are_one_violation():
    image = Signal(np.zeros((1, 4, 4), np.float32), ("grey",), ("1",), None, axes=("height", "width"))
    assert fields(check(image, contract())) == [("axes", False)]


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
        ({"axes": ("height", "width")}, "expected axes"),
        ({"steps": [{"step": "hipass"}]}, "does not match any of the expected tags"),
        ({"steps": [{"step": "low_pass", "cutoff_hz": 50}]}, "not below half of 100 Hz"),
        ({"steps": [{"step": "notch", "frequency_hz": 49.5}]}, "reaches 50.5 Hz"),
        ({"steps": [{"step": "crop"}, {"step": "clip", "limit": 1}]}, "crop must be the last"),
        ({"steps": [{"step": "resample"}, {"step": "resample"}]}, "only once"),
    ],
)
def test_a_contract_that_cannot_be_meant_is_refused(changes, message):
    with pytest.raises(ValidationError, match=message):
        contract(**changes)


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
