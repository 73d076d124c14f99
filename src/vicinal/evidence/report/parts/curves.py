"""The curves of a run: ROC, precision-recall, calibration, and how the probabilities spread."""

from collections.abc import Mapping

import numpy as np

from vicinal.evidence.report import plots
from vicinal.evidence.report.blocks import Block, Drawing, Grid, Panel, Paragraph
from vicinal.evidence.report.content import Report

__all__ = ["bands", "curves", "drawn_classes", "thresholds"]

_MOST_CLASSES = 6


def curves(report: Report) -> list[Block]:
    """Return the plots of the test rows; a line in their place where there are none."""
    by_class, cuts = drawn_classes(report), thresholds(report)
    if not by_class:
        return [Paragraph("No curves: no class has test rows with and without it.", small=True)]
    panels = _of_all(by_class, cuts)
    for name, (truth, probability) in by_class.items():
        of = "" if len(by_class) == 1 else f": {name}"
        band = bands(report).get(name)
        svg = plots.histogram_plot(name, truth, probability, threshold=cuts.get(name), refer=band)
        caption = "Rows that have it above the line, rows that do not below."
        caption += "" if band is None else " Shaded: referred to a person."
        panels.append(Panel(f"Probabilities{of}", [Drawing(svg)], caption))
    return [Grid(panels)]


def drawn_classes(report: Report) -> plots.ByClass:
    """Return truth and probability of each class that has rows of both kinds; at most six classes."""
    found = {}
    for k, name in enumerate(report.classes):
        known = ~np.isnan(report.truth[:, k])
        truth = report.truth[known, k]
        if truth.size and truth.min() != truth.max():
            found[name] = (truth, report.probability[known, k])
    return dict(list(found.items())[:_MOST_CLASSES])


def thresholds(report: Report) -> dict[str, float]:
    """Return the threshold of each class that has one."""
    policy = report.evidence.get("policy", {})
    pairs = zip(policy.get("classes", ()), policy.get("thresholds", ()), strict=False)
    return {name: float(value) for name, value in pairs if value is not None}


def bands(report: Report) -> dict[str, tuple[float, float]]:
    """Return the refer band of each class that has one of its own."""
    policy = report.evidence.get("policy", {})
    refer = policy.get("refer") or ()
    # That of exclusive classes is about the largest probability, whichever class has it.
    pairs = zip(policy.get("classes", ()), refer if policy.get("kind") == "threshold" else (), strict=False)
    return {name: (float(band[0]), float(band[1])) for name, band in pairs if band is not None}


def _of_all(by_class: plots.ByClass, cuts: Mapping[str, float]) -> list[Panel]:
    dot = " The dot is the threshold chosen." if cuts else ""
    roc, pr = plots.roc_plot(by_class, cuts), plots.precision_recall_plot(by_class, cuts)
    right = "How many alarms are right, at the share of positives among these rows."
    calibrated = "On the diagonal, of 100 recordings given 30 %, 30 have it. Bins hold equally many rows."
    return [
        Panel("ROC", [Drawing(roc)], f"Found against false alarms, at every threshold.{dot}"),
        Panel("Precision and recall", [Drawing(pr)], f"{right}{dot}"),
        Panel("Calibration", [Drawing(plots.calibration_plot(by_class))], calibrated),
    ]
