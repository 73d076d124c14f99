"""Test recordings under disturbances: AUROC against strength, as plots and as a table."""

from collections.abc import Mapping
from typing import Any

from vicinal.evidence.report.blocks import (
    Block,
    Cell,
    Column,
    Drawing,
    Grid,
    Heading,
    Panel,
    Paragraph,
    Table,
)
from vicinal.evidence.report.content import Report
from vicinal.evidence.report.plots import robustness_plot
from vicinal.evidence.report.spelling import count, interval, number, unreliable

__all__ = ["robustness"]

_WORDS = (
    "Read again, disturbed as they might arrive, then prepared and scored as ever. Decibels are of signal over noise: "
    "the lower, the more noise. A change is against the same recordings undisturbed; refused is what the contract "
    "does not take, which is a defence."
)
_COLUMNS = (
    Column("disturbance"), Column("strength", number=True), Column("AUROC", number=True), Column("95 % interval"),
    Column("change", number=True), Column("95 % interval"), Column("rows", number=True), Column("refused", number=True),
)  # fmt: skip


def robustness(report: Report) -> list[Block]:
    """Return plots and table, where the evidence has any."""
    if "robustness" not in report.evidence:
        return []
    measured = {name: one for name, one in report.evidence["robustness"].items() if "points" in one}
    panels = [
        Panel(
            f"AUROC under {name}",
            [Drawing(robustness_plot(name, found))],
            "Dashed: undisturbed. Shaded: 95 % intervals.",
        )
        for name, found in measured.items()
    ]
    rows = [_row(name, found["unit"], point) for name, found in measured.items() for point in found["points"]]
    left_out = [
        Paragraph(f"{name} was left out: {found['left_out'].rstrip('.')}.", small=True)
        for name, found in report.evidence["robustness"].items()
        if "left_out" in found
    ]
    blocks: list[Block] = [Heading("Robustness", "robustness")]
    if rows:
        blocks += [Paragraph(f"{_rows(measured)} {_WORDS}", small=True), Grid(panels), Table(_COLUMNS, rows)]
    return [*blocks, *_refusals(measured), *left_out]


def _rows(measured: Mapping[str, Mapping[str, Any]]) -> str:
    """Return how many recordings of how many, in words."""
    first = next(iter(measured.values()))
    n, among = first["n_rows"], first["n_test_rows"]
    return (
        f"{count(n)} test recordings."
        if n == among
        else f"{count(n)} of {count(among)} test recordings, drawn by subject."
    )


def _row(name: str, unit: str, point: Mapping[str, Any]) -> list[Cell | str]:
    change = point["change"]
    return [
        name,
        f"{point['strength']:g} {unit}",
        Cell(number(point["value"]), bold=True),
        Cell(interval(point), tag=unreliable(point)),
        "" if change is None else number(change["value"]),
        "" if change is None else interval(change),
        count(point["n"]),
        count(point["refused"]),
    ]


def _refusals(measured: Mapping[str, Mapping[str, Any]]) -> list[Block]:
    """Return the first reason of each disturbance after which recordings were refused."""
    found = {
        name: next((point["why"] for point in one["points"] if point["refused"]), "")
        for name, one in measured.items()
    }
    return [
        Paragraph(f"{name}, refused: {why.rstrip('.')}.", small=True) for name, why in found.items() if why
    ]
