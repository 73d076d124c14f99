import pytest

from vicinal.evidence.ladder.wording import broke_off, factor, grouped, listed, of_number, signed


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
    assert signed({"value": 0.1, "low": None, "high": None}) == "+0.100"
    assert signed({"value": -0.1, "low": -0.2, "high": 0.0}) == "-0.100 (-0.200 to +0.000)"
