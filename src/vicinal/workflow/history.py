"""History: a record for each step and validation of a training run, a line of JSON each, in `history.jsonl`.

Must not know what a record says.
"""

import os
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from vicinal.errors import FormatError
from vicinal.files import to_json, write_bytes

__all__ = ["History"]


class History:
    """An open file of records; what a killed run wrote after its last checkpoint is cut off.

    Args:    path: the file.  n_kept: how many of its records stay.
    Raises:  FormatError: when it holds fewer.
    """

    def __init__(self, path: Path, *, n_kept: int) -> None:
        kept = path.read_bytes().splitlines(keepends=True)[:n_kept] if n_kept else []
        if len(kept) < n_kept:
            raise FormatError(f"{path}: expected {n_kept} records or more, got {len(kept)}.")
        write_bytes(path, b"".join(kept))
        self._file = path.open("a", encoding="utf-8")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, record: dict[str, Any]) -> None:
        """Write one record."""
        print(to_json(record, indent=None), file=self._file)

    def sync(self) -> None:
        """Bring all records to the disk."""
        self._file.flush()
        os.fsync(self._file.fileno())
