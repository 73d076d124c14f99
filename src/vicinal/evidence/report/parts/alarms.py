"""How often the policy alarms along the recordings that judge it."""

from collections.abc import Mapping
from typing import Any

from vicinal.evidence.report.blocks import Block, Cell, Column, Heading, Paragraph, Table
from vicinal.evidence.report.content import Report
from vicinal.evidence.report.sources import sources
from vicinal.evidence.report.spelling import count

__all__ = ["alarms"]

_COLUMNS = (
    Column("class"), Column("threshold", number=True), Column("alarms", number=True), Column("days", number=True),
    Column("alarms per day", number=True), Column("95 % interval"), Column("subjects", number=True),
)  # fmt: skip


def alarms(report: Report) -> list[Block]:
    """Return the table of alarms per day, where the policy decides events."""
    found = report.evidence.get("alarms", {})
    if not found:
        return []
    policy = report.evidence["policy"]
    cuts = dict(zip(policy.get("classes", ()), policy.get("thresholds", ()), strict=False))
    rows = [_row(name, cuts.get(name), one) for name, one in found.items()]
    words = (
        f"Aim: {policy['aim']}. Counted on events, never on rows: {_times(policy.get('events') or {})}. The interval "
        "is by subject; the limit was met on the rows that the threshold was fitted on, and these are others."
    )
    return [
        Heading("Alarms along the recordings", "alarms"),
        Paragraph(words, small=True),
        Table(_COLUMNS, rows),
        *sources(report, what="decisions"),
    ]


def _row(name: str, cut: float | None, one: Mapping[str, Any]) -> list[Cell | str]:
    known = one["low"] is not None
    return [
        name,
        "–" if cut is None else f"{cut:.3g}",
        count(one["n"]),
        f"{one['days']:.3g}",
        Cell(_rate(one["per_day"]), bold=True),
        f"{_rate(one['low'])} to {_rate(one['high'])}" if known else "–",
        count(one.get("n_subjects")),
    ]


def _rate(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _times(events: Mapping[str, float]) -> str:
    """Return in words how rows become alarms."""
    parts = ["one begins at the threshold"]
    release = events.get("release", 1.0)
    parts.append(
        f"lasts while probabilities are at least {'that' if release == 1 else f'{release:g} times that'}"
    )
    for key, words in (
        ("merge_s", "two at most {:g} s apart are one"),
        ("least_s", "one shorter than {:g} s does not count"),
        ("refractory_s", "nor does one within {:g} s of the last"),
    ):
        if events.get(key, 0) > 0:
            parts.append(words.format(events[key]))
    return ", ".join(parts)
