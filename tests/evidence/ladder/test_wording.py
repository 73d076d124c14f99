import pytest

from vicinal.evidence.ladder.wording import (
    broke_off,
    by,
    factor,
    grouped,
    joined,
    listed,
    of_number,
    signed,
    subjects_needed,
)


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.0082, "0.0082"), (1.0, "1"), (2.14, "2.1"), (99.4, "99"), (99.6, "100"), (2130.2, "2,130")],
)
def test_a_ratio_has_two_digits_or_is_a_whole_number(value: float, words: str) -> None:
    assert factor(value) == words


def test_groups_without_members_are_not_named() -> None:
    assert grouped([("Smaller", ["conv", "lstm"]), ("Larger", []), ("Unknown", ["local"])]) == (
        "Smaller: conv, lstm. Unknown: local."
    )


def test_small_phrases() -> None:
    assert [listed(names) for names in ([], ["a"], ["a", "b", "c"])] == ["", "a", "a, b and c"]
    assert [of_number(n, "subjects") for n in (1, 2)] == ["subject", "subjects"]
    assert [broke_off(n) for n in (1, 3)] == ["broke off once", "broke off 3 times"]
    assert by({"value": -0.1, "low": -0.2, "high": -0.05}) == "by 0.100 (0.050 to 0.200)"
    assert by({"value": 0.1, "low": 0.05, "high": 0.2}) == "by 0.100 (0.050 to 0.200)"
    assert signed({"value": 0.1, "low": None, "high": None}) == "+0.100"
    assert signed({"value": -0.1, "low": -0.2, "high": 0.0}) == "-0.100 (-0.200 to +0.000)"


def test_names_that_hold_commas_do_not_run_together() -> None:
    names = ["rate 1, batch 2", "rate 3, batch 4", "own"]
    assert joined(names) == "rate 1, batch 2; rate 3, batch 4; own"
    assert listed(names) == "rate 1, batch 2; rate 3, batch 4; and own"
    assert grouped([("Smaller", names[:2])]) == "Smaller: rate 1, batch 2; rate 3, batch 4."


@pytest.mark.parametrize(
    ("value", "low", "high", "words"),
    [
        (120.0, 90.0, 278.2, "120 (90 to 278)"),
        (120.0, 90.0, None, "120 (90 to over 400)"),
        (120.0, 40.0, 278.0, "120 (up to 278)"),
        (120.0, 40.0, None, "120 (not bounded)"),
        (40.0, 40.0, 278.0, "at most 40 (up to 278)"),
        (40.0, 40.0, 40.0, "at most 40"),
        (40.0, 40.0, None, "at most 40 (not bounded)"),
        (None, 210.0, None, "over 400 (210 or more)"),
        (None, 40.0, None, "over 400"),
        (None, None, None, "over 400"),
    ],
)
def test_subjects_beyond_those_tried_bound_nothing(
    value: float | None, low: float | None, high: float | None, words: str
) -> None:
    one = {
        "value": value,
        "low": low,
        "high": high,
        "fewest_tried": 40,
        "most_tried": 400,
        "at_most": value == 40,
    }
    assert subjects_needed(one) == words
