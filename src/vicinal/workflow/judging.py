"""What a policy is worth on rows that fitted nothing: the evidence of a run, and of a policy put in afterwards."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from vicinal.decisions.meaning import alarm_rates, meaning
from vicinal.decisions.policy import Policy
from vicinal.errors import InfeasibleError
from vicinal.evidence.summary import BeatMaps, summarise
from vicinal.experiment import EvidenceConfig, Experiment, InputsConfig
from vicinal.inputs.datasets.mitdb import BEAT_MAPS
from vicinal.scoretable import ScoreTable
from vicinal.workflow.grouping import in_subgroups

__all__ = ["expected", "judge", "other_beat_maps", "rows_are"]


def judge(
    asked: EvidenceConfig,
    table: ScoreTable,
    policy: Policy | None,
    *,
    protocol: Mapping[str, Any],
    seed: int,
    beat_maps: BeatMaps = MappingProxyType({}),
) -> dict[str, Any]:
    """Return the evidence about rows that fitted nothing, decided by the policy, as in `evidence.json`.

    Args:    asked: which evidence.  policy: None decides nothing.  protocol: how everything was made.
             It says in `rows_are` what the rows are.
             seed: of the resamples.  beat_maps: other maps of symbols, as `other_beat_maps` gives them.
    """
    decisions = None if policy is None else policy.decide(table.probabilities)
    told, notes = _told(table, policy, str(protocol.get("rows_are", "recordings")))
    found = summarise(
        table,
        decisions=decisions,
        policy=None if policy is None else policy.to_dict(),
        meaning=told,
        protocol={name: one for name, one in protocol.items() if name != "no_meaning"} | notes,
        further=asked.metrics,
        beat_maps=beat_maps,
        resamples=asked.resamples,
        seed=seed,
    )
    if policy is not None and policy.events is not None and {"record", "position_s"} <= set(table.columns):
        found["alarms"] = alarm_rates(table, policy.alarms(table), resamples=asked.resamples, seed=seed)
    return found | in_subgroups(asked, table, decisions, seed=seed)


def _told(table: ScoreTable, policy: Policy | None, rows: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Return what the errors mean, or nothing with the reason why these rows cannot tell."""
    if policy is None:
        return {}, {}
    try:
        return meaning(table, policy, rows=rows).to_dict(), {}
    except InfeasibleError as error:
        return {}, {"no_meaning": str(error)}


def rows_are(inputs: InputsConfig) -> str:
    """Return what one row of the scores is, in the plural, as a person would call it."""
    if inputs.dataset == "mitdb" and (inputs.task == "events" or inputs.options.get("view") == "beats"):
        return "beats"
    if inputs.task == "events":
        return "events"
    if inputs.contract.rate_hz is None:
        return "images"
    return "series" if inputs.dataset == "ucr" else "recordings"


def other_beat_maps(experiment: Experiment) -> dict[str, dict[str, str]]:
    """Return the maps of MIT-BIH's symbols but the one that the truth of the rows comes from, by name."""
    if experiment.inputs.dataset != "mitdb":
        return {}
    used = experiment.inputs.options.get("map", "literature")
    return {name: one for name, one in BEAT_MAPS.items() if name != used}


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
