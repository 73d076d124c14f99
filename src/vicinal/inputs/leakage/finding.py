"""Finding: one thing that a reader of the results must know, and how it is worded.

Plain data; must not know what is looked for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

__all__ = ["SEVERITIES", "Finding", "Severity", "by_severity", "some"]

Severity = Literal["leak", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("leak", "warning", "note")


@dataclass(frozen=True)
class Finding:
    """One thing that a reader of the results must know.

    Args:    kind: a fixed name, such as "groups_across_parts".
             severity: "leak" (results are too good), "warning" (may be), "note" (a limit of the data).
             message: one or two sentences.  ids: the rows that it is about, as far as it is about some.
    """

    kind: str
    severity: Severity
    message: str
    ids: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as JSON values."""
        return {"kind": self.kind, "severity": self.severity, "message": self.message, "ids": list(self.ids)}


def by_severity(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings with leaks first, then warnings, then notes."""
    return sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))


def some(values: Sequence[object] | np.ndarray) -> str:
    """Return the first four values in words."""
    shown = ", ".join(str(value) for value in values[:4])
    return shown if len(values) <= 4 else f"{shown}, ..."
