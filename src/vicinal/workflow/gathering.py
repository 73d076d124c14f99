"""From an experiment's [inputs] to packed, split and audited rows.

Wiring only: what a data set means is known in `inputs/datasets`, what a signal must be in its contract.
"""

import inspect
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from vicinal.errors import ExperimentError, did_you_mean
from vicinal.execution import n_processors
from vicinal.experiment import Experiment, InputsConfig, SplitConfig
from vicinal.files import sha256_bytes
from vicinal.inputs.datasets import DATASETS
from vicinal.inputs.datasets.catalogue import Catalogue
from vicinal.inputs.datasets.store import MARKERS, cache_folder, find
from vicinal.inputs.leakage import Finding, audit
from vicinal.inputs.pack import Pack, write_pack
from vicinal.inputs.splits import Split, make_split, with_fewer_groups
from vicinal.inputs.tasks import truth
from vicinal.representations.network import sketch
from vicinal.terminal import Show

__all__ = ["Gathered", "gather"]

_OWN_KEYS = (
    "labels", "file_column", "label_column", "label_columns", "subject_column", "split_column", "events",
    "events_column",
)  # fmt: skip
"""Keys of [inputs] that are about a folder of one's own."""


@dataclass(frozen=True)
class Gathered:
    """Rows ready to learn from, with their split and what the auditor found."""

    pack: Pack
    split: Split
    findings: tuple[Finding, ...]


def gather(experiment: Experiment, *, data: Path | None, show: Show) -> Gathered:
    """Find, check, prepare, pack, split and audit the recordings of an experiment.

    A network text that does not fit the contract is refused first, before any recording is read.

    Raises:  VicinalError: as the rooms do, with what to do.
    """
    inputs = experiment.inputs
    module, catalogue = _catalogue(inputs, data)
    classes, labels = truth(catalogue, task=inputs.task, positive=inputs.positive, classes=inputs.classes)
    sketch(
        experiment.representations.network, input_shape=inputs.contract.input_shape, n_outputs=len(classes)
    )
    pack = _pack(inputs, module.read, catalogue, classes, labels, show)
    split = _split(inputs.split, pack)
    return Gathered(pack, split, tuple(audit(pack, split)))


def _catalogue(inputs: InputsConfig, data: Path | None) -> tuple[ModuleType, Catalogue]:
    options: dict[str, Any] = dict(inputs.options)
    known = [one for one in DATASETS if one != "folder"]
    name = "folder" if inputs.folder is not None else str(inputs.dataset)
    if name not in (*known, "folder"):
        raise ExperimentError(f"inputs.dataset: unknown data set {name!r}{did_you_mean(name, known)}")
    module = DATASETS[name]
    takes = [one for one in list(inspect.signature(module.catalogue).parameters)[1:] if one not in _OWN_KEYS]
    for option in options:
        if option not in takes:
            raise ExperimentError(
                f"inputs.options.{option}: {name} has no such option{did_you_mean(option, takes)}"
            )
    if inputs.folder is not None:
        options |= {key: value for key in _OWN_KEYS if (value := getattr(inputs, key))}
        return module, module.catalogue(data or inputs.folder, **options)
    root = find(name, data) if name in MARKERS else None
    return module, module.catalogue(root, **options)


def _pack(
    inputs: InputsConfig,
    read: Callable[..., Any],
    catalogue: Catalogue,
    classes: tuple[str, ...],
    labels: np.ndarray,
    show: Show,
) -> Pack:
    folder = cache_folder() / "packs" / _digest(inputs, catalogue)
    if folder.is_dir():
        return Pack.open(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with show.progress("reading, checking, preparing") as update:
        return write_pack(
            folder,
            catalogue=catalogue,
            read=read,
            contract=inputs.contract,
            classes=classes,
            truth=labels,
            # Starting a process costs more than preparing some thousand made-up seconds.
            n_processes=n_processors() if len(catalogue.recordings) > 4000 or _has_files(catalogue) else 1,
            max_skipped=inputs.max_skipped,
            progress=update,
        )


def _has_files(catalogue: Catalogue) -> bool:
    return any(recording.path is not None for recording in catalogue.recordings)


def _digest(inputs: InputsConfig, catalogue: Catalogue) -> str:
    """Name a pack by all that decides its content; a file that was touched since makes another pack."""
    facts = inputs.model_dump(mode="json", exclude={"split"})
    rows = []
    for recording in catalogue.recordings:
        stat = recording.path.stat() if recording.path is not None and recording.path.exists() else None
        stamp = (stat.st_size, stat.st_mtime_ns) if stat is not None else None
        rows.append(
            (recording.id, str(recording.path), recording.subject, recording.labels, recording.seed, stamp)
        )
    return sha256_bytes(json.dumps([facts, rows, catalogue.notes], default=str).encode())


def _split(config: SplitConfig, pack: Pack) -> Split:
    if config.file is not None:
        split = Split.read(config.file).aligned(pack.ids)
    else:
        shares = {"test": config.test, "validation": config.validation, "calibration": config.calibration}
        split = make_split(pack.ids, pack.groups, pack.labels, shares=shares, seed=config.seed)
    if config.train_subjects is None:
        return split
    return with_fewer_groups(split, pack.groups, n_train=config.train_subjects, seed=config.seed)
