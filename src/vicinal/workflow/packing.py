"""`vicinal pack`: turn the inputs of an experiment into a pack, or check one against its sums.

Wiring only: what a data set means is known in `inputs/datasets`, what a signal must be in its contract. Never
imports torch.
"""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from vicinal.errors import ExperimentError, FormatError, PathError, did_you_mean
from vicinal.execution import n_processors
from vicinal.experiment import InputsConfig, load_experiment
from vicinal.inputs.datasets import DATASETS
from vicinal.inputs.datasets.catalogue import Catalogue
from vicinal.inputs.datasets.store import MARKERS, cache_folder, find
from vicinal.inputs.pack import HEAD, Pack
from vicinal.inputs.packing import fingerprint, write_pack
from vicinal.inputs.part import SAMPLES
from vicinal.inputs.tasks import truth
from vicinal.terminal import QUIET, Show

__all__ = ["Source", "Verified", "catalogue_of", "describe_pack", "pack", "packed", "source_of", "verify"]

_OWN_KEYS = (
    "labels", "file_column", "row_column", "label_column", "label_columns", "subject_column", "split_column", "events",
    "events_column",
)  # fmt: skip
"""Keys of [inputs] that are about a folder of one's own."""


@dataclass(frozen=True)
class Source:
    """Where rows come from: a pack that was given, or a catalogue with the truth of its recordings."""

    classes: tuple[str, ...]
    pack: Pack | None = None
    module: ModuleType | None = None
    catalogue: Catalogue | None = None
    truth: np.ndarray | None = None


@dataclass(frozen=True)
class Verified:
    """What a check of a pack against its sums found.

    Args:    changed: ids of the rows whose bytes are not those that were written.
             problem: what else is wrong, or "".
    """

    folder: Path
    n: int
    changed: tuple[str, ...]
    problem: str

    @property
    def is_whole(self) -> bool:
        """Whether everything is as it was written."""
        return not self.changed and not self.problem

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            "folder": str(self.folder),
            "n": self.n,
            "whole": self.is_whole,
            "changed": list(self.changed),
            "problem": self.problem,
        }


def pack(
    path: Path,
    *,
    output: Path | None = None,
    data: Path | None = None,
    overrides: Sequence[str] = (),
    show: Show = QUIET,
) -> Pack:
    """Pack the inputs of an experiment file.

    Args:    path: the experiment.  output: the folder of the pack; by default the cache, where `run` finds it.
             data: where the data set lies.  overrides: "key=value" settings, such as inputs.storage.dtype=int16.
    Raises:  VicinalError: whatever is wrong, with what to do.
    """
    experiment, _ = load_experiment(path, overrides)
    return packed(source_of(experiment.inputs, data), experiment.inputs, output=output, show=show)


def verify(folder: Path) -> Verified:
    """Read a whole pack and compare it with its sums.

    Raises:  PathError, FormatError: when there is no pack that can be opened.
    """
    found = Pack.open(folder)
    try:
        return Verified(folder, len(found), tuple(found.changed()), "")
    except FormatError as error:
        return Verified(folder, len(found), (), str(error))


def describe_pack(pack: Pack) -> dict[str, Any]:
    """Return what a pack holds, as JSON values."""
    return {
        "folder": str(pack.folder),
        "name": pack.name,
        "task": pack.task,
        "n": len(pack),
        "counts": dict(pack.counts),
        "dtype": pack.storage.dtype,
        "scale": pack.storage.scale,
        "bytes": (pack.folder / SAMPLES).stat().st_size,
        "notes": list(pack.notes),
        "skipped": [list(pair) for pair in pack.skipped],
        "hash": pack.hash,
    }


def source_of(inputs: InputsConfig, data: Path | None) -> Source:
    """Return the pack in `data`, or list the recordings of the data set and their truth.

    Raises:  FormatError: when a given pack is of another contract, task or classes.
             VicinalError: when the data set is not found, or its labels do not fit the task.
    """
    if data is not None and (data / HEAD).is_file():
        pack = Pack.open(data)
        _check_given(pack, inputs)
        return Source(pack.classes, pack=pack)
    module, catalogue = catalogue_of(inputs, data)
    classes, labels = truth(catalogue, task=inputs.task, positive=inputs.positive, classes=inputs.classes)
    return Source(classes, module=module, catalogue=catalogue, truth=labels)


def packed(source: Source, inputs: InputsConfig, *, output: Path | None, show: Show) -> Pack:
    """Return the pack of a source: the given one, the one in the cache, or one that is made now.

    Args:    output: the folder to make it in; None: the cache, where the next call finds it.
    """
    if source.pack is not None:
        if output is not None:
            raise PathError(f"{source.pack.folder} is a pack already; give the recordings to pack them anew.")
        return source.pack
    assert source.catalogue is not None  # a source without a pack has a catalogue
    assert source.module is not None
    assert source.truth is not None
    contents: dict[str, Any] = {
        "catalogue": source.catalogue,
        "read": source.module.read,
        "contract": inputs.contract,
        "classes": source.classes,
        "truth": source.truth,
        "task": inputs.task,
        "storage": inputs.storage,
    }
    folder = output or cache_folder() / "packs" / fingerprint(**contents)
    if output is None and folder.is_dir():
        return Pack.open(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    n = len(source.catalogue.recordings)
    has_files = any(recording.path is not None for recording in source.catalogue.recordings)
    with show.progress("reading, checking, preparing") as update:
        return write_pack(
            folder,
            **contents,
            # Starting a process costs more than preparing some thousand made-up seconds.
            n_processes=n_processors() if n > 4000 or has_files else 1,
            max_skipped=inputs.max_skipped,
            progress=update,
        )


def _check_given(pack: Pack, inputs: InputsConfig) -> None:
    expected = ("+".join(inputs.positive),) if inputs.task == "binary" else inputs.classes or pack.classes
    differing = []
    if pack.task != inputs.task:
        differing.append(f"task: expected {inputs.task}, got {pack.task}")
    if pack.classes != expected:
        differing.append(f"classes: expected {', '.join(expected)}, got {', '.join(pack.classes)}")
    ours, theirs = inputs.contract.model_dump(mode="json"), pack.contract.model_dump(mode="json")
    differing += [
        f"contract.{key}: expected {ours.get(key)}, got {theirs.get(key)}"
        for key in ours | theirs
        if ours.get(key) != theirs.get(key)
    ]
    if differing:
        raise FormatError(
            f"{pack.folder} is a pack for another experiment: {'; '.join(differing)}. Give the recordings "
            "themselves, or pack them with: vicinal pack EXPERIMENT --output FOLDER"
        )


def catalogue_of(inputs: InputsConfig, data: Path | None) -> tuple[ModuleType, Catalogue]:
    """Return the module of a data set and the list of its recordings.

    Raises:  ExperimentError: when there is no such data set or option.  VicinalError: when it is not found.
    """
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
