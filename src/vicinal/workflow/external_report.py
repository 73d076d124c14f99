"""What `vicinal evaluate` leaves in a folder: evidence, scores, the errors as they are drawn, and the report.

Computes no number: all of them are in the evidence. Wiring only.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vicinal.evidence.report.content import Report
from vicinal.evidence.report.page import write_report
from vicinal.files import write_bytes, write_json
from vicinal.inputs.prepare import Prepared, prepare
from vicinal.scores.model import Model
from vicinal.scoretable import ScoreTable
from vicinal.workflow.drawable import examples_of, keep_examples
from vicinal.workflow.external import External, Fitness

__all__ = ["described_data", "write_evaluation"]


def described_data(table: ScoreTable, fitness: Fitness, notes: Sequence[str]) -> dict[str, Any]:
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


def write_evaluation(
    folder: Path,
    data: External,
    models: Sequence[Model],
    tables: Sequence[ScoreTable],
    evidence: Sequence[dict[str, Any]],
) -> None:
    """Write evidence, scores, errors and report of each model; of two also what they differ in.

    Raises:  ExtraError: when the extra `report` is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    marks = [""] if len(models) == 1 else ["-a", "-b"]
    for mark, model, table, found in zip(marks, models, tables, evidence, strict=True):
        write_json(folder / f"evidence{mark}.json", found, sort_keys=False)
        write_bytes(folder / f"scores{mark}.parquet", table.to_parquet())
        _write_report(folder, mark, data, model, table, found)
    if len(models) > 1:
        write_json(folder / "differences.json", evidence[0]["differences"]["metrics"])


def _write_report(
    folder: Path, mark: str, data: External, model: Model, table: ScoreTable, evidence: dict[str, Any]
) -> None:
    decisions = None if model.policy is None else model.policy.decide(table.probabilities)
    kept = f"errors{mark}.safetensors"

    def again(name: str) -> Prepared:
        return prepare(data.module.read(data.recording(name)), model.contract)

    if decisions is not None:
        keep_examples(folder, again, table, [model], decisions=decisions, name=kept)
    page = Report(
        evidence=evidence,
        classes=table.classes,
        truth=table.truth,
        probability=table.probabilities,
        decisions=decisions,
        examples=examples_of(folder, table, model.contract, name=kept),
        card=model.card,
    )
    write_report(folder / f"report{mark}.html", page)
