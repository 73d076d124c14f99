from typing import Any

from vicinal.experiment import parse_experiment
from vicinal.inputs.contract import Contract
from vicinal.proposal.budget import propose_budget
from vicinal.proposal.document import Question, experiment_text
from vicinal.proposal.network import propose_network
from vicinal.proposal.shares import ProposedShares
from vicinal.proposal.task import ProposedTask

CONTRACT = Contract(channels=("I", "II"), rate_hz=100, duration_s=2, units="mV")


def text(**changes: Any) -> str:
    shares = {"test": 0.2, "validation": 0.15, "calibration": 0.15}
    settings: dict[str, Any] = {
        "title": 'Hearts "of" mine',
        "command": "vicinal init hearts",
        "inputs": {"folder": "hearts", "label_columns": ["a b", "ü"]},
        "options": {"rate_hz": 300.0, "units": "mV"},
        "task": ProposedTask("binary", ("a b",), "two classes"),
        "contract": CONTRACT,
        "reasons": ["rate_hz: the only one"],
        "shares": ProposedShares(shares, 50, 9, "by subject"),
        "network": propose_network(CONTRACT.input_shape, n_train=50, n_outputs=1, rate_hz=100.0),
        "budget": propose_budget(n_train=50, multiply_adds=1000),
        "max_skipped": None,
        "questions": [Question("How common is it?", "decisions.prevalence")],
    }
    return experiment_text(**settings | changes)


def test_the_text_is_the_experiment_that_was_proposed() -> None:
    found = parse_experiment(text())
    assert found.title == 'Hearts "of" mine'
    assert found.inputs.label_columns == ("a b", "ü")
    assert found.inputs.contract == CONTRACT
    assert found.inputs.split.validation == 0.15
    assert found.aim == "sensitivity >= 0.95"
    assert (found.training.epochs, found.training.batch, found.training.patience) == (60, 8, 15)


def test_every_reason_and_question_is_a_comment() -> None:
    lines = text().splitlines()
    for comment in (
        "# ? decisions.prevalence: How common is it?",
        "# two classes",
        "# rate_hz: the only one",
        "# by subject",
    ):
        assert comment in lines


def test_what_was_not_needed_is_not_there() -> None:
    assert "max_skipped" not in text()
    assert "max_skipped = 0.3" in text(max_skipped=0.3)
    assert "[inputs.options]" not in text(options={})
    assert 'aim = "argmax"' in text(task=ProposedTask("classes", (), "several"))
