"""PTB-XL: 21,799 recordings of twelve leads, 10 s at 100 or 500 Hz, with 71 statements in six sets of labels.

Statements count whatever their likelihood, as in the published benchmark. Sources: Wagner et al. 2020,
doi:10.1038/s41597-020-0495-6; Strodthoff et al. 2021, doi:10.1109/JBHI.2020.3022989. Knows where things lie and
what the labels mean; must not know contracts.
"""

import csv
import io
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from vicinal.errors import ExperimentError, FormatError, PathError, did_you_mean
from vicinal.inputs.datasets.catalogue import Catalogue, Recording
from vicinal.inputs.formats.reading import read as read_file
from vicinal.inputs.problems import Problems
from vicinal.signal import Signal

__all__ = ["LABEL_SETS", "SUPERCLASSES", "catalogue", "read"]

LABEL_SETS = ("all", "diagnostic", "subdiagnostic", "superdiagnostic", "form", "rhythm")

SUPERCLASSES = ("NORM", "MI", "STTC", "CD", "HYP")

_TABLE, _STATEMENTS = "ptbxl_database.csv", "scp_statements.csv"
_FILE_COLUMN = {100: "filename_lr", 500: "filename_hr"}
_FILE = re.compile(r"records(100|500)/\d{5}/\d{5}_(lr|hr)", re.ASCII)
_ENTRY = r"'([^'\\]+)': (\d+(?:\.\d+)?)"
_CODES = re.compile(rf"\{{(?:{_ENTRY}(?:, {_ENTRY})*)?\}}", re.ASCII)
_WHOLE = re.compile(r"(\d+)(?:\.0)?", re.ASCII)
_PARTS = {**{str(fold): "train" for fold in range(1, 9)}, "9": "validation", "10": "test"}


def catalogue(root: Path | None, *, labels: str = "superdiagnostic", rate_hz: int = 100) -> Catalogue:
    """List the recordings that bear at least one label of a set, in the order of the published table.

    Args:    root: the folder with `ptbxl_database.csv`, `scp_statements.csv` and `records100` or `records500`.
             labels: which of `LABEL_SETS`.  rate_hz: 100 or 500, which of the two published files is read.
    Returns: recordings by patient, with age, sex, device, site and nurse as columns, and the split
             "strat_fold": folds 1 to 8 train, 9 validation, 10 test.
    Raises:  ExperimentError: for an unknown option.  PathError: when the tables or all recordings are missing.
             FormatError: when a table is not what was published; lists what is wrong.
    """
    problems = []
    if labels not in LABEL_SETS:
        problems.append(f"labels: got {labels!r}{did_you_mean(str(labels), LABEL_SETS).rstrip('.')}")
    if rate_hz not in _FILE_COLUMN or isinstance(rate_hz, bool):
        problems.append(f"rate_hz: expected 100 or 500, got {rate_hz!r}")
    if problems:
        raise ExperimentError("ptbxl: " + "; ".join(problems) + ". Correct these keys of [inputs.options].")
    if root is None:
        raise PathError(
            "ptbxl has files: expected the folder that holds them. Get it with: vicinal get ptbxl"
        )
    statements = _statements(root)
    rows = list(_rows(root, statements, _FILE_COLUMN[rate_hz]))
    labelled = {row.id: _labels(row.statements, statements, labels) for row in rows}
    present, skipped = _present(root, [row for row in rows if labelled[row.id]])
    if not present:
        raise PathError(
            f"no recording of ptbxl at {rate_hz} Hz in {root}. Get it with: vicinal get ptbxl --rate-hz {rate_hz}"
        )
    options = {"root": str(root)}
    n_without = sum(not names for names in labelled.values())
    return Catalogue(
        name="ptbxl",
        classes=_classes(statements, labels),
        recordings=tuple(
            Recording(
                row.id, root / f"{row.file}.hea", row.patient, row.patient, labelled[row.id], row.facts,
                options=options,
            )
            for row in present
        ),
        has_subjects=True,
        notes=(
            f"PTB-XL at {rate_hz} Hz, labels {labels!r}, whatever their likelihood; {n_without} recordings "
            "without any of them are left out, as in the published benchmark.",
        ),
        skipped=tuple(skipped),
        officials={"strat_fold": tuple(row.part for row in present)},
    )  # fmt: skip


def read(recording: Recording) -> Signal:
    """Read one recording: twelve leads by name in mV.

    Raises:  PathError, FormatError: when a file is missing or not what its header says.
    """
    if recording.path is None:
        raise PathError(f"recording {recording.id!r} names no file.")
    signal = read_file(recording.path, root=Path(str(recording.options["root"])))
    return replace(signal, id=recording.id, subject=recording.subject)


@dataclass(frozen=True)
class _Statement:
    """What a statement counts as; empty where it belongs to no diagnostic class."""

    superclass: str
    subclass: str
    diagnostic: bool
    form: bool
    rhythm: bool


@dataclass(frozen=True)
class _Row:
    """One line of the table of recordings."""

    id: str
    patient: str
    statements: tuple[str, ...]
    part: str
    file: str
    facts: Mapping[str, str | float]


def _labels(names: tuple[str, ...], statements: Mapping[str, _Statement], kind: str) -> tuple[str, ...]:
    """Return the labels of one set that some statements stand for, each once."""
    return tuple(dict.fromkeys(label for name in names if (label := _label(name, statements[name], kind))))


def _label(name: str, statement: _Statement, kind: str) -> str:
    if kind == "subdiagnostic":
        return statement.subclass
    if kind == "superdiagnostic":
        return statement.superclass
    return name if kind == "all" or getattr(statement, kind) else ""


def _classes(statements: Mapping[str, _Statement], kind: str) -> tuple[str, ...]:
    return SUPERCLASSES if kind == "superdiagnostic" else _labels(tuple(statements), statements, kind)


def _statements(root: Path) -> dict[str, _Statement]:
    """Read the table of statements, whose first column has no name."""
    needed = ("", "diagnostic", "form", "rhythm", "diagnostic_class", "diagnostic_subclass")
    statements = {
        row[""]: _Statement(
            superclass=row["diagnostic_class"] if _is_one(row["diagnostic"]) else "",
            subclass=row["diagnostic_subclass"] if _is_one(row["diagnostic"]) else "",
            diagnostic=_is_one(row["diagnostic"]),
            form=_is_one(row["form"]),
            rhythm=_is_one(row["rhythm"]),
        )
        for _, row in _table(root / _STATEMENTS, needed)
    }
    strange = sorted({one.superclass for one in statements.values()} - {"", *SUPERCLASSES})
    if strange or not statements:
        raise FormatError(
            f"{root / _STATEMENTS}: expected statements of the superclasses {', '.join(SUPERCLASSES)}, got "
            f"{', '.join(strange) or 'none at all'}. Get the table again."
        )
    return statements


def _is_one(cell: str) -> bool:
    return cell in ("1", "1.0")


def _rows(root: Path, statements: Mapping[str, _Statement], file_column: str) -> Iterator[_Row]:
    needed = (
        "ecg_id", "patient_id", "age", "sex", "nurse", "site", "device", "scp_codes", "strat_fold", file_column,
    )  # fmt: skip
    problems = Problems(str(root / _TABLE))
    for line, row in _table(root / _TABLE, needed):
        try:
            yield _row(row, statements, row[file_column])
        except ValueError as error:
            problems.add(f"line {line}: {error}")
    problems.raise_any("Get the table again.")


def _row(row: Mapping[str, str], statements: Mapping[str, _Statement], file: str) -> _Row:
    if not _FILE.fullmatch(file):
        raise ValueError(f"expected a file such as records100/00000/00001_lr, got {file!r}")
    if row["strat_fold"] not in _PARTS:
        raise ValueError(f"strat_fold: expected 1 to 10, got {row['strat_fold']!r}")
    age = float(row["age"]) if row["age"] else math.nan
    facts: dict[str, str | float] = {
        "age": age,
        "sex": {"0": "male", "1": "female"}.get(row["sex"], ""),
        "device": row["device"].strip(),
        "site": _whole(row["site"], "site") if row["site"] else "",
        "nurse": _whole(row["nurse"], "nurse") if row["nurse"] else "",
    }
    return _Row(
        id=_whole(row["ecg_id"], "ecg_id").zfill(5),
        patient=_whole(row["patient_id"], "patient_id"),
        statements=_codes(row["scp_codes"], statements),
        part=_PARTS[row["strat_fold"]],
        file=file,
        facts=facts,
    )


def _whole(cell: str, name: str) -> str:
    match = _WHOLE.fullmatch(cell)
    if match is None:
        raise ValueError(f"{name}: expected a whole number, got {cell!r}")
    return match[1]


def _codes(cell: str, statements: Mapping[str, _Statement]) -> tuple[str, ...]:
    """Return the names in a cell such as `{'NORM': 100.0, 'SR': 0.0}`; nothing is evaluated."""
    if not _CODES.fullmatch(cell):
        raise ValueError(f"scp_codes: expected a table such as {{'NORM': 100.0}}, got {cell[:80]!r}")
    names = tuple(name for name, _ in re.findall(_ENTRY, cell))
    unknown = [name for name in names if name not in statements]
    if unknown:
        raise ValueError(f"scp_codes: {', '.join(unknown)} not in {_STATEMENTS}")
    return names


def _present(root: Path, rows: list[_Row]) -> tuple[list[_Row], list[tuple[str, str]]]:
    present, skipped = [], []
    for row in rows:
        missing = [f"{row.file}{s}" for s in (".hea", ".dat") if not (root / f"{row.file}{s}").is_file()]
        if missing:
            skipped.append((row.id, f"{' and '.join(missing)} not in the folder"))
        else:
            present.append(row)
    return present, skipped


def _table(path: Path, needed: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield line number and cells of each row of a published CSV table."""
    if not path.is_file():
        raise PathError(f"no {path.name} in {path.parent}. Get it with: vicinal get ptbxl")
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    missing = [name or "(no name)" for name in needed if name not in (reader.fieldnames or ())]
    if missing:
        raise FormatError(f"{path}: expected the columns {', '.join(missing)} too. Get the table again.")
    try:
        for row in reader:
            if None in row or None in row.values():
                raise FormatError(f"{path}: line {reader.line_num}: a row is too short or too long.")
            yield reader.line_num, row
    except csv.Error as error:
        raise FormatError(f"{path}: line {reader.line_num}: {error}. Get the table again.") from error
