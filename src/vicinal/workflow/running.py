"""`vicinal run`: an experiment from files to decisions, leaving one folder with everything in it."""

import contextlib
import itertools
import platform
import shlex
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

import vicinal
from vicinal.decisions.calibration import fit_calibration
from vicinal.decisions.policy import fit_policy
from vicinal.errors import PathError, VicinalError
from vicinal.evidence.card import write_card
from vicinal.experiment import Experiment, load_experiment
from vicinal.files import to_json, write_bytes, write_json
from vicinal.inputs.reference import describe
from vicinal.scores.model import Model
from vicinal.scores.score import score_pack
from vicinal.scoretable import Role, ScoreTable
from vicinal.terminal import QUIET, Show
from vicinal.workflow.cross_validating import cross_validate
from vicinal.workflow.disturbing import refuse_images, under_disturbances
from vicinal.workflow.gathering import Gathered, gather, refuse_events
from vicinal.workflow.judging import expected, judge
from vicinal.workflow.learning import Learned, learn
from vicinal.workflow.reporting import report
from vicinal.workflow.splitting import described

__all__ = ["Run", "free_folder", "run"]

_SCORED: tuple[Role, ...] = ("validation", "calibration", "test")


@dataclass(frozen=True)
class Run:
    """A finished run: its folder, its model (none of cross-validation), and the evidence as in `evidence.json`."""

    folder: Path
    model: Model | None
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
             data: where the data set lies, or a pack of it.  overrides: "key=value" settings.
    Raises:  VicinalError: whatever is wrong, with what to do.
    """
    started = time.monotonic()
    experiment, text = load_experiment(path, overrides)
    refuse_events(experiment)
    refuse_images(experiment)
    folder = free_folder(output, path.stem)
    # An absolute path would tell every reader of the report how somebody's machine is laid out.
    shown = path.name if path.is_absolute() else str(path)
    command = shlex.join(["vicinal", "run", shown, *(part for one in overrides for part in ("--set", one))])
    if experiment.inputs.split.has_folds and experiment.inputs.split.fold is None:
        with _whole_or_not_at_all(folder) as part:
            evidence = cross_validate(
                part, experiment, text, command=command, data=data, show=show, fill=_fill
            )
        show.say(f"done in {time.monotonic() - started:.0f} s: {folder}")
        return Run(folder, None, evidence)
    gathered = gather(experiment, data=data, show=show)
    for finding in gathered.findings:
        show.say(f"{finding.severity}: {finding.message}")
    with _whole_or_not_at_all(folder) as part:
        model, evidence = _fill(part, experiment, text, gathered, command, show)
    show.say(f"done in {time.monotonic() - started:.0f} s: {folder}")
    return Run(folder, model, evidence)


def _fill(
    folder: Path, experiment: Experiment, text: str, gathered: Gathered, command: str, show: Show
) -> tuple[Model, dict[str, Any]]:
    """Learn, decide and judge, and write everything into the folder."""
    write_bytes(folder / "experiment.toml", text.encode())
    gathered.split.write(folder / "split.parquet")
    learned = _learn(experiment, gathered, folder, show)
    model, tables = _decide(experiment, gathered, learned)
    (folder / "scores").mkdir()
    for role, table in tables.items():
        write_bytes(folder / "scores" / f"{role}.parquet", table.to_parquet())
    protocol = _protocol(experiment, gathered, learned, command)
    policy = model.policy
    assert policy is not None  # `_decide` gave it one
    evidence = judge(experiment, tables["test"], policy, protocol=protocol)
    evidence |= under_disturbances(experiment, model, gathered.pack, gathered.split.indices("test"), show)
    write_json(folder / "evidence.json", evidence)
    told = {"meaning": evidence["meaning"], **expected(tables["calibration"], policy)}
    model = replace(model, card=write_card(evidence, network=model.network), reference=model.reference | told)
    model.save(folder / "model.vicinal")
    with show.progress("report"):
        report(folder / "report.html", experiment, text, gathered, learned, model, tables["test"], evidence)
    return model, evidence


@contextlib.contextmanager
def _whole_or_not_at_all(folder: Path) -> Iterator[Path]:
    """Yield a hidden folder beside `folder`, which gets its name when everything is in it.

    Raises:  PathError: when it cannot be made.
    """
    part = folder.with_name(f".{folder.name}.part")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        yield part
        part.replace(folder)
    except OSError as error:
        if isinstance(error, VicinalError):
            raise
        raise PathError(f"cannot make the run folder {folder}: {error.strerror}.") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


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
            sink=lambda record: print(to_json(record, indent=None), file=history),
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
    calibration = fit_calibration(raw["validation"], decisions.calibration)
    model = replace(model, calibration=calibration)
    tables = {
        role: replace(table, probabilities=calibration.apply(table.logits), model_hash=model.hash)
        for role, table in raw.items()
    }
    policy = fit_policy(
        tables["calibration"],
        aim=experiment.aim,
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
        "split": described(experiment.inputs.split),
        "audit": [f"{one.severity}: {one.kind}" for one in gathered.findings],
    }
