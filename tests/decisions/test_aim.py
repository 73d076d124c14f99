import pytest
from hypothesis import given
from hypothesis import strategies as st

from vicinal.decisions.aim import EXAMPLES, Aim, parse_aim, parse_aims, spell_aims
from vicinal.errors import ExperimentError


@pytest.mark.parametrize(
    ("text", "aim"),
    [
        ("sensitivity >= 0.95", Aim("sensitivity", 0.95)),
        ("  Sensitivity>=95%", Aim("sensitivity", 0.95)),
        ("specificity >= .9", Aim("specificity", 0.9)),
        ("ppv >= 5e-1", Aim("ppv", 0.5)),
        ("npv >= 99 %", Aim("npv", 0.99)),
        ("cost miss=50 alarm=1", Aim("cost", miss=50, alarm=1)),
        ("cost alarm = 2.5, miss = 10", Aim("cost", miss=10, alarm=2.5)),
        ("alarms <= 30 per 1000", Aim("alarms", 0.03)),
        ("alarms <= 3 per 100", Aim("alarms", 0.03)),
        ("alarms <= 0.5 per day", Aim("daily", 0.5)),
        ("f1", Aim("f1")),
        ("argmax", Aim("argmax")),
    ],
)
def test_words_become_plain_data(text: str, aim: Aim) -> None:
    assert parse_aim(text) == aim


@pytest.mark.parametrize("text", EXAMPLES.values())
def test_every_example_prints_as_it_was_read(text: str) -> None:
    assert str(parse_aim(text)) == text


@given(st.sampled_from(["sensitivity", "specificity", "ppv", "npv"]), st.floats(1e-6, 1, exclude_max=True))
def test_printing_and_parsing_agree(kind: str, target: float) -> None:
    aim = Aim(kind, target)  # type: ignore[arg-type]
    assert parse_aim(str(aim)) == aim


@given(st.floats(1e-6, 1e9), st.floats(1e-6, 1e9))
def test_costs_print_and_parse(miss: float, alarm: float) -> None:
    assert parse_aim(str(Aim("cost", miss=miss, alarm=alarm))) == Aim("cost", miss=miss, alarm=alarm)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sensitivty >= 0.95", "did you mean 'sensitivity'"),
        ("recall >= 0.95", "did you mean 'sensitivity'"),
        ("precision >= 0.5", "did you mean 'ppv'"),
        ("", "is not an aim; Aims are"),
        ("sensitivity <= 0.95", "expected a least sensitivity"),
        ("sensitivity", "expected a least sensitivity"),
        ("sensitivity >= 1.0", "both excluded, got 1.0"),
        ("sensitivity >= 0", "both excluded"),
        ("sensitivity >= -0.5", "both excluded"),
        ("sensitivity >= nan", "expected a least"),
        ("cost mis=50 alarm=0", "did you mean 'miss'.*miss= is missing; alarm must be"),
        ("cost miss=1e400 alarm=1", "finite"),
        ("cost miss=1 miss=2 alarm=1", "twice"),
        ("cost miss=5 alarm=1 please", "'please' is not understood"),
        ("cost", "miss= is missing; alarm= is missing"),
        ("alarms <= 2 per week", "per day, not per week"),
        ("alarms <= 0 per day", "above 0"),
        ("daily", "is not an aim; Aims are"),
        ("alarms <= 0 per 1000", "between 0 and 1000"),
        ("alarms <= 2000 per 1000", "between 0 and 1000"),
        ("alarms <= 2", "expected a limit"),
        ("f1 >= 0.5", "stands alone"),
    ],
)
def test_what_is_no_aim_is_refused_with_what_to_write(text: str, message: str) -> None:
    with pytest.raises(ExperimentError, match=message):
        parse_aim(text)


def test_every_class_may_have_an_aim_of_its_own() -> None:
    text = "A:b: Sensitivity>=95%;  C: f1 "
    assert parse_aims(text, ("C", "A:b")) == (Aim("f1"), Aim("sensitivity", 0.95))
    assert spell_aims(text) == "A:b: sensitivity >= 0.95; C: f1"
    assert spell_aims(spell_aims(text)) == spell_aims(text)
    assert parse_aims("f1", ("A", "B")) == (Aim("f1"), Aim("f1"))
    assert spell_aims("ppv>=50%") == "ppv >= 0.5"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("AF: f1; LBB: f1", "'LBB' is no class, did you mean 'LBBB'; class 'LBBB' has no aim"),
        ("AF: f1", "class 'LBBB' has no aim"),
        ("AF: f1; AF: ppv >= 0.5; LBBB: f1", "two aims"),
        ("AF: f1; ppv >= 0.5", "'ppv >= 0.5' names no class"),
        ("AF: f1; LBBB: sensitivty >= 0.9", "did you mean 'sensitivity'"),
    ],
)
def test_aims_of_classes_that_do_not_fit_are_refused(text: str, message: str) -> None:
    with pytest.raises(ExperimentError, match=message):
        parse_aims(text, ("AF", "LBBB"))
