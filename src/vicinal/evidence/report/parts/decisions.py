"""The decisions of a run: truth by decision, the policy, and what every other threshold would give."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from vicinal.decisions.thresholds import shift_prevalence
from vicinal.evidence.report import plots
from vicinal.evidence.report.blocks import (
    Block,
    Confusion,
    Drawing,
    Facts,
    Grid,
    Panel,
    Square,
)
from vicinal.evidence.report.content import Report
from vicinal.evidence.report.parts.curves import bands, drawn_classes, thresholds
from vicinal.evidence.report.sources import sources
from vicinal.evidence.report.spelling import count, facts, share

__all__ = ["decisions"]


def decisions(report: Report) -> list[Block]:
    """Return confusion tables, the policy, threshold sweeps and decision curves."""
    panels = [
        Panel(
            f"Confusion: {one['class'] or 'all classes'}",
            [_confusion(one)],
            "Test rows; shares are of each line.",
        )
        for one in report.evidence.get("confusion", ())
    ]
    policy = facts(report.evidence.get("policy", {}))
    if policy:
        panels.append(Panel("Policy", [Facts(policy)], _field(report.evidence["policy"])))
    drawn = _sweeps(report)
    grids = [Grid(one, even) for one, even in ((panels, False), (drawn, True)) if one]
    return [*grids, *(sources(report, what="decisions") if panels else [])]


def _field(policy: Mapping[str, Any]) -> str:
    """Say what a threshold is where the class is as common as stated."""
    (source, *_) = policy.get("rows_prevalence") or (None,)
    field, thresholds_ = policy.get("prevalence"), policy.get("thresholds")
    if field is None or not thresholds_ or source is None or not 0 < source < 1:
        return ""
    moved = shift_prevalence(np.array(thresholds_[0]), source=source, field=field)
    return (
        "Thresholds and probabilities of this report are of recordings among which the class is as common as where the "
        f"threshold was fitted ({source:.3g}). At the stated prevalence {field:g} the same threshold is a probability "
        f"of {moved:.3g}, and every decision is the same."
    )


def _sweeps(report: Report) -> list[Panel]:
    by_class, cuts, referred = drawn_classes(report), thresholds(report), bands(report)
    meaning = report.evidence.get("meaning", {})
    stated = meaning.get("prevalence") if len(by_class) == 1 else None
    moved = stated if meaning.get("stated") else None
    panels = []
    for name, (truth, probability) in by_class.items():
        of = "" if len(by_class) == 1 else f": {name}"
        band = referred.get(name)
        sweep = plots.sweep_plot(
            name, truth, probability, threshold=cuts.get(name), prevalence=stated, refer=band
        )
        curve = plots.decision_plot(name, truth, probability, threshold=cuts.get(name), prevalence=moved)
        shaded = "" if band is None else " Shaded: referred to a person."
        panels += [
            Panel(
                f"Threshold sweep{of}",
                [Drawing(sweep)],
                f"What every other threshold would give. Dashed: the one chosen, on rows of its own.{shaded}",
            ),
            Panel(
                f"Decision curve{of}",
                [Drawing(curve)],
                "Net benefit when a miss weighs (1 − t) / t false alarms; the model should lie on top.",
            ),
        ]
    return panels


def _confusion(table: Mapping[str, Any]) -> Confusion:
    rows = []
    for row in table["rows"]:
        squares = [
            Square(count(n), share(part), _sort(row["truth"], decided))
            for n, part, decided in zip(row["counts"], row["shares"], table["decided"], strict=True)
        ]
        rows.append((row["truth"], squares))
    return Confusion(table["decided"], rows)


def _sort(truth: str, decided: str) -> str:
    return "referred" if decided == "referred" else "right" if truth == decided else "wrong"
