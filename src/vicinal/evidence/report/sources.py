"""Which command made a number: that of the run, or the later one that decided again.

Takes the protocol of `evidence.json`, returns words.
"""

import re
from collections.abc import Mapping
from typing import Any

from vicinal.evidence.report.blocks import Paragraph
from vicinal.evidence.report.content import Report
from vicinal.evidence.report.spelling import plural

__all__ = ["commands", "marked", "source", "sources"]

_OF_SCORES = ("auroc", "average_precision", "brier", "log_loss", "ece", "ece_mass", "calibration")
"""How metrics begin that no decision changes; of all others the policy decides."""


def commands(protocol: Mapping[str, Any]) -> list[str]:
    """Return the command that made the scores, and where there is one that which decided again."""
    return [protocol[name] for name in ("command", "decided_by") if protocol.get(name)]


def marked(protocol: Mapping[str, Any]) -> bool:
    """Whether numbers need a mark for the command that made them."""
    return len(commands(protocol)) > 1


def source(name: str, protocol: Mapping[str, Any]) -> str:
    """Return the number of the command that made a metric."""
    stem = re.split(r"[\[@]", name)[0]
    of_scores = stem.startswith(("calibration_",)) or stem in _OF_SCORES
    return "1" if of_scores or not marked(protocol) else "2"


def sources(report: Report, *, what: str = "scores") -> list[Paragraph]:
    """Return one line: the command, the rows and the subjects that the numbers above it come from.

    Args:    what: "scores", "decisions", or "both".
    """
    protocol, found = report.protocol, commands(report.protocol)
    if not found:
        return []
    if what == "both" and len(found) > 1:
        by = "; ".join(f"{k} {command}" for k, command in enumerate(found, start=1))
    else:
        by = found[-1] if what == "decisions" else found[0]
    rows = plural(len(report.truth), f"{protocol.get('role', 'test').replace('_', '-')} row")
    entries = report.evidence.get("metrics", {}).values()
    n_subjects = max((one["n_subjects"] or 0 for one in entries), default=0)
    whom = f" of {plural(n_subjects, 'subject')}" if n_subjects else " (one recording per person assumed)"
    return [Paragraph(f"Made by: {by} · from {rows}{whom}", small=True)]
