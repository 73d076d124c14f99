"""Part: the hidden folder in which a pack grows, so that packing goes on where it was killed.

    samples.bin     the stored bytes of the rows so far, one after another
    journal.jsonl   a line for the inputs, then one for each chunk of recordings, each led by its checksum

One process at a time: the folder itself is locked. Knows rows; must not know recordings or manifests.
"""

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from vicinal.errors import PathError
from vicinal.files import sha256_bytes, sync
from vicinal.inputs.row import Chunk, Row, stored_shape
from vicinal.inputs.storage import Storage
from vicinal.signal import Events

__all__ = ["SAMPLES", "Part", "claimed", "is_free", "writing"]

SAMPLES = "samples.bin"
_JOURNAL = "journal.jsonl"
_N_CHECK = 16


def is_free(folder: Path) -> bool:
    """Whether a pack may be made as `folder`: it does not exist, or is an empty folder."""
    return not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))


@contextlib.contextmanager
def claimed(folder: Path) -> Iterator[Path | None]:
    """Yield the hidden folder in which `folder` is made, held by this process alone.

    Waits while another process makes the same folder, and yields None when `folder` is there then. What a
    killed process left is yielded as it is.

    Raises:  PathError: when it cannot be made.
    """
    part = folder.with_name(f".{folder.name}.part")
    while True:
        with writing(part):
            part.mkdir(exist_ok=True)
            handle = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            # Whoever held it may have renamed or removed it: then this lock is of no use.
            if _is_at(part, handle):
                if is_free(folder):
                    yield part
                    return
                shutil.rmtree(part)
        finally:
            os.close(handle)
        if not is_free(folder):
            yield None
            return


class Part:
    """What is packed so far; every chunk that was added is still there when the process is killed.

    Args:    folder: as `claimed` yields it.  inputs: a digest of all that decides the rows; what was packed
             from other inputs is thrown away, and so is all after the first byte that is not as written.
    Attributes: outcomes: of the recordings so far, in order: a row, or the reason why there is none.
                n_rows: how many of them are rows.
    """

    def __init__(self, folder: Path, *, inputs: str, input_shape: tuple[int, ...], storage: Storage) -> None:
        self.folder, self.outcomes, self.n_rows = folder, list[Row | str](), 0
        n_lines, n_bytes = self._recover(inputs, input_shape, storage)
        with writing(folder):
            for path in folder.iterdir():
                if path.name not in (SAMPLES, _JOURNAL):
                    path.unlink()
            self._samples, self._journal = (folder / SAMPLES).open("ab"), (folder / _JOURNAL).open("ab")
            self._samples.truncate(n_bytes)
            self._journal.truncate(n_lines)
            if n_lines == 0:
                self._note({"inputs": inputs})

    def add(self, chunk: Chunk) -> None:
        """Append the rows of a chunk, and note that they are there.

        Raises:  PathError: when they cannot be written; what was added before stays.
        """
        with writing(self.folder):
            self._samples.write(chunk.data)
            self._samples.flush()
            self._note([_to_json(outcome) for outcome in chunk.outcomes])
        self._take(chunk.outcomes)

    def close(self) -> None:
        """Close the files."""
        with writing(self.folder):
            self._samples.close()
            self._journal.close()

    def finish(self, folder: Path) -> None:
        """Bring everything to disk, and give the part its name.

        Raises:  PathError: when it cannot be renamed.
        """
        with writing(self.folder):
            os.fsync(self._samples.fileno())
            self.close()
            (self.folder / _JOURNAL).unlink()
            sync(self.folder)
            self.folder.rename(folder)
            sync(folder.parent)

    def _take(self, outcomes: Sequence[Row | str]) -> None:
        self.outcomes += outcomes
        self.n_rows += sum(isinstance(one, Row) for one in outcomes)

    def _note(self, value: Any) -> None:
        text = json.dumps(value)
        self._journal.write(f"{sha256_bytes(text.encode())[:_N_CHECK]} {text}\n".encode())
        self._journal.flush()

    def _recover(self, inputs: str, input_shape: tuple[int, ...], storage: Storage) -> tuple[int, int]:
        """Take over the chunks that are whole; return how many bytes of journal and samples they take."""
        journal, samples = self.folder / _JOURNAL, self.folder / SAMPLES
        if not journal.is_file() or not samples.is_file():
            return 0, 0
        end, n_bytes = 0, 0
        with journal.open("rb") as lines, samples.open("rb") as stream:
            for line in lines:
                value = _checked(line)
                if end == 0 and value != {"inputs": inputs}:
                    return 0, 0
                if end > 0:
                    outcomes = None if value is None else [_from_json(one) for one in value]
                    if outcomes is None:
                        break
                    rows = [one for one in outcomes if isinstance(one, Row)]
                    sizes = [_n_bytes(row, input_shape, storage) for row in rows]
                    if any(
                        sha256_bytes(stream.read(n)) != row.sha256 for n, row in zip(sizes, rows, strict=True)
                    ):
                        break
                    self._take(outcomes)
                    n_bytes += sum(sizes)
                end += len(line)
        return end, n_bytes


@contextlib.contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turn what the system says against writing into `folder` into one error.

    Raises:  PathError: with what to do.
    """
    try:
        yield
    except OSError as error:
        if isinstance(error, PathError):
            raise
        raise PathError(
            f"cannot write {folder}: {error.strerror}. What is packed so far is kept there: mend the cause, and the "
            "same call goes on; or remove it."
        ) from error


def _n_bytes(row: Row, input_shape: tuple[int, ...], storage: Storage) -> int:
    channels, n = stored_shape(row.length, input_shape)
    return channels * n * storage.numpy.itemsize


def _checked(line: bytes) -> Any:
    """Return the value of a line of the journal, or None where it is not as written."""
    check, _, text = line.rstrip(b"\n").partition(b" ")
    whole = line.endswith(b"\n") and sha256_bytes(text)[:_N_CHECK].encode() == check
    return json.loads(text) if whole else None


def _to_json(outcome: Row | str) -> Any:
    if isinstance(outcome, str):
        return outcome
    events = outcome.events
    return asdict(outcome) | {
        "events": None if events is None else [events.positions.tolist(), list(events.symbols)]
    }


def _from_json(value: Any) -> Row | str:
    if isinstance(value, str):
        return value
    events = value["events"]
    if events is not None:
        events = Events(np.array(events[0], dtype=np.int64), tuple(events[1]))
    return Row(value["length"], value["n_flat"], value["sha256"], events)


def _is_at(path: Path, handle: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(handle))
    except FileNotFoundError:
        return False
