"""What a policy is worth on rows that fitted nothing: the evidence of a run, and of a policy put in afterwards."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from vicinal.decisions.meaning import alarm_rates, meaning
from vicinal.decisions.policy import Policy
from vicinal.evidence.summary import summarise
from vicinal.experiment import Experiment
from vicinal.scoretable import ScoreTable
from vicinal.workflow.grouping import in_subgroups

__all__ = ["expected", "judge"]


def judge(
    experiment: Experiment, table: ScoreTable, policy: Policy, *, protocol: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the evidence about the test rows, decided by the policy, as in `evidence.json`.

    Args:    experiment: which evidence it asks for.  table: test rows.  protocol: how everything was made.
    """
    decisions = policy.decide(table.probabilities)
    found = summarise(
        table,
        decisions=decisions,
        policy=policy.to_dict(),
        meaning=meaning(table, policy).to_dict(),
        protocol=protocol,
        further=experiment.evidence.metrics,
        resamples=experiment.evidence.resamples,
        seed=experiment.seed,
    )
    if policy.events is not None:
        resamples = experiment.evidence.resamples
        found["alarms"] = alarm_rates(table, policy, resamples=resamples, seed=experiment.seed)
    return found | in_subgroups(experiment, table, decisions)


def expected(table: ScoreTable, policy: Policy) -> dict[str, Any]:
    """Return what scores and decisions of such recordings look like: a histogram, and the share referred."""
    bins = np.linspace(0, 1, 21)
    return {
        "scores": {
            name: np.histogram(table.probabilities[:, k], bins)[0].tolist()
            for k, name in enumerate(table.classes)
        },
        "refusal_rate": float((policy.decide(table.probabilities) == -1).any(axis=1).mean()),
    }
