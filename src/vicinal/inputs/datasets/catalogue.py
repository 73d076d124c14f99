"""Catalogue: what a data set holds, before any recording is read.

Plain data that every data set module makes, and that packing, splits and tasks take. Must not know formats.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vicinal.errors import FormatError

__all__ = ["Catalogue", "Recording"]


@dataclass(frozen=True)
class Recording:
    """One recording of a data set.

    Args:    id: unique in the data set.  path: the file, or None for made-up data.
             subject: whom it was measured on, or None when not known.
             group: the key that never straddles a split: the subject, else the id, or a name shared by twins.
             labels: the classes it bears.  columns: further facts, for subgroups (age, device).
             seed: of made-up data.  options: what the data set's `read` needs besides the path, such as a
             rate or a unit; plain values, because reading may run in another process.
    """

    id: str
    path: Path | None
    subject: str | None
    group: str
    labels: tuple[str, ...]
    columns: Mapping[str, str | float] = field(default_factory=dict)
    seed: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Catalogue:
    """All recordings of a data set.

    Args:    name: of the data set.  classes: every label that may occur, in a fixed order.
             recordings: in a fixed order.  has_subjects: whether every recording names its subject.
             officials: published splits by name, each the part of every recording ("train", "validation",
             "calibration", "test" or "unused"); "train" rows may be divided further.
             label_columns: columns that say the label in other words (a subtype), so that the leakage auditor does
             not take them for a device or a site.
             event_classes: with the task "events", the classes that events may have; None: not known before the
             recordings are read.
             class_of: with the task "events" the class of each symbol, for symbols that say it in other words;
             empty where a symbol is its own class. Events of other symbols have no class.
             notes: what a reader of the report must know.  skipped: (id or file, reason) of what is left out.
    Raises:  FormatError: when ids repeat or labels are not among the classes.
    """

    name: str
    classes: tuple[str, ...]
    recordings: tuple[Recording, ...]
    has_subjects: bool
    notes: tuple[str, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()
    officials: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    label_columns: tuple[str, ...] = ()
    event_classes: tuple[str, ...] | None = None
    class_of: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        ids = [recording.id for recording in self.recordings]
        problems = []
        repeated = sorted(one for one, count in Counter(ids).items() if count > 1)
        if repeated:
            problems.append(f"ids repeat: {', '.join(repeated[:5])}")
        unknown = sorted({label for one in self.recordings for label in one.labels} - set(self.classes))
        if unknown:
            problems.append(
                f"labels {', '.join(unknown)} are not among the classes {', '.join(self.classes)}"
            )
        strange = sorted(set(self.class_of.values()) - set(self.event_classes or ()))
        if strange:
            problems.append(f"symbols mean {', '.join(strange)}, which are not among the classes of events")
        if self.has_subjects and any(recording.subject is None for recording in self.recordings):
            problems.append("a recording lacks its subject")
        for name, parts in self.officials.items():
            if len(parts) != len(self.recordings):
                problems.append(
                    f"split {name!r} has {len(parts)} parts for {len(self.recordings)} recordings"
                )
        if problems:
            raise FormatError(f"data set {self.name!r}: " + "; ".join(problems) + ".")
