import pytest

from vicinal.evidence.ladder.answer import Answer, Kind, base_of, headline, judged


@pytest.mark.parametrize(
    ("signs", "kind"),
    [
        ([1, 1], "true"),
        ([1, 0], "partly"),
        ([1, -1], "partly"),
        ([-1, -1], "false"),
        ([-1, 0], "not shown"),
        ([0], "not shown"),
        ([], "not shown"),
    ],
)
def test_a_claim_is_false_only_where_all_are_shown_to_fail(signs: list[int], kind: Kind) -> None:
    assert judged(signs) == kind


def test_a_question_stands_with_its_answer() -> None:
    one = Answer("Does hierarchy help?", "partly", "Shown: conv.").to_dict(3)
    assert (headline(one), one["sentence"]) == ("Does hierarchy help? In part.", "Shown: conv.")
    told = Answer("Where do scores rest?", "told", "dense 36 %.").to_dict(1)
    assert headline(told) == "Where do scores rest?"
    assert told["sentence"].endswith("not yet of the networks.")


def test_dense_is_the_base_where_there_is_one() -> None:
    assert [base_of(names) for names in (["conv", "dense"], ["conv", "local"], [])] == ["dense", "conv", ""]
