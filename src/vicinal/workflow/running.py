"""`vicinal run`: an experiment from files to decisions, leaving one folder with everything in it."""

import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

import vicinal
from vicinal.decisions.calibration import fit_calibration
from vicinal.decisions.events import event_times
from vicinal.decisions.policy import fit_policy
from vicinal.evidence.card import write_card
from vicinal.experiment import Experiment, load_experiment
from vicinal.files import sha256_bytes, write_bytes, write_json
from vicinal.inputs.reference import describe
from vicinal.representations.engine import choose
from vicinal.scores.model import Model
from vicinal.scores.score import score_pack
from vicinal.scores.weights import encode_weights
from vicinal.scoretable import Role, ScoreTable
from vicinal.terminal import QUIET, Show
from vicinal.training.checkpoint import Checkpoints, Stopped
from vicinal.workflow.cross_validating import Fill, cross_validate
from vicinal.workflow.describing import described_run, described_training
from vicinal.workflow.disturbing import refuse_images, under_disturbances
from vicinal.workflow.drawable import keep_examples
from vicinal.workflow.gathering import Gathered, gather
from vicinal.workflow.history import History
from vicinal.workflow.judging import expected, judge, other_beat_maps, rows_are
from vicinal.workflow.learning import Learned, learn_split
from vicinal.workflow.rating import with_quality
from vicinal.workflow.reporting import report
from vicinal.workflow.reporting_events import n_positives
from vicinal.workflow.run_folder import (
    EXPERIMENT,
    Begun,
    begin,
    checkpoints_of,
    free_folder,
    is_interrupted,
    keep_to,
    run_folder,
)  # fmt: skip
from vicinal.workflow.splitting import described, refuse_guarantee, scored_parts, threshold_part
from vicinal.workflow.stopping import EXIT_CODE, Stop
from vicinal.workflow.withholding import announce, with_fewer_subjects

__all__ = ["Run", "go", "run"]


@dataclass(frozen=True)
class Run:
    """A finished run.

    Args:    model: none of cross-validation.  evidence: as in `evidence.json`.
             stated: options of the command line that say of new files what the experiment said of its own.
    """

    folder: Path
    model: Model | None
    evidence: dict[str, Any]
    stated: str = ""


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
    experiment, text = load_experiment(path, overrides)
    refuse_images(experiment)
    folder = free_folder(output, path.stem)
    # An absolute path would tell every reader of the report how somebody's machine is laid out.
    shown = path.name if path.is_absolute() else str(path)
    begun = Begun(
        experiment=str(path.resolve()),
        overrides=tuple(overrides),
        data=None if data is None else str(data.resolve()),
        command=shlex.join(
            ["vicinal", "run", shown, *(part for one in overrides for part in ("--set", one))]
        ),
    )
    return go(folder, experiment, text, begun, data=data, resumed=False, accept_changes=False, show=show)


def go(
    folder: Path,
    experiment: Experiment,
    text: str,
    begun: Begun,
    *,
    data: Path | None,
    resumed: bool,
    accept_changes: bool,
    show: Show,
) -> Run:
    """Make the run that is to be `folder`, from its beginning or from where it was interrupted."""
    started = time.monotonic()
    with Stop() as stop:
        fill = partial(_fill, stop=stop, accept_changes=accept_changes)
        try:
            made = _made(folder, experiment, text, begun, data=data, resumed=resumed, fill=fill, show=show)
        except Stopped as stopped:
            show.say(str(stopped))
            raise SystemExit(EXIT_CODE) from stopped
        finally:
            if is_interrupted(folder):
                show.say(f"what was learnt so far is kept; go on with: vicinal run --resume {folder}")
    show.say(f"done in {time.monotonic() - started:.0f} s: {folder}")
    return made


def _made(
    folder: Path,
    experiment: Experiment,
    text: str,
    begun: Begun,
    *,
    data: Path | None,
    resumed: bool,
    fill: Fill,
    show: Show,
) -> Run:
    if experiment.inputs.split.has_folds and experiment.inputs.split.fold is None:
        with run_folder(folder, resumed=resumed) as part:
            begin(part, begun, text)
            evidence = cross_validate(
                part, experiment, text, command=begun.command, data=data, show=show, fill=fill
            )
        return Run(folder, None, evidence)
    gathered = gather(experiment, data=data, show=show)
    for finding in gathered.findings:
        show.say(f"{finding.severity}: {finding.message}")
    with run_folder(folder, resumed=resumed) as part:
        begin(part, begun, text)
        model, evidence = fill(part, experiment, text, gathered, begun.command, show)
    return Run(folder, model, evidence, _stated(experiment))


def _stated(experiment: Experiment) -> str:
    """Return the rate, unit and channels that the files do not say themselves, as options of `vicinal score`."""
    found = experiment.inputs.options if experiment.inputs.folder is not None else {}
    words: list[str] = []
    for key in ("rate_hz", "units", "channels"):
        value = found.get(key, [])
        for one in value if isinstance(value, list) else [value]:
            words += [f"--{key.replace('_', '-')}", str(one)]
    return shlex.join(words)


def _fill(
    folder: Path,
    experiment: Experiment,
    text: str,
    gathered: Gathered,
    command: str,
    show: Show,
    *,
    stop: Stop,
    accept_changes: bool,
) -> tuple[Model, dict[str, Any]]:
    """Learn, decide and judge, and write everything into the folder; training goes on from a checkpoint there."""
    refuse_guarantee(experiment, gathered.split)
    keep_to(folder, _decisive(experiment, text, gathered), accept=accept_changes, show=show)
    write_bytes(folder / EXPERIMENT, text.encode())
    gathered.split.write(folder / "split.parquet")
    announce(experiment, show)
    with stop.heeded():
        learned = _learn(experiment, gathered, folder, stop, show)
    model, tables = _decide(experiment, gathered, learned)
    write_bytes(folder / "last.safetensors", encode_weights(learned.last))
    tables["test"] = with_quality(experiment, gathered.source, tables["test"], show)
    (folder / "scores").mkdir(exist_ok=True)
    for role, table in tables.items():
        write_bytes(folder / "scores" / f"{role}.parquet", table.to_parquet())
    protocol = _protocol(experiment, gathered, learned, command)
    policy = model.policy
    assert policy is not None  # `_decide` gave it one
    evidence = judge(
        experiment.evidence,
        tables["test"],
        policy,
        protocol=protocol,
        seed=experiment.seed,
        beat_maps=other_beat_maps(experiment),
    )
    evidence |= under_disturbances(experiment, model, gathered, tables["test"], show)
    evidence |= with_fewer_subjects(experiment, gathered, learned, tables["test"], show)
    evidence |= described_run(gathered.pack, gathered.split, gathered.findings, model)
    evidence |= described_training(learned)
    write_json(folder / "evidence.json", evidence, sort_keys=False)
    told = {"meaning": evidence["meaning"], **expected(tables[policy.role], policy)}
    model = replace(model, card=write_card(evidence, network=model.network), reference=model.reference | told)
    model.save(folder / "model.vicinal")
    with show.progress("report"):
        keep_examples(folder, gathered.pack, tables["test"], [model])
        report(folder)
    return model, evidence


def _decisive(experiment: Experiment, text: str, gathered: Gathered) -> dict[str, Any]:
    """Return what the bits of the trained weights depend on, besides the code."""
    return {
        "experiment": sha256_bytes(text.encode()),
        "pack": gathered.pack.hash,
        "split": gathered.split.hash,
        "threads": torch.get_num_threads(),
        "precision": choose(experiment.training.precision, experiment.training.device).precision,
        "torch": torch.__version__,
        "vicinal": vicinal.__version__,
    }


def _learn(experiment: Experiment, gathered: Gathered, folder: Path, stop: Stop, show: Show) -> Learned:
    pack, split = gathered.pack, gathered.split
    checkpoints = Checkpoints(checkpoints_of(folder), stop=stop)
    newest = checkpoints.newest()
    for name in checkpoints.damaged:
        show.say(f"note: checkpoint {name} is not as it was written; the one before it is used")
    if newest is not None:
        show.say(f"training goes on after step {newest.facts['n_done']}")
    n_kept = 0 if newest is None else newest.facts["monitor"]["n_records"]
    with History(folder / "history.jsonl", n_kept=n_kept) as history:
        checkpoints.before_writing = history.sync
        return learn_split(
            experiment, pack, split, sink=history.add, past=history.past(), show=show, checkpoints=checkpoints
        )


def _decide(
    experiment: Experiment, gathered: Gathered, learned: Learned
) -> tuple[Model, dict[Role, ScoreTable]]:
    """Calibrate on validation rows, fit the policy, and score every part with the result."""
    pack, split, decisions = gathered.pack, gathered.split, experiment.decisions
    provenance = learned.model.provenance | {
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
        for role in scored_parts(split)
    }
    calibration = fit_calibration(raw["validation"], decisions.calibration)
    model = replace(model, calibration=calibration)
    tables = {
        role: replace(table, probabilities=calibration.apply(table.logits), model_hash=model.hash)
        for role, table in raw.items()
    }
    policy = fit_policy(
        tables[threshold_part(split)],
        aim=experiment.aim,
        confidence=decisions.confidence,
        prevalence=decisions.prevalence,
        refer=decisions.refer,
        events=None if decisions.events is None else event_times(decisions.events),
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
        "rows_are": rows_are(experiment.inputs),
        "positives": {part: int(n_positives(pack, split.indices(part)).sum()) for part in split.counts},
        "n_skipped": len(pack.skipped),
        "subjects": "known" if pack.subjects is not None else "not known: assumes one recording per person",
        "split_hash": split.hash,
        "pack_hash": pack.hash,
        "n_steps": learned.fitted.n_steps,
        "n_planned_steps": learned.fitted.n_planned,
        "best_epoch": learned.fitted.best_epoch,
        "train_seconds": round(learned.fitted.seconds, 1),
        "precision": learned.engine.precision,
        "threads": torch.get_num_threads(),
        "calibration_rows": "validation",
        "threshold_rows": threshold_part(split),
        "evidence_rows": "test",
        "notes": list(pack.notes),
        "split": described(experiment.inputs.split),
        "audit": [f"{one.severity}: {one.kind}" for one in gathered.findings],
    }
