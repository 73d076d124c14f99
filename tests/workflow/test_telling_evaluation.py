import pytest

from vicinal.terminal import Terminal
from vicinal.workflow.evaluating import Evaluated
from vicinal.workflow.external import Fitness
from vicinal.workflow.telling_evaluation import tell_evaluation

FITNESS = Fitness(9, 5, {"units": (3, "uV for mV (a)")}, (("b", "too short"),))
ENTRY = {"value": 0.9, "low": 0.8, "high": 0.95, "n": 8, "unreliable": True}


def evidence() -> dict[str, object]:
    return {
        "metrics": {"auroc": ENTRY},
        "meaning": {"sentence": "Of 1,000 people, 50 have A."},
        "protocol": {"notes": ["One place."]},
    }


def test_the_contract_comes_before_the_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    tell_evaluation(Evaluated(("m",), (FITNESS,), (evidence(),), {}, None), Terminal())
    out = capsys.readouterr().out
    places = [
        out.index(words)
        for words in (
            "5 of 9 recordings",
            "units: converted in 3",
            "b: too short",
            "One place.",
            "auroc",
            "Of 1,000",
        )
    ]
    assert places == sorted(places)
    assert "0.800 to 0.950 unreliable" in out


def test_two_models_are_told_by_their_differences(capsys: pytest.CaptureFixture[str]) -> None:
    gap = {"a": 0.9, "b": 0.85, "value": 0.05, "low": 0.01, "high": 0.09, "clear": True}
    two = (FITNESS, FITNESS), (evidence(), evidence())
    tell_evaluation(Evaluated(("m1", "m2"), *two, {"auroc": gap}, None), Terminal())
    out = capsys.readouterr().out
    assert "contract of m2" in out
    assert "auroc 0.900 0.850 +0.050 0.010 to 0.090 yes" in " ".join(out.split())
