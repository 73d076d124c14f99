"""One's own data: a folder of recordings with a label table, or with one sub-folder for each class.

Knows folders and label tables; must not know what a label means or how a recording is prepared.
"""

import contextlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from vicinal.errors import FormatError, PathError
from vicinal.files import inside
from vicinal.inputs.datasets.catalogue import Catalogue, Recording
from vicinal.inputs.formats import READERS, reading
from vicinal.inputs.labels import LabelTable, problems_in, read_labels, split_labels
from vicinal.signal import Signal

__all__ = ["catalogue", "read"]

TABLES = ("labels.csv", "labels.tsv", "labels.parquet")
FILE_NAMES = ("file", "filename", "file_name", "record", "recording", "path")
LABEL_NAMES = ("label", "labels", "class", "diagnosis")
SUBJECT_NAMES = ("subject", "subject_id", "patient", "patient_id")
RESERVED = ("id", "subject", "group", "fold", "record", "position_s", "label", "labels")

_SIGNAL_FILES = (".dat", ".mat")
"""Files that a header beside them describes; the header stands for the recording."""


def catalogue(
    root: Path | None,
    *,
    labels: str | Path | None = None,
    file_column: str | None = None,
    label_column: str | None = None,
    subject_column: str | None = None,
    rate_hz: float | None = None,
    units: str | None = None,
    channels: tuple[str, ...] | None = None,
) -> Catalogue:
    """Find the recordings of a folder and their labels.

    Args:    root: the folder.
             labels: the label table, relative to `root` or anywhere; by default labels.csv, .tsv or .parquet
             in `root`, and without one every sub-folder is a class.
             file_column, label_column, subject_column: of the table; found by their usual names if not given.
             rate_hz, units, channels: for files that do not state them, as in `read`.
    Returns: recordings in the order of the table, or of their names; `skipped` lists files without a label.
    Raises:  PathError: when the folder or the table is missing.
             FormatError: when there is nothing to read, or the table has problems; lists all of them.
    """
    if root is None or not root.is_dir():
        given = "none" if root is None else str(root)
        raise PathError(f"expected a folder of recordings, got {given}. Give the folder with --data PATH.")
    told = {"rate_hz": rate_hz, "units": units, "channels": channels}
    options = {"root": str(root)} | {key: value for key, value in told.items() if value is not None}
    table = _table(root, labels)
    if table is None:
        return _by_folders(root, options)
    columns = _Columns(
        file=table.require(file_column, usual=FILE_NAMES, key="file_column"),
        label=table.require(label_column, usual=LABEL_NAMES, key="label_column"),
        subject=table.find(subject_column, usual=SUBJECT_NAMES, key="subject_column"),
    )
    return _by_table(root, table, columns, options)


def read(recording: Recording) -> Signal:
    """Read one recording of the catalogue; it gets the catalogue's id and subject."""
    if recording.path is None:
        raise PathError(f"recording {recording.id!r} has no file.")
    options = dict(recording.options)
    signal = reading.read(recording.path, root=Path(options.pop("root")), **options)
    return replace(signal, id=recording.id, subject=recording.subject)


@dataclass(frozen=True)
class _Columns:
    file: str
    label: str
    subject: str | None


def _table(root: Path, labels: str | Path | None) -> LabelTable | None:
    if labels is not None:
        return read_labels(root / labels if (root / labels).is_file() else Path(labels))
    there = [name for name in TABLES if (root / name).is_file()]
    if len(there) > 1:
        raise FormatError(
            f"{root}: expected one label table, got {', '.join(there)}. Set labels to one of them."
        )
    return read_labels(root / there[0]) if there else None


def _recordings_below(folder: Path) -> list[Path]:
    """Return the recordings below `folder`, sorted, each once; hidden files are left out."""
    found = []
    for path in sorted(folder.rglob("*")):
        suffix = path.suffix.lower()
        if suffix not in READERS or path.name in TABLES or path.name.startswith("."):
            continue
        if suffix in _SIGNAL_FILES and path.with_suffix(".hea").is_file():
            continue
        if path.is_file():
            found.append(path)
    return found


def _by_folders(root: Path, options: Mapping[str, object]) -> Catalogue:
    classes = sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
    found = [(folder.name, path) for folder in classes for path in _recordings_below(folder)]
    if not found:
        raise FormatError(
            f"{root}: expected a label table ({', '.join(TABLES)}) or one sub-folder of recordings a class, "
            f"got neither. Set labels to the table; recordings are files named {', '.join(READERS)}."
        )
    recordings = []
    for label, path in found:
        identifier = path.relative_to(root).with_suffix("").as_posix()
        recordings.append(Recording(identifier, path, None, identifier, (label,), {}, None, options))
    repeated = [name for name, count in Counter(one.id for one in recordings).items() if count > 1]
    if repeated:
        problems = [f"{name}: several files differ only in their ending" for name in repeated]
        raise problems_in(str(root), problems, advice="Keep one file for each recording.")
    loose = [path for path in _recordings_below(root) if path.parent == root]
    return Catalogue(
        name=root.resolve().name,
        classes=tuple(sorted({label for label, _ in found})),
        recordings=tuple(recordings),
        has_subjects=False,
        notes=("no subjects are known: assumes one recording per person",),
        skipped=tuple((path.name, "not in the folder of a class") for path in loose),
    )


def _by_table(root: Path, table: LabelTable, columns: _Columns, options: Mapping[str, object]) -> Catalogue:
    problems: list[str] = []
    skipped: list[tuple[str, str]] = []
    by_path: dict[Path, Recording] = {}
    unlabelled: set[Path] = set()
    n_repeated = 0
    reserved = {columns.file, columns.label, columns.subject}
    further = {name: table.values(name) for name in table.columns if name not in reserved}
    dropped = sorted(name for name in further if name.casefold() in RESERVED or ":" in name)
    further = {name: values for name, values in further.items() if name not in dropped}
    for row, line in enumerate(table.lines):
        facts = {name: values[row] for name, values in further.items()}
        try:
            path = _file(root, table.columns[columns.file][row])
            recording = _row(path, table, columns, row, facts, options)
        except (FormatError, PathError) as error:
            problems.append(f"line {line}: {str(error).removesuffix('.')}")
            continue
        if not recording.labels:
            skipped.append((recording.id, f"no label in line {line} of {table.source}"))
            unlabelled.add(path)
            continue
        first = by_path.setdefault(path, recording)
        n_repeated += first is not recording
        if (first.labels, first.subject) != (recording.labels, recording.subject):
            problems.append(f"line {line}: {recording.id!r} stands twice, with different label or subject")
    recordings = tuple(by_path.values())
    problems += _spelling_problems({label for one in recordings for label in one.labels}, "label")
    problems += _spelling_problems({one.subject for one in recordings if one.subject}, "subject")
    if not (recordings or problems):
        problems.append(f"column {columns.label}: expected labels, every cell is empty")
    if problems:
        raise problems_in(
            table.source, problems, advice="Correct the table; a record without label has an empty cell."
        )
    named = {*by_path, *unlabelled, Path(table.source).resolve()}
    unnamed = [path for path in _recordings_below(root) if path.resolve() not in named]
    skipped += [(path.relative_to(root).as_posix(), f"no row in {table.source}") for path in unnamed]
    return Catalogue(
        name=root.resolve().name,
        classes=tuple(sorted({label for one in recordings for label in one.labels})),
        recordings=recordings,
        has_subjects=columns.subject is not None,
        notes=tuple(_notes(columns, n_repeated, dropped)),
        skipped=tuple(skipped),
    )


def _row(
    path: Path,
    table: LabelTable,
    columns: _Columns,
    row: int,
    facts: Mapping[str, str | float],
    options: Mapping[str, object],
) -> Recording:
    """Return the recording of one row; without labels when the cell is empty."""
    name = table.columns[columns.file][row]
    subject = table.columns[columns.subject][row] if columns.subject else None
    label = table.columns[columns.label][row]
    if subject == "":
        raise FormatError(f"{name!r}: column {columns.subject}: expected a subject, the cell is empty")
    labels = split_labels(label) if label else ()
    return Recording(name, path, subject, subject or name, labels, facts, None, options)


def _file(root: Path, name: str) -> Path:
    """Return the recording called `name` in a table, with or without its ending."""
    if not name:
        raise FormatError("expected a file, the cell is empty")
    for ending in ("", *READERS):
        with contextlib.suppress(PathError):
            return inside(root, name + ending)
    return inside(root, name)  # raises: not there, or not a name that is looked up


def _spelling_problems(names: set[str], what: str) -> Iterator[str]:
    """Yield names that differ only in case, leading zeros or a trailing `.0`, so are probably one."""
    seen: dict[str, str] = {}
    for name in sorted(names):
        plain = name.casefold().removesuffix(".0")
        plain = plain.lstrip("0") or "0" if plain.isdecimal() else plain
        if plain in seen:
            yield f"{what}s {seen[plain]!r} and {name!r} look like one; write them alike"
        seen.setdefault(plain, name)


def _notes(columns: _Columns, n_repeated: int, dropped: list[str]) -> Iterator[str]:
    if columns.subject is None:
        yield "no subjects are known: assumes one recording per person"
    if n_repeated:
        yield f"{n_repeated} rows repeat another row and were left out"
    if dropped:
        yield f"columns {', '.join(dropped)} bear reserved names and were left out"
