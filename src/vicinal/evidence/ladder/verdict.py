"""Verdict: what a comparison shows, in sentences that claim no more than its intervals allow.

A difference counts where Holm's corrected p over all that its question looks at is below 0.05; a ratio of subjects
where its interval, of a level corrected after Bonferroni, lies on one side of 1; what a shift does by its own
interval of 95 %; and what is timed where trainings are far enough apart. Takes plain data, `compare.json`.
"""

from vicinal.evidence.ladder.answer import Evidence
from vicinal.evidence.ladder.questions.behaviour import concentration, hierarchy, translation
from vicinal.evidence.ladder.questions.best import best
from vicinal.evidence.ladder.questions.cost import faster, fewer_parameters, soon
from vicinal.evidence.ladder.questions.data import less_data, less_overfitting
from vicinal.evidence.ladder.questions.removed import removed

__all__ = ["verdict"]

_QUESTIONS = (
    best,
    less_data,
    less_overfitting,
    faster,
    soon,
    fewer_parameters,
    translation,
    hierarchy,
    concentration,
    removed,
)


def verdict(evidence: Evidence) -> list[dict[str, str]]:
    """Return the questions that a comparison can answer.

    Args:    evidence: as in `compare.json`, without its verdict.
    Returns: [{"question", "answer": "true" | "partly" | "false" | "not shown" | "told", "sentence"}].
    """
    found = [ask(evidence) for ask in _QUESTIONS]
    return [one.to_dict(evidence["n_seeds"]) for one in found if one is not None]
