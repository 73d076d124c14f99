"""Columns found by what they hold, for a first look at a table whose columns nobody has named as usual.

A guess is always shown to the user and written down by name; running an experiment never guesses. Must not read
signals.
"""

import re
from pathlib import Path

import numpy as np

from vicinal.errors import FormatError
from vicinal.inputs.datasets.own.columns import FILE_NAMES, LABEL_NAMES, SUBJECT_NAMES
from vicinal.inputs.datasets.own.listing import Listing
from vicinal.inputs.datasets.own.row_names import find_row_names
from vicinal.inputs.labels import LabelTable, numbers_of, plain, read_labels

__all__ = ["are_bits", "guess_file", "guess_labels", "guess_subject", "tables_that_fit"]

_LABEL_WORDS = re.compile(r"label|class|diagnos|rhythm|target|categor|outcome|annotation|finding|condition")
_SUBJECT_WORDS = re.compile(r"patient|subj|person|particip|proband|(^|_)(pat|pid|mrn)(_|$)")
_OTHER_WORDS = re.compile(
    r"(^|_)(age|sex|gender|date|time|site|device|fold|split|set|part|id|nr|no|height|weight)(_|$)"
)
_MOST_CLASSES = 20
_MOST_TABLES = 50


def tables_that_fit(root: Path) -> list[Path]:
    """Return the tables in `root` of which one column names recordings of the folder."""
    found = []
    tables = sorted(path for path in root.iterdir() if path.suffix.lower() in (".csv", ".tsv", ".parquet"))
    for path in tables[:_MOST_TABLES] if len(tables) <= _MOST_TABLES else _by_first_line(tables):
        try:
            table = read_labels(path)
        except FormatError:
            continue
        others = Listing(root, but=[path])
        if len(table.columns) < 2 or not len(others):
            continue
        if guess_file(table, others) is not None or find_row_names(table, others) is not None:
            found.append(path)
    return found


def _by_first_line(tables: list[Path]) -> list[Path]:
    """Return the tables whose first line is shared by no other table: recordings look alike."""
    heads: dict[bytes, list[Path]] = {}
    for path in tables:
        with path.open("rb") as stream:
            heads.setdefault(stream.readline(65536).split(b",")[0], []).append(path)
    return [paths[0] for paths in heads.values() if len(paths) == 1][:_MOST_TABLES]


def guess_file(table: LabelTable, listing: Listing) -> str | None:
    """Return the column most of whose cells name recordings, an usual name first; None when none has half."""
    shares = {}
    for name, column in table.columns.items():
        named = (listing.find(column.distinct) >= 0)[column.codes]
        share = float(named.mean()) if len(named) else 0.0
        is_usual = plain(name) in FILE_NAMES
        # Times and sizes are numbers that may happen to be names of files, but not all of them.
        least = 0.5 if is_usual or numbers_of(column.distinct) is None else 1.0
        if share >= least and len(np.unique(column.codes[named])) * 2 > named.sum():
            shares[name] = (is_usual, share)
    return max(shares, key=lambda name: shares[name]) if shares else None


def guess_subject(table: LabelTable, *, but: set[str | None]) -> str | None:
    """Return the one column whose name says that it is about persons; None when none or several do."""
    found = _called(table, but, SUBJECT_NAMES, _SUBJECT_WORDS)
    found = [name for name in found if not re.search("age|sex", _snake(name))]
    return found[0] if len(found) == 1 else None


def guess_labels(table: LabelTable, *, but: set[str | None]) -> tuple[str, ...]:
    """Return the column with the labels; or one column for each class; or all that might be meant; or none.

    Several columns are classes when all of them are of 0 and 1 (`are_bits`), else candidates.
    """
    found = _called(table, but, LABEL_NAMES, _LABEL_WORDS)
    if len(found) == 1:
        return (found[0],)
    names = [name for name in table.columns if name not in but and not _OTHER_WORDS.search(_snake(name))]
    bits = [name for name in names if are_bits(table, name)]
    return tuple(bits if len(bits) > 1 else [name for name in names if _few(table, name)])


def _called(
    table: LabelTable, but: set[str | None], usual: tuple[str, ...], words: re.Pattern[str]
) -> list[str]:
    """Return the columns with a usual name, or when there is none those with a telling word in their name."""
    names = [name for name in table.columns if name not in but]
    return [name for name in names if _snake(name) in usual] or [
        name for name in names if words.search(_snake(name))
    ]


def are_bits(table: LabelTable, name: str) -> bool:
    """Return whether a column holds 0 and 1 only, or false and true."""
    found = {text.casefold().removesuffix(".0") for text in table.columns[name].texts()}
    return found in ({"0", "1"}, {"false", "true"})


def _few(table: LabelTable, name: str) -> bool:
    column = table.columns[name]
    texts = [text for text in column.texts() if text]
    numbers = numbers_of(column.distinct)
    whole = numbers is None or bool((np.floor(numbers) == numbers)[~np.isnan(numbers)].all())
    return 2 <= len(texts) <= min(_MOST_CLASSES, max(2, len(table) // 2)) and whole


def _snake(name: str) -> str:
    """Return a name in words: PatientID is patient_id."""
    return plain(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name))
