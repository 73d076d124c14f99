"""Packing: read, prepare and store every recording of a catalogue, in parallel, in bounded memory, resumable.

The folder appears whole or not at all. A killed process leaves a part (`part.py`) with which the same call goes
on; the finished pack is byte-identical to one that was never disturbed. Never imports torch.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64, Int64

from vicinal.errors import FormatError, PathError
from vicinal.execution import map_tasks, refuse_unguarded_script
from vicinal.files import sha256_bytes, sha256_file, write_bytes, write_json
from vicinal.inputs.contract import Contract
from vicinal.inputs.datasets.catalogue import Catalogue, Recording
from vicinal.inputs.manifest import manifest_bytes
from vicinal.inputs.pack import HEAD, MANIFEST, SKIPPED, VERSION, Pack, checksum
from vicinal.inputs.part import SAMPLES, Part, claimed, is_free, writing
from vicinal.inputs.prepare import PREPARATION
from vicinal.inputs.row import Job, Row, make_rows, stored_shape
from vicinal.inputs.storage import Storage
from vicinal.inputs.targets import class_of_symbol
from vicinal.signal import Signal

__all__ = ["fingerprint", "write_pack"]

_CHUNK_BYTES = 2**22
_CHUNK_ROWS = 64
_MOST_SHOWN = 10


def write_pack(
    folder: Path,
    *,
    catalogue: Catalogue,
    read: Callable[[Recording], Signal],
    contract: Contract,
    classes: tuple[str, ...],
    truth: Float64[np.ndarray, "n k"],
    task: str = "labels",
    storage: Storage = Storage(),  # noqa: B008 - frozen
    n_processes: int = 1,
    max_skipped: float = 0.02,
    progress: Callable[[int, int], None] | None = None,
) -> Pack:
    """Pack a catalogue into `folder`, or go on where a killed process stopped.

    A second process that packs into the same folder waits for the first, and opens what it made.

    Args:    folder: made by this call; must not exist, or be empty.
             read: importable, because packing runs it in other processes.
             truth: (n, K), one line per recording of the catalogue; (n, 0) with the task "events", whose truth
             is in the recordings.
             task: "binary", "classes", "labels" or "events".  storage: of the values.
             max_skipped: share of the recordings that may fail to be read or to meet the contract, 0 to 1.
             progress: called with recordings done and in all.
    Raises:  PathError: when the folder cannot be made, or holds something already.
             FormatError: when more than `max_skipped` of the recordings were skipped, with the reasons, or
             when a value does not fit the storage.
             VicinalError: when a worker process runs the script that called this, instead of working.
    """
    refuse_unguarded_script()
    expected = (len(catalogue.recordings), 0 if task == "events" else len(classes))
    if truth.shape != expected:
        raise FormatError(f"pack: expected truth of shape {expected}, got {truth.shape}.")
    if not is_free(folder):
        raise PathError(f"{folder} exists and is not empty. Open it as a pack, or choose another folder.")
    if not folder.parent.is_dir():
        raise PathError(f"cannot make {folder}: the folder {folder.parent} does not exist. Create it first.")
    plan = _Plan(catalogue, read, contract, classes, truth, task, storage)
    with claimed(folder) as hidden:
        if hidden is not None:
            _fill(hidden, folder, plan, n_processes, max_skipped, progress)
    made = Pack.open(folder)
    if hidden is None and not _is_of(made, plan):
        raise PathError(f"{folder}: another process has packed something else there. Choose another folder.")
    return made


def fingerprint(
    catalogue: Catalogue,
    *,
    read: Callable[[Recording], Signal],
    contract: Contract,
    classes: tuple[str, ...],
    truth: Float64[np.ndarray, "n k"],
    task: str = "labels",
    storage: Storage = Storage(),  # noqa: B008 - frozen
) -> str:
    """Return a digest of all that decides the content of a pack; a file touched since makes another one."""
    facts = [
        VERSION,
        PREPARATION,
        catalogue.name,
        catalogue.notes,
        catalogue.skipped,
        {name: list(parts) for name, parts in catalogue.officials.items()},
        getattr(read, "__module__", ""),
        getattr(read, "__qualname__", repr(read)),
        contract.model_dump(mode="json"),
        classes,
        task,
        storage.model_dump(mode="json"),
        *([dict(catalogue.class_of)] if catalogue.class_of else []),
    ]
    digest = hashlib.sha256(json.dumps(facts).encode())
    digest.update(np.ascontiguousarray(truth, dtype="<f8").tobytes())
    stamps = _stamps({one.path.parent for one in catalogue.recordings if one.path is not None})
    for one in catalogue.recordings:
        files = () if one.path is None else stamps.get((str(one.path.parent), one.path.stem), ())
        columns, options = dict(one.columns), dict(one.options)
        facts = [one.id, str(one.path), one.subject, one.group, one.labels, columns, one.seed, options, files]
        digest.update(repr(facts).encode())
    return digest.hexdigest()


@dataclass(frozen=True)
class _Plan:
    catalogue: Catalogue
    read: Callable[[Recording], Signal]
    contract: Contract
    classes: tuple[str, ...]
    truth: Float64[np.ndarray, "n k"]
    task: str
    storage: Storage

    @property
    def fingerprint(self) -> str:
        return fingerprint(
            self.catalogue,
            read=self.read,
            contract=self.contract,
            classes=self.classes,
            truth=self.truth,
            task=self.task,
            storage=self.storage,
        )


def _fill(
    hidden: Path,
    folder: Path,
    plan: _Plan,
    n_processes: int,
    max_skipped: float,
    progress: Callable[[int, int], None] | None,
) -> None:
    """Pack what is still to pack into the hidden folder, and give it its name."""
    part = Part(hidden, inputs=plan.fingerprint, input_shape=plan.contract.input_shape, storage=plan.storage)
    try:
        total = len(plan.catalogue.recordings)
        for chunk in map_tasks(make_rows, _jobs(plan, len(part.outcomes)), n_processes=n_processes):
            part.add(chunk)
            _check_skipped(plan.catalogue, part, max_skipped)
            if progress is not None:
                progress(len(part.outcomes), total)
        _check_skipped(plan.catalogue, part, max_skipped)
        _describe(hidden, plan, part.outcomes)
        part.finish(folder)
    except FormatError:
        # What these data cannot be packed for does not change by going on.
        shutil.rmtree(hidden)
        raise
    finally:
        part.close()


def _jobs(plan: _Plan, start: int) -> list[Job]:
    """Return the work from recording `start` on, in chunks of a few megabytes."""
    n_bytes = int(np.prod(plan.contract.input_shape)) * 4
    size = max(1, min(_CHUNK_ROWS, _CHUNK_BYTES // n_bytes))
    recordings = plan.catalogue.recordings
    starts = range(start, len(recordings), size)
    return [Job(recordings[k : k + size], plan.read, plan.contract, plan.storage) for k in starts]


def _check_skipped(catalogue: Catalogue, part: Part, max_skipped: float) -> None:
    """Raise as soon as it is certain that too many recordings cannot be used."""
    total = len(catalogue.recordings) + len(catalogue.skipped)
    done = len(part.outcomes) + len(catalogue.skipped)
    if done - part.n_rows <= max_skipped * total and (part.n_rows > 0 or done < total):
        return
    skipped = _skipped(catalogue, part.outcomes)
    shown = "\n".join(f"  {identifier}: {reason}" for identifier, reason in skipped[:_MOST_SHOWN])
    raise FormatError(
        f"pack of {catalogue.name}: {len(skipped)} of {'' if done == total else 'the first '}{done} recordings "
        f"cannot be used, more than the allowed share {max_skipped:g} of {total}:\n{shown}\n"
        "Mend them, change the contract, or allow a larger share."
    )


def _skipped(catalogue: Catalogue, outcomes: list[Row | str]) -> list[tuple[str, str]]:
    found = zip(catalogue.recordings, outcomes, strict=False)
    return [*catalogue.skipped, *((one.id, reason) for one, reason in found if isinstance(reason, str))]


def _describe(hidden: Path, plan: _Plan, outcomes: list[Row | str]) -> None:
    """Write what belongs to the samples: the manifest, what was skipped, and `pack.json` last."""
    catalogue = plan.catalogue
    kept = [k for k, outcome in enumerate(outcomes) if isinstance(outcome, Row)]
    rows = [outcome for outcome in outcomes if isinstance(outcome, Row)]
    recordings = [catalogue.recordings[k] for k in kept]
    truth = np.ascontiguousarray(plan.truth[kept], dtype=np.float64)
    if plan.task == "events":
        truth = _presence(_event_classes(rows, catalogue), plan.classes)
    skipped = _skipped(catalogue, outcomes)
    sources = _sources(recordings)
    manifest = manifest_bytes(
        recordings,
        rows,
        offsets=_offsets(rows, plan.contract),
        sources=sources,
        classes=plan.classes,
        truth=truth,
        officials={name: [parts[k] for k in kept] for name, parts in catalogue.officials.items()},
        has_subjects=catalogue.has_subjects,
    )
    with writing(hidden):
        write_bytes(hidden / MANIFEST, manifest)
        write_json(hidden / SKIPPED, skipped)
        head = {
            "version": VERSION,
            "name": catalogue.name,
            "task": plan.task,
            "contract": plan.contract.model_dump(mode="json"),
            "classes": list(plan.classes),
            "storage": plan.storage.model_dump(mode="json"),
            "scale": plan.storage.scale,
            "n": len(rows),
            "n_skipped": len(skipped),
            "counts": _counts(plan, rows, truth),
            **({"class_of": dict(catalogue.class_of)} if catalogue.class_of else {}),
            "has_subjects": catalogue.has_subjects,
            "notes": list(catalogue.notes),
            "files": {
                SAMPLES: {"bytes": (hidden / SAMPLES).stat().st_size},
                MANIFEST: {"bytes": len(manifest), "sha256": sha256_bytes(manifest)},
                SKIPPED: {
                    "bytes": (hidden / SKIPPED).stat().st_size,
                    "sha256": sha256_file(hidden / SKIPPED),
                },
            },
            "hash": _hash(plan, [one.id for one in recordings], rows, truth),
        }
        write_json(hidden / HEAD, head | {"checksum": checksum(head)})


def _offsets(rows: list[Row], contract: Contract) -> Int64[np.ndarray, " n"]:
    sizes = [int(np.prod(stored_shape(row.length, contract.input_shape))) for row in rows]
    return np.cumsum([0, *sizes[:-1]], dtype=np.int64)


def _event_classes(rows: list[Row], catalogue: Catalogue) -> list[list[str]]:
    """Return the class of each event of each row, "" where its symbol has none."""
    symbols = [() if row.events is None else row.events.symbols for row in rows]
    return [[class_of_symbol(symbol, catalogue.class_of) for symbol in one] for one in symbols]


def _presence(found: list[list[str]], classes: tuple[str, ...]) -> Float64[np.ndarray, "n k"]:
    """Return whether each row holds an event of each class, 0 or 1."""
    return np.array([[name in one for name in classes] for one in map(set, found)], dtype=np.float64)


def _counts(plan: _Plan, rows: list[Row], truth: Float64[np.ndarray, "n k"]) -> dict[str, int]:
    """Return how many rows are positive for each class; with events, how many events there are of it."""
    if plan.task != "events":
        return {name: int((truth[:, k] == 1).sum()) for k, name in enumerate(plan.classes)}
    found = _event_classes(rows, plan.catalogue)
    return {name: sum(one.count(name) for one in found) for name in plan.classes}


def _sources(recordings: list[Recording]) -> list[str]:
    """Return file names from the deepest folder that holds all of them: no path of this machine."""
    folders = [str(one.path.parent.absolute()) for one in recordings if one.path is not None]
    root = os.path.commonpath(folders) if folders else ""
    return [
        "" if one.path is None else one.path.absolute().relative_to(root).as_posix() for one in recordings
    ]


def _stamps(folders: set[Path]) -> dict[tuple[str, str], list[tuple[str, int, int]]]:
    """Return name, size and time of the files that share a stem, by folder and stem: header, samples, events."""
    found: dict[tuple[str, str], list[tuple[str, int, int]]] = {}
    for folder in sorted(folders):
        if not folder.is_dir():
            continue
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            if entry.is_file():
                stat, stem = entry.stat(), os.path.splitext(entry.name)[0]  # noqa: PTH122 - ten times as fast
                key = (str(folder), stem)
                found.setdefault(key, []).append((entry.name, stat.st_size, stat.st_mtime_ns))
    return found


def _is_of(pack: Pack, plan: _Plan) -> bool:
    """Whether a pack that another process made is the one that was asked for."""
    ids = {one.id for one in plan.catalogue.recordings} | {one for one, _ in plan.catalogue.skipped}
    return (
        (pack.task, pack.contract, pack.classes, pack.storage)
        == (plan.task, plan.contract, plan.classes, plan.storage)
        and {*pack.ids.tolist(), *(one for one, _ in pack.skipped)} == ids
    )  # fmt: skip


def _hash(plan: _Plan, ids: list[str], rows: list[Row], truth: Float64[np.ndarray, "n k"]) -> str:
    facts: list[Any] = [plan.contract.model_dump(mode="json"), plan.task, list(plan.classes)]
    facts += [plan.storage.dtype, plan.storage.scale]
    facts += [dict(plan.catalogue.class_of)] if plan.catalogue.class_of else []
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for identifier, row in zip(ids, rows, strict=True):
        digest.update(f"{json.dumps(identifier)} {row.sha256}\n".encode())
    digest.update(np.ascontiguousarray(truth, dtype="<f8").tobytes())
    digest.update(np.array([row.length for row in rows], dtype="<i8").tobytes())
    for row in rows:
        if row.events is not None:
            digest.update(row.events.positions.astype("<i8").tobytes())
            digest.update("\n".join(row.events.symbols).encode())
    return digest.hexdigest()
