"""Listing: the recordings below a folder, each once, found again by the names that tables give them.

Knows names of files; must not open any, nor know labels.
"""

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Int64

from vicinal.errors import PathError
from vicinal.files import inside
from vicinal.inputs.formats import READERS

__all__ = ["Listing"]

_SIGNAL_FILES = (".dat", ".mat")
"""Files that a header beside them describes; the header stands for the recording."""


class Listing:
    """The recordings below `root`; hidden files, and files that are no recordings, are left out.

    `files` are in order of their names; `skipped` are links that lead out of the folder, with that reason.

    Args:    root: the folder; links to folders are not followed.
             but: files that are no recordings, though they are named like some: tables.
    """

    def __init__(self, root: Path, *, but: Iterable[Path] = ()) -> None:
        self.root = root.resolve()
        left_out = {path.resolve() for path in but}
        below = [path for path in _files_below(self.root) if path.resolve() not in left_out]
        self.files = [path for path in below if path.resolve().is_relative_to(self.root)]
        leading_out = sorted(set(below) - set(self.files))
        self.skipped = tuple(
            (path.relative_to(self.root).as_posix(), "leads outside the folder") for path in leading_out
        )

    def __len__(self) -> int:
        return len(self.files)

    def relative(self, file: int) -> str:
        """Return the name of a recording, relative to the root."""
        return self.files[file].relative_to(self.root).as_posix()

    @cached_property
    def _by_name(self) -> dict[str, int]:
        """Number of each recording by every name it may have in a table, the most exact name first."""
        order = list(READERS)
        numbers = sorted(range(len(self)), key=lambda k: order.index(self.files[k].suffix.lower()))
        names = {self.relative(k): k for k in numbers}
        for k in numbers:
            path = self.files[k]
            for suffix in _SIGNAL_FILES if path.suffix.lower() == ".hea" else ():
                names.setdefault(Path(self.relative(k)).with_suffix(suffix).as_posix(), k)
            names.setdefault(Path(self.relative(k)).with_suffix("").as_posix(), k)
        # A name without its folder will do where only one recording has it.
        for short in ([path.name for path in self.files], [path.stem for path in self.files]):
            count = Counter(short)
            for k in numbers:
                if count[short[k]] == 1:
                    names.setdefault(short[k], k)
        return names

    def find(self, names: pa.StringArray) -> Int64[np.ndarray, " n"]:
        """Return the number of the recording that each name stands for, -1 where there is none.

        A name stands for its path relative to the root, with or without its ending, or for a file name alone
        where only one recording bears it.
        """
        known = self._by_name
        if not known:
            return np.full(len(names), -1, dtype=np.int64)
        found = pc.index_in(names, value_set=pa.array(list(known), pa.string()))
        places = np.array([*known.values(), -1], dtype=np.int64)
        numbers: Int64[np.ndarray, " n"] = places[pc.fill_null(found, len(known)).to_numpy()]
        return numbers

    def reject(self, name: str) -> str:
        """Return why `name` is no recording of this folder, in words."""
        try:
            inside(self.root, name)
        except (PathError, OSError) as error:
            return str(error) if isinstance(error, PathError) else f"{name[:40]!r}... is not in {self.root}"
        return f"{name!r} is there, but is no recording: those are files named {', '.join(READERS)}"


def _files_below(root: Path) -> Iterator[Path]:
    for where, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        present = set(files)
        for name in sorted(files):
            path = Path(where, name)
            if path.suffix.lower() not in READERS or name.startswith("."):
                continue
            if path.suffix.lower() in _SIGNAL_FILES and f"{path.stem}.hea" in present:
                continue
            if path.is_file():
                yield path
