"""One data set of the UCR archive, such as ECG5000 or ECG200: series of one length, in two published files.

Source: Dau et al. 2019, doi:10.1109/JAS.2019.1911747. The series are normalised, without unit, rate or patient.
Knows where things lie and what is published; must not know contracts.
"""

from collections import Counter
from dataclasses import replace
from pathlib import Path

from vicinal.errors import ExperimentError, FormatError, PathError, did_you_mean
from vicinal.inputs.datasets.catalogue import Catalogue, Recording
from vicinal.inputs.formats.rows import open_rows
from vicinal.inputs.formats.stated import Stated
from vicinal.signal import Signal

__all__ = ["CHANNEL", "catalogue", "read"]

CHANNEL = "series"

_PARTS = ("train", "test")
_LABEL = "label"


def catalogue(root: Path | None, *, name: str = "ECG5000", rate_hz: float = 1.0) -> Catalogue:
    """List the series of one data set, the published training file first.

    Args:    root: the folder of the archive, with `NAME/NAME_TRAIN.tsv` and `NAME/NAME_TEST.tsv`.
             name: which.  rate_hz: positions a second; the archive does not publish it, so 1 unless stated.
    Returns: one recording for each line, with the published split as "official".
    Raises:  ExperimentError: for a wrong option.  PathError: when a file is missing.
             FormatError: when a file is not a label and a series of one length on each line.
    """
    if isinstance(rate_hz, bool) or not isinstance(rate_hz, int | float) or not 0 < rate_hz <= 1e6:
        raise ExperimentError(
            f"ucr: rate_hz: expected a number above 0, got {rate_hz!r}. Correct it in [inputs.options]."
        )
    if root is None:
        raise PathError("ucr has files: expected the folder of the archive, with NAME/NAME_TRAIN.tsv in it.")
    recordings, parts = [], []
    for part in _PARTS:
        path = _file(root, name, part)
        options = {"rate_hz": float(rate_hz)}
        cells = open_rows(path, _stated(path, float(rate_hz))).columns.get(_LABEL, ())
        for row, cell in enumerate(cells):
            identifier = f"{name}-{part}-{row:05d}"
            label = (_label(cell, where=f"{path}, row {row}"),)
            recordings.append(
                Recording(identifier, path, None, identifier, label, options={**options, "row": row})
            )
        parts += [part] * len(cells)
    counts = Counter(one.labels[0] for one in recordings)
    return Catalogue(
        name=f"ucr {name}",
        classes=tuple(sorted(counts, key=float)),
        recordings=tuple(recordings),
        has_subjects=False,
        notes=(f"UCR {name} names no patients: nothing is shown about new patients.",),
        officials={"official": tuple(parts)},
    )


def read(recording: Recording) -> Signal:
    """Read one series: one channel "series" in the unit "1".

    Raises:  PathError: when the recording names no file.  FormatError: when its file is not what it was.
    """
    if recording.path is None:
        raise PathError(f"recording {recording.id!r} names no file.")
    options = recording.options
    rows = open_rows(recording.path, _stated(recording.path, float(options["rate_hz"])))
    if options["row"] >= rows.n:
        raise FormatError(f"{recording.path}: expected a row {options['row']}, got {rows.n} rows.")
    return replace(rows.read(options["row"]), id=recording.id)


def _stated(path: Path, rate_hz: float) -> Stated:
    return Stated(path.parent, channels=(CHANNEL,), rate_hz=rate_hz, units="1")


def _file(root: Path, name: str, part: str) -> Path:
    """Return a published file; a copy of it may say after its name where it comes from."""
    there = sorted(path.name for path in root.iterdir() if (path / f"{path.name}_TRAIN.tsv").is_file())
    if name not in there:
        raise PathError(f"ucr: no data set {name!r} in {root}{did_you_mean(str(name), there)}")
    stem = f"{name}_{part.upper()}"
    found = [root / name / f"{stem}.tsv", *sorted((root / name).glob(f"{stem}_*.tsv"))]
    for path in found:
        if path.is_file() and path.resolve().is_relative_to(root.resolve()):
            return path
    raise PathError(f"ucr: no file {stem}.tsv in {root / name}. Get it from the UCR archive.")


def _label(cell: str, *, where: str) -> str:
    """Return a class as a whole number: the archive writes 1 in one file and 1.0000000e+00 in another."""
    try:
        return str(int(float(cell))) if float(cell).is_integer() else str(float(cell))
    except (ValueError, OverflowError) as error:
        raise FormatError(f"{where}: expected a number as label, got {cell!r}.") from error
