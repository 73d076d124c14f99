import numpy as np
import pytest

from vicinal.inputs.contract import Contract
from vicinal.inputs.violations import check
from vicinal.signal import Signal

TWO = {"channels": ("I", "II"), "rate_hz": 100.0, "duration_s": 2.0, "units": "mV"}
GREY = {"axes": ("height", "width"), "channels": ("grey",), "size": (4, 6), "units": "1"}


def contract(**changes):
    return Contract.model_validate(TWO | changes)


def image_contract(**changes):
    return Contract.model_validate(GREY | changes)


def image(height=4, width=6, **changes):
    given = {"channels": ("grey",), "units": ("1",), "rate_hz": None, "axes": ("height", "width")} | changes
    samples = np.zeros((len(given["channels"]), height, width), np.float32)
    return Signal(
        samples=changes.get("samples", samples), **{k: v for k, v in given.items() if k != "samples"}
    )


def signal(samples=None, **changes):
    given = {"channels": ("I", "II"), "units": ("mV", "mV"), "rate_hz": 100.0, "id": "a"} | changes
    samples = np.zeros((len(given["channels"]), 200)) if samples is None else samples
    return Signal(samples=np.asarray(samples, dtype=np.float32), **given)


def fields(violations):
    return [(violation.field, violation.convertible) for violation in violations]


def test_a_signal_that_fits_has_no_violations():
    assert check(signal(), contract()) == []


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


def test_a_filter_before_resampling_must_fit_the_rate_of_the_recording():
    early = contract(steps=[{"step": "low_pass", "cutoff_hz": 30}, {"step": "resample"}])
    assert ("steps", False) in fields(check(signal(rate_hz=60.0), early))
    assert ("steps", False) not in fields(check(signal(rate_hz=100.0), early))


def test_other_axes_are_one_violation():
    image = Signal(np.zeros((1, 4, 4), np.float32), ("grey",), ("1",), None, axes=("height", "width"))
    assert fields(check(image, contract())) == [("axes", False)]


@pytest.mark.parametrize(
    ("size", "steps", "expected", "words"),
    [
        ((4, 6), [], [], ""),
        ((4, 5), [], [("size", False)], "add the step pad, or resize"),
        ((5, 5), [], [("size", False)], "add the step pad and crop, or resize"),
        ((5, 5), ["crop"], [("size", False)], "add the step pad, or resize"),
        ((5, 5), ["crop", "pad"], [("size", True)], "padded and cropped at the centre"),
        ((4, 5), ["pad"], [("size", True)], "(padded)"),
        ((9, 2), ["resize"], [("size", True)], "(resized)"),
        ((0, 6), ["resize"], [("size", False)], "no samples"),
    ],
)
def test_an_image_of_another_size_needs_a_step(size, steps, expected, words):
    found = check(image(*size), image_contract(steps=[{"step": step} for step in steps]))
    assert fields(found) == expected
    assert all(words in violation.message for violation in found)


def test_an_image_breaks_in_every_way_at_once():
    colour = image(3, 6, channels=("red", "green"), units=("1", "lx"))
    colour.samples[0, 0, 0], colour.samples[1, 0, 0] = np.nan, 7
    wanted = image_contract(channels=("green", "red", "blue"), limits=(0, 1))
    assert fields(check(colour, wanted)) == [
        ("channels", False), ("units", False), ("size", False), ("missing", False),
    ]  # fmt: skip
    named = image(4, 6, channels=("alpha", "grey"), units=("1", "1"))
    named.samples[1, 0, 0] = 7
    assert fields(check(named, image_contract(limits=(0, 1)))) == [("channels", True), ("limits", False)]
