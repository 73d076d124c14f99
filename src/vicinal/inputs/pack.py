"""Pack: many prepared signals in one folder, memory-mapped, so that training reads rows and nothing else.

    samples.f32       float32, little-endian, (n, channels, *positions), rows one after another
    manifest.parquet  one line a row: id, subject, group, labels, source, length, n_flat, sha256, truth, ...
    pack.json         contract, classes, counts, notes, what was skipped and why, and the hash of it all

Made by the one `prepare` that scoring uses too. Must not know networks; never imports torch.
"""

import hashlib
import io
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Float32, Float64, Int64
from pydantic import ValidationError

from vicinal.errors import FormatError, PathError, VicinalError
from vicinal.execution import map_tasks
from vicinal.files import read_json, sha256_bytes, write_bytes, write_json
from vicinal.inputs.contract import Contract
from vicinal.inputs.datasets.catalogue import Catalogue, Recording
from vicinal.inputs.prepare import prepare
from vicinal.signal import Signal

__all__ = ["Pack", "write_pack"]

_VERSION = 1
_SAMPLES, _MANIFEST, _HEAD = "samples.f32", "manifest.parquet", "pack.json"
_CHUNK = 64


@dataclass(frozen=True)
class Pack:
    """n prepared signals with their truth, opened in milliseconds whatever their number.

    Args:    contract: what every row meets.  classes: K names (binary: the positive one).
             samples: (n, channels, *positions), memory-mapped, zero beyond each length.
             ids: (n,) unique.  subjects: (n,) or None when not known.  groups: (n,), never straddle a split.
             labels: (n,), all labels of a row joined by ";".  truth: (n, K), 1, 0 or NaN where not known.
             lengths: (n,) positions that hold signal.  n_flat: (n,) channels without any change.
             hashes: (n,) SHA-256 of each row's bytes.  sources: (n,) file names, for messages.
             columns: further columns by name.  skipped: (id, reason) of each recording left out.
             notes: what a reader of results must know.  hash: of contract, classes, ids, truth and rows.
    """

    contract: Contract
    classes: tuple[str, ...]
    samples: Float32[np.ndarray, "n channels *positions"] = field(repr=False)
    ids: np.ndarray = field(repr=False)
    subjects: np.ndarray | None = field(repr=False)
    groups: np.ndarray = field(repr=False)
    labels: np.ndarray = field(repr=False)
    truth: Float64[np.ndarray, "n k"] = field(repr=False)
    lengths: Int64[np.ndarray, " n"] = field(repr=False)
    n_flat: Int64[np.ndarray, " n"] = field(repr=False)
    hashes: np.ndarray = field(repr=False)
    sources: np.ndarray = field(repr=False)
    columns: Mapping[str, np.ndarray] = field(repr=False)
    skipped: tuple[tuple[str, str], ...] = field(repr=False)
    notes: tuple[str, ...]
    hash: str

    def __len__(self) -> int:
        return len(self.ids)

    def rows(
        self, indices: Int64[np.ndarray, " b"]
    ) -> tuple[Float32[np.ndarray, "b channels *positions"], Int64[np.ndarray, " b"]]:
        """Copy the rows at `indices` into memory, with their lengths."""
        return np.asarray(self.samples)[indices], self.lengths[indices]

    def verify(self) -> None:
        """Read every row and compare its SHA-256 with the manifest, and the manifest with the pack's hash.

        Raises:  FormatError: when anything differs; names the first rows that do.
        """
        changed = [
            identifier
            for identifier, row, expected in zip(self.ids, self.samples, self.hashes, strict=True)
            if sha256_bytes(row.tobytes()) != expected
        ]
        if changed:
            raise FormatError(
                f"pack: {len(changed)} of {len(self)} rows are not what was written, first {changed[:3]}. "
                "Pack the data again."
            )
        if _hash(self.contract, self.classes, self.ids, self.truth, self.lengths, self.hashes) != self.hash:
            raise FormatError("pack: its manifest was changed since it was written. Pack the data again.")

    @staticmethod
    def open(folder: Path) -> "Pack":
        """Map a pack that `write_pack` made; no row is read.

        Raises:  PathError: when there is no pack in `folder`.
                 FormatError: when its files do not belong together or are of another version.
        """
        if not (folder / _HEAD).is_file():
            raise PathError(f"{folder} is not a pack: it has no {_HEAD}. Give the folder that packing made.")
        head = read_json(folder / _HEAD)
        if not isinstance(head, dict) or head.get("version") != _VERSION:
            raise FormatError(f"{folder}: expected pack version {_VERSION}. Pack the data again.")
        try:
            with pq.ParquetFile(folder / _MANIFEST) as manifest:
                table = manifest.read()
            return _from_parts(folder, head, table)
        except (OSError, pa.ArrowException, KeyError, TypeError, ValidationError) as error:
            raise FormatError(f"{folder} is not a whole pack: {error}. Pack the data again.") from error


def write_pack(
    folder: Path,
    *,
    catalogue: Catalogue,
    read: Callable[[Recording], Signal],
    contract: Contract,
    classes: tuple[str, ...],
    truth: Float64[np.ndarray, "n k"],
    n_processes: int = 1,
    max_skipped: float = 0.02,
    progress: Callable[[int, int], None] | None = None,
) -> Pack:
    """Read, prepare and store every recording of a catalogue; the folder appears whole or not at all.

    Args:    folder: made by this call; must not exist, or be empty.
             read: importable, because packing runs it in other processes.
             truth: (n, K), one line per recording of the catalogue.
             max_skipped: share of the recordings that may fail to be read or to meet the contract, 0 to 1.
             progress: called with recordings done and in all.
    Raises:  PathError: when the folder cannot be made, or holds something already.
             FormatError: when more than `max_skipped` of the recordings were skipped, with the reasons.
    """
    if truth.shape != (len(catalogue.recordings), len(classes)):
        expected = (len(catalogue.recordings), len(classes))
        raise FormatError(f"pack: expected truth of shape {expected}, got {truth.shape}.")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise PathError(f"{folder} exists and is not empty. Open it as a pack, or choose another folder.")
    part = _part_folder(folder)
    try:
        with (part / _SAMPLES).open("wb") as stream:
            jobs = _jobs(catalogue.recordings, read, contract)
            chunks = map_tasks(_prepare_chunk, jobs, n_processes=n_processes)
            rows, skipped = _collect(chunks, stream.write, catalogue, max_skipped, progress)
            stream.flush()
            os.fsync(stream.fileno())
        _write_parts(part, catalogue, contract, classes, truth, rows, skipped)
        try:
            part.rename(folder)
        except OSError as error:
            raise PathError(f"cannot make {folder}: {error.strerror}.") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return Pack.open(folder)


@dataclass(frozen=True)
class _Job:
    read: Callable[[Recording], Signal]
    contract: Contract
    recordings: tuple[Recording, ...]


@dataclass(frozen=True)
class _Row:
    index: int
    length: int
    n_flat: int
    sha256: str


@dataclass(frozen=True)
class _Prepared:
    data: bytes
    length: int
    n_flat: int
    sha256: str


def _jobs(
    recordings: Sequence[Recording], read: Callable[[Recording], Signal], contract: Contract
) -> list[_Job]:
    starts = range(0, len(recordings), _CHUNK)
    return [_Job(read, contract, tuple(recordings[start : start + _CHUNK])) for start in starts]


def _prepare_chunk(job: _Job) -> list[_Prepared | str]:
    """Return for each recording its prepared row, or the reason why it has none."""
    results: list[_Prepared | str] = []
    for recording in job.recordings:
        try:
            prepared = prepare(job.read(recording), job.contract)
        except VicinalError as error:
            # A reason is read by others: what folder the file lay in is nobody's business.
            folder = f"{recording.path.parent}/" if recording.path is not None else ""
            results.append(str(error).replace(folder, "") if folder else str(error))
            continue
        samples = np.ascontiguousarray(prepared.samples, dtype="<f4")
        values = samples.reshape(len(samples), -1)[:, : prepared.length]
        n_flat = int((values == values[:, :1]).all(axis=1).sum())
        data = samples.tobytes()
        results.append(_Prepared(data, prepared.length, n_flat, sha256_bytes(data)))
    return results


def _collect(
    chunks: Iterator[list[_Prepared | str]],
    write: Callable[[bytes], int],
    catalogue: Catalogue,
    max_skipped: float,
    progress: Callable[[int, int], None] | None,
) -> tuple[list[_Row], list[tuple[str, str]]]:
    rows: list[_Row] = []
    skipped = list(catalogue.skipped)
    total, done = len(catalogue.recordings), 0
    for chunk in chunks:
        for index, result in enumerate(chunk, start=done):
            if isinstance(result, str):
                skipped.append((catalogue.recordings[index].id, result))
            else:
                write(result.data)
                rows.append(_Row(index, result.length, result.n_flat, result.sha256))
        done += len(chunk)
        if progress is not None:
            progress(done, total)
    if not rows or len(skipped) > max_skipped * (total + len(catalogue.skipped)):
        shown = "\n".join(f"  {identifier}: {reason}" for identifier, reason in skipped[:10])
        raise FormatError(
            f"pack of {catalogue.name}: {len(skipped)} of {total + len(catalogue.skipped)} recordings cannot "
            f"be used, more than the allowed share {max_skipped:g}:\n{shown}\n"
            "Mend them, change the contract, or allow a larger share."
        )
    return rows, skipped


def _write_parts(
    part: Path,
    catalogue: Catalogue,
    contract: Contract,
    classes: tuple[str, ...],
    truth: Float64[np.ndarray, "n k"],
    rows: list[_Row],
    skipped: list[tuple[str, str]],
) -> None:
    kept = [catalogue.recordings[row.index] for row in rows]
    truth = np.ascontiguousarray(truth[[row.index for row in rows]], dtype=np.float64)
    table = _manifest(kept, rows, classes, truth, has_subjects=catalogue.has_subjects)
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    write_bytes(part / _MANIFEST, buffer.getvalue())
    ids = np.array([recording.id for recording in kept], dtype=str)
    lengths = np.array([row.length for row in rows], dtype=np.int64)
    hashes = np.array([row.sha256 for row in rows], dtype=str)
    head = {
        "version": _VERSION,
        "name": catalogue.name,
        "contract": contract.model_dump(mode="json"),
        "classes": list(classes),
        "n": len(rows),
        "counts": {name: int((truth[:, k] == 1).sum()) for k, name in enumerate(classes)},
        "has_subjects": catalogue.has_subjects,
        "notes": list(catalogue.notes),
        "skipped": [list(pair) for pair in skipped],
        "hash": _hash(contract, classes, ids, truth, lengths, hashes),
    }
    write_json(part / _HEAD, head)


def _manifest(
    kept: list[Recording],
    rows: list[_Row],
    classes: tuple[str, ...],
    truth: Float64[np.ndarray, "n k"],
    *,
    has_subjects: bool,
) -> pa.Table:
    data: dict[str, Any] = {"id": [recording.id for recording in kept]}
    if has_subjects:
        data["subject"] = [recording.subject or "" for recording in kept]
    data["group"] = [recording.group for recording in kept]
    data["labels"] = [";".join(recording.labels) for recording in kept]
    data["source"] = ["" if recording.path is None else str(recording.path) for recording in kept]
    data["length"] = pa.array([row.length for row in rows], pa.int64())
    data["n_flat"] = pa.array([row.n_flat for row in rows], pa.int64())
    data["sha256"] = [row.sha256 for row in rows]
    for k, name in enumerate(classes):
        data[f"truth:{name}"] = pa.array(truth[:, k], from_pandas=True)
    # The prefix keeps a label table's own column, such as "length", apart from ours.
    for name in dict.fromkeys(name for recording in kept for name in recording.columns):
        data[f"column:{name}"] = _column([recording.columns.get(name) for recording in kept])
    return pa.table(data)


def _column(values: list[str | float | None]) -> pa.Array:
    if any(isinstance(value, str) for value in values):
        return pa.array([None if value is None else str(value) for value in values], pa.string())
    return pa.array(values, pa.float64())


def _from_parts(folder: Path, head: dict[str, Any], table: pa.Table) -> Pack:
    contract, classes = Contract.model_validate(head["contract"]), tuple(head["classes"])
    n, shape = table.num_rows, (table.num_rows, *contract.input_shape)
    expected, found = int(np.prod(shape)) * 4, (folder / _SAMPLES).stat().st_size
    if found != expected or n != head["n"]:
        raise FormatError(
            f"{folder}: expected {head['n']} rows in {expected} bytes of samples, got {n} rows in the "
            f"manifest and {found} bytes. Pack the data again."
        )
    further = [name for name in table.column_names if name.startswith("column:")]
    return Pack(
        contract=contract,
        classes=classes,
        samples=np.memmap(folder / _SAMPLES, dtype="<f4", mode="r", shape=shape),
        ids=_texts(table, "id"),
        subjects=_texts(table, "subject") if head["has_subjects"] else None,
        groups=_texts(table, "group"),
        labels=_texts(table, "labels"),
        truth=np.stack([table[f"truth:{name}"].to_numpy().astype(np.float64) for name in classes], axis=1),
        lengths=table["length"].to_numpy(),
        n_flat=table["n_flat"].to_numpy(),
        hashes=_texts(table, "sha256"),
        sources=_texts(table, "source"),
        columns={name.removeprefix("column:"): _values(table, name) for name in further},
        skipped=tuple((str(identifier), str(reason)) for identifier, reason in head["skipped"]),
        notes=tuple(head["notes"]),
        hash=head["hash"],
    )


def _texts(table: pa.Table, name: str) -> np.ndarray:
    return np.array(table[name].to_pylist(), dtype=str)


def _values(table: pa.Table, name: str) -> np.ndarray:
    if pa.types.is_string(table[name].type):
        return np.array([value or "" for value in table[name].to_pylist()], dtype=str)
    return np.array(table[name].to_numpy(), dtype=np.float64)


def _part_folder(folder: Path) -> Path:
    if not folder.parent.is_dir():
        raise PathError(f"cannot make {folder}: the folder {folder.parent} does not exist. Create it first.")
    try:
        part = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".part", dir=folder.parent))
    except OSError as error:
        raise PathError(f"cannot make {folder}: {error.strerror}.") from error
    part.chmod(0o755)
    return part


def _hash(
    contract: Contract,
    classes: tuple[str, ...],
    ids: np.ndarray,
    truth: Float64[np.ndarray, "n k"],
    lengths: Int64[np.ndarray, " n"],
    hashes: np.ndarray,
) -> str:
    facts = [contract.model_dump(mode="json"), list(classes), ids.tolist(), hashes.tolist()]
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    digest.update(np.ascontiguousarray(truth, dtype="<f8").tobytes())
    digest.update(np.ascontiguousarray(lengths, dtype="<i8").tobytes())
    return digest.hexdigest()
