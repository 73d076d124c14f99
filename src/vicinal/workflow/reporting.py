"""`vicinal report`, and the report of `run` and `decide`: made from what the run folder holds, and from nothing else.

Computes no number: all of them are in `evidence.json`. Wiring only.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int8

from vicinal.errors import FormatError, PathError
from vicinal.evidence.report.content import Report
from vicinal.evidence.report.page import write_report
from vicinal.files import read_json
from vicinal.scores.model import Model
from vicinal.scoretable import ScoreTable
from vicinal.workflow.drawable import examples_of
from vicinal.workflow.run_folder import EXPERIMENT

__all__ = ["Reported", "report"]


@dataclass(frozen=True)
class Reported:
    """Where the report of a run lies, as a page and as text."""

    page: Path
    text: Path


def report(folder: Path) -> Reported:
    """Write `report.html` and `report.md` of a run, or of a cross-validation, from its folder.

    Raises:  PathError: when the folder holds no finished run.  FormatError: when its files are damaged, or do not
             belong together.  ExtraError: when the extra `report` is not installed.
    """
    evidence = _evidence(folder)
    path, models = _scored(folder)
    table = ScoreTable.read(path)
    decisions = _decisions(table, models)
    if evidence.get("protocol", {}).get("classes") != list(table.classes):
        raise FormatError(
            f"{path}: expected the classes of evidence.json, {evidence['protocol'].get('classes')}, got "
            f"{list(table.classes)}. Run the experiment again."
        )
    made = Report(
        evidence=evidence,
        classes=table.classes,
        truth=table.truth,
        probability=table.probabilities,
        decisions=decisions,
        experiment=_text(folder / EXPERIMENT),
        history=_epochs(folder / "history.jsonl"),
        examples=examples_of(folder, table, models[0].contract),
        card=models[0].card if len(models) == 1 else "",
    )
    written = Reported(folder / "report.html", folder / "report.md")
    write_report(written.page, made)
    return written


def _evidence(folder: Path) -> dict[str, Any]:
    path = folder / "evidence.json"
    if not path.is_file():
        raise PathError(
            f"{folder} is not the folder of a finished run: it has no evidence.json. `vicinal run EXPERIMENT` makes "
            "one."
        )
    evidence = read_json(path)
    if not isinstance(evidence, dict) or not isinstance(evidence.get("protocol"), dict):
        raise FormatError(f"{path}: expected the `protocol` of a run. Run the experiment again.")
    return evidence


def _scored(folder: Path) -> tuple[Path, list[Model]]:
    """Return where the judged rows lie, and the models that scored them: one, or one for each fold."""
    if (folder / "model.vicinal").is_file():
        return folder / "scores" / "test.parquet", [Model.load(folder / "model.vicinal")]
    folds = sorted((folder / "folds").glob("*/model.vicinal"), key=lambda path: int(path.parent.name))
    if not folds:
        raise PathError(f"{folder} holds no model.vicinal, nor folds with one. Run the experiment again.")
    return folder / "scores" / "out_of_fold.parquet", [Model.load(path) for path in folds]


def _decisions(table: ScoreTable, models: list[Model]) -> Int8[np.ndarray, "n k"]:
    """Decide each row by the policy of the model that scored it."""
    decisions = np.zeros(table.truth.shape, np.int8)
    for fold, model in enumerate(models):
        if model.policy is None:
            raise FormatError("report: expected a model with a policy, got one without. Fit a policy first.")
        rows = np.arange(len(table)) if table.folds is None else np.flatnonzero(table.folds == fold)
        decisions[rows] = model.policy.decide(table.probabilities[rows])
    return decisions


def _epochs(path: Path) -> list[dict[str, Any]]:
    try:
        records = [json.loads(line) for line in _text(path).splitlines()]
        return [record for record in records if record.get("kind") == "epoch"]
    except (ValueError, AttributeError) as error:
        raise FormatError(f"{path}: expected one JSON object a line: {error}.") from error


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""
