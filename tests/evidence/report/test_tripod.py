import re

import pytest

from vicinal.evidence.report.page import SECTIONS
from vicinal.evidence.report.tripod import ITEMS, Item, state

LETTERS = {3: 3, 5: 2, 6: 3, 8: 3, 9: 3, 12: 7, 18: 6, 20: 3, 23: 2, 27: 3}
"""How many sub-items an item of the published checklist has; the others have none."""


def test_all_27_items_with_all_their_sub_items_in_order() -> None:
    expected = [
        f"{item}{letter}"
        for item in range(1, 28)
        for letter in ("abcdefg"[: LETTERS[item]] if item in LETTERS else [""])
    ]
    assert [item.number for item in ITEMS] == expected
    assert len(expected) == 52


def test_topics_are_those_of_the_published_checklist() -> None:
    topics = {item.number: item.topic for item in ITEMS}
    assert {topics[f"12{letter}"] for letter in "abcdefg"} == {"Analytical methods"}
    assert [topics[f"18{letter}"] for letter in "abcdef"] == [
        "Funding", "Conflicts of interest", "Protocol", "Registration", "Data sharing", "Code sharing",
    ]  # fmt: skip
    named = {
        "13": "Class imbalance",
        "14": "Fairness",
        "15": "Model output",
        "16": "Training versus evaluation",
    }
    named |= {"17": "Ethical approval", "19": "Patient and public involvement", "24": "Model updating"}
    assert {number: topics[number] for number in named} == named


def test_what_is_left_to_the_person_says_so() -> None:
    ethics = next(item for item in ITEMS if item.number == "17")
    assert state(ethics, {"data": {}}) == "yours"


@pytest.mark.parametrize(("evidence", "expected"), [({}, "yours"), ({"subgroups": {}}, "filled")])
def test_what_rests_on_evidence_that_is_not_there_is_left_to_the_person(
    evidence: dict, expected: str
) -> None:
    assert state(Item("23b", "x", "y", "z", whole=True, needs="subgroups"), evidence) == expected
    assert state(Item("23a", "x", "y", "z"), evidence) == "in part"


def test_the_sections_that_are_pointed_at_exist() -> None:
    titles = {plan.title for plan in SECTIONS.values()}
    for item in ITEMS:
        if item.where and not item.where.endswith(("at the top", "experiment file")):
            named = re.split(r"; ", item.where)[-1].split(", ")
            assert set(named) <= titles | {"the experiment file"}, item.number
