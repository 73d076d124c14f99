"""Tasks: from the labels of a catalogue to the numbers that a network learns.

Knows catalogues; must not know signals or networks.
"""

from collections import Counter

import numpy as np
from jaxtyping import Float64

from vicinal.errors import ExperimentError, did_you_mean
from vicinal.inputs.datasets.catalogue import Catalogue

__all__ = ["truth"]


def truth(
    catalogue: Catalogue, *, task: str, positive: tuple[str, ...] = (), classes: tuple[str, ...] = ()
) -> tuple[tuple[str, ...], Float64[np.ndarray, "n k"]]:
    """Return the classes of a task and the truth of every recording.

    Args:    task: "binary", one or more `positive` classes against the rest; "classes", exactly one of
             `classes` for each recording; "labels", any number of `classes` for each recording; "events",
             symbols at positions, which only the recordings themselves hold.
             classes: which, and in what order; all of the catalogue's when empty. With events of data that do not list
             their symbols, those that are told apart.
    Returns: the K classes ("A" or "A+O" when binary, so K = 1), and (n, K) of 0 and 1; (n, 0) of events.
    Raises:  ExperimentError: lists everything that does not fit: unknown classes, recordings without a label; or
             when every recording has the same truth.
    """
    offered = _offered(catalogue, task)
    chosen = positive if task == "binary" else classes or offered or ()
    problems = _argument_problems(catalogue, task, offered, positive, classes)
    if not problems:
        problems = _label_problems(catalogue, task, chosen)
    if problems:
        raise ExperimentError(f"task {task!r} on {catalogue.name}: " + "; ".join(problems) + ".")
    if task == "events":
        return tuple(chosen), np.empty((len(catalogue.recordings), 0))
    labels = [set(recording.labels) for recording in catalogue.recordings]
    if task == "binary":
        chosen, table = ("+".join(positive),), [[float(bool(row.intersection(positive)))] for row in labels]
    else:
        table = [[float(name in row) for name in chosen] for row in labels]
    found = np.array(table, dtype=np.float64).reshape(-1, len(chosen))
    if len(found) > 1 and (found == found[0]).all():
        has = ", ".join(name for name, one in zip(chosen, found[0], strict=True) if one) or "none of them"
        raise ExperimentError(
            f"task {task!r} on {catalogue.name}: all {len(found)} recordings have the same answer ({has}), so there "
            "is nothing to learn. Add recordings of another class, or correct the labels."
        )
    return tuple(chosen), found


def _offered(catalogue: Catalogue, task: str) -> tuple[str, ...] | None:
    """Return the classes there are; None for events whose symbols are not known before they are read."""
    return catalogue.event_classes if task == "events" else catalogue.classes


def _argument_problems(
    catalogue: Catalogue,
    task: str,
    offered: tuple[str, ...] | None,
    positive: tuple[str, ...],
    classes: tuple[str, ...],
) -> list[str]:
    if task not in ("binary", "classes", "labels", "events"):
        return ["expected 'binary', 'classes', 'labels' or 'events'"]
    problems = []
    if task == "binary" and not positive:
        problems.append(f"say which of {', '.join(catalogue.classes)} are `positive`")
    if task == "binary" and classes:
        problems.append(
            "`classes` belongs to the tasks 'classes', 'labels' and 'events'; a binary task takes `positive`"
        )
    if task != "binary" and positive:
        problems.append("`positive` belongs to the task 'binary'; this one takes `classes`")
    given = (*positive, *classes)
    if offered is None and not classes:
        problems.append("say which symbols of the events are `classes`")
    problems += [
        f"no class {name!r}" + did_you_mean(name, offered).rstrip(".")
        for name in given
        if offered is not None and name not in offered
    ]
    problems += [f"class {name!r} is given {n} times" for name, n in Counter(given).items() if n > 1]
    if task == "binary" and not problems and set(positive) == set(catalogue.classes):
        problems.append("every class is positive; leave at least one on the other side")
    return problems


def _label_problems(catalogue: Catalogue, task: str, chosen: tuple[str, ...]) -> list[str]:
    problems = []
    without = [recording.id for recording in catalogue.recordings if not recording.labels]
    if without and task in ("binary", "classes"):
        problems.append(f"{len(without)} recordings have no label (first {', '.join(without[:3])})")
    if task == "classes":
        counts = [
            (recording.id, len(set(recording.labels) & set(chosen))) for recording in catalogue.recordings
        ]
        wrong = [identifier for identifier, n in counts if n != 1 and identifier not in set(without)]
        if wrong:
            problems.append(
                f"{len(wrong)} recordings do not have exactly one of {', '.join(chosen)} (first "
                f"{', '.join(wrong[:3])}): add the classes they have, or use the task 'labels'"
            )
    return problems
