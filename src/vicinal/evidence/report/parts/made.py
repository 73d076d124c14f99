"""How a run was made: the commands, the protocol, the versions and the experiment file."""

from vicinal.evidence.report.blocks import Block, Code, Facts, Fold, Heading, Paragraph
from vicinal.evidence.report.content import Report
from vicinal.evidence.report.sources import commands
from vicinal.evidence.report.spelling import facts

__all__ = ["made"]


def made(report: Report) -> list[Block]:
    """Return what another person needs to make the run again."""
    told = {name: value for name, value in report.protocol.items() if name not in ("command", "decided_by")}
    blocks: list[Block] = [Code("\n".join(commands(report.protocol))), Facts(facts(told))]
    versions = report.evidence.get("versions", {})
    if versions:
        words = " · ".join(f"{name} {version}" for name, version in versions.items())
        blocks += [Heading("Versions"), Paragraph(words, small=True)]
    if report.experiment:
        blocks.append(Fold("The experiment file", [Code(report.experiment)]))
    return blocks
