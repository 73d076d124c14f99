import numpy as np
import pytest

from vicinal.errors import FormatError
from vicinal.signal import Events, Signal


def make(**changes: object) -> Signal:
    settings: dict[str, object] = {
        "samples": np.zeros((2, 500), np.float32),
        "channels": ("I", "II"),
        "units": ("mV", "mV"),
        "rate_hz": 250.0,
    }
    return Signal(**{**settings, **changes})  # type: ignore[arg-type]


def test_duration_and_positions() -> None:
    assert make().duration_s == 2.0
    assert make().n_positions == 500


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"samples": np.zeros((2, 500))}, "expected float32"),
        ({"samples": np.zeros(500, np.float32)}, "shape"),
        ({"channels": ("I",)}, "expected 1 channels"),
        ({"units": ("mV",)}, "one unit per channel"),
        ({"rate_hz": 0.0}, "above 0 Hz"),
        ({"rate_hz": float("nan")}, "above 0 Hz"),
        ({"rate_hz": None}, "above 0 Hz"),
    ],
)
def test_what_does_not_agree_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(FormatError, match=message):
        make(**changes)


def test_all_problems_are_named_at_once() -> None:
    with pytest.raises(FormatError, match=r"one unit per channel.*above 0 Hz"):
        make(units=("mV",), rate_hz=-1.0)


def test_an_image_needs_no_rate() -> None:
    image = make(samples=np.zeros((1, 8, 6), np.float32), channels=("grey",), units=("1",), rate_hz=None,
                 axes=("height", "width"))  # fmt: skip
    assert image.n_positions == 48
    with pytest.raises(FormatError, match="no time axis"):
        _ = image.duration_s


def test_events_pair_positions_with_symbols() -> None:
    assert Events(np.array([1, 5]), ("N", "V")).symbols == ("N", "V")
    with pytest.raises(FormatError, match="one symbol per event"):
        Events(np.array([1, 5]), ("N",))
