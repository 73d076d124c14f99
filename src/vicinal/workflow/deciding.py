"""`vicinal decide`: another policy for a finished run, from the rows its own was fitted on; no weight changes.

The model file gets the policy, keeps the earlier one in its history, and says what the new one means; evidence
and report of the run follow. Wiring only.
"""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vicinal.decisions.aim import aim_kinds
from vicinal.decisions.events import event_times
from vicinal.decisions.policy import Policy, fit_policy
from vicinal.decisions.thresholds import parse_refer
from vicinal.errors import FormatError, PathError
from vicinal.evidence.card import write_card
from vicinal.experiment import experiment_of
from vicinal.files import read_json, write_json
from vicinal.inputs.splits import Split
from vicinal.scores.model import Model
from vicinal.scoretable import Role, ScoreTable
from vicinal.workflow.judging import expected, judge, other_beat_maps, rows_are
from vicinal.workflow.reporting import report
from vicinal.workflow.splitting import differing_ids, threshold_part

__all__ = ["Decided", "decide"]

_REMEMBERED = ("sensitivity", "specificity", "ppv", "npv", "referred", "macro_f1", "accuracy")
"""Metrics of a replaced policy that stay beside its words."""


@dataclass(frozen=True)
class Decided:
    """A policy put into the model of a run.

    Args:    folder: of the run.  policy: the new one.  earlier: the one it replaced, or None.
             n_policies: how many the model has had, this one counted.
             evidence: about the test rows, as in `evidence.json`.
    """

    folder: Path
    policy: Policy
    earlier: Policy | None
    n_policies: int
    evidence: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        return {
            "folder": str(self.folder),
            "earlier": None if self.earlier is None else self.earlier.to_dict(),
            "n_policies": self.n_policies,
            **self.evidence,
        }


def decide(
    folder: Path,
    *,
    aim: str,
    confidence: float | None = None,
    prevalence: float | None = None,
    refer: str | None = None,
) -> Decided:
    """Fit another policy on the rows that the run fitted its own on, and judge it on the test rows.

    Args:    folder: of a finished run.  aim, confidence, prevalence: see `fit_policy`.
             refer: `share=0.1`, `risk=0.01` or `0.3,0.6`.
    Raises:  PathError: when this is no folder of a run with a model.  FormatError: when its files do not belong
             together.  InfeasibleError: when the rows cannot meet the aim, or carry the guarantee.
    """
    model, experiment, before = _model(folder), experiment_of(folder), _evidence(folder)
    split = Split.read(folder / "split.parquet")
    fitted, tested = (
        _rows(folder, role, model, split, task=experiment.inputs.task)
        for role in (threshold_part(split), "test")
    )
    # They tell what an alarm is, whatever is aimed at; only the largest probability has none.
    times = None if aim_kinds(aim) == {"argmax"} else experiment.decisions.events
    policy = fit_policy(
        fitted,
        aim=aim,
        confidence=confidence,
        prevalence=prevalence,
        refer=None if refer is None else parse_refer(refer),
        events=None if times is None else event_times(times),
        seed=experiment.seed,
        model_hash=model.hash,
    )
    decided = model.with_policy(policy)
    n_policies = len(decided.policy_history) + 1
    stated = {"--aim": aim, "--confidence": confidence, "--prevalence": prevalence, "--refer": refer}
    words = [word for name, value in stated.items() if value is not None for word in (name, str(value))]
    protocol = before["protocol"] | {
        "decided_by": shlex.join(["vicinal", "decide", folder.resolve().name, *words]),
        "n_policies": n_policies,
        "rows_are": rows_are(experiment.inputs),
    }
    # What the run measured of scores alone stays; alarms are of the policy that gave them.
    kept = {name: value for name, value in before.items() if name != "alarms"}
    evidence = kept | judge(
        experiment.evidence,
        tested,
        policy,
        protocol=protocol,
        seed=experiment.seed,
        beat_maps=other_beat_maps(experiment),
    )
    evidence["earlier_policies"] = [*before.get("earlier_policies", []), _remembered(before)]
    _write(folder, decided, policy, fitted, evidence)
    return Decided(folder, policy, model.policy, n_policies, evidence)


def _remembered(before: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is kept of a policy that is replaced: its words, what it came to, and the command."""
    protocol = before["protocol"]
    return {
        "made_by": protocol.get("decided_by", protocol["command"]),
        "policy": before["policy"],
        "metrics": {name: before["metrics"][name] for name in _REMEMBERED if name in before["metrics"]},
    }


def _write(
    folder: Path, model: Model, policy: Policy, table: ScoreTable, evidence: Mapping[str, Any]
) -> None:
    """Write model, evidence and report, each whole or not at all; the model first, as it is what decides."""
    told = {"meaning": evidence["meaning"], **expected(table, policy)}
    card = write_card(evidence, network=model.network)
    replace(model, card=card, reference=model.reference | told).save(folder / "model.vicinal")
    write_json(folder / "evidence.json", evidence, sort_keys=False)
    report(folder)


def _model(folder: Path) -> Model:
    path = folder / "model.vicinal"
    if not path.is_file():
        where = f", such as {folder / 'folds' / '0'}" if (folder / "folds").is_dir() else ""
        raise PathError(
            f"{path} does not exist. Give the folder of a finished run that has a model{where}; "
            "`vicinal run EXPERIMENT` makes one."
        )
    return Model.load(path)


def _evidence(folder: Path) -> dict[str, Any]:
    evidence = read_json(folder / "evidence.json")
    if not isinstance(evidence, dict) or not isinstance(evidence.get("protocol"), dict):
        raise FormatError(
            f"{folder / 'evidence.json'}: expected the `protocol` of a run. Run the experiment again."
        )
    return evidence


def _rows(folder: Path, role: Role, model: Model, split: Split, *, task: str) -> ScoreTable:
    """Read the scored rows of one part of the run's split.

    Raises:  FormatError: when another model scored them, or they are not those of the split.
             RoleError: when they have another role.
    """
    path = folder / "scores" / f"{role}.parquet"
    table = ScoreTable.read(path)
    table.require_role(role, purpose=f"deciding with {path.name}")
    problems = []
    if table.model_hash != model.hash:
        problems.append(f"model {table.model_hash[:12]} scored it, and model.vicinal is {model.hash[:12]}")
    if any(differing_ids(table, split, role, task=task)):
        problems.append(f"its rows are not the {role} rows of split.parquet")
    if problems:
        raise FormatError(f"{path}: {'; '.join(problems)}. Run the experiment again.")
    return table
