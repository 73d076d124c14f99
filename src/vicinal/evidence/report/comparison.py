"""The page of a comparison: verdict, table, curves and maps, made of the blocks of a report.

Reads plain data, `compare.json`, and the maps beside it. Must not know networks, packs or how anything was made.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from vicinal.evidence.ladder.answer import headline
from vicinal.evidence.ladder.questions.removed import removed_rows
from vicinal.evidence.ladder.table import comparison_rows, rows_in_words, with_all
from vicinal.evidence.ladder.wording import broke_off
from vicinal.evidence.metric import in_words
from vicinal.evidence.report.blocks import (
    Block,
    Code,
    Column,
    Drawing,
    Facts,
    Grid,
    Heading,
    Panel,
    Paragraph,
    Table,
)
from vicinal.evidence.report.comparison_plots import (
    cost_plot,
    curves_plot,
    decisions_plot,
    gap_plot,
    groups,
    progress_plot,
    shift_plot,
    stages_plot,
    styles_of,
)
from vicinal.evidence.report.html import to_html
from vicinal.evidence.report.maps import map_drawing
from vicinal.evidence.report.markdown import to_markdown
from vicinal.evidence.report.section import Head, Section
from vicinal.files import write_bytes

__all__ = ["Explained", "render_comparison", "write_comparison"]

FILES = ("compare.md", "compare.json")
"""Beside the page, with the same numbers."""

Evidence = Mapping[str, Any]

_AT_ONCE = 4
"""Columns of intervals that are not wider than the page."""


@dataclass(frozen=True)
class Explained:
    """One test signal, and what each network's score of it rests on.

    Args:    id, truth: of the signal.  samples: (channels, *positions), prepared.
             adds: by network, like samples: what each sample adds to the log-odds of the truth.
    """

    id: str
    truth: str
    samples: Float[np.ndarray, "channels *positions"]
    adds: Mapping[str, Float[np.ndarray, "channels *positions"]]


def write_comparison(path: Path, evidence: Evidence, maps: Sequence[Explained] = ()) -> None:
    """Write the page to `path`, and the text beside it with the suffix `.md`, each whole or not at all.

    Raises:  ExtraError: without jinja2.  PathError: when the folder cannot be written.
    """
    head, sections = _head(evidence), _sections(evidence, maps)
    write_bytes(path, to_html(head, sections).encode())
    write_bytes(path.with_suffix(".md"), to_markdown(head, sections).encode())


def render_comparison(evidence: Evidence, maps: Sequence[Explained] = ()) -> str:
    """Return the page as one HTML text that asks for nothing from anywhere.

    Raises:  ExtraError: without jinja2.
    """
    return to_html(_head(evidence), _sections(evidence, maps))


def _head(evidence: Evidence) -> Head:
    points = {name: with_all(one) for name, one in evidence["networks"].items()}
    last = {name: point for name, point in points.items() if point is not None}
    best = sorted(last, key=lambda name: -last[name]["value"])[:4]
    headline = [(name, f"{last[name]['value']:.3f}", _bounds(last[name]), "") for name in best]
    words = f"{_metric(evidence)} with all training {evidence['unit']}: {rows_in_words(evidence)}."
    return Head("Vicinal · comparison of networks", evidence["title"], headline, [Paragraph(words)], FILES)


def _sections(evidence: Evidence, maps: Sequence[Explained]) -> list[Section]:
    made = [
        Section(
            "verdict",
            "Verdict",
            "Verdict",
            "What the intervals allow to say, and no more.",
            _verdict(evidence),
        ),
        Section("table", "Table", "Table", "One network a line.", _table(evidence)),
        Section(
            "data", "Data", "Data", "What more training data buy, and how far each overfits.", _data(evidence)
        ),
        Section("cost", "Cost", "Cost", "How fast each learns and scores.", _cost(evidence)),
        Section(
            "shifts",
            "Shifts",
            "Shifts",
            "The same test signals, earlier and later; the edge value fills the gap.",
            _shifts(evidence),
        ),
        Section(
            "stages",
            "Stages",
            "Stages",
            "What one unit sees after each stage, and what a network is worth when it is cut there and trained again.",
            _stages(evidence),
        ),
        Section("maps", "Maps", "Maps", "What each score rests on, on the same test signals.", _maps(maps)),
        Section(
            "steps", "Steps", "Steps", "What each step buys, against what it costs to keep.", _steps(evidence)
        ),
        Section("made", "How it was made", "How it was made", "Enough to make it again.", _made(evidence)),
    ]
    return [section for section in made if section.blocks]


def _verdict(evidence: Evidence) -> list[Block]:
    blocks: list[Block] = []
    for one in evidence["verdict"]:
        blocks += [Heading(headline(one)), Paragraph(one["sentence"])]
    return blocks


def _table(evidence: Evidence) -> list[Block]:
    columns, rows = comparison_rows(evidence)
    words = (
        f"Intervals: 95 %, {_over(evidence)}. train s: of the steps alone. Memory: what training keeps of one "
        "recording at least, and the weights. fit: the metric of training rows; gap: fit minus test. shifted 10 %: the "
        "metric when test signals are moved by a tenth of their length; changed: decisions that then differ. in a "
        "tenth: how much of what hiding changes lies in the strongest tenth of the positions."
    )
    made = [Column(name, number=k > 0) for k, name in enumerate(columns)]
    # One table of all columns is wider than the page.
    does = next(k for k, name in enumerate(columns) if name.endswith("(95 %)"))
    return [
        Heading("What each does"),
        Table([made[0], *made[does:]], [[row[0], *row[does:]] for row in rows]),
        Heading("What each costs"),
        Table(made[:does], [row[:does] for row in rows]),
        Paragraph(words, small=True),
    ]


def _data(evidence: Evidence) -> list[Block]:
    networks, metric, unit = evidence["networks"], _metric(evidence), evidence["unit"]
    if all(len(one["curve"]) < 2 for one in networks.values()):
        return []
    panels, styles = [], styles_of(list(networks))
    for some in groups(networks):
        panels.append(
            Panel(
                f"{metric} against training {unit}",
                [Drawing(curves_plot(networks, metric=metric, unit=unit, styles=styles, shown=some))],
                f"Bars: 95 % intervals, {_over(evidence)}.",
            )
        )
        panels.append(
            Panel(
                "Overfitting",
                [Drawing(gap_plot(networks, metric=metric, unit=unit, styles=styles, shown=some))],
                "0: as good on new recordings as on those it learnt from.",
            )
        )
    sizes = sorted({point["n_train_subjects"] for one in networks.values() for point in one["curve"]})
    columns = [f"{n:,} {unit}" for n in sizes]
    points = {
        name: {point["n_train_subjects"]: point for point in one["curve"]} for name, one in networks.items()
    }
    reached = [[name, *(_cell(of[n]) if n in of else "" for n in sizes)] for name, of in points.items()]
    gaps = [[name, *(_gap(of[n]["gap"]) if n in of else "" for n in sizes)] for name, of in points.items()]
    return [
        Grid(panels),
        Heading(f"{metric} of the test rows"),
        *_side_by_side(columns, reached),
        Heading(f"Training minus test {metric}"),
        *_side_by_side(columns, gaps),
    ]


def _side_by_side(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[Block]:
    """Return tables of a few columns each, as a page holds them: names first, and one number or interval a column."""
    return [
        Table(
            [Column("network"), *(Column(name, number=True) for name in columns[start : start + _AT_ONCE])],
            [[name, *cells[start : start + _AT_ONCE]] for name, *cells in rows],
        )
        for start in range(0, len(columns), _AT_ONCE)
    ]


def _cost(evidence: Evidence) -> list[Block]:
    networks, metric = evidence["networks"], _metric(evidence)
    panels, styles = [], styles_of(list(networks))
    if any(one["infer_per_second"] for one in networks.values()):
        panels.append(
            Panel(
                "Speed",
                [Drawing(cost_plot(networks, metric=metric, styles=styles))],
                "The upper right is better in both.",
            )
        )
    selects = {one["select"] for one in networks.values() if one["history"]}
    if len(selects) == 1:
        select = str(selects.pop())
        panels += [
            Panel(
                "Learning",
                [Drawing(progress_plot(networks, select=select, styles=styles, shown=some))],
                "The first seed of each, all subjects.",
            )
            for some in groups(networks)
        ]
    columns = [Column("network"), Column("how its width was found"), Column("learning rate", number=True)]
    columns += [Column("tried", number=True), Column("ms a step", number=True)]
    columns += [Column(f"s to {evidence['target']:g}", number=True), Column("the monitor found")]
    rows = [
        [
            name,
            one["match"],
            f"{one['learning_rate']:g}",
            ", ".join(f"{rate}: {_number(value)}" for rate, value in one["rates_tried"].items()),
            "" if one["step_ms"] is None else f"{one['step_ms']['median']:.1f}",
            _soon(one["seconds_to_target"]),
            ", ".join(f"{kind} ({n})" for kind, n in one["findings"].items())
            + ("; " if one["findings"] and one["failed"] else "")
            + (broke_off(len(one["failed"])) if one["failed"] else ""),
        ]
        for name, one in networks.items()
    ]
    return [Grid(panels), Table(columns, rows)]


def _soon(one: Evidence | None) -> str:
    """Return the median seconds to the target, and how many seeds got there."""
    if one is None:
        return ""
    seconds = f"{one['median']:.2f} " if one["n_reached"] else ""
    return f"{seconds}({one['n_reached']} of {one['n_seeds']})"


def _shifts(evidence: Evidence) -> list[Block]:
    networks = {name: one for name, one in evidence["networks"].items() if one["translation"]}
    metric, styles = _metric(evidence), styles_of(list(evidence["networks"]))
    panels = [
        panel
        for some in groups(networks)
        for panel in (
            Panel(
                f"{metric} of shifted signals",
                [Drawing(shift_plot(networks, metric=metric, styles=styles, shown=some))],
                "The mean of both ways.",
            ),
            Panel(
                "Decisions",
                [Drawing(decisions_plot(networks, styles=styles, shown=some))],
                "Against those of the signals as they are.",
            ),
        )
    ]
    if not panels:
        return []
    shifts = sorted({point["shift"] for one in networks.values() for point in one["translation"]})
    columns = [f"{100 * shift:g} %" for shift in shifts]
    points = {name: {point["shift"]: point for point in one["translation"]} for name, one in networks.items()}
    values = [[name, *(_cell(of[k]) if k in of else "" for k in shifts)] for name, of in points.items()]
    changed = [[name, *(_changed(of[k]) if k in of else "" for k in shifts)] for name, of in points.items()]
    return [
        Grid(panels),
        Heading(f"{metric} of signals moved by a share of their length"),
        *_side_by_side(columns, values),
        Heading("Decisions that change"),
        Table([Column("network"), *(Column(name, number=True) for name in columns)], changed),
    ]


def _changed(point: Evidence) -> str:
    return "" if point["decisions_changed"] is None else f"{100 * point['decisions_changed']:.0f} %"


def _stages(evidence: Evidence) -> list[Block]:
    networks = evidence["networks"]
    cut = {
        name: one
        for name, one in networks.items()
        if sum(stage.get("value") is not None for stage in one["stages"]) > 1
    }
    metric, styles = _metric(evidence), styles_of(list(networks))
    panels = [
        Panel(
            "Cut to fewer stages",
            [Drawing(stages_plot(cut, metric=metric, styles=styles, shown=some))],
        )
        for some in groups(cut)
    ]
    columns = [
        Column("network"),
        Column("stage"),
        Column("one unit sees", number=True),
        Column(f"{metric} cut there"),
    ]
    rows = [
        [name if stage["n_stages"] == 1 else "", stage["text"], _seen(stage), _cell(stage)]
        for name, one in networks.items()
        for stage in one["stages"]
    ]
    return [*([Grid(panels)] if panels else []), Table(columns, rows)]


def _seen(stage: Evidence) -> str:
    ms, field = stage["receptive_field_ms"], stage["receptive_field_samples"]
    samples = f"{field:,}" if isinstance(field, int) else "x".join(map(str, field))
    # Both, since the rate of a contract can be a stand-in where none is known.
    return f"{samples} positions" if ms is None else f"{samples} samples, {ms:,.{int(ms < 10)}f} ms"


def _maps(maps: Sequence[Explained]) -> list[Block]:
    if not maps:
        return []
    panels = []
    for one in maps:
        blocks: list[Block] = []
        for name, adds in one.adds.items():
            blocks += [
                Paragraph(name, small=True),
                Drawing(map_drawing(one.samples, adds, label=f"{one.id}, {name}")),
            ]
        panels.append(Panel(f"{one.id}: {one.truth}", blocks))
    words = (
        "Orange raises the log-odds of the truth (in a binary task of the positive class), blue lowers: integrated "
        "gradients against a flat signal, or hiding where a network has no gradient. Colours are scaled within each "
        "drawing."
    )
    return [Paragraph(words, small=True), Grid(panels, even=False)]


def _steps(evidence: Evidence) -> list[Block]:
    if not evidence["removed"]:
        return []
    names, rows = removed_rows(evidence)
    numbers = ("ms a recording", "fields of the contract")
    reasons = [
        f"{one['name'].rpartition('without ')[2]}: {one['needed']}"
        for one in evidence["removed"]
        if one["needed"]
    ]
    return [
        Table([Column(name, number=name in numbers) for name in names], rows),
        *(Paragraph(reason, small=True) for reason in reasons),
    ]


def _made(evidence: Evidence) -> list[Block]:
    protocol = evidence["protocol"]
    rates = ", ".join(f"{rate:g}" for rate in evidence["rates"])
    facts = [
        ("test", rows_in_words(evidence)),
        ("widths matched on", evidence["match"]),
        ("learning rates", f"{rates}, chosen on validation rows" if rates else "the experiment's for all"),
        (
            "target",
            f"{evidence['target']:g}" + ("" if evidence["target_stated"] else ", read off what they reach"),
        ),
        ("expected and taken", f"{protocol['expected_seconds']:,.0f} s and {protocol['seconds']:,.0f} s"),
        ("split", protocol["split_hash"][:12]),
        ("pack", protocol["pack_hash"][:12]),
        *(("note", note) for note in protocol["notes"]),
    ]
    return [Code(protocol["command"]), Facts(facts)]


def _over(evidence: Evidence) -> str:
    """Return what intervals are over; one seed does not tell what another would give."""
    unit = evidence["unit"]
    if evidence["n_seeds"] == 1:
        return f"over test {unit} of this one training each, so differences are of trainings, not yet of networks"
    return f"over test {unit} and seeds together"


def _metric(evidence: Evidence) -> str:
    return in_words(evidence["metric"])


def _cell(one: Evidence) -> str:
    return "" if one.get("value") is None else f"{one['value']:.3f} {_bounds(one)}".strip()


def _bounds(one: Evidence) -> str:
    return "" if one["low"] is None else f"({one['low']:.3f} to {one['high']:.3f})"


def _gap(one: Evidence) -> str:
    if one["value"] is None:
        return ""
    return f"{one['value']:+.3f}" + (
        "" if one["low"] is None else f" ({one['low']:+.3f} to {one['high']:+.3f})"
    )


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
