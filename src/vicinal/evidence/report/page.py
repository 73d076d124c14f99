"""The report: one HTML file with everything in it, for a person who would rather look than read.

Puts numbers and drawings into a template; computes no metric. The same report gives the same bytes.
Must not know networks, packs or how anything was made; the only module that uses jinja2.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Float64, Int8

from vicinal.errors import ExtraError, FormatError
from vicinal.evidence.report import plots
from vicinal.evidence.report.picture import picture
from vicinal.evidence.report.strips import paper
from vicinal.files import write_bytes

__all__ = ["Example", "Report", "Stage", "render", "write_report"]

_MOST_CLASSES = 6
_HEADLINE = {
    "auroc": "AUROC",
    "macro_auroc": "mean AUROC",
    "accuracy": "accuracy",
    "macro_f1": "mean F1",
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "ppv": "PPV on these rows",
}
_PEOPLE = ("found", "missed", "referred", "false_alarms")


@dataclass(frozen=True)
class Stage:
    """One stage of the network.

    Args:    text: as in the network's text.  shape: what leaves it, in words.  parameters: learnt numbers.
             receptive_field_ms: how much of the signal one unit sees; None without a rate.
    """

    text: str
    shape: str
    parameters: int
    receptive_field_ms: float | None = None


@dataclass(frozen=True)
class Example:
    """One recording that was decided wrongly.

    Args:    truth, decision: in words.  probability: of the positive class, or of the class decided.
             samples: (channels, time), prepared or raw, in `unit`, or (channels, height, width) where
             `rate_hz` is None.  channels: their names.
             adds: like samples: what each of them adds to the log-odds of the class `about`; None: not known.
    """

    id: str
    truth: str
    decision: str
    probability: float
    samples: Float[np.ndarray, "channels *positions"]
    rate_hz: float | None
    unit: str
    channels: tuple[str, ...] = ()
    adds: Float[np.ndarray, "channels *positions"] | None = None
    about: str = ""


@dataclass(frozen=True)
class Report:
    """What a report shows. Empty parts are left out of the page, with one line that says so.

    Args:    title: of the experiment.  command: that made it.  experiment: the text of its file.
             dataflow: (stage, what happens, shape) from files to decisions.
             counts: for each part of the split, numbers by name: rows, each class, subjects.
             exclusions: (recording, reason).
             findings: of the audit, (kind, severity "leak" | "warning" | "note", message).
             stages: of the network.  history: the monitor's records of epochs.  monitor: (kind, message).
             select: the validation metric that chose the epoch.
             evidence: what `evidence.json` holds.
             classes: K names.  truth (1, 0, NaN not known), probability, decisions (1, 0, -1 referred; or
             None): (n, K), of the test rows.  errors: the worst first.
             card: the model card, Markdown.  versions: by name.
    Raises:  FormatError: when truth, probability and decisions are not all (n, K).
    """

    title: str
    command: str
    experiment: str
    evidence: Mapping[str, Any]
    classes: tuple[str, ...]
    truth: Float64[np.ndarray, "n k"]
    probability: Float64[np.ndarray, "n k"]
    decisions: Int8[np.ndarray, "n k"] | None = None
    dataflow: Sequence[tuple[str, str, str]] = ()
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    exclusions: Sequence[tuple[str, str]] = ()
    findings: Sequence[tuple[str, str, str]] = ()
    stages: Sequence[Stage] = ()
    history: Sequence[Mapping[str, Any]] = ()
    monitor: Sequence[tuple[str, str]] = ()
    select: str | None = None
    errors: Sequence[Example] = ()
    card: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        expected = (len(self.probability), len(self.classes))
        for name in ("truth", "probability", "decisions"):
            value = getattr(self, name)
            if value is not None and np.shape(value) != expected:
                raise FormatError(
                    f"report: {name} must be (rows, classes) = {expected}, got {np.shape(value)}."
                )


def write_report(path: Path, report: Report) -> None:
    """Write the page to `path`, whole or not at all.

    Raises:  ExtraError: without jinja2.  PathError: when the folder is missing or cannot be written.
    """
    write_bytes(path, render(report).encode())


def render(report: Report) -> str:
    """Return the page as one HTML text that asks for nothing from anywhere.

    Raises:  ExtraError: without jinja2.
    """
    try:
        import jinja2
        import markupsafe
    except ImportError as error:
        raise ExtraError(
            "the report needs jinja2, which is not installed. Install it with: pip install 'vicinal[report]'"
        ) from error
    folder = resources.files("vicinal.evidence.report")
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters |= {"number": _number, "count": _count, "milliseconds": _milliseconds}
    template = environment.from_string(folder.joinpath("report.html.j2").read_text(encoding="utf-8"))
    style = folder.joinpath("report.css").read_text(encoding="utf-8")
    meaning = report.evidence.get("meaning", {})
    drawings = {name: [_Figure(*one) for one in made] for name, made in _drawings(report).items()}
    return template.render(
        report=report,
        style=markupsafe.Markup(style),
        svg=markupsafe.Markup,
        figures=drawings,
        headline=_headline(report.evidence),
        sentence=meaning.get("sentence", ""),
        people=_people(meaning),
        metrics=_metrics(report.evidence),
        examples=[(one, _drawn(one)) for one in report.errors],
        confusion=_confusion(report),
        card=_card(report.card),
        policy=_facts(report.evidence.get("policy", {})),
        protocol=_facts(report.evidence.get("protocol", {})),
    )


@dataclass(frozen=True)
class _Figure:
    """A drawing, and the sentence below it."""

    svg: str
    title: str
    caption: str


def _drawings(report: Report) -> dict[str, list[tuple[str, str, str]]]:
    made: dict[str, list[tuple[str, str, str]]] = {
        "training": [],
        "scores": [],
        "decisions": [],
        "robustness": [
            (
                plots.robustness_plot(name, found),
                f"AUROC under {name}",
                "Dashed: undisturbed. Shaded: 95 % intervals.",
            )
            for name, found in report.evidence.get("robustness", {}).items()
            if "points" in found
        ],
        "cohorts": [],
    }
    if "learning_curve" in report.evidence:
        curve = report.evidence["learning_curve"]
        drawing = plots.learning_curves_plot({"": curve["points"]}, unit=curve["unit"])
        made["cohorts"].append((drawing, "AUROC against training data", "Shaded: 95 % intervals."))
    if report.history:
        losses, metric = plots.learning_plot(report.history, select=report.select)
        made["training"].append((losses, "Loss", "Mean over each epoch, and on validation rows after it."))
        if metric:
            kept = "The weights of the dashed epoch were kept."
            made["training"].append((metric, "Selection", f"The validation metric that chose. {kept}"))
    by_class = _known(report)
    if not by_class:
        return made
    policy = report.evidence.get("policy", {})
    pairs = zip(policy.get("classes", ()), policy.get("thresholds", ()), strict=False)
    thresholds = {name: float(value) for name, value in pairs if name in by_class}
    made["scores"] = _score_drawings(by_class, thresholds)
    meaning = report.evidence.get("meaning", {})
    stated = meaning.get("prevalence") if len(by_class) == 1 else None
    moved = stated if meaning.get("stated") else None
    for name, (truth, probability) in by_class.items():
        cut = thresholds.get(name)
        of = "" if len(by_class) == 1 else f": {name}"
        made["scores"].append(
            (
                plots.histogram_plot(name, truth, probability, threshold=cut),
                f"Probabilities{of}",
                "Rows that have it above the line, rows that do not below.",
            )
        )
        made["decisions"] += [
            (
                plots.sweep_plot(name, truth, probability, threshold=cut, prevalence=stated),
                f"Threshold sweep{of}",
                "What every other threshold would give. Dashed: the one chosen, on rows of its own.",
            ),
            (
                plots.decision_plot(name, truth, probability, threshold=cut, prevalence=moved),
                f"Decision curve{of}",
                "Net benefit when a miss weighs (1 − t) / t false alarms; the model should lie on top.",
            ),
        ]
    return made


def _score_drawings(by_class: plots.ByClass, thresholds: Mapping[str, float]) -> list[tuple[str, str, str]]:
    dot = " The dot is the threshold chosen." if thresholds else ""
    return [
        (
            plots.roc_plot(by_class, thresholds),
            "ROC",
            f"Found against false alarms, at every threshold.{dot}",
        ),
        (
            plots.precision_recall_plot(by_class, thresholds),
            "Precision and recall",
            f"How many alarms are right, at the share of positives among these rows.{dot}",
        ),
        (
            plots.calibration_plot(by_class),
            "Calibration",
            "On the diagonal, of 100 recordings given 30 %, 30 have it. Bins hold equally many rows.",
        ),
    ]


def _known(report: Report) -> dict[str, tuple[Float64[np.ndarray, " n"], Float64[np.ndarray, " n"]]]:
    """Return truth and probability of each class that has rows of both kinds; at most six classes."""
    found = {}
    for k, name in enumerate(report.classes):
        known = ~np.isnan(report.truth[:, k])
        truth = report.truth[known, k]
        if truth.size and truth.min() != truth.max():
            found[name] = (truth, report.probability[known, k])
    return dict(list(found.items())[:_MOST_CLASSES])


def _headline(evidence: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    metrics = evidence.get("metrics", {})
    shown = {
        name: words for name, words in _HEADLINE.items() if metrics.get(name, {}).get("value") is not None
    }
    if "sensitivity" in shown:  # Accuracy says least where one kind is rare.
        shown.pop("accuracy", None)
    return [(words, metrics[name]) for name, words in shown.items()][:4]


def _metrics(evidence: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return rows of the table; those within 0 to 1 with the place of their interval on a bar, in percent."""
    rows = []
    for name, entry in evidence.get("metrics", {}).items():
        edges = [entry.get(key) for key in ("low", "value", "high")]
        drawn = all(edge is not None and 0 <= edge <= 1 for edge in edges)
        bar = [round(100 * edge, 2) for edge in edges] if drawn else None
        rows.append({"name": name, "bar": bar, **entry})
    return rows


def _people(meaning: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the picture of 1,000 people, for a task of one class."""
    if not all(isinstance(meaning.get(name), Mapping) for name in _PEOPLE):
        return None
    counts = {name: float(meaning[name]["value"]) for name in _PEOPLE}
    return {"svg": plots.people_plot(counts), "counts": {name: meaning[name] for name in _PEOPLE}}


def _confusion(report: Report) -> list[dict[str, Any]]:
    """Return one table for exclusive classes, else one for each class: truth by decision, in rows."""
    if report.decisions is None or not len(report.truth):
        return []
    if report.evidence.get("policy", {}).get("kind") == "argmax":
        known = ~np.isnan(report.truth).any(axis=1)
        truth, called = report.truth[known].argmax(axis=1), report.decisions[known].argmax(axis=1)
        called = np.where((report.decisions[known] == -1).any(axis=1), -1, called)
        return [_table("all classes", report.classes, truth, called)]
    tables = []
    for k, name in enumerate(report.classes):
        known = ~np.isnan(report.truth[:, k])
        truth, called = (
            1 - report.truth[known, k].astype(np.int64),
            report.decisions[known, k].astype(np.int64),
        )
        tables.append(_table(name, (name, f"not {name}"), truth, np.where(called < 0, -1, 1 - called)))
    return tables


def _table(title: str, names: Sequence[str], truth: np.ndarray, called: np.ndarray) -> dict[str, Any]:
    columns = [*range(len(names)), *([-1] if (called == -1).any() else [])]
    rows = []
    for k, name in enumerate(names):
        counts = [int(((truth == k) & (called == column)).sum()) for column in columns]
        total = max(1, sum(counts))
        cells = [
            {"count": count, "share": count / total, "kind": _kind(k, column)}
            for count, column in zip(counts, columns, strict=True)
        ]
        rows.append({"name": name, "cells": cells})
    return {"title": title, "columns": ["referred" if c < 0 else names[c] for c in columns], "rows": rows}


def _kind(truth: int, called: int) -> str:
    return "referred" if called < 0 else "right" if truth == called else "wrong"


def _drawn(example: Example) -> dict[str, Any]:
    samples = np.atleast_2d(np.asarray(example.samples, np.float64))
    label = f"recording {example.id}: {', '.join(example.channels) or 'signal'}"
    if example.rate_hz is None:
        drawing = picture(samples, label=label, adds=example.adds)
    else:
        drawing = paper(samples, rate_hz=example.rate_hz, unit=example.unit, label=label, adds=example.adds)
    # A clip of a second would be as small as a stamp; a row of ten seconds just fits a page at true size.
    zoom = 1.0 if example.rate_hz is None or drawing.width_mm > 120 else min(3.5, 120 / drawing.width_mm)
    size = "" if zoom == 1 else f", drawn {zoom:.2g} times as large"
    return {
        "svg": drawing.svg,
        "width_mm": round(drawing.width_mm * zoom, 1),
        "scale": f"{drawing.scale}{size}",
        "missing": not np.isfinite(samples).all(),
    }


def _card(text: str) -> list[tuple[str, Any]]:
    """Split Markdown into blocks that the template can lay out: heading, table, code, paragraph."""
    blocks: list[tuple[str, Any]] = []
    for block in filter(str.strip, text.split("\n\n")):
        lines = block.strip("\n").splitlines()
        if block.startswith("#"):
            blocks.append(("heading", lines[0].lstrip("# ")))
            if rest := "\n".join(lines[1:]).strip():
                blocks.append(("paragraph", rest))
        elif all(line.startswith("|") for line in lines):
            cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
            blocks.append(("table", [row for row in cells if not set("".join(row)) <= set("-: ")]))
        elif all(line.startswith("    ") for line in lines):
            blocks.append(("code", "\n".join(line[4:] for line in lines)))
        else:
            blocks.append(("paragraph", " ".join(lines)))
    return blocks


def _facts(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        (name.replace("_", " "), _said(value))
        for name, value in values.items()
        if value not in (None, "", [])
    ]


def _said(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_said(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_said, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _number(value: float | None) -> str:
    """Three decimals; a dash where there is no number."""
    return "–" if value is None or not math.isfinite(value) else f"{value:.3f}"


def _count(value: float | None) -> str:
    """A number of people or rows; one decimal below 10."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:,.0f}" if value >= 9.95 or float(value).is_integer() else f"{value:.1f}"


def _milliseconds(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f} ms"
