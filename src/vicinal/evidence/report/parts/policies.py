"""The policies that a model has had: what each was to achieve, and what it came to on the same test rows."""

from collections.abc import Mapping
from typing import Any

from vicinal.evidence.report.blocks import Block, Cell, Column, Heading, Paragraph, Table
from vicinal.evidence.report.content import Report
from vicinal.evidence.report.spelling import interval, number

__all__ = ["policies"]

_SHOWN = {
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "ppv": "PPV on these rows",
    "macro_f1": "mean F1",
    "accuracy": "accuracy",
    "referred": "referred",
}
_WORDS = (
    "The present policy last. The test rows judge a policy; whoever picks the one with the nicest numbers here has "
    "chosen on them, and should judge the choice on rows that none was looked at on."
)


def policies(report: Report) -> list[Block]:
    """Return the table of earlier policies and the present one, where there were any."""
    earlier = report.evidence.get("earlier_policies", [])
    if not earlier:
        return []
    present = {
        "made_by": report.protocol.get("decided_by", ""),
        "policy": report.evidence["policy"],
        "metrics": report.evidence["metrics"],
    }
    every = [*earlier, present]
    names = [name for name in _SHOWN if any(name in one["metrics"] for one in every)]
    columns = [Column("policy"), Column("threshold", number=True)]
    columns += [Column(_SHOWN[name]) for name in names]
    columns.append(Column("made by"))
    rows = [
        [
            _aim(one["policy"]),
            ", ".join(map(number, one["policy"].get("thresholds", ()))) or "–",
            *(_metric(one["metrics"].get(name)) for name in names),
            Cell(one["made_by"], code=True),
        ]
        for one in every
    ]
    return [
        Heading("Policies this model has had", "policies"),
        Paragraph(_WORDS, small=True),
        Table(columns, rows),
    ]


def _aim(policy: Mapping[str, Any]) -> str:
    words = [str(policy["aim"])]
    if policy.get("confidence") is not None:
        words.append(f"guaranteed with confidence {policy['confidence']:g}")
    if policy.get("prevalence") is not None:
        words.append(f"at prevalence {policy['prevalence']:g}")
    return ", ".join(words)


def _metric(entry: Mapping[str, Any] | None) -> Cell | str:
    if entry is None:
        return "–"
    return f"{number(entry['value'])} ({interval(entry)})"
