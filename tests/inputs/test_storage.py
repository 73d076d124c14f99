import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pydantic import ValidationError

from vicinal.errors import FormatError
from vicinal.inputs.storage import Storage


@pytest.mark.parametrize(
    ("max_error", "scale"), [(0.5, 1.0), (0.0005, 2.0**-10), (0.001, 2.0**-9), (0.3, 0.5), (1.0, 2.0)]
)
def test_the_scale_is_a_power_of_two_within_twice_the_error(max_error: float, scale: float) -> None:
    assert Storage(dtype="int16", max_error=max_error).scale == scale
    assert Storage(dtype="float32", max_error=max_error).scale == 1.0


@given(
    values=arrays(np.float32, (2, 7), elements=st.floats(-15, 15, width=32)), max_error=st.floats(0.0005, 2)
)
def test_no_value_loses_more_than_is_stated(values: np.ndarray, max_error: float) -> None:
    storage = Storage(dtype="int16", max_error=max_error)
    stored = storage.encode(values, where="x")
    assert stored.dtype == np.dtype("<i2")
    found = storage.decode(stored)
    assert found.dtype == np.float32
    assert np.abs(found.astype(np.float64) - values.astype(np.float64)).max() <= max_error
    assert (found[values == 0] == 0).all()
    # What is read once more is the same: nothing drifts.
    assert storage.encode(found, where="x").tobytes() == stored.tobytes()


def test_float32_keeps_every_bit() -> None:
    values = np.array([[1e-42, -0.0, 3.4e38]], dtype=np.float32)
    storage = Storage()
    assert storage.decode(storage.encode(values, where="x")).tobytes() == values.tobytes()


def test_what_int16_cannot_hold_says_what_would_do() -> None:
    storage = Storage(dtype="int16")
    assert storage.encode(np.array([[31.999]], dtype=np.float32), where="x").tolist() == [[32767]]
    with pytest.raises(
        FormatError, match=r"x: expected values within 31\.999 .* got 40\. Set storage\.max_error to 0\.001"
    ):
        storage.encode(np.array([[-40.0]], dtype=np.float32), where="x")
    assert Storage(dtype="int16", max_error=0.001).encode(
        np.array([[-40.0]], np.float32), where="x"
    ).tolist() == [[-20480]]


@given(most=st.floats(0.01, 1e6))
def test_the_error_that_is_advised_is_enough(most: float) -> None:
    value = np.array([[most]], dtype=np.float32)
    try:
        Storage(dtype="int16", max_error=1e-9).encode(value, where="x")
    except FormatError as error:
        advised = float(str(error).partition("max_error to ")[2].split()[0])
        Storage(dtype="int16", max_error=advised).encode(value, where="x")


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(ValidationError, match="dtype"):
        Storage(dtype="int8")  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match="max_error"):
        Storage(max_error=0)
