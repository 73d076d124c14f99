"""What in the further columns of a label table cannot be: ages, sexes, dates, weights. Said, never mended.

Further columns only make subgroups, so an odd cell spoils a subgroup, not a model; whoever reads the report
must know. Must not know recordings.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date

import numpy as np

from vicinal.inputs.labels import LabelTable, numbers_of, plain, text_column

__all__ = ["oddities"]

_SEXES = ("m", "f", "male", "female", "man", "woman", "0", "1", "other", "unknown", "diverse", "o", "u")
_DATE = re.compile(r"(\d{1,4})[-/.](\d{1,2})[-/.](\d{1,4})(?:[ T].*)?")


def oddities(table: LabelTable, names: Sequence[str]) -> Iterator[str]:
    """Yield one sentence for each further column that holds what cannot be.

    Args:    names: the columns to look at; only those called like an age, a sex, a date or a weight are.
    """
    for name in names:
        words = set(plain(name).split("_"))
        column = table.columns[name]
        if (
            ("weight" in words and words & {"sample", "row", "class"})
            or words == {"weight"}
            or words == {"weights"}
        ):
            yield f"column {name} weighs nothing: rows count alike; it serves subgroups only"
        for word, (is_odd, what) in _CHECKS.items():
            if word not in words:
                continue
            odd = np.array([bool(text) and is_odd(text) for text in column.texts()])
            n_odd = int(odd[column.codes].sum()) if odd.any() else 0
            if n_odd:
                first = column.cell(int(np.flatnonzero(odd[column.codes])[0]))
                yield f"column {name}: {n_odd} cells are no {what} (first {first[:40]!r})"


def _no_age(text: str) -> bool:
    numbers = numbers_of(text_column([text]).distinct)
    return numbers is None or not 0 <= float(numbers[0]) <= 130


def _no_sex(text: str) -> bool:
    return text.casefold().removesuffix(".0") not in _SEXES


def _no_date(text: str) -> bool:
    found = _DATE.fullmatch(text)
    if not found:
        return True
    first, second, third = (int(part) for part in found.groups())
    orders = ((first, second, third), (third, second, first), (third, first, second))
    return not any(_is_date(*order) for order in orders)


def _is_date(year: int, month: int, day: int) -> bool:
    try:
        date(year if year > 99 else 2000 + year, month, day)
    except ValueError:
        return False
    return True


_CHECKS: dict[str, tuple[Callable[[str], bool], str]] = {
    "age": (_no_age, "age from 0 to 130"),
    "sex": (_no_sex, "sex that is usually written so"),
    "gender": (_no_sex, "sex that is usually written so"),
    "date": (_no_date, "date"),
}
