"""Checks of a finished run: that nothing in it was fitted, chosen or counted on rows that were to judge it.

Everything fitted is fitted again from the rows it claims, and compared. Reads the run; changes nothing.
"""

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from vicinal.decisions.calibration import fit_calibration
from vicinal.decisions.policy import fit_policy
from vicinal.errors import FormatError, InfeasibleError, PathError, RoleError
from vicinal.experiment import Experiment
from vicinal.files import read_json
from vicinal.inputs.leakage.finding import Finding, some
from vicinal.inputs.pack import Pack
from vicinal.inputs.reference import describe
from vicinal.inputs.splits import Split
from vicinal.scores.model import Model
from vicinal.scoretable import Role, ScoreTable
from vicinal.training.config import BEST_WHEN_LOW
from vicinal.workflow.splitting import differing_ids, scored_parts, threshold_part

__all__ = ["check_run"]

_TOLERANCE = 1e-6


def check_run(run: Path, experiment: Experiment, pack: Pack, split: Split) -> list[Finding]:
    """Return what is wrong with how a run used its rows.

    Args:    run: its folder.  experiment: its settings.  pack: the data as they are now.  split: that of the run.
    """
    try:
        tables = {role: ScoreTable.read(run / "scores" / f"{role}.parquet") for role in scored_parts(split)}
        model = Model.load(run / "model.vicinal")
        evidence = read_json(run / "evidence.json")
        history = [json.loads(line) for line in (run / "history.jsonl").read_text("utf-8").splitlines()]
        protocol: Mapping[str, Any] = evidence["protocol"]
        return [
            *_same_split(tables, model, protocol, split),
            *_same_data(model, protocol, pack),
            *_rows_of_roles(tables, split, task=experiment.inputs.task),
            *_calibration(tables["validation"], model),
            *_threshold(tables, model, experiment, role=threshold_part(split)),
            *_statistics(model, pack, split, experiment),
            *_epoch(history, protocol, experiment, n_classes=len(model.calibration.classes)),
        ]
    except (FormatError, PathError) as error:
        where = str(error).replace(f"{run}/", "")
        return [
            Finding("run_file_changed", "leak", f"{where} What the run was judged on cannot be followed.")
        ]
    except (KeyError, TypeError, ValueError, OSError) as error:
        message = f"a file of the run is not what a run writes: {type(error).__name__}: {error}."
        return [Finding("run_file_changed", "leak", message.replace(f"{run}/", ""))]


def _same_split(
    tables: Mapping[Role, ScoreTable], model: Model, protocol: Mapping[str, Any], split: Split
) -> Iterator[Finding]:
    named: dict[str, Any] = {f"scores/{role}.parquet": one.split_hash for role, one in tables.items()}
    named |= {"model.vicinal": model.provenance.get("split"), "evidence.json": protocol.get("split_hash")}
    other = [name for name, found in named.items() if found != split.hash]
    if other:
        yield Finding(
            "split_not_the_one_used",
            "leak",
            f"{', '.join(other)} name another split than split.parquet, so rows that trained may have been tested.",
        )
    foreign = [f"scores/{role}.parquet" for role, table in tables.items() if table.model_hash != model.hash]
    if foreign:
        yield Finding(
            "scores_of_another_model", "leak", f"{', '.join(foreign)} were not made by the model of this run."
        )


def _same_data(model: Model, protocol: Mapping[str, Any], pack: Pack) -> Iterator[Finding]:
    if {model.provenance.get("pack"), protocol.get("pack_hash")} != {pack.hash}:
        yield Finding(
            "data_changed",
            "warning",
            "The data are not those that the run was made with (another pack hash); what was fitted on them "
            "cannot be checked to the last digit.",
        )


def _rows_of_roles(tables: Mapping[Role, ScoreTable], split: Split, *, task: str) -> Iterator[Finding]:
    for role, table in tables.items():
        if table.role != role:
            message = f"scores/{role}.parquet says that its rows have the role {table.role!r}."
            yield Finding("rows_of_another_part", "leak", message)
        strange, lacking = differing_ids(table, split, role, task=task)
        if strange or lacking:
            named = f" ({len(strange)} foreign: {some(strange)})" if strange else ""
            message = f"scores/{role}.parquet does not hold the {role} rows of the split{named}."
            yield Finding("rows_of_another_part", "leak", message, tuple(strange))
    tested = set(tables["test"].ids.tolist())
    for role in (role for role in tables if role != "test"):
        shared = sorted(tested & set(tables[role].ids.tolist()))
        if shared:
            yield Finding(
                "test_rows_fitted_on",
                "leak",
                f"{len(shared)} test rows are among the {role} rows that calibration or threshold were fitted on "
                f"({some(shared)}).",
                tuple(shared),
            )


def _calibration(table: ScoreTable, model: Model) -> Iterator[Finding]:
    try:
        again = fit_calibration(table, model.calibration.kind)
    except (InfeasibleError, RoleError) as error:
        yield Finding("calibration_not_from_validation", "leak", f"It cannot be fitted again: {error}")
        return
    if not _close(again.parameters, model.calibration.parameters):
        yield Finding(
            "calibration_not_from_validation",
            "leak",
            "Fitted again on the validation rows, the calibration is not that of the model: it was fitted on "
            "other rows, or the scores were changed.",
        )


def _threshold(
    tables: Mapping[Role, ScoreTable], model: Model, experiment: Experiment, *, role: Role
) -> Iterator[Finding]:
    policy = model.policy
    if policy is None:
        return
    if policy.role != role:
        message = f"The policy was fitted on {policy.role} rows; this run fits it on {role} rows."
        yield Finding("threshold_not_from_calibration", "leak", message)
        return
    # `vicinal decide` put in a policy with words of its own; that of the run has those of the experiment. A refer
    # band moves no threshold.
    stated = policy if model.policy_history else experiment.decisions
    aim = policy.aim if model.policy_history else experiment.aim
    try:
        again = fit_policy(
            tables[role],
            aim=aim,
            confidence=stated.confidence,
            prevalence=stated.prevalence,
            events=policy.events,
            seed=experiment.seed,
            model_hash=model.hash,
        )
    except (InfeasibleError, RoleError) as error:
        yield Finding("threshold_not_from_calibration", "leak", f"It cannot be chosen again: {error}")
        return
    cuts, kept = (np.array(one.thresholds, dtype=np.float64) for one in (again, policy))  # NaN for none
    if not np.allclose(cuts, kept, atol=_TOLERANCE, equal_nan=True):
        yield Finding(
            "threshold_not_from_calibration",
            "leak",
            f"Chosen again on the {role} rows for {aim}, the thresholds are "
            f"{_shown(again.thresholds)}, those of the model {_shown(policy.thresholds)}: they were chosen on other "
            "rows, or for another aim.",
        )


def _statistics(model: Model, pack: Pack, split: Split, experiment: Experiment) -> Iterator[Finding]:
    """Compare the statistics of the training signals that the model carries with those of its training rows."""
    kept = model.reference.get("channels")
    if kept is None or model.provenance.get("pack") != pack.hash:
        return
    train = split.aligned(pack.ids).indices("train")
    again = describe(pack, train, experiment.inputs.contract)["channels"]
    if not _close(again, kept):
        yield Finding(
            "statistics_not_from_train",
            "leak",
            "The statistics of signals that the model carries are not those of its training rows: other rows were "
            "among them.",
        )


def _epoch(
    history: list[dict[str, Any]], protocol: Mapping[str, Any], experiment: Experiment, *, n_classes: int
) -> Iterator[Finding]:
    """Compare the epoch whose weights were kept with the best one on validation rows."""
    select = experiment.training.select
    if select == "auto":
        select = "auroc" if n_classes == 1 else "macro_auroc"
    values = {
        int(one["epoch"]): float("nan" if one["validation"][select] is None else one["validation"][select])
        for one in history
        if one.get("kind") == "epoch"
    }
    known = {epoch: value for epoch, value in values.items() if not math.isnan(value)}
    if not known:
        return
    best = min(known, key=lambda epoch: (known[epoch] if select in BEST_WHEN_LOW else -known[epoch], epoch))
    if protocol.get("best_epoch") != best:
        yield Finding(
            "epoch_not_from_validation",
            "leak",
            f"The weights are those of epoch {protocol.get('best_epoch')}, but {select} on validation rows was best "
            f"in epoch {best}: the epoch was chosen on other rows.",
        )


def _close(first: Any, second: Any) -> bool:
    """Whether two JSON values hold the same numbers under the same names."""
    if isinstance(first, Mapping):
        return (
            isinstance(second, Mapping)
            and set(first) == set(second)
            and all(_close(value, second[key]) for key, value in first.items())
        )
    if isinstance(first, list | tuple):
        return (
            isinstance(second, list | tuple)
            and len(first) == len(second)
            and all(_close(a, b) for a, b in zip(first, second, strict=True))
        )
    if isinstance(first, int | float) and isinstance(second, int | float):
        return math.isclose(first, second, rel_tol=1e-5, abs_tol=_TOLERANCE)
    return bool(first == second)


def _shown(values: tuple[float | None, ...]) -> str:
    return ", ".join("none" if value is None else f"{value:.4f}" for value in values) or "none"
