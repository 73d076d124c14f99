"""Cross-validation: one run for each fold, and the evidence about all of their test rows together.

Each fold has its own network, calibration and policy; a row is decided by those of its own fold. The evidence is
about the procedure, so there is no model on top: train one on a split of its own. Wiring only.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int8

from vicinal.decisions.events import joined
from vicinal.decisions.meaning import alarm_rates, meaning
from vicinal.decisions.policy import Policy
from vicinal.errors import ExperimentError
from vicinal.evidence.summary import summarise
from vicinal.experiment import Experiment
from vicinal.files import write_bytes, write_json
from vicinal.inputs.folds import Folds
from vicinal.inputs.leakage.audit import audit, audit_folds
from vicinal.inputs.leakage.finding import Finding
from vicinal.inputs.splits import Split
from vicinal.scores.model import Model
from vicinal.scoretable import ScoreTable
from vicinal.terminal import Show
from vicinal.workflow.describing import described_run
from vicinal.workflow.drawable import keep_examples
from vicinal.workflow.gathering import Gathered, Packed, pack_of
from vicinal.workflow.grouping import in_subgroups
from vicinal.workflow.judging import other_beat_maps, rows_are
from vicinal.workflow.pooling import pooled, pooled_robustness
from vicinal.workflow.reporting import report
from vicinal.workflow.reporting_events import n_positives
from vicinal.workflow.splitting import described, folds_of, split_of

__all__ = ["Fill", "cross_validate"]

Fill = Callable[[Path, Experiment, str, Gathered, str, Show], tuple[Model, dict[str, Any]]]
"""What fills the folder of one run."""


def cross_validate(
    folder: Path,
    experiment: Experiment,
    text: str,
    *,
    command: str,
    data: Path | None,
    show: Show,
    fill: Fill,
) -> dict[str, Any]:
    """Run every fold of an experiment into `folder`, and judge all test rows together.

    Args:    folder: exists; folds that are finished in it are kept.  text: of the experiment.  fill: makes one run.
    Returns: the evidence, as in `evidence.json`.
    """
    packed = pack_of(experiment, data=data, show=show)
    folds = folds_of(experiment.inputs.split, packed.pack)
    with show.progress("auditing"):
        findings = audit_folds(packed.pack, folds, expected=packed.label_columns)
    for finding in findings:
        show.say(f"{finding.severity}: {finding.message}")
    folds.write(folder / "folds.parquet")
    (folder / "folds").mkdir(exist_ok=True)
    models, tables, decided = [], [], []
    for fold, name in enumerate(folds.names):
        show.say(f"fold {fold} of {len(folds)}" + ("" if name == str(fold) else f": {name}"))
        where = folder / "folds" / str(fold)
        model, table = _run_fold(where, experiment, text, packed, fold, command=command, show=show, fill=fill)
        assert model.policy is not None  # a finished run has one
        models.append(model)
        tables.append(replace(table, folds=np.full(len(table), fold)))
        decided.append(model.policy.decide(table.probabilities))
    table, decisions = pooled(tables), np.concatenate(decided)
    (folder / "scores").mkdir(exist_ok=True)
    write_bytes(folder / "scores" / "out_of_fold.parquet", table.to_parquet())
    evidence = _evidence(experiment, packed, folds, models, table, decisions, command, findings)
    parts = Split(folds.ids, np.full(len(folds.ids), "test"))
    evidence |= pooled_robustness(experiment, [folder / "folds" / str(fold) for fold in range(len(folds))])
    evidence |= described_run(packed.pack, parts, findings, models[0])
    write_json(folder / "evidence.json", evidence, sort_keys=False)
    with show.progress("report"):
        keep_examples(folder, packed.pack, table, models, decisions=decisions)
        report(folder)
    return evidence


def _run_fold(
    folder: Path,
    experiment: Experiment,
    text: str,
    packed: Packed,
    fold: int,
    *,
    command: str,
    show: Show,
    fill: Fill,
) -> tuple[Model, ScoreTable]:
    """Run one fold as the ordinary run that `inputs.split.fold` makes, and return its scored test rows."""
    setting = f"inputs.split.fold={fold}"
    config = experiment.inputs.split.model_copy(update={"fold": fold})
    inputs = experiment.inputs.model_copy(update={"split": config})
    split = split_of(config, packed.pack, packed.officials)
    # Signals were compared once, for all folds together.
    findings = audit(packed.pack, split, expected=packed.label_columns, with_copies=False)
    folder.mkdir(exist_ok=True)
    # The report is what a run writes last.
    if (folder / "report.html").is_file():
        model = Model.load(folder / "model.vicinal")
    else:
        model, _ = fill(
            folder,
            experiment.model_copy(update={"inputs": inputs}),
            f"{text}# --set {setting}\n",
            Gathered(packed.pack, split, tuple(findings), packed.source),
            f"{command} --set {setting}",
            show,
        )
    return model, ScoreTable.read(folder / "scores" / "test.parquet")


def _evidence(
    experiment: Experiment,
    packed: Packed,
    folds: Folds,
    models: list[Model],
    table: ScoreTable,
    decisions: Int8[np.ndarray, "n k"],
    command: str,
    findings: list[Finding],
) -> dict[str, Any]:
    pack, policies = packed.pack, [model.policy for model in models if model.policy is not None]
    if not policies:
        raise ExperimentError("cross-validation: no fold has a policy.")
    policy = policies[0]
    told = meaning(
        table,
        policy,
        prevalence=experiment.decisions.prevalence,
        decisions=decisions,
        rows=rows_are(experiment.inputs),
    )
    protocol = {
        "title": experiment.title,
        "command": command,
        "task": experiment.inputs.task,
        "classes": list(pack.classes),
        "seed": experiment.seed,
        "rows": {f"fold {name}": int((folds.folds == k).sum()) for k, name in enumerate(folds.names)},
        "rows_are": rows_are(experiment.inputs),
        "positives": int(n_positives(pack, np.arange(len(pack))).sum()),
        "n_skipped": len(pack.skipped),
        "subjects": "known" if pack.subjects is not None else "not known: assumes one recording per person",
        "folds_hash": folds.hash,
        "pack_hash": pack.hash,
        "split": described(experiment.inputs.split),
        "model": "none: the evidence is about the procedure, and each fold has its own model in folds/",
        "calibration_rows": "validation rows of each fold",
        "threshold_rows": f"{policy.role} rows of each fold",
        "evidence_rows": "test rows of all folds, each scored and decided by its own fold",
        "notes": list(pack.notes),
        "audit": [f"{one.severity}: {one.kind}" for one in findings],
    }
    found = summarise(
        table,
        decisions=decisions,
        policy={
            "kind": policy.kind,
            "aim": policy.aim,
            "role": policy.role,
            "fold_thresholds": [list(one.thresholds) for one in policies],
        },
        meaning=told.to_dict(),
        protocol=protocol,
        further=experiment.evidence.metrics,
        beat_maps=other_beat_maps(experiment),
        resamples=experiment.evidence.resamples,
        seed=experiment.seed,
    )
    return (
        found
        | _alarms(experiment, table, policies)
        | in_subgroups(experiment.evidence, table, decisions, seed=experiment.seed)
    )


def _alarms(experiment: Experiment, table: ScoreTable, policies: Sequence[Policy]) -> dict[str, Any]:
    """Return {"alarms": ...} where the policies decide events: those that each fold's own gives on its rows."""
    if policies[0].events is None or table.folds is None:
        return {}
    of_folds = [policy.alarms(table.select(table.folds == fold)) for fold, policy in enumerate(policies)]
    found = {name: joined([one[name] for one in of_folds if name in one]) for one in of_folds for name in one}
    asked = experiment.evidence
    return {"alarms": alarm_rates(table, found, resamples=asked.resamples, seed=experiment.seed)}
