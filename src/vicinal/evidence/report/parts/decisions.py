"""The decisions of a run: truth by decision, the policy, and what every other threshold would give."""

from collections.abc import Sequence

import numpy as np

from vicinal.evidence.report import plots
from vicinal.evidence.report.blocks import Block, Confusion, Drawing, Facts, Grid, Panel, Square
from vicinal.evidence.report.content import Report
from vicinal.evidence.report.parts.curves import drawn_classes, thresholds
from vicinal.evidence.report.spelling import count, facts, share

__all__ = ["decisions"]


def decisions(report: Report) -> list[Block]:
    """Return confusion tables, the policy, threshold sweeps and decision curves."""
    panels = [
        Panel(f"Confusion: {title}", [table], "Test rows; shares are of each line.")
        for title, table in _confusion(report)
    ]
    policy = facts(report.evidence.get("policy", {}))
    if policy:
        panels.append(Panel("Policy", [Facts(policy)]))
    drawn = _sweeps(report)
    return [Grid(one, even) for one, even in ((panels, False), (drawn, True)) if one]


def _sweeps(report: Report) -> list[Panel]:
    by_class, cuts = drawn_classes(report), thresholds(report)
    meaning = report.evidence.get("meaning", {})
    stated = meaning.get("prevalence") if len(by_class) == 1 else None
    moved = stated if meaning.get("stated") else None
    panels = []
    for name, (truth, probability) in by_class.items():
        of = "" if len(by_class) == 1 else f": {name}"
        sweep = plots.sweep_plot(name, truth, probability, threshold=cuts.get(name), prevalence=stated)
        curve = plots.decision_plot(name, truth, probability, threshold=cuts.get(name), prevalence=moved)
        panels += [
            Panel(
                f"Threshold sweep{of}",
                [Drawing(sweep)],
                "What every other threshold would give. Dashed: the one chosen, on rows of its own.",
            ),
            Panel(
                f"Decision curve{of}",
                [Drawing(curve)],
                "Net benefit when a miss weighs (1 − t) / t false alarms; the model should lie on top.",
            ),
        ]
    return panels


def _confusion(report: Report) -> list[tuple[str, Confusion]]:
    """Return one table for exclusive classes, else one for each class: truth by decision, in rows."""
    if report.decisions is None or not len(report.truth):
        return []
    if report.evidence.get("policy", {}).get("kind") == "argmax":
        known = ~np.isnan(report.truth).any(axis=1)
        truth, called = report.truth[known].argmax(axis=1), report.decisions[known].argmax(axis=1)
        called = np.where((report.decisions[known] == -1).any(axis=1), -1, called)
        return [("all classes", _table(report.classes, truth, called))]
    tables = []
    for k, name in enumerate(report.classes):
        known = ~np.isnan(report.truth[:, k])
        truth = 1 - report.truth[known, k].astype(np.int64)
        called = report.decisions[known, k].astype(np.int64)
        tables.append((name, _table((name, f"not {name}"), truth, np.where(called < 0, -1, 1 - called))))
    return tables


def _table(names: Sequence[str], truth: np.ndarray, called: np.ndarray) -> Confusion:
    columns = [*range(len(names)), *([-1] if (called == -1).any() else [])]
    rows = []
    for k, name in enumerate(names):
        counts = [int(((truth == k) & (called == column)).sum()) for column in columns]
        total = max(1, sum(counts))
        squares = [
            Square(count(n), share(n / total), _sort(k, column))
            for n, column in zip(counts, columns, strict=True)
        ]
        rows.append((name, squares))
    return Confusion(["referred" if c < 0 else names[c] for c in columns], rows)


def _sort(truth: int, called: int) -> str:
    return "referred" if called < 0 else "right" if truth == called else "wrong"
