"""The leakage auditor: what reaches from training into test, said in words.

Looks at a pack and its split; must not know networks or scores. What it does not find is not proven absent.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Int64

from vicinal.inputs.pack import Pack
from vicinal.inputs.splits import PARTS, Split

__all__ = ["Finding", "audit"]


@dataclass(frozen=True)
class Finding:
    """One thing that a reader of the results must know.

    Args:    kind: a fixed name, such as "groups_across_parts".
             severity: "leak" (results are too good), "warning" (may be), "note" (a limit of the data).
             message: one or two sentences.  ids: the rows that it is about, as far as it is about some.
    """

    kind: str
    severity: Literal["leak", "warning", "note"]
    message: str
    ids: tuple[str, ...] = ()


def audit(pack: Pack, split: Split) -> list[Finding]:
    """Return all findings, leaks first.

    Raises:  ExperimentError: when the split was made for other rows.
    """
    parts = split.aligned(pack.ids).parts
    found = [
        *_across(pack, parts),
        *_identical(pack, parts),
        *_empty(pack, parts),
        *_one_sided(pack, parts),
        *_without_subjects(pack),
    ]
    return sorted(found, key=lambda finding: ("leak", "warning", "note").index(finding.severity))


def _across(pack: Pack, parts: np.ndarray) -> list[Finding]:
    """Subjects, and the keys that a split keeps together, in more than one part."""
    keys = {}
    if pack.subjects is not None:
        keys["subjects_across_parts"] = ("subjects", pack.subjects)
    if pack.subjects is None or not np.array_equal(pack.groups, pack.subjects):
        keys["groups_across_parts"] = ("groups", pack.groups)
    findings = []
    for kind, (name, key) in keys.items():
        values, rows = _straddling(key, parts)
        if len(values):
            # Subjects are counted, not named: a report may be read by more people than the data.
            named = "" if name == "subjects" else f" ({_some(values)})"
            message = (
                f"{len(values)} {name} have rows in more than one part of the split{named}. A "
                "network may recognise whom it has seen. Split by subject."
            )
            findings.append(Finding(kind, "leak", message, tuple(pack.ids[rows].tolist())))
    return findings


def _identical(pack: Pack, parts: np.ndarray) -> list[Finding]:
    """Rows with the same prepared signal; rows without any signal are equal by nature and left out."""
    has_signal = pack.n_flat < pack.contract.input_shape[0]
    _, groups, counts = np.unique(pack.hashes, return_inverse=True, return_counts=True)
    copies = has_signal & (counts[groups] > 1)
    values, straddling = _straddling(pack.hashes, np.where(has_signal, parts, "unused"))
    straddling = straddling[has_signal[straddling]]
    findings = []
    if len(values):
        ids = pack.ids[straddling[np.argsort(pack.hashes[straddling], kind="stable")]]
        message = (
            f"{len(values)} signals are in more than one part of the split under different names "
            f"({_some(ids)}). Give such twins one group."
        )
        findings.append(Finding("identical_across_parts", "leak", message, tuple(ids.tolist())))
    within = np.flatnonzero(copies & ~np.isin(np.arange(len(pack)), straddling))
    if len(within):
        ids = pack.ids[within[np.argsort(pack.hashes[within], kind="stable")]]
        message = (
            f"{len(ids)} rows repeat a signal of the same part ({_some(ids)}). They count more than once in "
            "every number, but leak nothing."
        )
        findings.append(Finding("identical_within_part", "note", message, tuple(ids.tolist())))
    return findings


def _empty(pack: Pack, parts: np.ndarray) -> list[Finding]:
    flat = np.flatnonzero((pack.n_flat == pack.contract.input_shape[0]) & (parts != "unused"))
    if not len(flat):
        return []
    message = (
        f"{len(flat)} of {len(pack)} rows are constant or empty in every channel ({_some(pack.ids[flat])}). "
        "No network can tell them apart; look at the recordings."
    )
    return [Finding("constant_rows", "warning", message, tuple(pack.ids[flat].tolist()))]


def _one_sided(pack: Pack, parts: np.ndarray) -> list[Finding]:
    """Classes that have no positive, or no negative, in a part that is used."""
    findings = []
    for part in (part for part in PARTS[:4] if (parts == part).any()):
        truth = pack.truth[parts == part]
        # That every row holds an event of a class is no lack: the events between are its negatives.
        values = {1.0: "positive"} if pack.task == "events" else {1.0: "positive", 0.0: "negative"}
        for value, word in values.items():
            lacking = [name for k, name in enumerate(pack.classes) if not (truth[:, k] == value).any()]
            if lacking:
                message = f"No {word} row of {', '.join(lacking)} among the {len(truth)} {part} rows."
                findings.append(Finding("class_missing", "warning", message))
    return findings


def _without_subjects(pack: Pack) -> list[Finding]:
    if pack.subjects is not None:
        return []
    message = (
        "The data do not say who was recorded. Every number assumes one recording per person; where a person "
        "was recorded twice, the results are too good and the intervals too narrow."
    )
    return [Finding("no_subjects", "note", message)]


def _straddling(keys: np.ndarray, parts: np.ndarray) -> tuple[np.ndarray, Int64[np.ndarray, " m"]]:
    """Return the keys that occur in more than one used part, and their rows."""
    used = parts != "unused"
    pairs = np.unique(np.stack([keys[used], parts[used]], axis=1), axis=0) if used.any() else np.empty((0, 2))
    values, counts = np.unique(pairs[:, 0], return_counts=True)
    shared = values[counts > 1]
    return shared, np.flatnonzero(used & np.isin(keys, shared)).astype(np.int64)


def _some(values: np.ndarray) -> str:
    shown = ", ".join(str(value) for value in values[:4])
    return shown if len(values) <= 4 else f"{shown}, ..."
