"""Which columns of a table with one signal a row hold the samples, and which say something else.

Decided by the names alone, so that no cell changes the answer. Must not know any format.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

from vicinal.errors import FormatError, did_you_mean
from vicinal.inputs.formats.stated import Stated

__all__ = ["Layout", "layout_of"]

_RUNNING = re.compile(r"(?P<beginning>.*?)(?P<number>[0-9]{1,9})")
_ADVICE = 'Say which columns are samples: samples = "FIRST:LAST".'


@dataclass(frozen=True)
class Layout:
    """Where a row's samples lie.

    Args:    samples: (channels, time), numbers of columns.
             channels: their names, or None where the table has none.
             others: numbers of all further columns.
    """

    samples: Int64[np.ndarray, "channels time"]
    channels: tuple[str, ...] | None
    others: tuple[int, ...]


def layout_of(names: Sequence[str], *, stated: Stated, where: str) -> Layout:
    """Find the sample columns of a table with one signal a row.

    What the caller states decides: `samples = "FIRST:LAST"` names the first and the last of columns that stand
    together. Otherwise they are the columns whose names are one beginning and a number that runs by ones, in
    order: `0, 1, 2`, `t0, t1, t2`, `x_001, x_002`. Several beginnings with equally many columns are channels:
    `I_0, I_1, II_0, II_1`. A name that stands alone (`age`, `V5`) is a further column.

    Raises:  FormatError: when there are none, numbers leave a gap, or beginnings differ in length.
    """
    if stated.samples is not None:
        first, last = _stated_range(stated.samples, names, where)
        return Layout(np.arange(first, last + 1)[None], None, _others(names, set(range(first, last + 1))))
    groups = _groups(names)
    problems = [
        f"the numbers of {names[columns[0]]} to {names[columns[-1]]} do not run by ones"
        for columns, numbers in groups.values()
        if [number - numbers[0] for number in numbers] != list(range(len(numbers)))
    ]
    lengths = {beginning: len(columns) for beginning, (columns, _) in groups.items()}
    if len(set(lengths.values())) > 1:
        counted = ", ".join(f"{n} named {beginning!r} and a number" for beginning, n in lengths.items())
        problems.append(f"there are {counted}")
    if not groups:
        problems.append(f"no two of the {len(names)} columns have names with running numbers")
    if problems:
        raise FormatError(
            f"{where}: expected sample columns such as x0, x1, x2: {'; '.join(problems)}. {_ADVICE}"
        )
    samples = np.array([columns for columns, _ in groups.values()], dtype=np.int64)
    channels = tuple(beginning.rstrip(" _-.:") for beginning in groups) if len(groups) > 1 else None
    if channels is not None and len(set(channels)) < len(channels):
        raise FormatError(f"{where}: expected channels that differ by name, got {', '.join(channels)}.")
    return Layout(samples, channels, _others(names, set(samples.ravel().tolist())))


def _stated_range(text: str, names: Sequence[str], where: str) -> tuple[int, int]:
    ends = text.split(":")
    if len(ends) != 2:
        raise FormatError(f"{where}: expected samples as FIRST:LAST, two names of columns, got {text!r}.")
    for name in ends:
        if name not in names:
            shown = names if len(names) <= 20 else [*names[:10], *names[-10:]]
            raise FormatError(f"{where}: samples: no column is named {name!r}{did_you_mean(name, shown)}")
    first, last = names.index(ends[0]), names.index(ends[1])
    if last <= first:
        raise FormatError(f"{where}: expected samples in order, at least two columns, got {text!r}.")
    return first, last


def _groups(names: Sequence[str]) -> dict[str, tuple[list[int], list[int]]]:
    """Return, by beginning, the columns and the numbers of names that share one; at least two each."""
    found: dict[str, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for column, name in enumerate(names):
        match = _RUNNING.fullmatch(name)
        if match and (not match["beginning"] or not _is_number(name)):
            found[match["beginning"]][0].append(column)
            found[match["beginning"]][1].append(int(match["number"]))
    return {beginning: both for beginning, both in found.items() if len(both[0]) > 1}


def _is_number(name: str) -> bool:
    try:
        float(name)
    except ValueError:
        return False
    return True


def _others(names: Sequence[str], samples: set[int]) -> tuple[int, ...]:
    return tuple(column for column in range(len(names)) if column not in samples)
