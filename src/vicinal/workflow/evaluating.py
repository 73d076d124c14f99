"""`vicinal evaluate`: a saved model on labelled data that it has never seen, or two models on the same rows.

How the recordings fit the contract comes first, then the evidence that a run has. Nothing is fitted. Wiring only.
"""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vicinal.errors import ExperimentError, PathError
from vicinal.evidence.pairs import differences
from vicinal.evidence.subgroups import require_columns
from vicinal.experiment import EvidenceConfig, parse_evidence
from vicinal.scores.model import Model
from vicinal.scores.scorer import Scorer
from vicinal.scoretable import ScoreTable
from vicinal.terminal import QUIET, Show
from vicinal.workflow.disturbing import Disturbable, disturb, drawn
from vicinal.workflow.external import External, Fitness, external, score_external
from vicinal.workflow.external_report import described_data, write_evaluation
from vicinal.workflow.gathering import NOT_OF_EVENTS
from vicinal.workflow.judging import judge
from vicinal.workflow.rating import QUALITY

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
    robustness: Sequence[str] = (),
    robustness_rows: int = 500,
    metrics: Sequence[str] = (),
    output: Path | None = None,
    resamples: int = 2000,
    seed: int = 0,
    show: Show = QUIET,
) -> Evaluated:
    """Judge one model, or compare two on the same rows.

    Args:    models: one or two model files, or run folders that hold one.
             data: a folder of labelled recordings, or an experiment file whose [inputs] say where they are.
             overrides: "label_column=diagnosis" and the like: keys of [inputs].
             columns: of the labels, or "quality", for subgroups; with the edges of bands, "age=40,65".
             robustness, robustness_rows, metrics: as the keys of [evidence].
             output: a folder for evidence, scores and report; None writes nothing.
             resamples, seed: of the bootstrap by subject.
    Raises:  ExperimentError: when two models decide different things.  VicinalError: as the rooms do.
    """
    if not 1 <= len(models) <= 2:
        raise ExperimentError(f"evaluate: expected one model, or two to compare, got {len(models)}.")
    asked = _asked(columns, robustness, robustness_rows, metrics, resamples)
    paths = [_model_file(path) for path in models]
    loaded = [Model.load(path) for path in paths]
    _require_one_task(loaded)
    if asked.robustness:
        _require_disturbable(loaded[0])
    if output is not None and output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise PathError(f"{output} exists and is not an empty folder. Give another --output, or remove it.")
    found = external(loaded[0], data, overrides=overrides)
    rated = bool(loaded[0].contract.rate_hz) and not loaded[0].answers_at_events
    require_columns(found.columns | ({QUALITY} if rated else set()), asked.subgroups)
    scorers = [model.scorer() for model in loaded]
    tables, fitness = score_external(
        scorers,
        found,
        kept=[model.reference.get("fingerprints") for model in loaded],
        rated=QUALITY in asked.subgroups,
        show=show,
    )
    options = {"--subgroup": columns, "--robustness": robustness, "--metrics": metrics}
    command = _command(models, data, overrides, options)
    gaps = _differences(loaded, tables, resamples=resamples, seed=seed)
    evidence = []
    for model, scorer, table, one in zip(loaded, scorers, tables, fitness, strict=True):
        made = _evidence(model, table, one, found, command, asked, seed=seed)
        made |= _robustness(scorer, table, found, asked, seed=seed, show=show)
        if gaps:
            made["differences"] = {**dict(zip("ab", map(_shown, models), strict=True)), "metrics": gaps}
        evidence.append(made)
    done = Evaluated(tuple(map(str, models)), tuple(fitness), tuple(evidence), gaps, output)
    if output is not None:
        write_evaluation(output, found, loaded, tables, evidence)
    return done


def _asked(
    columns: Sequence[str],
    robustness: Sequence[str],
    robustness_rows: int,
    metrics: Sequence[str],
    resamples: int,
) -> EvidenceConfig:
    """Return what would stand in [evidence].

    Raises:  ExperimentError: when it could not stand there, or an edge of a band is no number.
    """
    bands: dict[str, list[float]] = {}
    for name, equals, edges in (one.partition("=") for one in columns):
        if equals:
            try:
                bands[name] = [float(edge) for edge in edges.split(",")]
            except ValueError as error:
                raise ExperimentError(
                    f"--subgroup {name}={edges}: expected numbers between commas, such as age=40,65."
                ) from error
    return parse_evidence(
        {
            "subgroups": [one.partition("=")[0] for one in columns],
            "bands": bands,
            "robustness": list(robustness),
            "robustness_rows": robustness_rows,
            "metrics": list(metrics),
            "resamples": resamples,
        }
    )


def _model_file(path: Path) -> Path:
    return path / "model.vicinal" if path.is_dir() else path


def _require_one_task(models: Sequence[Model]) -> None:
    first = models[0].calibration
    for other in models[1:]:
        task, classes = other.calibration.task, other.calibration.classes
        if other.answers_at_events != models[0].answers_at_events:
            raise ExperimentError(
                "evaluate: two models are compared on the same rows; one decides whole recordings, the other events. "
                "Evaluate each by itself."
            )
        if (task, classes) != (first.task, first.classes):
            raise ExperimentError(
                "evaluate: two models are compared on one question; the first decides "
                f"{first.task} {', '.join(first.classes)}, the second {task} {', '.join(classes)}. "
                "Evaluate each by itself."
            )


def _require_disturbable(model: Model) -> None:
    if model.answers_at_events:
        raise ExperimentError(f"--robustness: {NOT_OF_EVENTS}")
    if model.contract.rate_hz is None:
        raise ExperimentError("--robustness disturbs signals in time; images have none. Leave it out.")


def _shown(path: Path) -> str:
    # Absolute paths would tell every reader how somebody's machine is laid out.
    return path.name if path.is_absolute() else str(path)


def _command(
    models: Sequence[Path], data: Path, overrides: Sequence[str], options: Mapping[str, Sequence[str]]
) -> str:
    words = ["vicinal", "evaluate", *map(_shown, models), "--data", _shown(data)]
    for option, values in {"--set": overrides, **options}.items():
        words += [part for one in values for part in (option, one)]
    return shlex.join(words)


def _evidence(
    model: Model,
    table: ScoreTable,
    fitness: Fitness,
    data: External,
    command: str,
    asked: EvidenceConfig,
    *,
    seed: int,
) -> dict[str, Any]:
    notes = [*data.notes, *([_NOT_NEW] if data.trained else [])]
    protocol = {
        "title": f"{model.provenance.get('title', 'A model')}, on {data.name}",
        "command": command,
        "task": table.task,
        "classes": list(table.classes),
        "rows": {"evaluated": len(table)},
        "rows_are": data.rows,
        "n_unlabelled": data.n_unlabelled,
        "subjects": "known" if table.subjects is not None else "not known: assumes one recording per person",
        "model_hash": model.hash,
        "precision": table.precision,
        "evidence_rows": "all rows: nothing was fitted on them",
        "notes": notes,
    }
    found = judge(asked, table, model.policy, protocol=protocol, seed=seed)
    return found | {"contract": fitness.to_dict(), "data": described_data(table, fitness, notes)}


def _robustness(
    scorer: Scorer, table: ScoreTable, data: External, asked: EvidenceConfig, *, seed: int, show: Show
) -> dict[str, Any]:
    if not asked.robustness:
        return {}
    chosen = table.select(drawn(table.clusters, n=asked.robustness_rows, seed=seed))
    among = Disturbable(
        [data.recording(name) for name in chosen.ids.tolist()], data.module.read, chosen, len(table)
    )
    made = disturb(scorer, among, asked.robustness, seed=seed, show=show)
    return {"robustness": made.judged(resamples=asked.resamples, seed=seed)}


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
