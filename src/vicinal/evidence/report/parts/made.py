"""How a run was made: the command, the protocol, the versions and the experiment file."""

from vicinal.evidence.report.blocks import Block, Code, Facts, Fold, Heading, Paragraph
from vicinal.evidence.report.content import Report
from vicinal.evidence.report.spelling import facts

__all__ = ["made"]


def made(report: Report) -> list[Block]:
    """Return what another person needs to make the run again."""
    blocks: list[Block] = [Code(report.command), Facts(facts(report.evidence.get("protocol", {})))]
    if report.versions:
        words = " · ".join(f"{name} {version}" for name, version in report.versions.items())
        blocks += [Heading("Versions"), Paragraph(words, small=True)]
    return [*blocks, Fold("The experiment file", [Code(report.experiment)])]
