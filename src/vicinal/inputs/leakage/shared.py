"""What the manifest alone gives away: subjects, groups and equal signals on both sides, and parts that lack a class.

Looks at a pack and the part of each row; reads no signal. Must not know networks or scores.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Int64

from vicinal.inputs.leakage.finding import Finding, some
from vicinal.inputs.pack import Pack

__all__ = ["across_parts", "constant_rows", "identical_rows", "one_sided_parts", "without_subjects"]


def across_parts(pack: Pack, parts: np.ndarray, *, official: str | None = None) -> Iterator[Finding]:
    """Find subjects, and the keys that a split keeps together, in more than one part.

    Args:    parts: (n,) names; "unused" rows leak nothing.
             official: the name of the published split that the parts come from; then the leak is its own.
    """
    keys = {}
    if pack.subjects is not None:
        keys["subjects_across_parts"] = ("subjects", pack.subjects)
    if pack.subjects is None or not np.array_equal(pack.groups, pack.subjects):
        keys["groups_across_parts"] = ("groups", pack.groups)
    for kind, (name, key) in keys.items():
        values, rows = _straddling(key, parts)
        if not len(values):
            continue
        ids = tuple(pack.ids[rows].tolist())
        if official is not None:
            yield Finding(
                "protocol_leak",
                "leak",
                f"The published split {official!r} itself puts {len(values)} {name}, of {len(rows)} rows, in more "
                "than one part. Report its numbers as the protocol's, and beside them those without these rows.",
                ids,
            )
            return
        # Subjects are counted, not named: a report may be read by more people than the data.
        named = "" if name == "subjects" else f" ({some(values)})"
        yield Finding(
            kind,
            "leak",
            f"{len(values)} {name} have rows in more than one part of the split{named}. A network may recognise "
            "whom it has seen. Split by subject.",
            ids,
        )


def identical_rows(pack: Pack, parts: np.ndarray) -> Iterator[Finding]:
    """Find rows with the same prepared signal; rows without any signal are equal by nature and left out."""
    has_signal = pack.n_flat < pack.contract.input_shape[0]
    hashes = pack.hashes
    _, groups, counts = np.unique(hashes, return_inverse=True, return_counts=True)
    copies = has_signal & (counts[groups] > 1) & (parts != "unused")
    values, straddling = _straddling(hashes, np.where(has_signal, parts, "unused"))
    straddling = straddling[has_signal[straddling]]
    if len(values):
        ids = pack.ids[straddling[np.argsort(hashes[straddling], kind="stable")]]
        yield Finding(
            "identical_across_parts",
            "leak",
            f"{len(values)} signals are in more than one part of the split under different names ({some(ids)}). "
            "Give such twins one group.",
            tuple(ids.tolist()),
        )
    within = np.flatnonzero(copies & ~np.isin(np.arange(len(pack)), straddling))
    if len(within):
        ids = pack.ids[within[np.argsort(hashes[within], kind="stable")]]
        yield Finding(
            "identical_within_part",
            "note",
            f"{len(ids)} rows repeat a signal of the same part ({some(ids)}). They count more than once in every "
            "number, but leak nothing.",
            tuple(ids.tolist()),
        )


def constant_rows(pack: Pack, parts: np.ndarray) -> Iterator[Finding]:
    """Find rows without any change in any channel."""
    flat = np.flatnonzero((pack.n_flat == pack.contract.input_shape[0]) & (parts != "unused"))
    if len(flat):
        yield Finding(
            "constant_rows",
            "warning",
            f"{len(flat)} of {len(pack)} rows are constant or empty in every channel ({some(pack.ids[flat])}). No "
            "network can tell them apart; look at the recordings.",
            tuple(pack.ids[flat].tolist()),
        )


def one_sided_parts(pack: Pack, parts: np.ndarray) -> Iterator[Finding]:
    """Find classes that have no positive, or no negative, in a part that is used."""
    for part in dict.fromkeys(parts[parts != "unused"].tolist()):
        truth = pack.truth[parts == part]
        # That every row holds an event of a class is no lack: the events between are its negatives.
        values = {1.0: "positive"} if pack.task == "events" else {1.0: "positive", 0.0: "negative"}
        for value, word in values.items():
            lacking = [name for k, name in enumerate(pack.classes) if not (truth[:, k] == value).any()]
            if lacking:
                yield Finding(
                    "class_missing",
                    "warning",
                    f"No {word} row of {', '.join(lacking)} among the {len(truth)} {part} rows.",
                )


def without_subjects(pack: Pack) -> Iterator[Finding]:
    """Say so when the data do not tell who was recorded."""
    if pack.subjects is None:
        yield Finding(
            "no_subjects",
            "note",
            "The data do not say who was recorded. Every number assumes one recording per person; where a person "
            "was recorded twice, the results are too good and the intervals too narrow.",
        )


def _straddling(keys: np.ndarray, parts: np.ndarray) -> tuple[np.ndarray, Int64[np.ndarray, " m"]]:
    """Return the keys that occur in more than one used part, and their rows."""
    used = parts != "unused"
    pairs = np.unique(np.stack([keys[used], parts[used]], axis=1), axis=0) if used.any() else np.empty((0, 2))
    values, counts = np.unique(pairs[:, 0], return_counts=True)
    shared = values[counts > 1]
    return shared, np.flatnonzero(used & np.isin(keys, shared)).astype(np.int64)
