"""Learning into the folder of a run: with a history, and checkpoints that an interrupted run goes on from.

The part that `vicinal run` and `vicinal train` share. Must not look at test rows.
"""

import contextlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

import vicinal
from vicinal.experiment import Experiment
from vicinal.files import sha256_bytes, write_bytes
from vicinal.inputs.fingerprint import fingerprints
from vicinal.inputs.reference import describe
from vicinal.representations.engine import choose
from vicinal.scores.model import Model
from vicinal.scores.weights import encode_weights
from vicinal.terminal import Show
from vicinal.training.checkpoint import Checkpoints
from vicinal.workflow.describing import described_training
from vicinal.workflow.gathering import Gathered
from vicinal.workflow.history import History
from vicinal.workflow.learning import Learned, learn_split
from vicinal.workflow.run_folder import EXPERIMENT, checkpoints_of, keep_to
from vicinal.workflow.stopping import Stop
from vicinal.workflow.tensorboard import TensorBoard

__all__ = ["Session", "fill_training", "learn_in"]


@dataclass(frozen=True)
class Session:
    """How this process makes a run.

    Args:    stop: asked whether to stop.  accept_changes: go on although what the bits depend on has changed.
             tensorboard: folder for the event files of this run, or None.
    """

    stop: Stop
    accept_changes: bool
    tensorboard: Path | None


def fill_training(
    folder: Path,
    experiment: Experiment,
    text: str,
    gathered: Gathered,
    command: str,
    show: Show,
    *,
    session: Session,
) -> tuple[Model, dict[str, Any]]:
    """Learn, and leave the model as it is: nothing calibrated, no policy, and no test row scored."""
    learned = learn_in(folder, experiment, text, gathered, show, session=session)
    learned.model.save(folder / "model.vicinal")
    fitted = learned.fitted
    best = next((one for one in fitted.history if one["epoch"] == fitted.best_epoch), fitted.history[-1])
    told = {
        "command": command,
        "rows": gathered.split.counts,
        "best_epoch": fitted.best_epoch,
        "n_steps": fitted.n_steps,
        "n_planned_steps": fitted.n_planned,
        "train_seconds": round(fitted.seconds, 1),
        "validation": best["validation"],
        "training_rows": best["training"],
    }
    return learned.model, told | described_training(learned)


def learn_in(
    folder: Path,
    experiment: Experiment,
    text: str,
    gathered: Gathered,
    show: Show,
    *,
    session: Session,
) -> Learned:
    """Learn, from the newest checkpoint where there is one, and leave experiment, split, history and last weights.

    Args:    text: of the experiment.
    """
    keep_to(folder, _decisive(experiment, text, gathered), accept=session.accept_changes, show=show)
    write_bytes(folder / EXPERIMENT, text.encode())
    gathered.split.write(folder / "split.parquet")
    with session.stop.heeded():
        learned = _learn(experiment, gathered, folder, session, show)
    write_bytes(folder / "last.safetensors", encode_weights(learned.last))
    pack, split = gathered.pack, gathered.split
    about = {"pack": pack.hash, "split": split.hash, "title": experiment.title}
    model = replace(
        learned.model,
        provenance=learned.model.provenance | about,
        reference=describe(pack, split.indices("train"), experiment.inputs.contract)
        | _fingerprints(experiment, gathered),
    )
    return replace(learned, model=model)


def _fingerprints(experiment: Experiment, gathered: Gathered) -> dict[str, Any]:
    """Return what lets the model tell later the recordings that it was made from, where the experiment allows it."""
    if not experiment.evidence.fingerprints:
        return {}
    parts = {part: gathered.split.indices(part) for part in ("train", "validation")}
    return {"fingerprints": fingerprints(gathered.pack, parts)}


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


def _learn(experiment: Experiment, gathered: Gathered, folder: Path, session: Session, show: Show) -> Learned:
    pack, split = gathered.pack, gathered.split
    checkpoints = Checkpoints(checkpoints_of(folder), stop=session.stop)
    newest = checkpoints.newest()
    for name in checkpoints.damaged:
        show.say(f"note: checkpoint {name} is not as it was written; the one before it is used")
    if newest is not None:
        show.say(f"training goes on after step {newest.facts['n_done']}")
    n_done = 0 if newest is None else newest.facts["n_done"]
    n_kept = 0 if newest is None else newest.facts["monitor"]["n_records"]
    with contextlib.ExitStack() as open_files:
        history = open_files.enter_context(History(folder / "history.jsonl", n_kept=n_kept))
        checkpoints.before_writing = history.sync
        sinks = [history.add]
        if session.tensorboard is not None:
            where = (
                session.tensorboard / folder.name if folder.parent.name == "folds" else session.tensorboard
            )
            sinks.append(open_files.enter_context(TensorBoard(where, step=n_done)).add)

        def sink(record: dict[str, Any]) -> None:
            for one in sinks:
                one(record)

        return learn_split(
            experiment, pack, split, sink=sink, past=history.past(), show=show, checkpoints=checkpoints
        )
