"""From a finished run to `report.html`: gathers what the page shows, and computes none of it."""

import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Int8

import vicinal
from vicinal.errors import FormatError
from vicinal.evidence.report.content import Example, Report, Stage
from vicinal.evidence.report.page import write_report
from vicinal.experiment import Experiment
from vicinal.inputs.leakage.finding import Finding
from vicinal.inputs.pack import Pack
from vicinal.inputs.splits import Split
from vicinal.representations.inspection import Inspection, inspect
from vicinal.scores.attribution import contributions
from vicinal.scores.model import Model
from vicinal.scoretable import ScoreTable
from vicinal.workflow.gathering import Gathered
from vicinal.workflow.learning import Learned

__all__ = ["report", "report_folds"]

_N_EXAMPLES = 8
_STEPS = 16
"""Of integrated gradients: enough for colours."""


def report(
    path: Path,
    experiment: Experiment,
    text: str,
    gathered: Gathered,
    learned: Learned,
    model: Model,
    table: ScoreTable,
    evidence: Mapping[str, Any],
) -> None:
    """Write the report of a run on its test rows.

    Raises:  ExtraError: when the extra `report` is not installed.
    """
    if model.policy is None:
        raise FormatError("report: expected a model with a policy, got one without. Fit a policy first.")
    contract = model.contract
    inspection = inspect(
        model.network,
        input_shape=model.input_shape,
        rate_hz=contract.position_rate_hz,
        n_outputs=len(table.classes),
    )
    decisions = model.policy.decide(table.probabilities)
    page = Report(
        title=experiment.title,
        command=evidence["protocol"]["command"],
        experiment=text,
        evidence=evidence,
        classes=table.classes,
        truth=table.truth,
        probability=table.probabilities,
        decisions=decisions,
        dataflow=_dataflow(gathered.pack, model, inspection),
        counts=_counts(gathered.pack, gathered.split),
        exclusions=gathered.pack.skipped,
        findings=[(one.kind, one.severity, one.message) for one in gathered.findings],
        stages=_stages(inspection),
        history=learned.fitted.history,
        monitor=[(one.kind, one.message) for one in learned.monitor.findings],
        select=learned.select,
        errors=_worst(gathered.pack, table, decisions, [model]),
        card=model.card,
        versions=_versions(),
    )
    write_report(path, page)


def report_folds(
    path: Path,
    experiment: Experiment,
    text: str,
    pack: Pack,
    parts: Split,
    findings: Sequence[Finding],
    models: Sequence[Model],
    table: ScoreTable,
    decisions: Int8[np.ndarray, "n k"],
    evidence: Mapping[str, Any],
) -> None:
    """Write the report of a cross-validation on the test rows of all folds.

    Args:    parts: which rows were tested.  models: of the folds, in order; all have the same network.
             decisions: each row's by the policy of its own fold.
    Raises:  ExtraError: when the extra `report` is not installed.
    """
    model = models[0]
    inspection = inspect(
        model.network,
        input_shape=model.input_shape,
        rate_hz=model.contract.rate_hz,
        n_outputs=len(table.classes),
    )
    page = Report(
        title=experiment.title,
        command=evidence["protocol"]["command"],
        experiment=text,
        evidence=evidence,
        classes=table.classes,
        truth=table.truth,
        probability=table.probabilities,
        decisions=decisions,
        dataflow=_dataflow(pack, model, inspection),
        counts=_counts(pack, parts),
        exclusions=pack.skipped,
        findings=[(one.kind, one.severity, one.message) for one in findings],
        stages=_stages(inspection),
        errors=_worst(pack, table, decisions, models),
        versions=_versions(),
    )
    write_report(path, page)


def _dataflow(pack: Pack, model: Model, inspection: Inspection) -> list[tuple[str, str, str]]:
    contract = model.contract
    steps = ", ".join(step.step.replace("_", " ") for step in contract.steps) or "as it is"
    shape = " x ".join(f"{n:,}" for n in contract.input_shape)
    rate = contract.position_rate_hz
    at = "" if rate is None else f" at {rate:g} Hz"
    return [
        (
            "inputs",
            f"{len(pack):,} recordings; {len(pack.skipped):,} left out",
            f"{', '.join(contract.channels)}",
        ),
        ("prepared", steps, f"{shape}{at}, {contract.units}"),
        ("representations", f"{inspection.parameters:,} parameters", f"{len(inspection.stages)} stages"),
        ("scores", "logit, then calibrated probability", f"{len(pack.classes)} per recording"),
        ("decisions", model.policy.aim if model.policy else "none", " / ".join(pack.classes)),
    ]


def _versions() -> dict[str, str]:
    return {
        "vicinal": vicinal.__version__,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }


def _counts(pack: Pack, split: Split) -> dict[str, dict[str, int]]:
    """Rows by class in each part, and how many subjects they come from where subjects are known."""
    counts = {}
    for part in split.counts:
        rows = split.indices(part)
        by_class = dict(
            zip(pack.classes, np.nansum(pack.truth[rows], axis=0).astype(int).tolist(), strict=True)
        )
        subjects = {} if pack.subjects is None else {"subjects": len(np.unique(pack.subjects[rows]))}
        counts[part] = {"rows": len(rows), **by_class, **subjects}
    return counts


def _stages(inspection: Inspection) -> list[Stage]:
    stages = []
    for stage in inspection.stages:
        samples = stage.receptive_field_samples
        known = isinstance(samples, int) and inspection.rate_hz is not None
        stages.append(
            Stage(
                text=stage.text,
                shape=" x ".join(map(str, stage.shape)),
                parameters=stage.parameters,
                receptive_field_ms=1000 * samples / inspection.rate_hz if known else None,  # type: ignore[operator]
            )
        )
    return stages


def _worst(pack: Pack, table: ScoreTable, decisions: np.ndarray, models: Sequence[Model]) -> list[Example]:
    """Return the wrong decisions that the model was surest of, misses and false alarms in turn.

    Args:    models: the one that scored the table, or one for each of its folds.
    """
    where = {name: k for k, name in enumerate(pack.ids.tolist())}
    chosen = []
    for k, name in enumerate(table.classes):
        p, truth = table.probabilities[:, k], table.truth[:, k]
        misses = np.flatnonzero((truth == 1) & (decisions[:, k] == 0))
        alarms = np.flatnonzero((truth == 0) & (decisions[:, k] == 1))
        kinds = [
            (misses[np.argsort(p[misses])], name, f"not {name}"),
            (alarms[np.argsort(-p[alarms])], f"not {name}", name),
        ]
        for rows, actual, decided in kinds:
            chosen += [(row, k, actual, decided) for row in rows[: _N_EXAMPLES // 2]]
    examples = []
    for row, k, actual, decided in chosen[: 3 * _N_EXAMPLES]:
        model = models[0 if table.folds is None else int(table.folds[row])]
        examples.append(_example(pack, table, where[str(table.ids[row])], model, row, k, actual, decided))
    return examples


def _example(
    pack: Pack, table: ScoreTable, place: int, model: Model, row: int, k: int, actual: str, decided: str
) -> Example:
    """Return one row as it is drawn, with what each sample adds to the score of class k."""
    x, lengths = pack.rows(np.array([place]))
    contract = pack.contract
    scaled = any(step.step == "scale" for step in contract.steps)
    length = None if x.ndim > 3 else int(lengths[0])
    adds, _ = contributions(
        model.build(),
        x[0],
        length=length,
        output=k,
        exclusive=model.calibration.task == "classes",
        steps=_STEPS,
    )
    return Example(
        id=str(table.ids[row]),
        truth=actual,
        decision=decided,
        probability=float(table.probabilities[row, k]),
        samples=x[0][..., :length],
        rate_hz=contract.position_rate_hz,
        unit="1" if scaled else contract.units,
        channels=contract.input_channels,
        adds=adds,
        about=table.classes[k],
    )
