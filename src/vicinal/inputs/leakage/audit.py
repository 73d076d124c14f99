"""The leakage auditor: what reaches from training into test, said in words.

Looks at a pack and the part of each row; must not know networks or scores. What it does not find is not proven
absent.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from vicinal.errors import ExperimentError
from vicinal.inputs.folds import Folds
from vicinal.inputs.leakage.copies import LEAST_CORRELATION, SHORT, Copy, find_copies
from vicinal.inputs.leakage.finding import Finding, by_severity, some
from vicinal.inputs.leakage.shared import (
    across_parts,
    constant_rows,
    identical_rows,
    one_sided_parts,
    without_subjects,
)
from vicinal.inputs.leakage.shortcuts import giveaway_columns, in_label_order
from vicinal.inputs.pack import Pack
from vicinal.inputs.splits import Split

__all__ = ["audit", "audit_folds"]


def audit(
    pack: Pack,
    split: Split,
    *,
    official: str | None = None,
    expected: Sequence[str] = (),
    with_copies: bool = True,
) -> list[Finding]:
    """Return all findings about a split, leaks first.

    Args:    official: the name of the published split that it follows.
             expected: columns that repeat the label in other words, such as a subtype.
             with_copies: whether signals are compared, which reads all of them.
    Raises:  ExperimentError: when the split was made for other rows.
    """
    parts = split.aligned(pack.ids).parts
    return by_severity(
        [
            *across_parts(pack, parts, official=official),
            *(_copies_across(pack, parts) if with_copies else ()),
            *_of_parts(pack, parts, expected=expected),
        ]
    )


def audit_folds(pack: Pack, folds: Folds, *, expected: Sequence[str] = ()) -> list[Finding]:
    """Return all findings about folds, leaks first: what reaches from one fold into another.

    Rows of a group that lies in several folds are no leak: a fold's split leaves them out.

    Raises:  ExperimentError: when the folds were made for other rows.
    """
    if not np.array_equal(folds.ids, pack.ids):
        raise ExperimentError("the folds were made for other rows. Use the data that they were made for.")
    parts = np.array([f"fold {name}" for name in folds.names])[folds.folds]
    return by_severity([*_copies_across(pack, parts), *_of_parts(pack, parts, expected=expected)])


def _of_parts(pack: Pack, parts: np.ndarray, *, expected: Sequence[str] = ()) -> list[Finding]:
    """Return what the manifest shows about parts, apart from subjects and groups across them."""
    used = parts != "unused"
    train = parts == "train"
    if not train.any():  # folds: any one of them stands for what is tested
        train = used & (parts != parts[used][0])
    return [
        *identical_rows(pack, parts),
        *constant_rows(pack, parts),
        *one_sided_parts(pack, parts),
        *giveaway_columns(
            pack.columns,
            pack.truth,
            pack.classes,
            groups=pack.groups,
            train=train,
            used=used,
            expected=expected,
        ),
        *in_label_order(pack.ids, pack.labels, groups=pack.groups),
        *without_subjects(pack),
    ]


def _copies_across(pack: Pack, parts: np.ndarray) -> Iterator[Finding]:
    """Find rows of different parts that are nearly the same signal, or share a stretch of one."""
    if len(pack.contract.input_shape) != 2:
        yield Finding(
            "copies_not_looked_for",
            "note",
            "Near-duplicates are looked for in signals over time only; here, only equal rows were.",
        )
        return
    codes = np.unique(parts, return_inverse=True)[1].astype(np.int64)
    # Identical rows have their own finding; rows without signal are equal by nature.
    left_out = (parts == "unused") | (pack.n_flat == pack.contract.input_shape[0])
    n_channels = pack.contract.input_shape[0]
    search = find_copies(pack.rows, pack.lengths, np.where(left_out, -1, codes), n_channels=n_channels)
    hashes = pack.hashes
    copies = [copy for copy in search.copies if hashes[copy.first] != hashes[copy.second]]
    whole = "short" if np.median(pack.lengths) < SHORT else "whole"
    yield from _said(
        pack, [copy for copy in copies if copy.whole], "near_duplicates_across_parts", threshold=whole
    )
    yield from _said(
        pack, [copy for copy in copies if not copy.whole], "shared_stretch_across_parts", threshold="stretch"
    )
    if search.n_rows < (~left_out).sum():
        yield Finding(
            "copies_not_all_looked_for",
            "note",
            f"Near-duplicates were looked for among {search.n_rows:,} of {(~left_out).sum():,} rows, drawn with a "
            "seed; the others were compared for equality only.",
        )


def _said(pack: Pack, copies: list[Copy], kind: str, *, threshold: str) -> Iterator[Finding]:
    if not copies:
        return
    ids = pack.ids
    pairs = [f"{ids[copy.first]} ~ {ids[copy.second]}" for copy in copies]
    rows = dict.fromkeys(row for copy in copies for row in (copy.first, copy.second))
    what = (
        "are nearly the same signal, whatever its gain, offset, polarity and a small shift"
        if kind.startswith("near")
        else "share a stretch of one signal, as overlapping windows do"
    )
    unlike = sum(pack.labels[copy.first] != pack.labels[copy.second] for copy in copies)
    labels = f" {unlike} of the pairs have different labels." if unlike else ""
    yield Finding(
        kind,
        "leak",
        f"{len(copies)} pairs of rows in different parts of the split {what} (correlation "
        f"{LEAST_CORRELATION[threshold]} or more: {some(pairs)}).{labels} Give such rows one group.",
        tuple(str(ids[row]) for row in rows),
    )
