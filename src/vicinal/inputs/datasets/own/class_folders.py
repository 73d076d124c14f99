"""A folder with one sub-folder of recordings for each class, perhaps below folders called train and test.

Must not know tables or what a recording holds.
"""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vicinal.inputs.datasets.catalogue import Catalogue, Recording
from vicinal.inputs.datasets.own.labelled import ASSUMES
from vicinal.inputs.datasets.own.listing import Listing
from vicinal.inputs.datasets.own.parts import part_called
from vicinal.inputs.problems import Problems

__all__ = ["by_class_folders"]


def by_class_folders(listing: Listing, *, options: Mapping[str, Any]) -> Catalogue | None:
    """Return the catalogue of a folder whose sub-folders are classes, or None when no recording lies in one.

    Raises:  FormatError: when recordings differ only in their ending.
    """
    names = [Path(listing.relative(k)) for k in range(len(listing))]
    parts = _parts(names)
    depth = 1 if parts is None else 2
    within = [k for k, name in enumerate(names) if len(name.parts) > depth]
    if not within:
        return None
    recordings = []
    for k in within:
        identifier = names[k].with_suffix("").as_posix()
        label = names[k].parts[depth - 1]
        recordings.append(
            Recording(identifier, listing.files[k], None, identifier, (label,), {}, None, options)
        )
    problems = Problems(str(listing.root))
    repeated = [name for name, count in Counter(one.id for one in recordings).items() if count > 1]
    problems.extend(f"{name}: several files differ only in their ending" for name in repeated)
    problems.raise_any("Keep one file for each recording.")
    loose = sorted(set(range(len(names))) - set(within))
    return Catalogue(
        name=listing.root.name,
        classes=tuple(sorted({label for one in recordings for label in one.labels})),
        recordings=tuple(recordings),
        has_subjects=False,
        notes=(ASSUMES,),
        officials={} if parts is None else {"folders": tuple(parts[k] for k in within)},
        skipped=(*((listing.relative(k), "not in the folder of a class") for k in loose), *listing.skipped),
    )


def _parts(names: list[Path]) -> list[str] | None:
    """Return the part of each recording when the uppermost folders are parts, with a train and a test among them."""
    found = [part_called(name.parts[0]) if len(name.parts) > 2 else None for name in names]
    if None in found or not {"train", "test"} <= set(found):
        return None
    return [str(part) for part in found]
