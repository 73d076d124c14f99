"""The folder of a run: hidden while the work goes on, held by one process, and named when everything is in it.

An interrupted run stays in its hidden folder, from which it goes on. Knows files; must not know what a run computes.
"""

import contextlib
import fcntl
import itertools
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from vicinal.errors import ExperimentError, FormatError, PathError, TrainingError, VicinalError
from vicinal.files import read_json, write_bytes, write_json
from vicinal.terminal import Show

__all__ = [
    "EXPERIMENT", "Begun", "begin", "checkpoints_of", "free_folder", "hidden_folder", "is_held", "is_interrupted",
    "keep_to", "run_folder",
]  # fmt: skip

EXPERIMENT = "experiment.toml"
Verb = Literal["run", "train"]

_BEGUN = "begun.json"
_BEGUN_WITH = "begun_with.json"
_CHECKPOINTS = "checkpoints"


@dataclass(frozen=True)
class Begun:
    """How a run was begun, so that it can go on from any folder.

    Args:    experiment: the file, absolute.  overrides: "key=value" settings.  data: as given, absolute, or None.
             command: what the report shows.  verb: "train" leaves a trained model, "run" goes on to the report.
             tensorboard: where event files are written too, absolute, or None.
    """

    experiment: str
    overrides: tuple[str, ...]
    data: str | None
    command: str
    verb: Verb = "run"
    tensorboard: str | None = None

    @classmethod
    def of(cls, folder: Path) -> "Begun":
        """Return how the interrupted run of `folder` was begun.

        Raises:  PathError: when there is none.  FormatError: when its notes are not readable.
        """
        notes = hidden_folder(folder) / _BEGUN
        if not notes.is_file():
            what = "is finished: there is nothing to resume" if folder.is_dir() else "was never begun"
            raise PathError(f"the run {folder} {what}. Name the folder that --output named.")
        found = read_json(notes)
        try:
            return cls(**found | {"overrides": tuple(found["overrides"])})
        except (KeyError, TypeError) as error:
            raise FormatError(f"{notes}: expected the notes of a run: {error!r}.") from error


def begin(part: Path, begun: Begun, text: str) -> None:
    """Note in the hidden folder how the run was begun.

    Args:    text: of the experiment, as the run keeps it.
    """
    write_bytes(part / EXPERIMENT, text.encode())
    write_json(part / _BEGUN, asdict(begun))


def keep_to(part: Path, facts: Mapping[str, Any], *, accept: bool, show: Show) -> None:
    """Hold a run that goes on to what it was begun with.

    Args:    facts: what the bits of the result depend on, by name.  accept: whether other values are only told.
    Raises:  ExperimentError: when they differ from those of the beginning.
    """
    notes = part / _BEGUN_WITH
    if not notes.is_file():
        write_json(notes, facts)
        return
    before = read_json(notes)
    changed = [
        f"{name} {before.get(name)!r}, now {now!r}" for name, now in facts.items() if before.get(name) != now
    ]
    if not changed:
        return
    if not accept:
        raise ExperimentError(
            f"the run was begun with {'; '.join(changed)}. It would not end as if it had never stopped. Go back to "
            "what it was, or go on all the same with --accept-changes."
        )
    show.say(f"note: the run was begun with {'; '.join(changed)}; it goes on all the same.")


def checkpoints_of(part: Path) -> Path:
    """Return where the checkpoints of a training run lie."""
    return part / _CHECKPOINTS


@contextlib.contextmanager
def run_folder(folder: Path, *, resumed: bool) -> Iterator[Path]:
    """Yield the hidden folder of a run, which gets its name when the block ends without an error.

    After an error it is kept when training has left a checkpoint there that a later attempt can use.

    Args:    resumed: whether the run goes on from what is there; otherwise there must be nothing to go on from.
    Raises:  PathError: when it cannot be made, another process is at it, or an interrupted run lies there.
    """
    part = hidden_folder(folder)
    with _named(folder), _held(part, folder):
        if not resumed:
            _refuse_interrupted(folder)
            _empty(part)
        try:
            yield part
            _tidy(part)
            part.replace(folder)
        except TrainingError:
            # The same steps would fail in the same way.
            shutil.rmtree(part, ignore_errors=True)
            raise
        finally:
            if not _can_go_on(part):
                shutil.rmtree(part, ignore_errors=True)


def free_folder(output: Path | None, stem: str) -> Path:
    """Return the folder to write into: `output`, or `runs/STEM` with a number where that is taken.

    Raises:  PathError: when `output` exists and is not an empty folder, or an interrupted run lies there.
    """
    if output is not None:
        if not _is_free(output):
            raise PathError(
                f"{output} exists and is not an empty folder. Give another --output, or remove it."
            )
        _refuse_interrupted(output)
        return output
    numbered = (Path("runs") / f"{stem}-{number}" for number in itertools.count(2))
    return next(
        folder
        for folder in (Path("runs") / stem, *itertools.islice(numbered, 10_000))
        if _is_free(folder) and not hidden_folder(folder).exists()
    )


def hidden_folder(folder: Path) -> Path:
    """Return where the run that is to be `folder` lies while it is not whole."""
    return folder.with_name(f".{folder.name}.part")


def _is_free(folder: Path) -> bool:
    return not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))


def is_interrupted(folder: Path) -> bool:
    """Whether there is a run that can be resumed."""
    return _can_go_on(hidden_folder(folder))


def _can_go_on(part: Path) -> bool:
    return (part / _BEGUN).is_file() and any(part.glob(f"**/{_CHECKPOINTS}/*"))


def _refuse_interrupted(folder: Path) -> None:
    if is_interrupted(folder):
        raise PathError(
            f"the run {folder} was interrupted. Go on with `vicinal run --resume {folder}`, give another --output, "
            f"or remove {hidden_folder(folder)}."
        )


@contextlib.contextmanager
def _named(folder: Path) -> Iterator[None]:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        if isinstance(error, VicinalError):
            raise
        raise PathError(f"cannot make the run folder {folder}: {error.strerror}.") from error


@contextlib.contextmanager
def _held(part: Path, folder: Path) -> Iterator[None]:
    """Hold a lock on the hidden folder, which ends with the process, however that ends."""
    part.mkdir(exist_ok=True)
    handle = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        # Whoever follows a run asks with a lock of a moment, which is waited for.
        for wait_s in (0.05, 0.1, 0.0):
            if _is_locked(handle, fcntl.LOCK_EX):
                break
            time.sleep(wait_s)
        else:
            raise PathError(f"another process is at the run {folder}. Wait for it, or give another --output.")
        yield
    finally:
        os.close(handle)


def is_held(part: Path) -> bool:
    """Whether a process is at work in the hidden folder of a run; one that is not there is held by nobody."""
    try:
        handle = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    try:
        return not _is_locked(handle, fcntl.LOCK_SH)
    finally:
        os.close(handle)


def _is_locked(handle: int, kind: int) -> bool:
    """Take a lock without waiting; return whether it was free."""
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _empty(part: Path) -> None:
    for path in part.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _tidy(part: Path) -> None:
    """Remove what only an interrupted run needs."""
    for path in list(part.glob(f"**/{_CHECKPOINTS}")):
        shutil.rmtree(path)
    for name in (_BEGUN, _BEGUN_WITH):
        for path in list(part.glob(f"**/{name}")):
            path.unlink()
