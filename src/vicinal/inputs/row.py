"""Row: what one recording becomes in a pack: the numbers of its prepared signal, and the facts about them.

Runs in worker processes, a chunk of recordings at a time. Knows `prepare`; must not know the files of a pack.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vicinal.errors import VicinalError
from vicinal.files import sha256_bytes
from vicinal.inputs.contract import Contract
from vicinal.inputs.datasets.catalogue import Recording
from vicinal.inputs.prepare import prepare
from vicinal.inputs.storage import Storage
from vicinal.signal import Events, Signal

__all__ = ["Chunk", "Job", "Row", "make_rows", "stored_shape", "without_folder"]


@dataclass(frozen=True, slots=True)
class Row:
    """The facts about one row.

    Args:    length: positions that hold signal.  n_flat: channels without any change.
             sha256: of the stored bytes.  events: at positions of the row, those that lie in it; None where
             the recording has no annotations.
    """

    length: int
    n_flat: int
    sha256: str
    events: Events | None


@dataclass(frozen=True)
class Job:
    """Some recordings to make rows of, with all that it takes."""

    recordings: tuple[Recording, ...]
    read: Callable[[Recording], Signal]
    contract: Contract
    storage: Storage


@dataclass(frozen=True)
class Chunk:
    """What became of the recordings of a job, in their order.

    Args:    outcomes: a row, or the reason why there is none.  data: the stored bytes of all rows in turn.
    """

    outcomes: tuple[Row | str, ...]
    data: bytes


def stored_shape(length: int, input_shape: tuple[int, ...]) -> tuple[int, int]:
    """Return (channels, positions) of what is stored of a row.

    Along time only what holds signal; with more than one position axis the row is always whole.
    """
    channels, *positions = input_shape
    return channels, length if len(positions) == 1 else math.prod(positions)


def make_rows(job: Job) -> Chunk:
    """Read and prepare the recordings of a job; what cannot be is said in words.

    Raises:  FormatError: when a value does not fit the storage. No recording is left out for that.
    """
    outcomes: list[Row | str] = []
    data = bytearray()
    for recording in job.recordings:
        try:
            signal = job.read(recording)
            prepared = prepare(signal, job.contract)
        except VicinalError as error:
            outcomes.append(without_folder(str(error), recording))
            continue
        channels, n = stored_shape(prepared.length, job.contract.input_shape)
        stored = job.storage.encode(
            prepared.samples.reshape(channels, -1)[:, :n], where=f"recording {recording.id!r}"
        )
        row = stored.tobytes()
        data += row
        n_flat = int((stored == stored[:, :1]).all(axis=1).sum())
        events = _inside(signal.events, prepared.event_positions)
        outcomes.append(Row(prepared.length, n_flat, sha256_bytes(row), events))
    return Chunk(tuple(outcomes), bytes(data))


def without_folder(reason: str, recording: Recording) -> str:
    """Return a reason as others may read it: what folder the file lay in is nobody's business."""
    return reason if recording.path is None else reason.replace(f"{recording.path.parent}/", "")


def _inside(events: Events | None, positions: np.ndarray | None) -> Events | None:
    if events is None or positions is None:
        return None
    inside = np.flatnonzero(positions >= 0)
    return Events(positions[inside], tuple(events.symbols[k] for k in inside))
