"""History: a record for each step and validation of a training run, a line of JSON each, in `history.jsonl`.

Written by the run, and read by whoever follows it. Must not know what a record says.
"""

import itertools
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from vicinal.errors import FormatError
from vicinal.files import to_json, write_bytes

__all__ = ["History", "Tail"]

_FLUSHED_EVERY_S = 1.0
"""So that whoever follows a run is not far behind it; writing each record out would cost a short step 1 % and more."""


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
        self._path, self._n_kept = path, n_kept
        self._file = path.open("a", encoding="utf-8")
        self._flushed = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def past(self) -> Iterator[dict[str, Any]]:
        """Yield the records that stayed."""
        with self._path.open("rb") as file:
            for line in itertools.islice(file, self._n_kept):
                yield _parsed(line, self._path)

    def add(self, record: dict[str, Any]) -> None:
        """Write one record."""
        try:
            line = json.dumps(record, sort_keys=True, allow_nan=False)
        except (ValueError, TypeError):  # a NaN or an infinity, which is written as null, or an array
            line = to_json(record, indent=None)
        self._file.write(line + "\n")
        if time.monotonic() - self._flushed >= _FLUSHED_EVERY_S:
            self._file.flush()
            self._flushed = time.monotonic()

    def sync(self) -> None:
        """Bring all records to the disk."""
        self._file.flush()
        os.fsync(self._file.fileno())


class Tail:
    """The records of a history as they are added, by a process that only reads.

    Args:    path: of the file, which may not be there yet, and may be replaced when a run goes on.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._place: tuple[int, int] | None = None
        self._n_read = 0

    def read(self) -> tuple[bool, list[dict[str, Any]]]:
        """Return whether the file was begun anew since the last call, and the records that are new to the caller.

        A line that is not complete yet is left for the next call.

        Raises:  FormatError: when a line is no record.  OSError: when the file cannot be read.
        """
        try:
            file = self.path.open("rb")
        except FileNotFoundError:
            return False, []
        with file:
            found = os.fstat(file.fileno())
            place = (found.st_dev, found.st_ino)
            is_anew = self._place is not None and (place != self._place or found.st_size < self._n_read)
            if is_anew or self._place is None:
                self._place, self._n_read = place, 0
            file.seek(self._n_read)
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._n_read += len(whole)
        return is_anew, [_parsed(line, self.path) for line in whole.splitlines()]


def _parsed(line: bytes, path: Path) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except ValueError as error:
        raise FormatError(f"{path}: expected a record a line, got {line[:60]!r}: {error}.") from error
    if not isinstance(record, dict) or "kind" not in record:
        raise FormatError(f"{path}: expected records with a kind, got {line[:60]!r}.")
    return record
