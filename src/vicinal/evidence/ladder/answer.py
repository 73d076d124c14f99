"""Answer: one question that a comparison was asked, how far it is answered, and the sentence that says so.

Plain data and the rules that every question shares. Must not know networks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from vicinal.evidence.metric import in_words

__all__ = ["Answer", "Evidence", "Kind", "base_of", "base_with_others", "headline", "judged", "metric_of"]

Kind = Literal["true", "partly", "false", "not shown", "told"]
"""What can be said to a question; "told" of one that no yes or no answers."""

Evidence = Mapping[str, Any]
"""What `compare.json` holds, or a part of it."""

_SPOKEN: dict[str, str] = {"true": "Yes.", "partly": "In part.", "false": "No.", "not shown": "Not shown."}


@dataclass(frozen=True)
class Answer:
    """An answer in words.

    Args:    kind: how far the question is answered.  is_by_chance: whether the seeds that were drawn could have
             turned it, so that one seed each says something of these trainings alone.
    """

    question: str
    kind: Kind
    sentence: str
    is_by_chance: bool = True

    def to_dict(self, n_seeds: int) -> dict[str, str]:
        """Return question, answer and sentence as they stand in `compare.json`."""
        one_seed = " One seed each: this is of these trainings, not yet of the networks."
        end = one_seed if n_seeds == 1 and self.is_by_chance else ""
        found = asdict(self)
        return {"question": found["question"], "answer": found["kind"], "sentence": self.sentence + end}


def headline(one: Mapping[str, str]) -> str:
    """Return a question of `compare.json` with its answer: "Does hierarchy help? In part."."""
    return f"{one['question']} {_SPOKEN.get(one['answer'], '')}".rstrip()


def judged(signs: Sequence[int]) -> Kind:
    """Return what can be said of a claim: 1 where it is shown to hold, -1 to fail, 0 where neither is shown."""
    if signs and all(sign > 0 for sign in signs):
        return "true"
    if any(sign > 0 for sign in signs):
        return "partly"
    return "false" if signs and all(sign < 0 for sign in signs) else "not shown"


def base_of(names: Sequence[str]) -> str:
    """Return what the others are measured against: `dense` where there is one, else the first."""
    return "dense" if "dense" in names else names[0] if names else ""


def base_with_others(evidence: Evidence) -> tuple[str, list[str]]:
    """Return what the others are measured against, and the others."""
    names = [name for name, one in evidence["networks"].items() if one["curve"]]
    base = base_of(names)
    return base, [name for name in names if name != base]


def metric_of(evidence: Evidence) -> str:
    """Return the name of the metric as a person writes it."""
    return in_words(evidence["metric"])
