from pathlib import Path

import pytest

from vicinal.errors import FormatError
from vicinal.inputs.formats.stated import Stated


def stated(**given: object) -> Stated:
    return Stated(Path(), **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "found", "expected"),
    [(None, 250.0, 250.0), (250.0, None, 250.0), (250.2, 250.0, 250.2), (249.8, 250.0, 249.8)],
)
def test_the_rate_is_the_callers_and_else_the_files(
    given: float | None, found: float | None, expected: float
) -> None:
    assert stated(rate_hz=given).rate_or(found, where="r") == expected


@pytest.mark.parametrize("given", [250.3, 249.7])  # 1.2 per thousand beside 250
def test_rates_that_differ_by_more_than_one_per_thousand_are_refused(given: float) -> None:
    with pytest.raises(FormatError, match=f"^r: expected {given} Hz as stated, the file says 250 Hz"):
        stated(rate_hz=given).rate_or(250.0, where="r")


@pytest.mark.parametrize(
    ("given", "found", "expected"), [(None, "uV", "uV"), ("mV", None, "mV"), ("mV", "mV", "mV")]
)
def test_the_unit_is_the_files_and_else_the_callers(
    given: str | None, found: str | None, expected: str
) -> None:
    assert stated(units=given).unit_or(found, where="r, II") == expected


def test_units_that_differ_are_refused_and_not_converted() -> None:
    with pytest.raises(FormatError, match=r"^r, II: expected 'V' as stated, the file says 'mV'"):
        stated(units="V").unit_or("mV", where="r, II")


def test_what_neither_says_is_never_guessed() -> None:
    with pytest.raises(FormatError, match=r"^r: expected a rate, the file has none"):
        stated().rate_or(None, where="r")
    for found in (None, ""):
        with pytest.raises(FormatError, match=r"^r, II: expected a unit, the file has none"):
            stated().unit_or(found, where="r, II")
