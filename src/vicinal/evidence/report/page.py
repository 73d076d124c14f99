"""The report: one HTML file and one text with everything in it, for a person who would rather look than read.

Says which sections there are, and which parts each is made of: a part is a function from a `Report` to blocks. The
same report gives the same bytes. Must not know networks, packs or how anything was made.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vicinal.evidence.report.blocks import Block
from vicinal.evidence.report.content import Report
from vicinal.evidence.report.html import to_html
from vicinal.evidence.report.markdown import to_markdown
from vicinal.evidence.report.parts.alarms import alarms
from vicinal.evidence.report.parts.beats import beats
from vicinal.evidence.report.parts.card import card
from vicinal.evidence.report.parts.curves import curves
from vicinal.evidence.report.parts.data import data
from vicinal.evidence.report.parts.dataflow import dataflow
from vicinal.evidence.report.parts.decisions import decisions
from vicinal.evidence.report.parts.differences import differences
from vicinal.evidence.report.parts.errors import errors
from vicinal.evidence.report.parts.learning_curve import learning_curve
from vicinal.evidence.report.parts.made import made
from vicinal.evidence.report.parts.meaning import meaning
from vicinal.evidence.report.parts.metrics import headline, metrics
from vicinal.evidence.report.parts.network import network
from vicinal.evidence.report.parts.policies import policies
from vicinal.evidence.report.parts.reporting import reporting
from vicinal.evidence.report.parts.robustness import robustness
from vicinal.evidence.report.parts.subgroups import subgroups
from vicinal.evidence.report.parts.training import training
from vicinal.evidence.report.section import Head, Section
from vicinal.files import write_bytes

__all__ = ["SECTIONS", "render", "render_text", "write_report"]


@dataclass(frozen=True)
class _Plan:
    """One section: its title, the words in the row of links, the sentence below the title, and its parts."""

    title: str
    link: str
    lead: str
    parts: tuple[Callable[[Report], list[Block]], ...]


SECTIONS = {
    "dataflow": _Plan(
        "Dataflow", "Dataflow", "From files to decisions, with the shape at each step.", (dataflow,)
    ),
    "data": _Plan(
        "Data",
        "Data",
        "Rows in each part of the split, what was left out, and what the audit found.",
        (data,),
    ),
    "network": _Plan(
        "Network",
        "Network",
        "Each stage, what leaves it, and how much of the signal one unit of it sees.",
        (network,),
    ),
    "training": _Plan(
        "Training", "Training", "How the network learnt, in curves and in the monitor's words.", (training,)
    ),
    "evidence": _Plan(
        "Evidence",
        "Evidence",
        "What the scores are worth on rows that nothing was fitted on. Intervals are 95 %, by subject where subjects "
        "are known.",
        (metrics, differences, beats, curves, subgroups, robustness, learning_curve),
    ),
    "decisions": _Plan(
        "Decisions",
        "Decisions",
        "The threshold, how it was chosen, and what every other choice would give.",
        (decisions, alarms, policies),
    ),
    "errors": _Plan(
        "Worst errors",
        "Worst errors",
        "Recordings decided wrongly, the most confident first. Look before you trust the label, or the network.",
        (errors,),
    ),
    "card": _Plan("Model card", "Model card", "What travels inside the model file.", (card,)),
    "reporting": _Plan(
        "For a paper",
        "For a paper",
        "What of the reporting guideline TRIPOD+AI is here, and what only a person can write.",
        (reporting,),
    ),
    "made": _Plan(
        "How it was made",
        "How it was made",
        "Every number above came from these commands and this experiment.",
        (made,),
    ),
}
"""The sections of a report, in order; a part that returns nothing is left out."""


def write_report(path: Path, report: Report) -> None:
    """Write the page to `path`, and the text beside it with the suffix `.md`, each whole or not at all.

    Raises:  ExtraError: without jinja2.  PathError: when the folder is missing or cannot be written.
    """
    head, sections = _head(report), _sections(report)
    write_bytes(path, to_html(head, sections).encode())
    write_bytes(path.with_suffix(".md"), to_markdown(head, sections).encode())


def render(report: Report) -> str:
    """Return the page as one HTML text that asks for nothing from anywhere.

    Raises:  ExtraError: without jinja2.
    """
    return to_html(_head(report), _sections(report))


def render_text(report: Report) -> str:
    """Return the same as Markdown, without drawings."""
    return to_markdown(_head(report), _sections(report))


def _head(report: Report) -> Head:
    return Head(
        f"Vicinal · {_kind(report)}",
        str(report.protocol.get("title", "")),
        headline(report),
        meaning(report),
    )


def _kind(report: Report) -> str:
    """Return what the page is about, from what only such evidence holds."""
    if "contract" in report.evidence:
        return "evaluation of a saved model"
    if "folds_hash" in report.protocol:
        return "report of a cross-validation"
    return "report of one run"


def _sections(report: Report) -> list[Section]:
    return [
        Section(
            name, plan.title, plan.link, plan.lead, [block for part in plan.parts for block in part(report)]
        )
        for name, plan in SECTIONS.items()
    ]
