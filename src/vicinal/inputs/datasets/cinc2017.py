"""PhysioNet/CinC Challenge 2017: 8,528 recordings of one lead, 9 to 61 s at 300 Hz; label version 3.

Classes: N (normal), A (atrial fibrillation), O (other rhythm), ~ (too noisy). Source: Clifford et al. 2017,
doi:10.22489/CinC.2017.065-469. Knows where things lie and what the labels mean; must not know contracts.
"""

from dataclasses import replace
from pathlib import Path

from vicinal.errors import FormatError, PathError
from vicinal.inputs.datasets.catalogue import Catalogue, Recording
from vicinal.inputs.datasets.store import MARKERS
from vicinal.inputs.formats.reading import read as read_file
from vicinal.signal import Signal

__all__ = ["CLASSES", "COPIES", "catalogue", "read"]

CLASSES = ("N", "A", "O", "~")

COPIES = (
    ("A00227", "A00595", "A00908", "A01014", "A01176", "A01925", "A02288", "A03242", "A03717"),
    ("A02656", "A03123", "A03530"),
    ("A00385", "A01980"),
    ("A00124", "A03032"),
)
"""Recordings of the same signal under several names; those of a line share a group. A00227 = A01176 and A02656 =
A03123 to the last sample; the others were recorded anew (correlation 0.95 or more over half a minute, at 100 Hz)."""

_NOTES = (
    "CinC 2017 has no patient identifiers: every number assumes one recording per person.",
    "16 recordings repeat 4 signals, A00227 = A01176 and A02656 = A03123 to the last sample; those of one signal "
    "stay in one part, though some of them bear different labels.",
)


def catalogue(root: Path | None) -> Catalogue:
    """List the recordings in the label table of version 3, in its order.

    Args:    root: the folder with `A*.hea`, `A*.mat` and `REFERENCE-v3.plain.csv` or `REFERENCE-v3.csv`.
    Raises:  PathError: when there is no label table.  FormatError: when a line of it is not `A00001,N`.
    """
    if root is None:
        raise PathError(
            "cinc2017 has files: expected the folder that holds them. Get it with: vicinal get cinc2017"
        )
    group_of = {identifier: "=".join(copies) for copies in COPIES for identifier in copies}
    present = {path.name for path in root.iterdir()} if root.is_dir() else set()
    recordings, skipped = [], []
    for identifier, label in _labels(root):
        missing = [name for name in (f"{identifier}.hea", f"{identifier}.mat") if name not in present]
        if missing:
            skipped.append((identifier, f"labelled, but {' and '.join(missing)} not in the folder"))
            continue
        path, group = root / f"{identifier}.hea", group_of.get(identifier, identifier)
        recordings.append(Recording(id=identifier, path=path, subject=None, group=group, labels=(label,)))
    return Catalogue(
        name="cinc2017",
        classes=CLASSES,
        recordings=tuple(recordings),
        has_subjects=False,
        notes=_NOTES,
        skipped=tuple(skipped),
    )


def read(recording: Recording) -> Signal:
    """Read one recording: channel "ECG" in mV.

    Raises:  PathError, FormatError: when the file is missing or not what its header says.
    """
    if recording.path is None:
        raise PathError(f"recording {recording.id!r} names no file.")
    return replace(read_file(recording.path, root=recording.path.parent), id=recording.id)


def _labels(root: Path) -> list[tuple[str, str]]:
    tables = [root / marker for marker in MARKERS["cinc2017"] if (root / marker).is_file()]
    if not tables:
        raise PathError(f"no label table in {root}: expected {' or '.join(MARKERS['cinc2017'])}.")
    text = tables[0].read_text(encoding="utf-8-sig", errors="replace")
    rows = [tuple(cell.strip() for cell in line.split(",")) for line in text.splitlines() if line.strip()]
    wrong = [row for row in rows if len(row) != 2 or not _is_name(row[0]) or row[1] not in CLASSES]
    if wrong:
        raise FormatError(
            f"{tables[0]}: {len(wrong)} lines are not a name such as A00001 and one of {', '.join(CLASSES)}; "
            f"first {','.join(wrong[0])!r}. Get the table again."
        )
    return [(row[0], row[1]) for row in rows]


def _is_name(text: str) -> bool:
    return len(text) == 6 and text[0] == "A" and text[1:].isdecimal() and text.isascii()
