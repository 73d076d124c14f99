"""Pack: many prepared signals in one folder, memory-mapped, so that training reads rows and nothing else.

    samples.bin        float32 or int16, little-endian: the rows one after another, each only as long as it is
    manifest.parquet   one line a row: id, subject, group, labels, events, source, offset, length, truth, ...
    skipped.json       what was left out and why
    pack.json          contract, classes, storage, counts, notes, and the checksum of everything

Opening reads `pack.json` alone; columns of the manifest are read when they are asked for. `packing.py` makes
packs. Must not know networks; never imports torch.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Float64, Int64
from pydantic import ValidationError

from vicinal.errors import FormatError, PathError
from vicinal.files import read_json, sha256_bytes, sha256_file, to_json
from vicinal.inputs.contract import Contract
from vicinal.inputs.manifest import EventColumns, Manifest
from vicinal.inputs.part import SAMPLES
from vicinal.inputs.row import stored_shape
from vicinal.inputs.storage import Storage
from vicinal.inputs.targets import Targets, targets_of
from vicinal.signal import Events

__all__ = ["HEAD", "MANIFEST", "SKIPPED", "VERSION", "Pack", "checksum"]

VERSION = 2
MANIFEST, SKIPPED, HEAD = "manifest.parquet", "skipped.json", "pack.json"


@dataclass(frozen=True, eq=False)
class Pack:
    """n prepared signals with their truth, opened in milliseconds whatever their number.

    Args:    folder: where it lies.  name: of the data set.  task: "binary", "classes", "labels" or "events".
             contract: what every row meets.  classes: K names (binary: the positive one).
             storage: how values are stored.  n: rows.  values: all stored numbers, memory-mapped.
             counts: positive rows of each class, or with task "events" events of each class.
             class_of: class of each symbol of an event, where symbols are not classes.
             has_subjects: whether the data say who was recorded.  n_skipped: recordings left out.
             notes: what a reader of results must know.
             hash: of contract, classes, storage, ids, truth, events and rows.
    """

    folder: Path
    name: str
    task: str
    contract: Contract
    classes: tuple[str, ...]
    storage: Storage
    n: int
    values: np.ndarray = field(repr=False)
    counts: Mapping[str, int]
    class_of: Mapping[str, str]
    has_subjects: bool
    n_skipped: int
    notes: tuple[str, ...]
    hash: str

    def __len__(self) -> int:
        return self.n

    def rows(
        self, indices: Int64[np.ndarray, " b"]
    ) -> tuple[Float32[np.ndarray, "b channels *positions"], Int64[np.ndarray, " b"]]:
        """Copy the rows at `indices` into memory, zero beyond their lengths, with their lengths."""
        indices = np.asarray(indices, dtype=np.int64)
        lengths, shape = self.lengths[indices], self.contract.input_shape
        if self._whole is not None:
            return self.storage.decode(self._whole[indices]), lengths
        x = np.empty((len(indices), shape[0], int(np.prod(shape[1:]))), dtype=self.storage.numpy)
        for row, start, length in zip(x, self.offsets[indices].tolist(), lengths.tolist(), strict=True):
            channels, m = stored_shape(length, shape)
            row[:, :m] = self.values[start : start + channels * m].reshape(channels, m)
            row[:, m:] = 0
        return self.storage.decode(x.reshape(len(indices), *shape)), lengths

    def piece(self, index: int, start: int, stop: int) -> Float32[np.ndarray, "channels piece"]:
        """Copy positions `start` to `stop` of one row along time into memory; both lie within its length."""
        index = range(self.n)[index]
        channels, m = stored_shape(int(self.lengths[index]), self.contract.input_shape)
        first = int(self.offsets[index])
        row = self.values[first : first + channels * m].reshape(channels, m)
        return self.storage.decode(row[:, start:stop].copy())

    def events(self, index: int) -> Events | None:
        """Return the events of one row at positions of the network's input; None without annotations."""
        index = range(self.n)[index]
        return None if self._events is None else self._events.of(index)

    def targets(self, indices: Int64[np.ndarray, " b"]) -> Targets:
        """Return the events of the rows at `indices`, with their classes."""
        found = ((int(index), self.events(int(index))) for index in indices)
        return targets_of(found, classes=self.classes, class_of=self.class_of)

    @cached_property
    def ids(self) -> np.ndarray:
        """(n,) unique."""
        return self._manifest.texts("id")

    @cached_property
    def subjects(self) -> np.ndarray | None:
        """(n,) whom each row was measured on, or None when not known."""
        return self._manifest.texts("subject") if self.has_subjects else None

    @cached_property
    def groups(self) -> np.ndarray:
        """(n,) keys that never straddle a split."""
        return self._manifest.texts("group")

    @cached_property
    def labels(self) -> np.ndarray:
        """(n,) all labels of a row, joined by ";"."""
        return self._manifest.texts("labels")

    @cached_property
    def truth(self) -> Float64[np.ndarray, "n k"]:
        """(n, K), 1, 0 or NaN where not known; with task "events", whether the row holds such an event."""
        return np.stack([self._manifest.numbers(f"truth:{name}") for name in self.classes], axis=1)

    @cached_property
    def lengths(self) -> Int64[np.ndarray, " n"]:
        """(n,) positions that hold signal."""
        return self._manifest.whole_numbers("length")

    @cached_property
    def offsets(self) -> Int64[np.ndarray, " n"]:
        """(n,) stored numbers before each row."""
        return self._manifest.whole_numbers("offset")

    @cached_property
    def n_flat(self) -> Int64[np.ndarray, " n"]:
        """(n,) channels without any change."""
        return self._manifest.whole_numbers("n_flat")

    @cached_property
    def hashes(self) -> np.ndarray:
        """(n,) SHA-256 of each row's stored bytes."""
        return self._manifest.texts("sha256")

    @cached_property
    def sources(self) -> np.ndarray:
        """(n,) file names within the folder of the data, for messages."""
        return self._manifest.texts("source")

    @cached_property
    def columns(self) -> Mapping[str, np.ndarray]:
        """Further columns by name, each (n,)."""
        return {name: self._manifest.further(name) for name in self._manifest.under("column:")}

    @cached_property
    def officials(self) -> Mapping[str, np.ndarray]:
        """Published splits by name, each the part of every row: (n,)."""
        names = self._manifest.under("official:")
        return {name: self._manifest.texts(f"official:{name}") for name in names}

    @cached_property
    def skipped(self) -> tuple[tuple[str, str], ...]:
        """(id, reason) of each recording left out."""
        pairs = read_json(self.folder / SKIPPED)
        return tuple((str(identifier), str(reason)) for identifier, reason in pairs)

    def changed(self) -> list[str]:
        """Read everything, and return the ids of the rows whose bytes are not those that were written.

        Raises:  FormatError: when the manifest or the list of what was skipped is not as written.
        """
        head = read_json(self.folder / HEAD)
        for name in (MANIFEST, SKIPPED):
            if sha256_file(self.folder / name) != head["files"][name]["sha256"]:
                raise FormatError(
                    f"{self.folder}: its {name} was changed since it was written. Pack the data again."
                )
        shape, size, changed = self.contract.input_shape, self.storage.numpy.itemsize, []
        # Read, not mapped: pages of a map count as this process's memory.
        with (self.folder / SAMPLES).open("rb") as stream:
            for identifier, length, expected in zip(self.ids, self.lengths, self.hashes, strict=True):
                channels, m = stored_shape(int(length), shape)
                if sha256_bytes(stream.read(channels * m * size)) != expected:
                    changed.append(str(identifier))
        return changed

    def verify(self) -> None:
        """Read everything and compare it with the checksums.

        Raises:  FormatError: when anything differs; names the first rows that do.
        """
        if changed := self.changed():
            raise FormatError(
                f"{self.folder}: {len(changed)} of {len(self)} rows are not what was written, first "
                f"{', '.join(changed[:3])}. Pack the data again."
            )

    @staticmethod
    def open(folder: Path) -> "Pack":
        """Map a pack that `write_pack` made; no row and no column is read.

        Raises:  PathError: when there is no pack in `folder`.
                 FormatError: when its files do not belong together or are of another version.
        """
        if not (folder / HEAD).is_file():
            raise PathError(f"{folder} is not a pack: it has no {HEAD}. Give the folder that packing made.")
        head = read_json(folder / HEAD)
        if not isinstance(head, dict) or head.get("version") != VERSION:
            raise FormatError(f"{folder}: expected pack version {VERSION}. Pack the data again.")
        if head.get("checksum") != checksum(head):
            raise FormatError(f"{folder}: its {HEAD} was changed since it was written. Pack the data again.")
        try:
            _check_sizes(folder, head["files"])
            return _from_head(folder, head)
        except (OSError, KeyError, TypeError, ValueError, ValidationError) as error:
            if isinstance(error, FormatError):
                raise
            raise FormatError(f"{folder} is not a whole pack: {error}. Pack the data again.") from error

    @cached_property
    def _manifest(self) -> Manifest:
        return Manifest(self.folder / MANIFEST)

    @cached_property
    def _events(self) -> EventColumns | None:
        return self._manifest.events()

    @cached_property
    def _whole(self) -> np.ndarray | None:
        """All rows as one array, where every row is whole: one cut instead of one for each row."""
        shape = self.contract.input_shape
        return self.values.reshape(self.n, *shape) if len(self.values) == self.n * np.prod(shape) else None


def checksum(head: Mapping[str, Any]) -> str:
    """Return the SHA-256 of `pack.json` without its checksum: one line of JSON with sorted keys."""
    facts = {key: value for key, value in head.items() if key != "checksum"}
    return sha256_bytes(to_json(facts, indent=None).encode())


def _check_sizes(folder: Path, files: Mapping[str, Any]) -> None:
    for name in (SAMPLES, MANIFEST, SKIPPED):
        expected, found = files[name]["bytes"], (folder / name).stat().st_size
        if found != expected:
            raise FormatError(
                f"{folder}: expected {expected} bytes in {name}, got {found}. Pack the data again."
            )


def _from_head(folder: Path, head: Mapping[str, Any]) -> Pack:
    storage = Storage.model_validate(head["storage"])
    return Pack(
        folder=folder,
        name=head["name"],
        task=head["task"],
        contract=Contract.model_validate(head["contract"]),
        classes=tuple(head["classes"]),
        storage=storage,
        n=head["n"],
        # An ordinary array on top of the map: slicing a memmap costs several times as much.
        values=np.asarray(np.memmap(folder / SAMPLES, dtype=storage.numpy, mode="r")),
        counts={name: head["counts"][name] for name in head["classes"]},
        class_of={str(symbol): str(name) for symbol, name in head.get("class_of", {}).items()},
        has_subjects=head["has_subjects"],
        n_skipped=head["n_skipped"],
        notes=tuple(head["notes"]),
        hash=head["hash"],
    )
