"""Which question to ask of labelled recordings: binary, classes or labels, and which class is the positive one.

Knows catalogues; must not know signals or networks.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Literal

from vicinal.errors import ExperimentError
from vicinal.inputs.datasets.catalogue import Catalogue

__all__ = ["ProposedTask", "propose_task"]

_USUAL = (
    "0", "-1", "false", "no", "n", "norm", "normal", "negative", "neg", "healthy", "control", "controls", "none",
    "sinus", "sr", "nsr", "sinus rhythm", "normal sinus rhythm", "background", "ok", "good", "benign", "rest",
    "gesund", "sain", "sano",
)  # fmt: skip
"""What people call the class that nobody looks for."""


@dataclass(frozen=True)
class ProposedTask:
    """A task of `inputs.tasks`, and why.

    Args:    positive: of a binary task, else empty.  why: one sentence.
             is_clear: whether the positive class follows from its name or number.
    """

    task: Literal["binary", "classes", "labels"]
    positive: tuple[str, ...]
    why: str
    is_clear: bool = True


def propose_task(catalogue: Catalogue) -> ProposedTask:
    """Propose a task for the labels that the recordings have.

    Raises:  ExperimentError: when there are fewer than two answers to tell apart.
    """
    counts = Counter(label for one in catalogue.recordings for label in one.labels)
    shown = ", ".join(f"{name} ({counts[name]:,})" for name in catalogue.classes[:12])
    shown += ", ..." if len(catalogue.classes) > 12 else ""
    if any(len(one.labels) != 1 for one in catalogue.recordings):
        return ProposedTask("labels", (), f"recordings bear none or several of the labels {shown}")
    if len(counts) < 2:
        raise ExperimentError(
            f"{catalogue.name}: expected recordings of at least two classes, got only {shown or 'none'}. Add "
            "recordings of another class, or name the column of the labels with --label-column."
        )
    if len(counts) > 2:
        return ProposedTask("classes", (), f"each recording has exactly one of the classes {shown}")
    usual = [name for name in counts if name.casefold() in _USUAL]
    if len(usual) == 1:
        (positive,) = set(counts) - set(usual)
        return ProposedTask(
            "binary", (positive,), f"two classes, {shown}; {usual[0]} reads like the usual one"
        )
    positive = min(sorted(counts), key=lambda name: counts[name])
    rarer = len(set(counts.values())) > 1
    why = f"two classes, {shown}; {positive} is " + (
        "the rarer one" if rarer else "as good a guess as the other"
    )
    return ProposedTask("binary", (positive,), why, rarer)
