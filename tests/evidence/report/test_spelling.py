import math

import pytest

from vicinal.evidence.report.spelling import (
    count,
    facts,
    interval,
    milliseconds,
    number,
    plural,
    share,
    unreliable,
)  # fmt: skip


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (number(0.12345), "0.123"),
        (number(None), "–"),
        (number(math.nan), "–"),
        (count(3.6), "3.6"),
        (count(9.96), "10"),
        (count(4.0), "4"),
        (count(12345), "12,345"),
        (count(None), "–"),
        (milliseconds(1234.6), "1,235 ms"),
        (milliseconds(None), "–"),
        (share(0.0512), "5.1 %"),
        (plural(1, "row"), "1 row"),
        (plural(2000, "row"), "2,000 rows"),
        (interval({"low": 0.1, "high": None}), "0.100 to –"),
        (unreliable({"unreliable": True}), "unreliable"),
        (unreliable({}), ""),
    ],
)
def test_numbers_are_written_alike(written: str, expected: str) -> None:
    assert written == expected


def test_facts_leave_out_what_is_empty_and_say_the_rest() -> None:
    values = {
        "n_rows": 1234,
        "empty": "",
        "none": None,
        "nothing": [],
        "clear": True,
        "a": {"b": 0.25},
        "c": [1, 2],
    }
    assert facts(values) == [("n rows", "1,234"), ("clear", "yes"), ("a", "b 0.25"), ("c", "1, 2")]
