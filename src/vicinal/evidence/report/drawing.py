"""One drawing as inline SVG in the report's style: same input, same bytes; text stays text.

Drawn with matplotlib without its global state. Must not know what is drawn, pages or files.
"""

import html
import io
import re
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

__all__ = ["BLUE", "CYCLE", "GOLD", "GREEN", "GREY", "INK", "MUTED", "RED", "RULE", "Drawing", "legend_above"]

BLUE, RED, GREEN, GOLD, GREY = "#1f6f8b", "#c4523a", "#3d8361", "#b9862b", "#a9b3bb"
INK, MUTED, RULE = "#22303c", "#5d6b78", "#e6e3dc"
CYCLE = (BLUE, RED, GREEN, GOLD, "#7a5c99", "#4b5d67", "#9c6b4e", "#5a8f9e")
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.family": "sans-serif",
    "font.size": 9.5,
    "axes.edgecolor": GREY,
    "axes.labelcolor": MUTED,
    "axes.labelsize": 9.5,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": RULE,
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.7,
    "lines.solid_capstyle": "round",
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
}

LEFT, RIGHT, FOOT = 0.17, 0.965, 0.135
"""Edges of every plot, as shares of it: room for numbers such as -0.025 and the words beside them."""


class Drawing:
    """One axes in our style: `with Drawing("roc") as drawing: drawing.axes.plot(...)`, then `.svg`."""

    def __init__(self, name: str, *, width: float = 4.4, height: float = 3.5) -> None:
        self._style = matplotlib.rc_context({**_STYLE, "svg.hashsalt": name})
        self._size = (width, height)
        self._name = name
        self.svg = ""

    def __enter__(self) -> "Drawing":
        self._style.__enter__()
        self._figure = Figure(figsize=self._size)
        # Fixed margins: a layout engine would draw every plot twice to find them.
        self.axes: Axes = self._figure.add_axes((LEFT, FOOT, RIGHT - LEFT, 0.98 - FOOT))
        return self

    def __exit__(self, *raised: Any) -> None:
        try:
            if raised[0] is None:
                stream = io.StringIO()
                nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
                self._figure.savefig(stream, format="svg", metadata=nothing)
                self.svg = _inline(stream.getvalue(), self._name)
        finally:
            self._style.__exit__(*raised)


def _inline(document: str, name: str) -> str:
    """Turn a document into an element: no header, no size, no style for the whole page, no needless ids."""
    svg = document[document.index("<svg") :]
    view_box = re.search(r'viewBox="[^"]*"', svg)
    body = svg[svg.index(">") + 1 :]
    body = re.sub(r"<metadata>.*?</metadata>|<style[^>]*>.*?</style>|<!--.*?-->", "", body, flags=re.DOTALL)
    body = re.sub(r'<g id="[^"]*"', "<g", body)
    body = re.sub(r"(font: (?:[\d.]+ )?[\d.]+px )[^;\"]*", r"\1inherit", body)
    body = re.sub(r"\s*\n\s*", "\n", body)
    label = f'role="img" aria-label="{html.escape(name)}"'
    return f'<svg class="plot" {view_box[0] if view_box else ""} {label}>{body.strip()}'


def legend_above(
    axes: Axes,
    *,
    n_columns: int,
    box: tuple[float, float, float, float] = (LEFT, FOOT, RIGHT - LEFT, 0.98 - FOOT),
    row: float = 0.06,
) -> None:
    """Put the legend over the axes, where no line runs through it, in as many rows as it takes.

    Args:    box: of the axes without a legend (left, bottom, width, height), and `row`, which each row of the legend
             takes of its height, as shares of the drawing.
    """
    names = axes.get_legend_handles_labels()[1]
    n_rows = -(-len(names) // n_columns)
    axes.set_position((*box[:3], box[3] - row * n_rows))
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0, 0.99),
        ncols=n_columns,
        handlelength=1.2,
        columnspacing=1.4,
        borderaxespad=0.2,
        labelspacing=0.25,
        labelcolor=INK,
    )
