"""Splits: which rows train, select, calibrate and test. Groups (subjects) never straddle two parts.

Stratified, seeded, independent of the order of the rows, and saved with a hash that every score table names.
Knows ids, groups and label texts; must not know signals.
"""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Float64, Int64

from vicinal.errors import ExperimentError, FormatError, PathError, did_you_mean
from vicinal.files import sha256_bytes, write_bytes

__all__ = ["PARTS", "Split", "assign", "make_split", "with_drawn_parts", "with_fewer_groups"]

PARTS = ("train", "validation", "calibration", "test", "unused")
"""`validation` rows select, `calibration` rows are selected on by nothing, `test` rows are looked at once."""

_VERSION = 1


@dataclass(frozen=True)
class Split:
    """One part per row.

    Args:    ids: (n,) unique.  parts: (n,), each one of `PARTS`.
    Raises:  FormatError: when lengths differ, ids repeat, or a part is unknown.
    """

    ids: np.ndarray
    parts: np.ndarray

    def __post_init__(self) -> None:
        object.__setattr__(self, "ids", np.asarray(self.ids, dtype=str))
        object.__setattr__(self, "parts", np.asarray(self.parts, dtype=str))
        problems = []
        if self.ids.shape != self.parts.shape or self.ids.ndim != 1:
            problems.append(
                f"expected one part per id, got {self.ids.shape} ids and {self.parts.shape} parts"
            )
        if len(np.unique(self.ids)) != len(self.ids):
            problems.append("ids repeat")
        unknown = sorted(set(np.unique(self.parts).tolist()) - set(PARTS))
        if unknown:
            problems.append(f"parts {unknown} are not among {', '.join(PARTS)}")
        if problems:
            raise FormatError("split: " + "; ".join(problems) + ".")

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def hash(self) -> str:
        """SHA-256 over the pairs of id and part, whatever the order of the rows."""
        return sha256_bytes(
            json.dumps(sorted(zip(self.ids.tolist(), self.parts.tolist(), strict=True))).encode()
        )

    @property
    def counts(self) -> dict[str, int]:
        """Rows in each part that has any, in the order of `PARTS`."""
        return {part: n for part in PARTS if (n := int((self.parts == part).sum()))}

    def indices(self, part: str) -> Int64[np.ndarray, " m"]:
        """Return the rows of one part, in order.

        Raises:  ExperimentError: when there is no such part.
        """
        if part not in PARTS:
            raise ExperimentError(f"split: part {part!r} is not one of {', '.join(PARTS)}.")
        return np.flatnonzero(self.parts == part).astype(np.int64)

    def aligned(self, ids: np.ndarray) -> "Split":
        """Return the same split with its rows in the order of `ids` (those of a pack).

        Raises:  ExperimentError: when the two do not hold the same ids.
        """
        wanted = np.asarray(ids, dtype=str)
        missing, extra = np.setdiff1d(wanted, self.ids), np.setdiff1d(self.ids, wanted)
        if len(missing) or len(extra):
            raise ExperimentError(
                f"the split was made for other rows: {len(missing)} ids are not in it (first "
                f"{missing[:3].tolist()}), {len(extra)} of its ids are not in the data (first "
                f"{extra[:3].tolist()}). Use the data that it was made for, or make a new split."
            )
        order = np.argsort(self.ids)
        return Split(ids=wanted, parts=self.parts[order[np.searchsorted(self.ids[order], wanted)]])

    def write(self, path: Path) -> None:
        """Write the split as Parquet (`id`, `part`), atomically, with its hash in the metadata."""
        meta = json.dumps({"version": _VERSION, "hash": self.hash}, sort_keys=True)
        table = pa.table({"id": self.ids, "part": self.parts}).replace_schema_metadata({"vicinal": meta})
        buffer = io.BytesIO()
        pq.write_table(table, buffer)
        write_bytes(path, buffer.getvalue())

    @staticmethod
    def read(path: Path) -> "Split":
        """Read a split written with `write`.

        Raises:  PathError: when there is no such file.
                 FormatError: when it is not a split, or its rows are not those that were hashed.
        """
        if not path.is_file():
            raise PathError(f"{path} does not exist.")
        try:
            with pq.ParquetFile(path) as file:
                table = file.read()
            meta = json.loads((table.schema.metadata or {})[b"vicinal"])
            version, expected = meta["version"], meta["hash"]
            split = Split(ids=table["id"].to_numpy(), parts=table["part"].to_numpy())
        except (pa.ArrowException, KeyError, TypeError, json.JSONDecodeError) as error:
            raise FormatError(f"{path} is not a split: {error}.") from error
        if version != _VERSION:
            raise FormatError(f"{path}: split version {version} is not {_VERSION}; use a newer Vicinal.")
        if split.hash != expected:
            raise FormatError(f"{path}: its rows were changed since it was written. Make the split again.")
        return split


def make_split(
    ids: np.ndarray, groups: np.ndarray, strata: np.ndarray, *, shares: Mapping[str, float], seed: int
) -> Split:
    """Split rows by group, each part with about the same mix of strata.

    Args:    ids: (n,) unique.  groups: (n,), the key that never straddles two parts (subject, or twin pair).
             strata: (n,), label texts.  shares: share of the rows for `test`, `validation` and `calibration`;
             the rest trains.  seed: the same seed gives the same split, whatever the order of the rows.
    Returns: a split; with one row a group, each part holds its share of each stratum to within two rows.
    Raises:  ExperimentError: when the shares are wrong, or the groups too few to fill every part.
    """
    _check_shares(shares)
    wanted = {"train": 1 - sum(shares.values()), **{part: shares[part] for part in PARTS if shares.get(part)}}
    names = np.array(list(wanted))
    parts = names[assign(groups, strata, shares=np.array(list(wanted.values())), seed=seed)]
    empty = [part for part in wanted if part not in parts]
    if empty:
        raise ExperimentError(
            f"split: no rows for {', '.join(empty)}: {len(np.unique(groups))} groups (subjects) cannot be "
            f"shared out as {_shown(wanted)}. Use fewer parts, larger shares, or more subjects."
        )
    return Split(ids=ids, parts=parts)


def with_drawn_parts(
    split: Split, groups: np.ndarray, strata: np.ndarray, *, shares: Mapping[str, float], seed: int
) -> Split:
    """Draw, by group, the parts that a split lacks from its training rows (a published split, a fold).

    Args:    groups, strata: (n,), as in `make_split`, in the order of the split.
             shares: of the training rows, for `validation` and `calibration`; what the split has already stays.
    Raises:  ExperimentError: as `make_split`; also when the split has no training or no test rows.
    """
    lacking = [part for part in ("train", "test") if part not in split.parts]
    if lacking:
        raise ExperimentError(f"split: it has no {' and no '.join(lacking)} rows, so nothing can be judged.")
    wanted = {part: share for part, share in shares.items() if part not in split.parts}
    if not wanted:
        return split
    train = split.parts == "train"
    drawn = make_split(
        split.ids[train],
        np.asarray(groups)[train],
        np.asarray(strata)[train],
        shares=wanted,
        seed=seed,
    )
    parts = split.parts.astype(f"<U{max(map(len, PARTS))}")
    parts[train] = drawn.parts
    return Split(split.ids, parts)


def with_fewer_groups(split: Split, groups: np.ndarray, *, n_train: int, seed: int) -> Split:
    """Keep `n_train` groups (subjects) of the training rows, and set the others aside as unused.

    The other parts stay as they are, and a smaller choice with the same seed lies within a larger one, so
    that what more data buy can be seen.

    Args:    groups: (n,), one per row of the split.
    Raises:  ExperimentError: when there are not that many groups to train on.
    """
    groups, train = np.asarray(groups, dtype=str), split.parts == "train"
    keys = np.unique(groups[train])
    if not 1 <= n_train <= len(keys):
        raise ExperimentError(
            f"split: expected 1 to {len(keys)} groups (subjects) to train on, got {n_train}."
        )
    kept = np.random.default_rng(seed).permutation(keys)[:n_train]
    return Split(ids=split.ids, parts=np.where(train & ~np.isin(groups, kept), "unused", split.parts))


def assign(
    groups: np.ndarray, strata: np.ndarray, *, shares: Float64[np.ndarray, " p"], seed: int
) -> Int64[np.ndarray, " n"]:
    """Return for each row the index of its share: the groups are dealt out, no group to two.

    The groups are put in random order, then by stratum, and each goes to the part that lacks most rows of its
    share. In any stretch of that order, so in each stratum too, the parts then hold their shares to within
    about one group, and rare strata do not all fall to the largest part.
    """
    keys, inverse, sizes = np.unique(np.asarray(groups, dtype=str), return_inverse=True, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(keys))
    order = order[np.argsort(_rarest(inverse, np.asarray(strata, dtype=str))[order], kind="stable")]
    part_of, lacking = np.zeros(len(keys), dtype=np.int64), np.zeros(len(shares))
    for group in order:
        lacking += shares * sizes[group]
        part_of[group] = part = int(np.argmax(lacking))
        lacking[part] -= sizes[group]
    return part_of[inverse]


def _rarest(group_of: Int64[np.ndarray, " n"], strata: np.ndarray) -> Int64[np.ndarray, " g"]:
    """Return for each group the rank of its rarest stratum: a group with one rare row counts as rare."""
    _, stratum_of, counts = np.unique(strata, return_inverse=True, return_counts=True)
    rank = np.empty(len(counts), dtype=np.int64)
    rank[np.argsort(counts, kind="stable")] = np.arange(len(counts))
    rarest = np.full(int(group_of.max(initial=-1)) + 1, len(counts), dtype=np.int64)
    np.minimum.at(rarest, group_of, rank[stratum_of])
    return rarest


def _check_shares(shares: Mapping[str, float]) -> None:
    known = PARTS[1:4]
    problems = [
        f"no share {name!r}" + did_you_mean(name, known).rstrip(".") for name in shares if name not in known
    ]
    problems += [
        f"{name} = {share} must lie in 0 to 1" for name, share in shares.items() if not 0 <= share < 1
    ]
    if not problems and sum(shares.values()) >= 1:
        problems.append(f"{_shown(shares)} leave nothing to train on")
    if problems:
        raise ExperimentError("split: " + "; ".join(problems) + ".")


def _shown(shares: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {share:.3g}" for name, share in shares.items())
