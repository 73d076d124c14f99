"""Many recordings at once: a pack's rows, or files and folders, to one score table.

Both ways give the same bits for the same recording. Reads packs and recordings; must not know thresholds,
metrics or training.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int64

from vicinal.errors import FormatError, PathError, VicinalError
from vicinal.inputs.formats import READERS
from vicinal.inputs.formats.reading import read
from vicinal.inputs.pack import Pack
from vicinal.inputs.prepare import Prepared, prepare
from vicinal.scores.at_events import AtEvents, joined, score_pack_at_events, scored_at_events
from vicinal.scores.model import Model
from vicinal.scores.scorer import BATCH, Scorer, stacked
from vicinal.scoretable import Role, ScoreTable

__all__ = ["find_recordings", "score_pack", "score_paths"]

Skipped = tuple[str, str]
"""A path, and why it was left out."""

_SIGNAL_FILES = (".dat", ".mat")


def score_pack(
    model: Model | Scorer,
    pack: Pack,
    indices: Int64[np.ndarray, " m"],
    *,
    role: Role,
    split_hash: str = "",
) -> ScoreTable:
    """Score rows of a pack, a batch in memory at a time, with their truth and subjects.

    A model that answers at events gives a row for each event of these recordings.

    Args:    model: or its scorer, in another precision for instance.  indices: rows of the pack.
             role: what the rows may be used for.  split_hash: of the split that says so.
    Raises:  FormatError: when the pack was made for another contract, or for other classes.
    """
    scorer = model.scorer() if isinstance(model, Model) else model
    if pack.contract != scorer.contract or pack.classes != scorer.calibration.classes:
        raise FormatError(
            "scoring a pack: expected the contract and the classes of the model, "
            f"{', '.join(scorer.calibration.classes)}, got another contract or {', '.join(pack.classes)}. "
            "Pack the data with the model's contract, or score the files."
        )
    if scorer.positions is not None:
        return score_pack_at_events(scorer, pack, indices, role=role, split_hash=split_hash)
    parts = [np.empty((0, len(pack.classes)))]
    parts += [
        scorer.logits(*pack.rows(indices[start : start + BATCH])) for start in range(0, len(indices), BATCH)
    ]
    return scorer.table(
        np.concatenate(parts),
        ids=pack.ids[indices],
        role=role,
        truth=pack.truth[indices],
        subjects=None if pack.subjects is None else pack.subjects[indices],
        columns={name: column[indices] for name, column in pack.columns.items()},
        split_hash=split_hash,
    )


def score_paths(
    model: Model | Scorer,
    paths: Sequence[Path],
    *,
    role: Role = "unlabelled",
    channels: Sequence[str] | None = None,
    rate_hz: float | None = None,
    units: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[ScoreTable, list[Skipped]]:
    """Score files, and every recording in folders, a batch in memory at a time.

    A model that answers at events gives a row for each event that comes with a file; a file without is left out.

    Args:    paths: recordings, or folders of them; a recording's id is its name without the suffix, with its
             folder where two have the same name.  channels, rate_hz, units: for files that do
             not state them.
             progress: called with recordings done and in all.
    Returns: the table, without truth, and what was left out with the reason.
    Raises:  PathError: when a path is missing, or nothing is a recording.
             FormatError: when no recording could be scored; says why.
    """
    scorer = model.scorer() if isinstance(model, Model) else model
    found = find_recordings(paths)
    if scorer.positions is not None:
        return _score_events(
            scorer, found, role, {"channels": channels, "rate_hz": rate_hz, "units": units}, progress
        )
    ids, logits, skipped = [], [np.empty((0, len(scorer.calibration.classes)))], list[Skipped]()
    names = _names(file for file, _ in found)
    for start in range(0, len(found), BATCH):
        rows: list[Prepared] = []
        for file, root in found[start : start + BATCH]:
            try:
                signal = read(file, root=root, channels=channels, rate_hz=rate_hz, units=units)
                rows.append(prepare(signal, scorer.contract))
                ids.append(names[file])
            except VicinalError as error:
                skipped.append((str(file), str(error)))
        if rows:
            logits.append(scorer.logits(*stacked(rows)))
        if progress is not None:
            progress(min(start + BATCH, len(found)), len(found))
    if not ids:
        raise _nothing_scored(len(found), skipped)
    return scorer.table(np.concatenate(logits), ids=ids, role=role), skipped


def _score_events(
    scorer: Scorer,
    found: Sequence[tuple[Path, Path]],
    role: Role,
    stated: Mapping[str, Any],
    progress: Callable[[int, int], None] | None,
) -> tuple[ScoreTable, list[Skipped]]:
    """Score recordings at their events, one at a time, since each may be long."""
    names = _names(file for file, _ in found)
    scored, skipped = list[AtEvents](), list[Skipped]()
    for done, (file, root) in enumerate(found, start=1):
        try:
            scored.append(scored_at_events(scorer, read(file, root=root, **stated), record=names[file]))
        except VicinalError as error:
            skipped.append((str(file), str(error)))
        if progress is not None:
            progress(done, len(found))
    if not scored:
        raise _nothing_scored(len(found), skipped)
    return joined(scorer, scored, role=role), skipped


def _nothing_scored(n: int, skipped: Sequence[Skipped]) -> FormatError:
    shown = "\n".join(f"  {reason}" for _, reason in skipped[:5])
    return FormatError(f"none of {n} recordings could be scored:\n{shown}")


def find_recordings(paths: Sequence[Path]) -> list[tuple[Path, Path]]:
    """Return each recording once, with the folder that nothing in it may leave, in the order given.

    Args:    paths: files, record names of WFDB without a suffix, or folders, searched to the bottom; links to
             folders are not followed.
    Raises:  PathError: when a path is missing or nothing is a recording.
    """
    found: dict[Path, Path] = {}
    for path in paths:
        if path.is_dir():
            for file in _files_in(path):
                found.setdefault(_recording(file), path)
        elif path.is_file() or path.with_name(path.name + ".hea").is_file():
            found.setdefault(_recording(path), path.parent)
        else:
            raise PathError(f"{path} does not exist. Give a recording, or a folder of recordings.")
    if not found:
        where = ", ".join(str(path) for path in paths[:3]) or "nothing"
        raise PathError(f"{where}: no recordings there. They are files named {', '.join(READERS)}.")
    return list(found.items())


def _files_in(folder: Path) -> Iterator[Path]:
    for where, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            if Path(name).suffix.lower() in READERS:
                yield Path(where, name)


def _recording(file: Path) -> Path:
    """Return the header of a WFDB record for its signal file or its name, any other file as it is."""
    if file.suffix.lower() in _SIGNAL_FILES and file.with_suffix(".hea").is_file():
        return file.with_suffix(".hea")
    return file if file.is_file() else file.with_name(file.name + ".hea")


def _names(files: Iterable[Path]) -> dict[Path, str]:
    files = list(files)
    count = Counter(file.stem for file in files)
    return {file: file.stem if count[file.stem] == 1 else str(file) for file in files}
