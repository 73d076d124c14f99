"""`vicinal evaluate`: a saved model on labelled data that it has never seen, or two models on the same rows.

How the recordings fit the contract comes first, then the evidence that a run has. Nothing is fitted. Wiring only.
"""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vicinal.decisions.meaning import meaning
from vicinal.errors import ExperimentError, InfeasibleError, PathError
from vicinal.evidence.pairs import differences
from vicinal.evidence.report.content import Report
from vicinal.evidence.report.page import write_report
from vicinal.evidence.subgroups import subgroups
from vicinal.evidence.summary import summarise
from vicinal.files import write_bytes, write_json
from vicinal.scores.model import Model
from vicinal.scoretable import ScoreTable
from vicinal.terminal import QUIET, Show
from vicinal.workflow.external import External, Fitness, external, score_external

__all__ = ["Evaluated", "evaluate"]


@dataclass(frozen=True)
class Evaluated:
    """What one or two models are worth on the same rows.

    Args:    names: of the model files.  fitness: how the recordings fit each model's contract.
             evidence: of each, as in `evidence.json`.
             differences: of every metric, the first model minus the second; none for one model.
             folder: where it lies, where it was written.
    """

    names: tuple[str, ...]
    fitness: tuple[Fitness, ...]
    evidence: tuple[dict[str, Any], ...]
    differences: dict[str, dict[str, Any]]
    folder: Path | None

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        if len(self.names) == 1:
            return self.evidence[0]
        models = dict(zip("ab", self.evidence, strict=True))
        return {
            "names": dict(zip("ab", self.names, strict=True)),
            **models,
            "differences": self.differences,
        }


def evaluate(
    models: Sequence[Path],
    *,
    data: Path,
    overrides: Sequence[str] = (),
    columns: Sequence[str] = (),
    output: Path | None = None,
    resamples: int = 2000,
    seed: int = 0,
    show: Show = QUIET,
) -> Evaluated:
    """Judge one model, or compare two on the same rows.

    Args:    models: one or two model files, or run folders that hold one.
             data: a folder of labelled recordings, or an experiment file whose [inputs] say where they are.
             overrides: "label_column=diagnosis" and the like: keys of [inputs].  columns: of the labels, for
             subgroups.  output: a folder for evidence, scores and report; None writes nothing.
             resamples, seed: of the bootstrap by subject.
    Raises:  ExperimentError: when two models decide different things.  VicinalError: as the rooms do.
    """
    if not 1 <= len(models) <= 2:
        raise ExperimentError(f"evaluate: expected one model, or two to compare, got {len(models)}.")
    paths = [_model_file(path) for path in models]
    loaded = [Model.load(path) for path in paths]
    _require_one_task(loaded)
    if output is not None and output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise PathError(f"{output} exists and is not an empty folder. Give another --output, or remove it.")
    found = external(loaded[0], data, overrides=overrides)
    tables, fitness = score_external([model.scorer() for model in loaded], found, show=show)
    command = _command(models, data, overrides, columns)
    evidence = [
        _evidence(model, table, one, found, command, columns, resamples=resamples, seed=seed)
        for model, table, one in zip(loaded, tables, fitness, strict=True)
    ]
    gaps = _differences(loaded, tables, resamples=resamples, seed=seed)
    done = Evaluated(tuple(map(str, models)), tuple(fitness), tuple(evidence), gaps, output)
    if output is not None:
        _write(output, done, loaded, tables)
    return done


def _model_file(path: Path) -> Path:
    return path / "model.vicinal" if path.is_dir() else path


def _require_one_task(models: Sequence[Model]) -> None:
    first = models[0].calibration
    for other in models[1:]:
        task, classes = other.calibration.task, other.calibration.classes
        if (task, classes) != (first.task, first.classes):
            raise ExperimentError(
                "evaluate: two models are compared on one question; the first decides "
                f"{first.task} {', '.join(first.classes)}, the second {task} {', '.join(classes)}. "
                "Evaluate each by itself."
            )


def _command(models: Sequence[Path], data: Path, overrides: Sequence[str], columns: Sequence[str]) -> str:
    # Absolute paths would tell every reader how somebody's machine is laid out.
    shown = [path.name if path.is_absolute() else str(path) for path in (*models, data)]
    words = ["vicinal", "evaluate", *shown[:-1], "--data", shown[-1]]
    words += [part for one in overrides for part in ("--set", one)]
    return shlex.join([*words, *(part for one in columns for part in ("--subgroup", one))])


def _evidence(
    model: Model,
    table: ScoreTable,
    fitness: Fitness,
    data: External,
    command: str,
    columns: Sequence[str],
    *,
    resamples: int,
    seed: int,
) -> dict[str, Any]:
    policy = model.policy
    decisions = None if policy is None else policy.decide(table.probabilities)
    notes = [*data.notes, *([_NOT_NEW] if data.trained else [])]
    protocol = {
        "title": f"{model.provenance.get('title', 'A model')}, on {data.name}",
        "command": command,
        "task": table.task,
        "classes": list(table.classes),
        "rows": {"evaluated": len(table)},
        "n_unlabelled": data.n_unlabelled,
        "subjects": "known" if table.subjects is not None else "not known: assumes one recording per person",
        "model_hash": model.hash,
        "precision": table.precision,
        "evidence_rows": "all rows: nothing was fitted on them",
        "notes": notes,
    }
    told: dict[str, Any] = {}
    if policy is not None:
        try:
            told = meaning(table, policy).to_dict()
        except InfeasibleError as error:
            protocol["no_meaning"] = str(error)
    found = summarise(
        table,
        decisions=decisions,
        policy=None if policy is None else policy.to_dict(),
        meaning=told,
        protocol=protocol,
        resamples=resamples,
        seed=seed,
    )
    found["contract"] = fitness.to_dict()
    found["data"] = _data(table, fitness, notes)
    if columns:
        found["subgroups"] = subgroups(table, decisions, columns=columns, resamples=resamples, seed=seed)
    return found


_NOT_NEW = (
    "The experiment of these data has the title of the one that trained the model: unless its data are others, "
    "the rows are not new to it, and the evidence is too good."
)


def _differences(
    models: Sequence[Model], tables: Sequence[ScoreTable], *, resamples: int, seed: int
) -> dict[str, dict[str, Any]]:
    if len(models) == 1:
        return {}
    policies = [model.policy for model in models]
    decided = [
        policy.decide(table.probabilities)
        for policy, table in zip(policies, tables, strict=True)
        if policy is not None
    ]
    both = (decided[0], decided[1]) if len(decided) == 2 else None
    return differences(tables[0], tables[1], decisions=both, resamples=resamples, seed=seed)


def _write(folder: Path, done: Evaluated, models: Sequence[Model], tables: Sequence[ScoreTable]) -> None:
    """Write evidence, scores and report of each model; of two also what they differ in."""
    folder.mkdir(parents=True, exist_ok=True)
    marks = [""] if len(models) == 1 else ["-a", "-b"]
    for mark, model, table, evidence in zip(marks, models, tables, done.evidence, strict=True):
        write_json(folder / f"evidence{mark}.json", evidence, sort_keys=False)
        write_bytes(folder / f"scores{mark}.parquet", table.to_parquet())
        write_report(folder / f"report{mark}.html", _report(model, table, evidence))
    if len(models) > 1:
        write_json(folder / "differences.json", done.differences)


def _data(table: ScoreTable, fitness: Fitness, notes: Sequence[str]) -> dict[str, Any]:
    """Return the part of the evidence that says which rows there were, as a run has it."""
    counts = {name: int((table.truth[:, k] == 1).sum()) for k, name in enumerate(table.classes)}
    subjects = {} if table.n_subjects is None else {"subjects": table.n_subjects}
    findings = [*fitness.findings(), *(("data", "note", note) for note in notes)]
    return {
        "parts": {"evaluated": {"rows": len(table), **counts, **subjects}},
        "n_skipped": len(fitness.refused),
        "skipped": [list(pair) for pair in fitness.refused],
        "findings": [list(one) for one in findings],
    }


def _report(model: Model, table: ScoreTable, evidence: dict[str, Any]) -> Report:
    return Report(
        evidence=evidence,
        classes=table.classes,
        truth=table.truth,
        probability=table.probabilities,
        decisions=None if model.policy is None else model.policy.decide(table.probabilities),
        card=model.card,
    )
