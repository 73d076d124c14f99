"""Checkpoints: the state of a training run on disk, so that after any interruption it goes on bit for bit.

A file is the SHA-256 of the rest, then safetensors, which hold no code. It is written beside its place, synced and
renamed, and the one before it is kept: whatever moment a process or a machine dies at, one whole checkpoint is there.
Must not know what the tensors mean.
"""

import hashlib
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy

from vicinal.errors import PathError
from vicinal.files import write_bytes

__all__ = ["Checkpoints", "State", "Stopped"]

_N_KEPT = 2
_NAME = "step-{:012d}.checkpoint"
_PATTERN = re.compile(r"step-(\d{12})\.checkpoint")
_DIGEST = 32


class Stopped(Exception):  # noqa: N818 - no error: what was asked for
    """Training was asked to stop, and did after a whole checkpoint; whoever asked knows what to do now."""


@dataclass(frozen=True)
class State:
    """Everything that the next step depends on.

    Args:    tensors: arrays by name.  facts: JSON values; NaN is allowed.
    """

    tensors: Mapping[str, np.ndarray] = field(repr=False)
    facts: Mapping[str, Any]


class Checkpoints:
    """The checkpoints of one training run, in a folder of their own.

    Args:    folder: made when the first is written.
             every_s: seconds between two of them within an epoch; one follows each validation whatever the time.
             stop: asked after each step; once it says True, a checkpoint is written and training ends with
             `Stopped`.
    Attributes: before_writing: called before each, to bring to the disk what goes with it.
             damaged: names of files that were found not to be as they were written, and passed over.
    """

    def __init__(
        self, folder: Path, *, every_s: float = 60.0, stop: Callable[[], bool] = lambda: False
    ) -> None:
        self.folder, self.stop = folder, stop
        self.before_writing: Callable[[], None] = lambda: None
        self.damaged: list[str] = []
        self._every_s = every_s
        self._written = time.monotonic()

    @property
    def is_due(self) -> bool:
        """Whether enough time has passed since the last one."""
        return time.monotonic() - self._written >= self._every_s

    def newest(self) -> State | None:
        """Return the newest that is whole, None when there is none."""
        self.damaged = []
        for path in reversed(self._paths()):
            state = _read(path)
            if state is not None:
                return state
            self.damaged.append(path.name)
        return None

    def write(self, step: int, state: State) -> None:
        """Write the state after `step` steps; of those of fewer steps, the newest stays.

        Raises:  PathError: when it cannot be written; those there were stay as they are.
        """
        try:
            self.before_writing()
            self.folder.mkdir(exist_ok=True)
            write_bytes(self.folder / _NAME.format(step), _encoded(state))
            # After training went back, those of steps that were taken back are later only by their number.
            for path in self._paths():
                if path.name > _NAME.format(step):
                    path.unlink()
            for path in self._paths()[:-_N_KEPT]:
                path.unlink()
        except OSError as error:
            reason = error.strerror or str(error)
            raise PathError(
                f"cannot write the checkpoint of step {step} into {self.folder}: {reason}. The one before it is "
                "kept; make room, and go on with --resume."
            ) from error
        self._written = time.monotonic()

    def _paths(self) -> list[Path]:
        found = self.folder.iterdir() if self.folder.is_dir() else ()
        return sorted(path for path in found if _PATTERN.fullmatch(path.name))


def _encoded(state: State) -> bytes:
    tensors = {name: np.asarray(array, order="C") for name, array in state.tensors.items()}
    body = safetensors.numpy.save(tensors, metadata={"facts": json.dumps(dict(state.facts))})
    return hashlib.sha256(body).digest() + body


def _read(path: Path) -> State | None:
    try:
        data = path.read_bytes()
    except OSError:
        return None
    digest, body = data[:_DIGEST], data[_DIGEST:]
    if hashlib.sha256(body).digest() != digest:
        return None
    return State(safetensors.numpy.load(body), json.loads(_metadata(body)["facts"]))


def _metadata(body: bytes) -> dict[str, str]:
    """Return the metadata of safetensors: JSON of a stated length at the beginning."""
    n = int.from_bytes(body[:8], "little")
    found: dict[str, str] = json.loads(body[8 : 8 + n])["__metadata__"]
    return found
