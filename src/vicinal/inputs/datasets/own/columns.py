"""Which column of a label table says what: as the user names them, or found by their usual names.

Must not know files or what a cell means.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from vicinal.errors import FormatError
from vicinal.inputs.datasets.own.parts import part_called
from vicinal.inputs.labels import LabelTable, plain

__all__ = [
    "FILE_NAMES",
    "LABEL_NAMES",
    "SPLIT_NAMES",
    "SUBJECT_NAMES",
    "Columns",
    "choose_columns",
    "facts_of",
]

FILE_NAMES = (
    "file", "filename", "file_name", "filepath", "file_path", "path", "record", "record_name", "recording",
    "recording_id", "record_id",
)  # fmt: skip
LABEL_NAMES = ("label", "labels", "class", "target", "diagnosis", "y")
SUBJECT_NAMES = (
    "subject", "subject_id", "patient", "patient_id", "person", "person_id", "participant", "participant_id",
    "group", "groups",
)  # fmt: skip
SPLIT_NAMES = ("split", "part", "partition", "subset", "set")
RESERVED = ("id", "subject", "group", "fold", "record", "position_s", "label", "labels")


@dataclass(frozen=True)
class Columns:
    """The columns of a label table that have a meaning.

    Args:    labels: one, whose cells are labels; or, when `are_classes`, one for each class, with 0 and 1.
             file, row, subject, split, events: or None; `row` says which signal of a file with several.
    """

    labels: tuple[str, ...]
    are_classes: bool = False
    file: str | None = None
    row: str | None = None
    subject: str | None = None
    split: str | None = None
    events: str | None = None

    @property
    def used(self) -> set[str | None]:
        """All names that have a meaning."""
        return {*self.labels, self.file, self.row, self.subject, self.split, self.events}


def choose_columns(
    table: LabelTable, told: Mapping[str, str | tuple[str, ...] | None], *, by_file: bool
) -> Columns:
    """Return the columns that the user named, and the others by their usual names.

    Args:    told: values of `file_column`, `row_column`, `label_column`, `label_columns`, `subject_column`,
             `split_column` and `events_column`.  by_file: whether each row names its recording.
    Raises:  FormatError: when a column is not there, or is named neither by the user nor as usual.
    """
    file = table.require(_one(told, "file_column"), usual=FILE_NAMES, key="file_column") if by_file else None
    classes = tuple(told.get("label_columns") or ())
    if classes and told.get("label_column"):
        raise FormatError("expected label_column or label_columns, got both. Leave one out.")
    for name in classes:
        table.require(name, usual=(), key="label_columns")
    label = _one(told, "label_column")
    labels = classes or (table.require(label, usual=LABEL_NAMES, key="label_column"),)
    row, events = _one(told, "row_column"), _one(told, "events_column")
    return Columns(
        labels=labels,
        are_classes=bool(classes),
        file=file,
        row=None if row is None else table.require(row, usual=(), key="row_column"),
        subject=table.find(_one(told, "subject_column"), usual=SUBJECT_NAMES, key="subject_column"),
        split=_split(table, _one(told, "split_column")),
        events=None if events is None else table.require(events, usual=(), key="events_column"),
    )


def facts_of(table: LabelTable, columns: Columns) -> tuple[list[str], list[str]]:
    """Return the further columns, for subgroups, and those that bear names of the score table's own."""
    further = [name for name in table.columns if name not in columns.used]
    reserved = [name for name in further if name.casefold() in RESERVED or ":" in name]
    return [name for name in further if name not in reserved], sorted(reserved)


def _one(told: Mapping[str, str | tuple[str, ...] | None], key: str) -> str | None:
    name = told.get(key)
    return name if isinstance(name, str) else None


def _split(table: LabelTable, name: str | None) -> str | None:
    """Return the column that names each row's part: as told, or one with a usual name and such words in it."""
    if name is not None:
        return table.find(name, usual=(), key="split_column")
    for column in table.columns:
        if plain(column) in SPLIT_NAMES:
            texts = [text for text in table.columns[column].texts() if text]
            if sum(part_called(text) is not None for text in texts) * 2 > len(texts):
                return column
    return None
