"""Folds: every row is tested once, by a network that never saw its group. One file holds all of them.

Drawn by group and stratified, or one fold for each value of a column (subject, site, a published fold).
Knows ids, groups and label texts; must not know signals.
"""

import io
import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Int64

from vicinal.errors import ExperimentError, FormatError, PathError
from vicinal.files import sha256_bytes, write_bytes
from vicinal.inputs.splits import Split, assign

__all__ = ["Folds", "leave_one_out", "make_folds"]

_VERSION = 1


@dataclass(frozen=True)
class Folds:
    """The fold in which each row is tested.

    Args:    ids: (n,) unique.  folds: (n,), 0 to n_folds - 1, each with rows.
             names: of the folds, in order ("0", "1", ... or the values of a column).
    Raises:  FormatError: when lengths differ, ids repeat, or a fold is empty.
    """

    ids: np.ndarray
    folds: Int64[np.ndarray, " n"]
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "ids", np.asarray(self.ids, dtype=str))
        object.__setattr__(self, "folds", np.asarray(self.folds, dtype=np.int64))
        problems = []
        if self.ids.shape != self.folds.shape or self.ids.ndim != 1:
            problems.append(f"expected one fold per id, got {self.ids.shape} ids, {self.folds.shape} folds")
        if len(np.unique(self.ids)) != len(self.ids):
            problems.append("ids repeat")
        if not np.array_equal(np.unique(self.folds), np.arange(len(self.names))):
            problems.append(f"expected rows in each of {len(self.names)} folds and in no other")
        if problems:
            raise FormatError("folds: " + "; ".join(problems) + ".")

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def hash(self) -> str:
        """SHA-256 over the pairs of id and fold and the names, whatever the order of the rows."""
        pairs = sorted(zip(self.ids.tolist(), self.folds.tolist(), strict=True))
        return sha256_bytes(json.dumps([list(self.names), pairs]).encode())

    def split(self, fold: int, groups: np.ndarray) -> Split:
        """Return the split that tests one fold: its rows, all others train.

        Rows of another fold whose group is tested here are not used (a person seen at two sites).

        Args:    groups: (n,), of the rows in the order of `ids`.
        Raises:  ExperimentError: when there is no such fold, or nothing is left to train on.
        """
        if not 0 <= fold < len(self):
            raise ExperimentError(f"split: expected a fold from 0 to {len(self) - 1}, got {fold}.")
        tested = self.folds == fold
        seen = np.isin(groups, np.unique(np.asarray(groups)[tested])) & ~tested
        if (tested | seen).all():
            raise ExperimentError(f"split: fold {fold} ({self.names[fold]}) leaves nothing to train on.")
        return Split(self.ids, np.where(tested, "test", np.where(seen, "unused", "train")))

    def write(self, path: Path) -> None:
        """Write the folds as Parquet (`id`, `fold`), atomically, with names and hash in the metadata."""
        meta = json.dumps({"version": _VERSION, "names": self.names, "hash": self.hash}, sort_keys=True)
        table = pa.table({"id": self.ids, "fold": self.folds}).replace_schema_metadata({"vicinal": meta})
        buffer = io.BytesIO()
        pq.write_table(table, buffer)
        write_bytes(path, buffer.getvalue())

    @staticmethod
    def read(path: Path) -> "Folds":
        """Read folds written with `write`.

        Raises:  PathError: when there is no such file.
                 FormatError: when it holds no folds, or its rows are not those that were hashed.
        """
        if not path.is_file():
            raise PathError(f"{path} does not exist.")
        try:
            with pq.ParquetFile(path) as file:
                table = file.read()
            meta = json.loads((table.schema.metadata or {})[b"vicinal"])
            version, names, expected = meta["version"], tuple(map(str, meta["names"])), meta["hash"]
            folds = Folds(table["id"].to_numpy(), table["fold"].to_numpy(), names)
        except (pa.ArrowException, KeyError, TypeError, ValueError) as error:
            raise FormatError(f"{path} holds no folds: {error}") from error
        if version != _VERSION:
            raise FormatError(f"{path}: folds version {version} is not {_VERSION}; use a newer Vicinal.")
        if folds.hash != expected:
            raise FormatError(f"{path}: its rows were changed since it was written. Make the folds again.")
        return folds


def make_folds(ids: np.ndarray, groups: np.ndarray, strata: np.ndarray, *, n_folds: int, seed: int) -> Folds:
    """Draw folds of about equal size by group, each with about the same mix of strata.

    Args:    ids: (n,) unique.  groups: (n,), never straddle two folds.  strata: (n,), label texts.
             seed: the same seed gives the same folds, whatever the order of the rows.
    Raises:  ExperimentError: when there are fewer than two folds, or groups for some fold are lacking.
    """
    n_groups = len(np.unique(groups))
    if not 2 <= n_folds <= n_groups:
        raise ExperimentError(
            f"split: expected 2 to {n_groups} folds, as many as there are groups (subjects), got {n_folds}."
        )
    folds = assign(groups, strata, shares=np.full(n_folds, 1 / n_folds), seed=seed)
    if len(np.unique(folds)) < n_folds:
        raise ExperimentError(
            f"split: {n_groups} groups (subjects) of very unlike sizes do not fill {n_folds} folds. Use fewer."
        )
    return Folds(ids, folds, tuple(map(str, range(n_folds))))


def leave_one_out(ids: np.ndarray, values: np.ndarray, *, name: str) -> Folds:
    """Make one fold of each value of a column: a subject, a site, or a fold that someone published.

    Args:    values: (n,), texts or numbers.  name: of the column, for messages.
    Returns: folds in the order of the values, numbers by size ("2" before "10").
    Raises:  ExperimentError: when a row has no value, numbers and words are mixed, or all values are equal.
    """
    texts = np.array([_text(value) for value in np.asarray(values).tolist()], dtype=str)
    names = sorted(set(texts.tolist()) - {""}, key=_natural)
    numbers = [one for one in names if re.fullmatch(r"[+-]?\d+(\.\d+)?", one)]
    problems = []
    if (texts == "").any():
        missing = np.asarray(ids, dtype=str)[texts == ""]
        problems.append(f"{len(missing)} rows have no value (first {', '.join(missing[:3].tolist())})")
    if 0 < len(numbers) < len(names):
        words = ", ".join(one for one in names if one not in numbers)
        problems.append(f"expected all numbers or all words, got {words} among {', '.join(numbers[:5])}")
    if len(names) < 2:
        problems.append(f"expected at least two values, got {', '.join(names) or 'none'}")
    if problems:
        raise ExperimentError(f"split: leave_one_out {name!r}: " + "; ".join(problems) + ".")
    index = {one: k for k, one in enumerate(names)}
    return Folds(ids, np.array([index[text] for text in texts.tolist()]), tuple(names))


def _text(value: object) -> str:
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value:g}"
    return str(value).strip()


def _natural(text: str) -> tuple[object, ...]:
    """Order "s2" before "s10"."""
    return tuple((int(piece), "") if piece.isdecimal() else (-1, piece) for piece in re.split(r"(\d+)", text))
