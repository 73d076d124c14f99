"""Maps of a comparison: the same test signals, with what the scores of each network rest on.

Wiring: maps were made by `measuring.py` in each trial, and are drawn by the page.
"""

from collections.abc import Sequence

import numpy as np

from vicinal.evidence.report.comparison import Explained
from vicinal.inputs.pack import Pack
from vicinal.workflow.contenders import Contender
from vicinal.workflow.trial import Outcome

__all__ = ["explained"]


def explained(performed: Sequence[tuple[Contender, list[Outcome]]], pack: Pack) -> list[Explained]:
    """Return the signals whose maps were kept, each with a map of every network: of its first seed, all subjects.

    Networks that were prepared for in another way, so that their signals have another shape, are left out.
    """
    first: dict[str, Outcome] = {}
    for one, outcomes in performed:
        for outcome in outcomes:
            if not one.of and outcome.measured is not None and not outcome.facts.get("tried"):
                first.setdefault(one.name, outcome)
    if not first:
        return []
    rows = next(iter(first.values())).measured
    assert rows is not None  # only such were taken
    found = []
    for k, row in enumerate(rows.explained[: len(rows.maps)].tolist()):
        samples, lengths = pack.rows(np.array([row]))
        adds = {
            name: outcome.measured.maps[k]
            for name, outcome in first.items()
            if outcome.measured is not None
            and np.array_equal(outcome.measured.explained, rows.explained)
            and outcome.measured.maps[k].shape == samples[0].shape
        }
        length = int(lengths[0]) if samples.ndim == 3 else None
        real = (..., slice(length))
        shown = {name: values[real] for name, values in adds.items()}
        found.append(Explained(str(pack.ids[row]), _truth(pack, row), samples[0][real], shown))
    return found


def _truth(pack: Pack, row: int) -> str:
    held = [name for name, value in zip(pack.classes, pack.truth[row], strict=True) if value == 1]
    if held:
        return ", ".join(held)
    return f"not {pack.classes[0]}" if len(pack.classes) == 1 else "none of the classes"
