"""Which rows were decided wrongly: all of them, most confident first, and how often which was taken for which.

Knows score tables and decisions; must not know signals, or how decisions came about.
"""

from typing import Any

import numpy as np
from jaxtyping import Int8, Int64

from vicinal.scoretable import ScoreTable

__all__ = ["MOST_LISTED", "confusion", "could_be_mistaken", "mistakes"]

MOST_LISTED = 1000
"""Wrong decisions of each kind that are listed one by one; of others there is the count."""


def mistakes(table: ScoreTable, decisions: Int8[np.ndarray, "n k"]) -> dict[str, dict[str, dict[str, Any]]]:
    """Return the wrong decisions about each class, most confident first; referred rows are not wrong.

    A miss has the class and was decided not to have it; the lower its probability, the more confident the error. A
    false alarm is the other way round. Of exclusive classes each wrong row is a miss of its own class, and tells
    which class it was taken for, and with what probability.

    Returns: for each class {"missed": ..., "false_alarms": ...}, of exclusive classes only the first, each {"n",
             "listed": [{"id", "decided" of exclusive classes, "probability"}]}.
    """
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for k, name in enumerate(table.classes):
        truth = table.truth[:, k]
        if table.task == "classes":
            rows, called = (truth == 1) & (decisions[:, k] == 0), decisions.argmax(axis=1)
            found[name] = {"missed": _listed(table, _sorted(table, rows, k, called), k, called)}
            continue
        misses = (truth == 1) & (decisions[:, k] == 0)
        alarms = (truth == 0) & (decisions[:, k] == 1)
        found[name] = {
            "missed": _listed(table, _sorted(table, misses, k), k),
            "false_alarms": _listed(table, _sorted(table, alarms, k)[::-1], k),
        }
    return found


def could_be_mistaken(table: ScoreTable, *, n: int) -> list[tuple[int, int]]:
    """Return (row, class) of those that any threshold would have among its n most confident errors of a kind.

    A threshold that misses a row misses every row of the class with a lower probability, so the most confident
    misses are the same for all thresholds that have as many; likewise false alarms, and the band that is referred.
    """
    chosen = []
    for k in range(len(table.classes)):
        truth = table.truth[:, k]
        if table.task == "classes":
            called = table.probabilities.argmax(axis=1)
            wrong = _sorted(table, (truth == 1) & (called != k), k, called)[:n]
            # Where others are alarmed of below the largest probability, these come next.
            next_best = np.where(np.arange(len(table.classes)) == k, -1.0, table.probabilities).argmax(axis=1)
            right = _sorted(table, (truth == 1) & (called == k), k, next_best)[: n - len(wrong)]
            chosen += [(row, k) for row in (*wrong.tolist(), *right.tolist())]
            continue
        chosen += [(row, k) for row in _sorted(table, truth == 1, k)[:n].tolist()]
        chosen += [(row, k) for row in _sorted(table, truth == 0, k)[::-1][:n].tolist()]
    return chosen


def confusion(table: ScoreTable, decisions: Int8[np.ndarray, "n k"]) -> list[dict[str, Any]]:
    """Return truth by decision: one table for exclusive classes, else one for each class.

    Returns: of each table {"class": its name or None, "decided": names of the columns, "rows": [{"truth", "counts",
             "shares" of the line}]}; rows of unknown truth are left out, and a column "referred" is there if needed.
    """
    if table.task == "classes":
        known = ~np.isnan(table.truth).any(axis=1)
        truth, called = table.truth[known].argmax(axis=1), decisions[known].argmax(axis=1)
        called = np.where((decisions[known] == -1).any(axis=1), -1, called)
        return [_crossed(None, table.classes, truth, called)]
    tables = []
    for k, name in enumerate(table.classes):
        known = ~np.isnan(table.truth[:, k])
        truth = 1 - table.truth[known, k].astype(np.int64)
        called = decisions[known, k].astype(np.int64)
        tables.append(_crossed(name, (name, f"not {name}"), truth, np.where(called < 0, -1, 1 - called)))
    return tables


def _crossed(
    name: str | None,
    classes: tuple[str, ...],
    truth: Int64[np.ndarray, " n"],
    called: Int64[np.ndarray, " n"],
) -> dict[str, Any]:
    columns = [*range(len(classes)), *([-1] if (called == -1).any() else [])]
    rows = []
    for k, one in enumerate(classes):
        counts = [int(((truth == k) & (called == column)).sum()) for column in columns]
        total = max(1, sum(counts))
        rows.append({"truth": one, "counts": counts, "shares": [count / total for count in counts]})
    return {"class": name, "decided": ["referred" if c < 0 else classes[c] for c in columns], "rows": rows}


def _sorted(
    table: ScoreTable, rows: np.ndarray, k: int, called: Int64[np.ndarray, " n"] | None = None
) -> Int64[np.ndarray, " m"]:
    """Return the rows by rising probability of class k; where given, by that of the class called, falling."""
    places = np.flatnonzero(rows)
    if called is not None:
        return places[np.argsort(-table.probabilities[places, called[places]], kind="stable")]
    return places[np.argsort(table.probabilities[places, k], kind="stable")]


def _listed(
    table: ScoreTable,
    rows: Int64[np.ndarray, " m"],
    k: int,
    called: Int64[np.ndarray, " n"] | None = None,
) -> dict[str, Any]:
    """Return the count of the rows, and the first of them; `called`: of exclusive classes the one decided."""
    shown = rows[:MOST_LISTED].tolist()
    decided = shown if called is None else called[rows[:MOST_LISTED]].tolist()
    lines = [
        _line(table, row, k if called is None else one, told=called is not None)
        for row, one in zip(shown, decided, strict=True)
    ]
    return {"n": len(rows), "listed": lines}


def _line(table: ScoreTable, row: int, k: int, *, told: bool) -> dict[str, Any]:
    """Return one error with the probability of class k, which is that of the class decided where it is told."""
    # The recording, and not whose it is: a report names no patient.
    line: dict[str, Any] = {"id": str(table.ids[row])}
    line |= {"decided": table.classes[k]} if told else {}
    return line | {"probability": float(table.probabilities[row, k])}
