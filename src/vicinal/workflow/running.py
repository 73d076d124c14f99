"""`vicinal run`: an experiment from files to decisions, leaving one folder with everything in it."""

import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from vicinal.decisions.calibration import fit_calibration
from vicinal.decisions.events import event_times
from vicinal.decisions.policy import fit_policy
from vicinal.errors import ExperimentError
from vicinal.evidence.card import write_card
from vicinal.experiment import Experiment, load_experiment
from vicinal.files import write_bytes, write_json
from vicinal.inputs.fingerprint import fingerprints
from vicinal.scores.model import Model
from vicinal.scores.score import score_pack
from vicinal.scoretable import Role, ScoreTable
from vicinal.terminal import QUIET, Show
from vicinal.training.checkpoint import Stopped
from vicinal.workflow.cross_validating import Fill, cross_validate
from vicinal.workflow.describing import described_run, described_training
from vicinal.workflow.disturbing import refuse_images, under_disturbances
from vicinal.workflow.drawable import keep_examples
from vicinal.workflow.gathering import Gathered, gather
from vicinal.workflow.judging import expected, judge, other_beat_maps, rows_are
from vicinal.workflow.learning import Learned
from vicinal.workflow.learning_in_folder import Session, fill_training, learn_in
from vicinal.workflow.rating import with_quality
from vicinal.workflow.reporting import report
from vicinal.workflow.reporting_events import n_positives
from vicinal.workflow.run_folder import Begun, Verb, begin, free_folder, is_interrupted, run_folder
from vicinal.workflow.splitting import described, refuse_guarantee, scored_parts, threshold_part
from vicinal.workflow.stopping import EXIT_CODE, Stop
from vicinal.workflow.tensorboard import require_tensorboard
from vicinal.workflow.withholding import announce, with_fewer_subjects

__all__ = ["Run", "go", "run", "train"]


@dataclass(frozen=True)
class Run:
    """A finished run.

    Args:    model: none of cross-validation.  evidence: as in `evidence.json`; of a training alone, what is told of it.
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
    tensorboard: Path | None = None,
    show: Show = QUIET,
) -> Run:
    """Run an experiment file.

    Args:    path: the experiment.  output: the run folder; it must not exist, or be empty. By default
             `runs/NAME`, with a number where that is taken.
             data: where the data set lies, or a pack of it.  overrides: "key=value" settings.
             tensorboard: event files are written there too, in a folder named as the run.
    Raises:  VicinalError: whatever is wrong, with what to do.
    """
    experiment, text = load_experiment(path, overrides)
    refuse_images(experiment)
    begun = _begun("run", path, data, overrides, tensorboard)
    folder = free_folder(output, path.stem)
    return go(folder, experiment, text, begun, data=data, resumed=False, accept_changes=False, show=show)


def train(
    path: Path,
    *,
    output: Path | None = None,
    data: Path | None = None,
    overrides: Sequence[str] = (),
    tensorboard: Path | None = None,
    show: Show = QUIET,
) -> Run:
    """Train the network of an experiment, and leave it there: no test row is scored, and nothing is decided.

    Args:    as for `run`; the folder holds experiment, split, history, last weights and the model.
    Raises:  ExperimentError: when it asks for a cross-validation.  VicinalError: as `run` does.
    """
    experiment, text = load_experiment(path, overrides)
    split = experiment.inputs.split
    if split.has_folds and split.fold is None:
        raise ExperimentError(
            f"{path}: expected one split to train on, got folds. Choose one with --set inputs.split.fold=0."
        )
    begun = _begun("train", path, data, overrides, tensorboard)
    folder = free_folder(output, path.stem)
    return go(folder, experiment, text, begun, data=data, resumed=False, accept_changes=False, show=show)


def _begun(
    verb: Verb, path: Path, data: Path | None, overrides: Sequence[str], tensorboard: Path | None
) -> Begun:
    if tensorboard is not None:
        require_tensorboard()
    # An absolute path would tell every reader of the report how somebody's machine is laid out.
    shown = path.name if path.is_absolute() else str(path)
    return Begun(
        experiment=str(path.resolve()),
        overrides=tuple(overrides),
        data=None if data is None else str(data.resolve()),
        command=shlex.join(["vicinal", verb, shown, *(part for one in overrides for part in ("--set", one))]),
        verb=verb,
        tensorboard=None if tensorboard is None else str(tensorboard.resolve()),
    )


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
        events = None if begun.tensorboard is None else Path(begun.tensorboard) / folder.name
        session = Session(stop, accept_changes, events)
        fill = partial(_fill if begun.verb == "run" else fill_training, session=session)
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
    session: Session,
) -> tuple[Model, dict[str, Any]]:
    """Learn, decide and judge, and write everything into the folder; training goes on from a checkpoint there."""
    refuse_guarantee(experiment, gathered.split)
    announce(experiment, show)
    learned = learn_in(folder, experiment, text, gathered, show, session=session)
    model, tables = _decide(experiment, gathered, learned)
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
    evidence |= under_disturbances(experiment, model, gathered, tables["test"], folder, show)
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


def _decide(
    experiment: Experiment, gathered: Gathered, learned: Learned
) -> tuple[Model, dict[Role, ScoreTable]]:
    """Calibrate on validation rows, fit the policy, and score every part with the result."""
    pack, split, decisions = gathered.pack, gathered.split, experiment.decisions
    model = learned.model
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
    return _knowing(model, gathered, threshold_part(split)).with_policy(policy), tables


def _knowing(model: Model, gathered: Gathered, part: Role) -> Model:
    """Return the model with the fingerprints of the rows that its policy was fitted on, where it keeps any."""
    kept = model.reference.get("fingerprints")
    if kept is None or part in kept["parts"]:
        return model
    made = fingerprints(gathered.pack, {part: gathered.split.indices(part)})
    both = {**kept, "parts": kept["parts"] | made["parts"]}
    return replace(model, reference=model.reference | {"fingerprints": both})


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
