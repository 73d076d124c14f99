"""`vicinal init`: look at a folder of one's own, and write a first experiment file for it.

Wiring: `inputs/datasets/own` looks, `inputs/inference` proposes the contract, `proposal/` the rest.
"""

import os
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from vicinal.errors import PathError, VicinalError
from vicinal.experiment import parse_experiment
from vicinal.files import write_bytes
from vicinal.inputs.contract import Contract
from vicinal.inputs.datasets import folder as own
from vicinal.inputs.datasets.catalogue import Catalogue
from vicinal.inputs.datasets.own.survey import Survey, survey
from vicinal.inputs.inference import infer
from vicinal.inputs.tasks import truth
from vicinal.proposal.budget import propose_budget
from vicinal.proposal.document import Question, experiment_text
from vicinal.proposal.network import propose_network
from vicinal.proposal.shares import propose_shares
from vicinal.proposal.task import ProposedTask, propose_task
from vicinal.signal import Signal
from vicinal.terminal import QUIET, Show

__all__ = ["Started", "init"]

_MOST_LOOKED_AT = 200
_PROVISIONAL: tuple[dict[str, Any], ...] = (
    {},
    {"units": "1"},
    {"rate_hz": 1.0},
    {"rate_hz": 1.0, "units": "1"},
)
"""What is taken for granted so that a file can be looked at, the least first."""


@dataclass(frozen=True)
class Started:
    """What `init` found, what it assumed, and what it could not know.

    Args:    path: the experiment file.  found, assumed: sentences.  text: of the file.
    """

    path: Path
    found: tuple[str, ...]
    assumed: tuple[str, ...]
    questions: tuple[Question, ...]
    text: str

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        return {**asdict(self), "path": str(self.path)}


def init(
    root: Path,
    *,
    output: Path | None = None,
    told: Mapping[str, Any] = MappingProxyType({}),
    stated: Mapping[str, Any] = MappingProxyType({}),
    overwrite: bool = False,
    show: Show = QUIET,
) -> Started:
    """Look at a folder of recordings and write a commented experiment file that `run` accepts as it is.

    Args:    output: the file; by default NAME.toml here, after the folder.
             told: columns and table as the user names them, see `inputs.datasets.own.survey`.
             stated: `rate_hz`, `units`, `channels` and `samples`, which files do not state.
             overwrite: whether the file may be there already; what was in it is lost.
    Raises:  VicinalError: when the folder cannot be used, with what to do.
    """
    path = output or Path(f"{root.resolve().name}.toml")
    if path.exists() and not overwrite:
        raise PathError(f"{path} exists. Give another --output, or --overwrite to lose what is in it.")
    stated = {key: value for key, value in stated.items() if value is not None}
    looked = survey(root, {**told, "samples": stated.get("samples")})
    catalogue, missing = _catalogue(root, looked, stated)
    failures: list[tuple[str, str]] = []
    with show.progress("looking at recordings") as update:
        contract, seen = infer(_signals(catalogue, failures, update), failures=failures)
    started = _proposed(root, path, looked, catalogue, contract, seen.reasons, stated, missing, len(failures))
    write_bytes(path, started.text.encode())
    return started


def _catalogue(root: Path, looked: Survey, stated: Mapping[str, Any]) -> tuple[Catalogue, dict[str, Any]]:
    """Return the catalogue, and what had to be taken for granted for its first recording to be read."""
    problem: VicinalError | None = None
    for missing in _PROVISIONAL:
        if set(missing) & set(stated):
            continue
        catalogue = own.catalogue(root, **looked.settings, **stated, **missing)
        try:
            own.read(catalogue.recordings[0])
        except VicinalError as error:
            problem = problem or error
            continue
        return catalogue, missing
    # Perhaps only the first one is broken; what is wrong with the others is said when they are looked at.
    assert problem is not None
    return own.catalogue(root, **looked.settings, **stated), {}


def _signals(catalogue: Catalogue, failures: list[tuple[str, str]], update: Any) -> Iterator[Signal]:
    n = len(catalogue.recordings)
    chosen = np.unique(np.linspace(0, n - 1, _MOST_LOOKED_AT).round().astype(int)).tolist()
    for done, index in enumerate(chosen, start=1):
        recording = catalogue.recordings[index]
        try:
            yield own.read(recording)
        except VicinalError as error:
            failures.append((recording.id, str(error)))
        update(done, len(chosen))


def _proposed(
    root: Path,
    path: Path,
    looked: Survey,
    catalogue: Catalogue,
    contract: Contract,
    reasons: tuple[str, ...],
    stated: Mapping[str, Any],
    missing: Mapping[str, Any],
    n_failed: int,
) -> Started:
    task = propose_task(catalogue)
    classes, labels = truth(catalogue, task=task.task, positive=task.positive)
    shares = propose_shares(catalogue, labels, classes=classes)
    rate = contract.rate_hz if "rate_hz" not in missing else None
    network = propose_network(
        contract.input_shape, n_train=shares.n_train, n_outputs=len(classes), rate_hz=rate
    )
    budget = propose_budget(n_train=shares.n_train, multiply_adds=network.inspection.multiply_adds)
    questions = _questions(catalogue, task, missing)
    where = {"folder": _seen_from(path, root)}
    if "labels" in looked.settings:
        where["labels"] = _seen_from(path, Path(looked.settings["labels"]))
    options = {**stated, **missing}
    lost = (len(catalogue.skipped) + n_failed) / max(len(catalogue.recordings) + len(catalogue.skipped), 1)
    text = experiment_text(
        title=f"{' or '.join(task.positive) or 'Labels' if task.task != 'classes' else 'Classes'} in {catalogue.name}",
        command=shlex.join(["vicinal", "init", root.name]),
        inputs={**where, **{key: value for key, value in looked.settings.items() if key not in where}},
        options=options,
        task=task,
        contract=contract,
        reasons=reasons,
        shares=shares,
        network=network,
        budget=budget,
        max_skipped=None if lost <= 0.02 else min(round(lost + 0.05, 2), 0.99),
        questions=questions,
    )
    parse_experiment(text, where=str(path), base=path.parent)
    assumed = (
        f"task: {task.task}"
        + (f", looking for {', '.join(task.positive)}" if task.positive else "")
        + f"; {task.why}",
        f"split: {shares.why}",
        *reasons,
        f"network: {network.why}",
    )
    return Started(path, (*looked.found, *catalogue.notes), assumed, tuple(questions), text)


def _seen_from(path: Path, other: Path) -> str:
    """Return `other` as the experiment file `path` names it: relative to where it lies."""
    return Path(os.path.relpath(other.resolve(), path.resolve().parent)).as_posix()


def _questions(catalogue: Catalogue, task: ProposedTask, missing: Mapping[str, Any]) -> list[Question]:
    questions = []
    if "rate_hz" in missing:
        text = (
            "The files do not say their rate. Until you do, here and in inputs.contract.rate_hz, a position counts as "
            "a second."
        )
        questions.append(Question(text, "inputs.options.rate_hz", "--rate-hz"))
    if "units" in missing:
        text = (
            "The files do not say their unit. Until you do, here and in inputs.contract.units, values are taken as "
            'plain numbers ("1").'
        )
        questions.append(Question(text, "inputs.options.units", "--units"))
    if not catalogue.has_subjects:
        text = "The data do not say whom each recording is of. If somebody was recorded twice, results are too good."
        questions.append(Question(text, "inputs.subject_column", "--subject-column"))
    if not task.is_clear:
        text = f"Which class is looked for? Until you say, {', '.join(task.positive)}."
        questions.append(Question(text, "inputs.positive"))
    if task.task != "classes":
        text = "How common is it where the model will be used?"
        questions.append(Question(text, "decisions.prevalence"))
    return questions
