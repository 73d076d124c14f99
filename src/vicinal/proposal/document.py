"""The text of a first experiment file: every choice a key, every reason a comment, every question named.

Writes TOML; must not decide anything.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vicinal.inputs.contract import Contract
from vicinal.proposal.budget import ProposedBudget, propose_learning_rate
from vicinal.proposal.network import ProposedNetwork
from vicinal.proposal.shares import ProposedShares
from vicinal.proposal.task import ProposedTask

__all__ = ["Question", "experiment_text"]


@dataclass(frozen=True)
class Question:
    """What the data do not say and a person must.

    Args:    text: the question, with what was assumed meanwhile.  key: of the experiment file.
             option: of `vicinal init`, or empty.
    """

    text: str
    key: str
    option: str = ""


def experiment_text(
    *,
    title: str,
    command: str,
    inputs: Mapping[str, Any],
    options: Mapping[str, Any],
    task: ProposedTask,
    contract: Contract,
    reasons: Sequence[str],
    shares: ProposedShares,
    network: ProposedNetwork,
    budget: ProposedBudget,
    max_skipped: float | None,
    questions: Sequence[Question],
) -> str:
    """Return the file.

    Args:    inputs: keys of [inputs] that say where things lie.  options: of [inputs.options].
             reasons: of the contract.
             max_skipped: where the default would not do.
    """
    lines = [
        f"# Written by: {command}",
        "# A first experiment: read it, change what you know better, then run it.",
        *_asked(questions),
        f"title = {_toml(title)}",
        "seed = 0",
        "",
        "[inputs]",
        *(f"{key} = {_toml(value)}" for key, value in inputs.items()),
        *_comment(task.why),
        f"task = {_toml(task.task)}",
    ]
    if task.positive:
        lines.append(f"positive = {_toml(list(task.positive))}")
    if max_skipped is not None:
        lines += [
            "# Recordings without a label, or that cannot be read, are left out and listed.",
            f"max_skipped = {max_skipped}",
        ]
    if options:
        lines += ["", "[inputs.options]", *(f"{key} = {_toml(value)}" for key, value in options.items())]
    lines += ["", "[inputs.contract]"]
    for reason in reasons:
        lines += _comment(reason)
    lines += [contract.to_toml().strip(), "", "[inputs.split]", *_comment(shares.why), *shares.lines]
    cost = network.inspection
    lines += [
        "",
        "[representations]",
        *_comment(network.why),
        f"# {cost.parameters:,} parameters, {cost.multiply_adds:,} multiply-adds a recording (vicinal inspect).",
        'network = """',
        network.text,
        '"""',
        "",
        "[training]",
        *_comment(budget.why),
        f"epochs = {budget.epochs}" if budget.epochs else f"minutes = {budget.minutes}",
        f"batch = {budget.batch}",
        f"patience = {budget.patience}",
        f"learning_rate = {propose_learning_rate(cost.parameters):g}",
        "",
        "[decisions]",
        *_decisions(task),
    ]
    return "\n".join(lines) + "\n"


def _decisions(task: ProposedTask) -> list[str]:
    if task.task == "classes":
        return ["# The most probable class.", 'aim = "argmax"']
    return [
        '# What a miss and a false alarm cost decides; other aims: "ppv >= 0.5", "cost miss=50 alarm=1".',
        'aim = "sensitivity >= 0.95"',
        "# How common it is where the model will be used; without it, as common as in the test rows.",
        "# prevalence = 0.02",
    ]


def _asked(questions: Sequence[Question]) -> list[str]:
    lines = []
    for question in questions:
        lines += _comment(f"? {question.key}: {question.text}")
    return [*lines, ""] if lines else [""]


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in text.splitlines()]


def _toml(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
