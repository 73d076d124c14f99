"""From the rows of a label table to a catalogue: labels, subjects, parts and further columns of each recording.

The table may name files, stand in a file of signals itself, or come from arrays. Must not know formats.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Int64

from vicinal.errors import FormatError
from vicinal.inputs.datasets.catalogue import Catalogue, Recording
from vicinal.inputs.datasets.own.columns import Columns, facts_of
from vicinal.inputs.datasets.own.parts import part_called
from vicinal.inputs.datasets.own.plausible import oddities
from vicinal.inputs.labels import Column, LabelTable, split_labels
from vicinal.inputs.problems import Problems

__all__ = ["ASSUMES", "Source", "labelled"]

ASSUMES = "no subjects are known: assumes one recording per person"
_ADVICE = "Correct the table; a record without label has an empty cell."
_FEW = 5


@dataclass(frozen=True)
class Source:
    """Where one recording lies: its id, its file, and what its reader needs besides."""

    id: str
    path: Path
    options: Mapping[str, Any] = field(default_factory=dict)


def labelled(
    name: str,
    table: LabelTable,
    columns: Columns,
    *,
    sources: list[Source],
    source_of: Int64[np.ndarray, " n"],
    problems: Problems,
    options: Mapping[str, Any],
    events: Mapping[int, tuple[tuple[float, str], ...]] | None = None,
    skipped: tuple[tuple[str, str], ...] = (),
) -> Catalogue:
    """Return the catalogue of the recordings that the rows of a table stand for.

    Args:    sources: the recordings.  source_of: (n,) the recording that each row stands for, -1 where it is a
             problem already counted.  problems: what was found so far.
             options: what every recording's reader needs.  events: of each source that has any, in seconds.
             skipped: what was left out before.
    Raises:  FormatError: lists every problem of the table, with its line.
    """
    labels_of, sets = _labels(table, columns, problems)
    subjects = None if columns.subject is None else table.columns[columns.subject]
    if subjects is not None:
        problems.extend(_alike(subjects.texts(), "subject"))
    problems.extend(_alike({label for labels in sets for label in labels}, "label"))
    kept, n_repeated = _first_rows(table, sources, source_of, labels_of, subjects, problems)
    if columns.row is None:
        kept = np.sort(kept)
    # Signals inside files stay in the order of the files, each of which is then read from front to back, once.
    parts = _parts(table, columns, kept, problems)
    if not (len(kept) or problems.n):
        problems.add(f"column {', '.join(columns.labels)}: expected labels, every cell is empty")
    problems.raise_any(_ADVICE)
    facts, reserved = facts_of(table, columns)
    values = {fact: table.values(fact) for fact in facts}
    recordings = tuple(
        _recording(
            sources[source_of[row]],
            labels=sets[labels_of[row]],
            subject=None if subjects is None else subjects.cell(row),
            facts={fact: column[row] for fact, column in values.items()},
            options=options,
            events=(events or {}).get(int(source_of[row])),
        )
        for row in kept.tolist()
    )
    classes = columns.labels if columns.are_classes else _classes(recordings)
    return Catalogue(
        name=name,
        classes=classes,
        recordings=recordings,
        has_subjects=subjects is not None,
        officials={} if parts is None else {str(columns.split): parts},
        notes=(
            *_notes(columns, n_repeated, reserved),
            *_class_notes(recordings, classes),
            *oddities(table, facts),
        ),
        skipped=(*_without_label(table, sources, source_of, labels_of), *skipped),
    )


def _recording(
    source: Source,
    *,
    labels: tuple[str, ...],
    subject: str | None,
    facts: Mapping[str, Any],
    options: Mapping[str, Any],
    events: tuple[tuple[float, str], ...] | None,
) -> Recording:
    facts = {name: value if isinstance(value, str) else float(value) for name, value in facts.items()}
    needed = {**options, **source.options, **({"events": events} if events is not None else {})}
    return Recording(source.id, source.path, subject, subject or source.id, labels, facts, None, needed)


def _labels(
    table: LabelTable, columns: Columns, problems: Problems
) -> tuple[Int64[np.ndarray, " n"], list[tuple[str, ...]]]:
    """Return for each row the number of its set of labels, and the sets; None of them is the set -1."""
    if columns.are_classes:
        return _labels_from_classes(table, columns, problems)
    column = table.columns[columns.labels[0]]
    sets: list[tuple[str, ...]] = []
    numbers = np.full(len(column.distinct), -1, dtype=np.int64)
    known: dict[tuple[str, ...], int] = {}
    for code, text in enumerate(column.texts()):
        if not text:
            continue
        try:
            labels = split_labels(text)
        except FormatError as error:
            rows = np.flatnonzero(column.codes == code)
            problems.add_rows(rows, lambda row, error=error: f"line {table.lines[row]}: {error}")  # type: ignore[misc]
            continue
        numbers[code] = known.setdefault(tuple(sorted(labels)), len(known))
        if len(known) > len(sets):
            sets.append(labels)
    return numbers[column.codes], sets


def _labels_from_classes(
    table: LabelTable, columns: Columns, problems: Problems
) -> tuple[Int64[np.ndarray, " n"], list[tuple[str, ...]]]:
    """Read one column for each class, of 0 and 1; a row of zeros has no class, which is an answer."""
    bits = np.zeros((len(table), len(columns.labels)), dtype=bool)
    for k, name in enumerate(columns.labels):
        column = table.columns[name]
        words = [text.casefold().removesuffix(".0") for text in column.texts()]
        wrong = np.array([word not in ("0", "1", "false", "true") for word in words])
        bits[:, k] = np.array([word in ("1", "true") for word in words])[column.codes]
        problems.add_rows(
            np.flatnonzero(wrong[column.codes]),
            lambda row, column=column, name=name: (  # type: ignore[misc]
                f"line {table.lines[row]}: column {name}: expected 0 or 1, got {column.cell(row)!r}"
            ),
        )
    rows, numbers = np.unique(bits, axis=0, return_inverse=True)
    sets = [tuple(name for name, bit in zip(columns.labels, row, strict=True) if bit) for row in rows]
    return numbers.reshape(-1).astype(np.int64), sets


def _first_rows(
    table: LabelTable,
    sources: list[Source],
    source_of: Int64[np.ndarray, " n"],
    labels_of: Int64[np.ndarray, " n"],
    subjects: Column | None,
    problems: Problems,
) -> tuple[Int64[np.ndarray, " m"], int]:
    """Return the row of each recording that has labels, in the order of `sources`, and how many rows repeat one."""
    usable: Bool[np.ndarray, " n"] = (source_of >= 0) & (labels_of >= 0)
    rows = np.flatnonzero(usable)
    _, first, inverse = np.unique(source_of[rows], return_index=True, return_inverse=True)
    other = rows[first[inverse]]
    differs = labels_of[rows] != labels_of[other]
    if subjects is not None:
        differs |= subjects.codes[rows] != subjects.codes[other]
        empty = subjects.is_empty()
        problems.add_rows(
            np.flatnonzero(usable & empty),
            lambda row: f"line {table.lines[row]}: expected a subject, the cell is empty",
        )
    problems.add_rows(
        rows[differs],
        lambda row: (
            f"line {table.lines[row]}: {sources[source_of[row]].id!r} stands twice, with different label or "
            f"subject (before in line {table.lines[int(other[np.searchsorted(rows, row)])]})"
        ),
    )
    return rows[first].astype(np.int64), len(rows) - len(first)


def _parts(
    table: LabelTable, columns: Columns, kept: Int64[np.ndarray, " m"], problems: Problems
) -> tuple[str, ...] | None:
    if columns.split is None:
        return None
    column = table.columns[columns.split]
    parts = [part_called(text) for text in column.texts()]
    wrong = np.array([part is None for part in parts])
    problems.add_rows(
        kept[wrong[column.codes[kept]]],
        lambda row: (
            f"line {table.lines[row]}: column {columns.split}: expected train, validation, calibration, test or "
            f"unused, got {column.cell(row)!r}"
        ),
    )
    return None if problems.n else tuple(str(parts[code]) for code in column.codes[kept])


def _alike(names: list[str] | set[str], what: str) -> Iterator[str]:
    """Yield names that differ only in case, leading zeros or a trailing `.0`, so are probably one."""
    seen: dict[str, str] = {}
    for name in sorted(name for name in names if name):
        bare = name.casefold().removesuffix(".0")
        bare = bare.lstrip("0") or "0" if bare.isdecimal() else bare
        if bare in seen:
            yield f"{what}s {seen[bare]!r} and {name!r} look like one; write them alike"
        seen.setdefault(bare, name)


def _without_label(
    table: LabelTable,
    sources: list[Source],
    source_of: Int64[np.ndarray, " n"],
    labels_of: Int64[np.ndarray, " n"],
) -> Iterator[tuple[str, str]]:
    labelled_too = np.unique(source_of[labels_of >= 0])
    for row in np.flatnonzero((source_of >= 0) & (labels_of < 0) & ~np.isin(source_of, labelled_too)):
        yield sources[source_of[row]].id, f"no label in line {table.lines[row]} of {Path(table.source).name}"


def _classes(recordings: tuple[Recording, ...]) -> tuple[str, ...]:
    return tuple(sorted({label for one in recordings for label in one.labels}))


def _notes(columns: Columns, n_repeated: int, reserved: list[str]) -> Iterator[str]:
    if columns.subject is None:
        yield ASSUMES
    if n_repeated:
        yield f"{n_repeated} rows repeat another row and were left out"
    if reserved:
        yield f"columns {', '.join(reserved)} bear reserved names and were left out"


def _class_notes(recordings: tuple[Recording, ...], classes: tuple[str, ...]) -> Iterator[str]:
    groups: dict[str, set[str]] = {name: set() for name in classes}
    for one in recordings:
        for label in one.labels:
            groups[label].add(one.group)
    few = [f"{name} ({len(found)})" for name, found in groups.items() if len(found) < _FEW]
    if few:
        yield f"classes that fewer than {_FEW} subjects or recordings have: {', '.join(few)}"
    if "-1" in groups and "0" in groups and "1" in groups:
        yield "labels are -1, 0 and 1: -1 counts as a class of its own; empty its cells where it means not known"
