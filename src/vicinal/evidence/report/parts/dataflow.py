"""The dataflow of a run: each step from files to decisions, with the shape that leaves it."""

import math
from collections.abc import Sequence

from vicinal.evidence.report.blocks import Block, Flow, Paragraph, Step
from vicinal.evidence.report.content import Report

__all__ = ["dataflow"]

_PX_PER_DOUBLING = 11.0


def dataflow(report: Report) -> list[Block]:
    """Return the steps of the run."""
    steps = report.evidence.get("dataflow", [])
    if not steps:
        return [Paragraph("The run did not describe its dataflow.", small=True)]
    aim = report.evidence.get("policy", {}).get("aim", "")
    drawn = [
        # A later policy replaces the aim, and nothing before it.
        Step(
            one["step"],
            aim if one["step"] == "decisions" and aim else one["what"],
            one["shape"],
            _glyph(one.get("sizes") or ()),
            one.get("inner", False),
        )
        for one in steps
    ]
    return [Flow(drawn)]


def _glyph(sizes: Sequence[int]) -> str:
    """Draw what leaves a step as a box: as wide as it has positions and as high as it has channels.

    Both in doublings, or a thousand positions would leave no room for the eight of the last stage.

    Args:    sizes: (channels, *positions); nothing is drawn without.
    """
    if not sizes:
        return ""
    width = _side(math.prod(sizes[1:]))
    height = _side(sizes[0]) / 2
    words = " x ".join(map(str, sizes))
    return (
        f'<svg class="box" width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}" role="img" '
        f'aria-label="{words}"><rect x="0.5" y="0.5" width="{width - 1:g}" height="{height - 1:g}" rx="1.5"/></svg>'
    )


def _side(n: int) -> float:
    return round(6 + _PX_PER_DOUBLING * math.log2(max(n, 1)), 1)
