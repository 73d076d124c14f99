"""`vicinal run`: an experiment from files to decisions, leaving one folder with everything in it."""

import itertools
import json
import platform
import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

import vicinal
from vicinal.decisions.calibration import fit_calibration
from vicinal.decisions.meaning import meaning
from vicinal.decisions.policy import fit_policy
from vicinal.errors import PathError
from vicinal.evidence.card import write_card
from vicinal.evidence.summary import summarise
from vicinal.experiment import Experiment, load_experiment
from vicinal.files import write_bytes, write_json
from vicinal.inputs.reference import describe
from vicinal.scores.model import Model
from vicinal.scores.score import score_pack
from vicinal.scoretable import Role, ScoreTable
from vicinal.terminal import QUIET, Show
from vicinal.workflow.gathering import Gathered, gather
from vicinal.workflow.learning import Learned, learn
from vicinal.workflow.reporting import report

__all__ = ["Run", "free_folder", "run"]

_SCORED: tuple[Role, ...] = ("validation", "calibration", "test")


@dataclass(frozen=True)
class Run:
    """A finished run: its folder, its model, and the evidence as in `evidence.json`."""

    folder: Path
    model: Model
    evidence: dict[str, Any]


def run(
    path: Path,
    *,
    output: Path | None = None,
    data: Path | None = None,
    overrides: Sequence[str] = (),
    show: Show = QUIET,
) -> Run:
    """Run an experiment file.

    Args:    path: the experiment.  output: the run folder; it must not exist, or be empty. By default
             `runs/NAME`, with a number where that is taken.
             data: where the data set lies, instead of looking for it.  overrides: "key=value" settings.
    Raises:  VicinalError: whatever is wrong, with what to do.
    """
    started = time.monotonic()
    experiment, text = load_experiment(path, overrides)
    folder = free_folder(output, path.stem)
    command = shlex.join(
        ["vicinal", "run", str(path), *(part for one in overrides for part in ("--set", one))]
    )
    gathered = gather(experiment, data=data, show=show)
    _make(folder)
    write_bytes(folder / "experiment.toml", text.encode())
    gathered.split.write(folder / "split.parquet")
    for finding in gathered.findings:
        show.say(f"{finding.severity}: {finding.message}")
    learned = _learn(experiment, gathered, folder, show)
    model, tables = _decide(experiment, gathered, learned)
    for role, table in tables.items():
        write_bytes(folder / "scores" / f"{role}.parquet", table.to_parquet())
    protocol = _protocol(experiment, gathered, learned, command)
    evidence = _evidence(experiment, model, tables["test"], protocol)
    write_json(folder / "evidence.json", evidence)
    reference = model.reference | {
        "meaning": evidence["meaning"],
        "scores": _histogram(tables["calibration"]),
    }
    model = replace(model, card=write_card(evidence, network=model.network), reference=reference)
    model.save(folder / "model.vicinal")
    with show.progress("report"):
        report(folder / "report.html", experiment, text, gathered, learned, model, tables["test"], evidence)
    show.say(f"done in {time.monotonic() - started:.0f} s: {folder}")
    return Run(folder, model, evidence)


def free_folder(output: Path | None, stem: str) -> Path:
    """Return the folder to write into: `output`, or `runs/STEM` with a number where that is taken.

    Raises:  PathError: when `output` exists and is not an empty folder.
    """
    if output is not None:
        if not _is_free(output):
            raise PathError(
                f"{output} exists and is not an empty folder. Give another --output, or remove it."
            )
        return output
    numbered = (Path("runs") / f"{stem}-{number}" for number in itertools.count(2))
    return next(
        folder for folder in (Path("runs") / stem, *itertools.islice(numbered, 10_000)) if _is_free(folder)
    )


def _is_free(folder: Path) -> bool:
    return not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))


def _make(folder: Path) -> None:
    try:
        (folder / "scores").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PathError(f"cannot make the run folder {folder}: {error.strerror}.") from error


def _learn(experiment: Experiment, gathered: Gathered, folder: Path, show: Show) -> Learned:
    pack, split, inputs = gathered.pack, gathered.split, experiment.inputs
    with (folder / "history.jsonl").open("w", encoding="utf-8") as history:
        return learn(
            pack,
            train=split.indices("train"),
            validation=split.indices("validation"),
            network=experiment.representations.network,
            contract=inputs.contract,
            task=inputs.task,
            classes=pack.classes,
            config=experiment.training,
            seed=experiment.seed,
            sink=lambda record: print(json.dumps(record), file=history, flush=record["kind"] == "epoch"),
            show=show,
        )


def _decide(
    experiment: Experiment, gathered: Gathered, learned: Learned
) -> tuple[Model, dict[Role, ScoreTable]]:
    """Calibrate on validation rows, fit the policy on calibration rows, and score every part with the result."""
    pack, split, decisions = gathered.pack, gathered.split, experiment.decisions
    provenance = learned.model.provenance | {
        "vicinal": vicinal.__version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "pack": pack.hash,
        "split": split.hash,
        "title": experiment.title,
    }
    model = replace(
        learned.model,
        provenance=provenance,
        reference=describe(pack, split.indices("train"), experiment.inputs.contract),
    )
    raw = {
        role: score_pack(model, pack, split.indices(role), role=role, split_hash=split.hash)
        for role in _SCORED
    }
    calibration = fit_calibration(raw["validation"])
    model = replace(model, calibration=calibration)
    tables = {
        role: replace(table, probabilities=calibration.apply(table.logits), model_hash=model.hash)
        for role, table in raw.items()
    }
    policy = fit_policy(
        tables["calibration"],
        aim=decisions.aim,
        confidence=decisions.confidence,
        prevalence=decisions.prevalence,
        refer=decisions.refer,
        seed=experiment.seed,
        model_hash=model.hash,
    )
    return model.with_policy(policy), tables


def _protocol(experiment: Experiment, gathered: Gathered, learned: Learned, command: str) -> dict[str, Any]:
    pack, split = gathered.pack, gathered.split
    return {
        "title": experiment.title,
        "command": command,
        "task": experiment.inputs.task,
        "classes": list(pack.classes),
        "seed": experiment.seed,
        "rows": split.counts,
        "positives": {part: int(np.nansum(pack.truth[split.indices(part)])) for part in split.counts},
        "n_skipped": len(pack.skipped),
        "subjects": "known" if pack.subjects is not None else "not known: assumes one recording per person",
        "split_hash": split.hash,
        "pack_hash": pack.hash,
        "n_steps": learned.fitted.n_steps,
        "best_epoch": learned.fitted.best_epoch,
        "train_seconds": round(learned.fitted.seconds, 1),
        "precision": learned.engine.precision,
        "threads": torch.get_num_threads(),
        "calibration_rows": "validation",
        "threshold_rows": "calibration",
        "evidence_rows": "test",
        "notes": list(pack.notes),
    }


def _evidence(
    experiment: Experiment, model: Model, table: ScoreTable, protocol: dict[str, Any]
) -> dict[str, Any]:
    policy = model.policy
    if policy is None:
        raise PathError("the model has no policy to be judged.")
    told = meaning(table, policy, prevalence=experiment.decisions.prevalence)
    return summarise(
        table,
        decisions=policy.decide(table.probabilities),
        policy=policy.to_dict(),
        meaning=told.to_dict(),
        protocol=protocol,
        resamples=experiment.evidence.resamples,
        seed=experiment.seed,
    )


def _histogram(table: ScoreTable) -> dict[str, list[int]]:
    """Count rows by probability, in 20 equal bins, class by class."""
    bins = np.linspace(0, 1, 21)
    return {
        name: np.histogram(table.probabilities[:, k], bins)[0].tolist()
        for k, name in enumerate(table.classes)
    }
