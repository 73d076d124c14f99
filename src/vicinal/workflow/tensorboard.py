"""TensorBoard: the records of a run as event files, for whoever follows runs there.

The one module that needs the extra `tensorboard`. It writes what `history.jsonl` holds too; must not compute anything.
"""

import math
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from vicinal.errors import ExtraError, PathError

__all__ = ["TensorBoard", "require_tensorboard", "scalars_of"]

_FLUSHED_EVERY_S = 5.0


class TensorBoard:
    """Event files of one run, in a folder of their own.

    Args:    folder: made when it is not there; a run that goes on adds a file.
             step: the last one that was taken before; what an earlier file holds of later ones does not count.
    Raises:  ExtraError: when the extra is not installed.  PathError: when the folder cannot be made.
    """

    def __init__(self, folder: Path, *, step: int = 0) -> None:
        writer, self._events = require_tensorboard()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            # The name would only hold seconds, and a path such as "s3:..." would be taken for an address.
            self._writer = writer(str(folder.resolve() / "events"), f".{time.time_ns()}")
        except OSError as error:
            raise PathError(f"cannot write event files into {folder}: {error.strerror}.") from error
        self._flushed = time.monotonic()
        self._start(step)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()

    def add(self, record: Mapping[str, Any]) -> None:
        """Write the numbers of one record of the monitor."""
        if record["kind"] == "rollback":
            self._start(record["to_step"])
            return
        event = self._event(record["step"])
        for name, value in scalars_of(record):
            if math.isfinite(value):
                event.summary.value.add(tag=name, simple_value=value)
        if not event.summary.value:
            return
        self._writer.write_event(event)
        if time.monotonic() - self._flushed >= _FLUSHED_EVERY_S:
            self._writer.flush()
            self._flushed = time.monotonic()

    def _start(self, step: int) -> None:
        """Say that steps after this one are taken now: TensorBoard forgets what it has of them."""
        event = self._event(step + 1)
        event.session_log.status = self._events.SessionLog.START
        self._writer.write_event(event)

    def _event(self, step: int) -> Any:
        return self._events.Event(step=step, wall_time=time.time())


def require_tensorboard() -> tuple[Any, Any]:
    """Return the writer of event files, and the messages that it writes.

    Raises:  ExtraError: when the extra is not installed.
    """
    try:
        from tensorboardX.event_file_writer import EventsWriter
        from tensorboardX.proto import event_pb2
    except ImportError as error:
        raise ExtraError(
            "event files need tensorboardX, which is not installed. Install it with: pip install 'vicinal[tensorboard]'"
        ) from error
    return EventsWriter, event_pb2


def scalars_of(record: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Yield the numbers of a record by their names in TensorBoard."""
    if record["kind"] == "step":
        for name in ("loss", "gradient_norm", "learning_rate", "rows_per_s"):
            yield f"step/{name}", record[name]
        for stage, ratio in record.get("update_ratio", {}).items():
            yield f"update_ratio/{stage}", ratio
        if record.get("dead_units") is not None:
            yield "step/dead_units", record["dead_units"]
    elif record["kind"] == "epoch":
        yield "epoch/training_loss", record["training_loss"]
        for part in ("validation", "training"):
            for name, value in (record[part] or {}).items():
                yield f"{part}/{name}", value
